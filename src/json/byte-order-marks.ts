/**
 * Where U+FEFF stands in JSON text. The tokenizer decodes each piece of a string by itself, and a decoder drops a byte order mark
 * with which a text begins: one inside a string would be lost, escaped or not.
 */

const MARK = /\ufeff|\\ufeff/i;

/** Escapes are read whole, so that `\\ufeff` (a backslash, then letters) stays what it is. */
const MARK_OR_ESCAPE = /\ufeff|\\ufeff|\\[^]/gi;

export function hasMark(text: string): boolean {
  return MARK.test(text);
}

/** JSON text, its escapes not cut, → what stands between its marks. */
export function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(MARK_OR_ESCAPE)) {
    if (found.length === 2) continue;
    parts.push(text.slice(from, index));
    from = index + found.length;
  }
  return [...parts, text.slice(from)];
}

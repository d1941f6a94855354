/**
 * A detour for U+FEFF. The tokenizer decodes each piece of a string by itself, and a decoder drops a byte order mark where a text
 * begins: one inside a string would be lost, escaped or not. So it travels as two characters that say it, and so does the
 * character that introduces them. U+FFFF is none that texts are made of.
 */

const MARKS = /[\ufeff\uffff]|\\u(?:feff|ffff)/i;

/** Escapes are read whole, so that `\\ufeff` (a backslash, then letters) stays what it is. */
const MARK_OR_ESCAPE = /[\ufeff\uffff]|\\u(?:feff|ffff)|\\[^]/gi;

export function hasMarks(text: string): boolean {
  return MARKS.test(text);
}

/** JSON text, escapes not cut, → the same with marks as they travel. */
export function escapeMarks(text: string): string {
  return text.replace(MARK_OR_ESCAPE, (found) => {
    if (/^(?:\ufeff|\\ufeff)$/i.test(found)) return '\uffff1';
    return /^(?:\uffff|\\uffff)$/i.test(found) ? '\uffff0' : found;
  });
}

/** What the tokenizer read → the string that was meant. */
export function unescapeMarks(text: string): string {
  return text.replace(/\uffff([01])/g, (_, digit) => (digit === '1' ? '\ufeff' : '\uffff'));
}

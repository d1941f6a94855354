/**
 * Masking of everything that may be shown: error messages, excerpts of bodies, log lines. Server text is
 * foreign input; it may quote our key, carry terminal escape sequences or be two hundred kilobytes long.
 */

const MASK = '***';

/** Strings shorter than this are not treated as secrets: masking "json" would mangle every message. */
const MIN_SECRET_LENGTH = 6;

// ANSI escape sequences first (as a whole), so that "\u001b[31m" leaves no "[31m" behind.
const ESCAPE_SEQUENCES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// C0, DEL, C1, line separators, and the invisible and bidirectional controls that can disguise a line.
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+/g;
const LOOKS_LIKE_A_KEY = /\b(?:sk|rk|pk|gsk|xai|pplx|nvapi)[-_][A-Za-z0-9_*.-]{4,}/g;
const BEARER = /\b(Bearer|Basic)\s+[A-Za-z0-9_\-.~+/=*]{4,}/gi;

/** Longest message of an error; the excerpts in it are cut shorter by those who make them. */
export const MAX_MESSAGE_LENGTH = 500;

/**
 * Makes foreign text fit for one readable line: no control characters, no secrets, at most `maxLength` characters.
 *
 * @param text - what a server, a runtime or a caller said
 * @param secrets - exact values to mask wherever they occur (keys, header values, prompts)
 * @param maxLength - cut after this many UTF-16 units, marked by an ellipsis
 */
export function redact(text: string, secrets: readonly string[] = [], maxLength = MAX_MESSAGE_LENGTH): string {
  // Far more than is shown: escape sequences and runs of blanks shrink.
  const shown = masked(text, secrets, maxLength * 4)
    .replace(ESCAPE_SEQUENCES, '')
    .replace(CONTROL_CHARACTERS, ' ')
    .replace(LOOKS_LIKE_A_KEY, MASK)
    .replace(BEARER, `$1 ${MASK}`)
    .replace(/\s+/g, ' ')
    .trim();
  return shown.length > maxLength ? `${sliceWhole(shown, maxLength - 1)}…` : shown;
}

/**
 * At most the first `length` characters of `text`, without secrets. A hostile body may be megabytes long: what is far behind the
 * cut is not looked at.
 */
export function masked(text: string, secrets: readonly string[], length: number): string {
  const wanted = secrets
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
    // One secret may begin like another: its rest must not remain.
    .sort((a, b) => b.length - a.length);
  let shown = text.slice(0, cutBetween(text, wanted, length + (wanted[0]?.length ?? 0)));
  for (const secret of wanted) shown = shown.split(secret).join(MASK);
  return sliceWhole(shown, length);
}

/** The last place up to `end` where a cut goes through no secret: half of one would not be found. */
function cutBetween(text: string, secrets: readonly string[], end: number): number {
  let place = end;
  for (const secret of secrets) {
    const from = Math.max(0, place - secret.length + 1);
    const at = text.slice(from, place + secret.length - 1).indexOf(secret);
    if (at >= 0) place = from + at;
  }
  return place;
}

/** A cut that never leaves half of a surrogate pair. */
function sliceWhole(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

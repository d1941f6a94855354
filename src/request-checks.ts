/** Checks of what goes into a request: addresses, headers, texts. */
import { configurationError } from './errors.ts';
import { isFields } from './fields.ts';
import { mustBe } from './option-checks.ts';

/** A trimmed value, `undefined` if blank. Control characters inside are refused, and never quoted: it may be a key. */
export function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') return mustBe(name, 'a string');
  const trimmed = value.trim();
  if (/[\u0000-\u001f\u007f]/.test(trimmed)) {
    throw configurationError(
      `${name} contains a control character (a line break in the middle?); check how it was read`,
      name,
    );
  }
  return trimmed === '' ? undefined : trimmed;
}

/** The same for what becomes a header's value. */
export function headerText(name: string, value: unknown): string | undefined {
  const text = textOf(name, value);
  if (text !== undefined && !HEADER_VALUE.test(text)) {
    throw configurationError(
      `${name} contains a character that no HTTP header can carry; check how it was copied`,
      name,
    );
  }
  return text;
}

/** @param base - what a relative address is relative to; `undefined` refuses relative ones */
export function validBaseURL(value: string, base: string | undefined, name = 'baseURL'): string {
  const url = URL.canParse(value, base) ? new URL(value, base) : undefined;
  const remedy = 'set it to an http(s) address such as https://api.openai.com/v1';
  const wrong =
    url === undefined || !/^https?:$/.test(url.protocol)
      ? `is not a valid address; ${remedy}`
      : url.username + url.password !== ''
        ? 'must not hold a user or password; pass credentials in apiKey or headers'
        : url.search + url.hash !== ''
          ? `must end before the query; ${remedy}`
          : undefined;
  if (wrong === undefined) return value;
  throw configurationError(`${name} ${wrong}`, name);
}

// RFC 9110 §5.6.2 and §5.5: what fetch would refuse with a message that quotes the value.
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/** Headers with lower-case names and trimmed values. A bad value is named, never quoted: it may be a key. */
export function validHeaders(headers: unknown, option: string): Record<string, string> {
  if (headers === undefined) return {};
  if (!isFields(headers)) return mustBe(option, 'an object of header names and values');
  const valid: Record<string, string> = {};
  for (const [name, value] of headers instanceof Headers ? headers : Object.entries(headers)) {
    if (value === undefined) continue;
    const text = typeof value === 'string' ? value.trim() : undefined;
    const wrong = !HEADER_NAME.test(name)
      ? ' has a name that is no valid header name'
      : text === undefined
        ? `: the value of ${name} must be a string`
        : !HEADER_VALUE.test(text)
          ? `: the value of ${name} contains a control character or one outside Latin-1; check how it was read`
          : undefined;
    if (wrong !== undefined) throw configurationError(option + wrong, option);
    valid[name.toLowerCase()] = text as string;
  }
  return valid;
}

import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { configurationError } from './errors.ts';

/** How long a call may wait, in milliseconds; `false` turns a clock off. Time spent waiting for a slow consumer does not count. */
export interface TimeoutOptions {
  /** From sending to the response headers, per attempt. Default: 240,000 (Node's own fetch gives up at 300,000). */
  readonly connectMs?: number | false | undefined;
  /** Without a single byte of the body, per attempt; keep-alive comments are bytes. Default: 120,000. */
  readonly idleMs?: number | false | undefined;
  /**
   * Without output, from sending and between outputs, per attempt; keep-alives are no output. Streaming only.
   * Default: 300,000.
   */
  readonly outputMs?: number | false | undefined;
  /** The whole call, retries and the pauses before them included. Its error is never retried. Default: off. */
  readonly totalMs?: number | false | undefined;
}

/** Clocks as the transport takes them: `undefined` is off. */
export interface Timeouts {
  readonly connectMs: number | undefined;
  readonly idleMs: number | undefined;
  readonly outputMs: number | undefined;
  readonly totalMs: number | undefined;
}

type Clocks<D> = { readonly [K in keyof D]: number | undefined };

/** Fills in the defaults; `undefined` in the result is a clock that is off. */
export function validTimeouts<D extends object>(
  options: { readonly [K in keyof D]?: number | false | undefined } | false | undefined,
  defaults: D,
  of = 'timeout.',
): Clocks<D> {
  if (options === false) return Object.fromEntries(Object.keys(defaults).map((name) => [name, undefined])) as Clocks<D>;
  if (options !== undefined && (typeof options !== 'object' || options === null || Array.isArray(options))) {
    throw configurationError('timeout must be an object such as { idleMs: 60_000 }, or false', 'timeout');
  }
  unknownNames(options ?? {}, Object.keys(defaults), 'timeout');
  const clocks = Object.entries(defaults).map(([name, byDefault]) => {
    const value: unknown = (options as Readonly<Record<string, unknown>> | undefined)?.[name] ?? byDefault;
    if (value === false || value === undefined) return [name, undefined];
    if (typeof value === 'number' && value > 0 && !Number.isNaN(value)) {
      return [name, value === Number.POSITIVE_INFINITY ? undefined : value];
    }
    throw configurationError(`${of}${name} must be a positive number of milliseconds, or false`, `${of}${name}`);
  });
  return Object.fromEntries(clocks) as Clocks<D>;
}

/** What a number may be. `max` is included; without one, it may be infinite. */
export interface NumberBounds {
  readonly min: number;
  readonly max?: number;
  readonly whole?: boolean;
}

/** The given number, or the default if it was left out. */
export function validNumber(name: string, value: unknown, byDefault: number, bounds: NumberBounds): number {
  if (value === undefined) return byDefault;
  const { min, max = Number.POSITIVE_INFINITY, whole = false } = bounds;
  const valid = typeof value === 'number' && value >= min && value <= max;
  if (valid && (!whole || Number.isInteger(value) || value === Number.POSITIVE_INFINITY)) return value;
  const upTo = bounds.max === undefined ? `at least ${String(min)}` : `from ${String(min)} to ${String(max)}`;
  throw configurationError(`${name} must be a ${whole ? 'whole ' : ''}number, ${upTo}`, name);
}

/** The given function, or the default if it was left out. */
export function validFunction<F extends (...args: never[]) => unknown>(
  name: string,
  value: F | undefined,
  byDefault: F,
): F {
  if (value === undefined || typeof value === 'function') return value ?? byDefault;
  throw configurationError(`${name} must be a function`, name);
}

/** The given switch, or the default if it was left out. */
export function validSwitch(name: string, value: boolean | undefined, byDefault: boolean): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? byDefault;
  throw configurationError(`${name} must be true or false`, name);
}

/** The given word, or the default if it was left out. */
export function validWord<W extends string>(name: string, value: W | undefined, words: readonly [W, ...W[]]): W {
  if (value === undefined) return words[0];
  if (words.includes(value)) return value;
  throw configurationError(`${name} must be ${words.map((word) => `'${word}'`).join(' or ')}`, name);
}

/** The given scheduler, or RxJS's own. */
export function validScheduler(scheduler: SchedulerLike | undefined): SchedulerLike {
  return validMembers(scheduler, 'scheduler', ['schedule', 'now']) ?? asyncScheduler;
}

/** Options of a function: an object that holds no unknown name. */
export function checkNames(options: unknown, known: readonly string[], of: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw configurationError(`The options of ${of} must be an object`, 'options');
  }
  unknownNames(options, known, of);
}

/** A trimmed value, `undefined` if blank. Control characters inside are refused, and never quoted: it may be a key. */
export function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw configurationError(`${name} must be a string`, name);
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
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw configurationError(`${name} is not a valid address; ${remedy}`, name);
  }
  if (url.username !== '' || url.password !== '') {
    throw configurationError(`${name} must not hold a user or password; pass credentials in apiKey or headers`, name);
  }
  if (url.search !== '' || url.hash !== '') {
    throw configurationError(`${name} must end before the query; ${remedy}`, name);
  }
  return value;
}

/** The given object if it has these methods; `undefined` if it was left out. */
export function validMembers<T extends object>(
  value: T | undefined,
  name: string,
  methods: readonly string[],
): T | undefined {
  if (value === undefined) return undefined;
  const members =
    (typeof value === 'object' || typeof value === 'function') && (value as unknown) !== null ? value : undefined;
  const missing = methods.find((method) => typeof members?.[method as keyof T] !== 'function');
  if (members !== undefined && missing === undefined) return members;
  throw configurationError(
    missing === undefined ? `${name} must be an object` : `${name} must be an object whose ${missing} is a function`,
    name,
  );
}

// RFC 9110 §5.6.2 and §5.5: what fetch would refuse with a message that quotes the value.
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/** Headers with lower-case names and trimmed values. A bad value is named, never quoted: it may be a key. */
export function validHeaders(headers: unknown, option: string): Record<string, string> {
  if (headers === undefined) return {};
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw configurationError(`${option} must be an object of header names and values`, option);
  }
  if (headers instanceof Headers) return validHeaders(Object.fromEntries(headers), option);
  const valid: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers as Record<string, unknown>)) {
    if (value === undefined) continue;
    if (!HEADER_NAME.test(name)) throw configurationError(`${option} has a name that is no valid header name`, option);
    if (typeof value !== 'string') throw configurationError(`${option}: the value of ${name} must be a string`, option);
    const trimmed = value.trim();
    if (!HEADER_VALUE.test(trimmed)) {
      throw configurationError(
        `${option}: the value of ${name} contains a control character or one outside Latin-1; check how it was read`,
        option,
      );
    }
    valid[name.toLowerCase()] = trimmed;
  }
  return valid;
}

/** Refuses names that are not in `known`: a misspelt option that is ignored is a setting that is silently off. */
export function unknownNames(given: object, known: readonly string[], of: string): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const [nearest] = known
      .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
      .sort((a, b) => a.distance - b.distance);
    const close = nearest !== undefined && nearest.distance <= Math.max(2, Math.floor(name.length / 3));
    const hint = close ? `; did you mean ${nearest.candidate}?` : `; known are ${known.join(', ')}`;
    throw configurationError(`Unknown option ${name.slice(0, 40)} of ${of}${hint}`, name.slice(0, 40));
  }
}

/** Levenshtein's distance, one row at a time (Wagner and Fischer, 1974). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

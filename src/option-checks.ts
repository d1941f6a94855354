import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { configurationError } from './errors.ts';
import { isFields } from './fields.ts';

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
  const given: unknown = options;
  if (given !== undefined && given !== false) {
    if (!isFields(given)) {
      throw configurationError('timeout must be an object such as { idleMs: 60_000 }, or false', 'timeout');
    }
    unknownNames(given, Object.keys(defaults), 'timeout');
  }
  const clocks = Object.entries(defaults).map(([name, byDefault]) => {
    const value: unknown = given === false ? false : (given?.[name] ?? byDefault);
    if (value === false || value === undefined || value === Number.POSITIVE_INFINITY) return [name, undefined];
    if (typeof value === 'number' && value > 0) return [name, value];
    return mustBe(of + name, 'a positive number of milliseconds, or false');
  });
  return Object.fromEntries(clocks) as Clocks<D>;
}

/** Refuses an option, by name. */
export function mustBe(name: string, what: string): never {
  throw configurationError(`${name} must be ${what}`, name);
}

/** What a number may be. `max` is included; without one, it may be infinite. */
export interface NumberBounds {
  readonly min: number;
  readonly max?: number | undefined;
  readonly whole?: boolean;
}

/** The given number, or the default if it was left out. */
export function validNumber(name: string, value: unknown, byDefault: number, bounds: NumberBounds): number {
  if (value === undefined) return byDefault;
  const { min, max = Number.POSITIVE_INFINITY, whole = false } = bounds;
  const isKind = !whole || Number.isInteger(value) || value === Number.POSITIVE_INFINITY;
  if (typeof value === 'number' && value >= min && value <= max && isKind) return value;
  const range = bounds.max === undefined ? `at least ${String(min)}` : `from ${String(min)} to ${String(max)}`;
  return mustBe(name, `a ${whole ? 'whole ' : ''}number, ${range}`);
}

/** The given function, or the default if it was left out. */
export function validFunction<F extends (...args: never[]) => unknown>(
  name: string,
  value: F | undefined,
  byDefault: F,
): F {
  if (value === undefined || typeof value === 'function') return value ?? byDefault;
  return mustBe(name, 'a function');
}

/** The given switch, or the default if it was left out. */
export function validSwitch(name: string, value: boolean | undefined, byDefault: boolean): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? byDefault;
  return mustBe(name, 'true or false');
}

/** The given word, or the default if it was left out. */
export function validWord<W extends string>(name: string, value: W | undefined, words: readonly [W, ...W[]]): W {
  if (value === undefined) return words[0];
  if (words.includes(value)) return value;
  return mustBe(name, words.map((word) => `'${word}'`).join(' or '));
}

/** The number of a choice, or that of the first. */
export function validChoice(choice: unknown): number {
  const given = choice === undefined ? 0 : choice;
  return typeof given === 'number' && Number.isInteger(given) && given >= 0
    ? given
    : mustBe('choice', 'the number of a choice, from 0');
}

/** The name of a model. */
export function validModel(model: unknown): string {
  if (typeof model === 'string' && model.trim() !== '') return model;
  throw configurationError('model is empty; name a model such as gpt-4o-mini, or leave it out', 'model');
}

/** The given scheduler, or RxJS's own. */
export function validScheduler(scheduler: SchedulerLike | undefined): SchedulerLike {
  return validMembers(scheduler, 'scheduler', ['schedule', 'now']) ?? asyncScheduler;
}

/** Options of a function: an object that holds no unknown name. */
export function checkNames(options: unknown, known: readonly string[], of: string): void {
  if (!isFields(options)) throw configurationError(`The options of ${of} must be an object`, 'options');
  unknownNames(options, known, of);
}

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
    throw configurationError(name + UNSENDABLE, name);
  }
  return text;
}

/** @param base - what a relative address is relative to; `undefined` refuses relative ones */
export function validBaseURL(value: string, base: string | undefined): string {
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
  throw configurationError(`baseURL ${wrong}`, 'baseURL');
}

/** The given object if it has these methods; `undefined` if it was left out. */
export function validMembers<T extends object>(
  value: T | undefined,
  name: string,
  methods: readonly string[],
): T | undefined {
  if (value === undefined) return undefined;
  const missing = methods.find((method) => typeof (value as T | null)?.[method as keyof T] !== 'function');
  if (missing !== undefined) return mustBe(name, `an object whose ${missing} is a function`);
  return Object(value) === value ? value : mustBe(name, 'an object');
}

// RFC 9110 §5.6.2 and §5.5: what fetch would refuse with a message that quotes the value.
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;
const UNSENDABLE = ' contains a character that no HTTP header can carry (a line break?); check how it was read';

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
          ? `: the value of ${name}${UNSENDABLE}`
          : undefined;
    if (wrong !== undefined) throw configurationError(option + wrong, option);
    valid[name.toLowerCase()] = text as string;
  }
  return valid;
}

/** Refuses names that are not in `known`: a misspelt option that is ignored is a setting that is silently off. */
export function unknownNames(given: object, known: readonly string[], of: string): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const distance = (name: string): number => editDistance(unknown.toLowerCase(), name.toLowerCase());
  const [nearest] = [...known].sort((a, b) => distance(a) - distance(b));
  const isClose = nearest !== undefined && distance(nearest) <= Math.max(2, unknown.length / 3);
  const hint = isClose ? `did you mean ${nearest}?` : `known are ${known.join(', ')}`;
  const shown = unknown.slice(0, 40);
  throw configurationError(`Unknown option ${shown} of ${of}; ${hint}`, shown);
}

/** Levenshtein's distance, one row at a time (Wagner and Fischer, 1974). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let line = 1; line <= a.length; line++) {
    let left = line;
    row = row.map((above, column) => {
      const replaced = (row[column - 1] ?? Number.NaN) + (a[line - 1] === b[column - 1] ? 0 : 1);
      return (left = column === 0 ? line : Math.min(left + 1, above + 1, replaced));
    });
  }
  return row.at(-1) ?? 0;
}

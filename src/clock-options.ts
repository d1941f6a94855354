import { configurationError } from './errors.ts';
import { isFields } from './fields.ts';
import { mustBe, unknownNames } from './option-checks.ts';

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

import { defer, retry, throwError, type MonoTypeOperatorFunction, type Observable, type SchedulerLike } from 'rxjs';
import type { CompletionEvent } from '../events/event.ts';
import { PartialBuffer } from '../events/partial.ts';
import { isFields } from '../fields.ts';
import { configurationError } from '../errors.ts';
import { checkNames, unknownNames, validNumber, validScheduler, validWord } from '../option-checks.ts';
import { Attempts, type AttemptsOptions } from './attempts.ts';
import {
  BACKOFF_DEFAULTS,
  delayBefore,
  pause,
  resolveBackoff,
  type BackoffOptions,
  type BackoffPolicy,
} from './backoff.ts';

/** When and how often a failed completion is asked for again. */
export interface RetryOptions extends BackoffOptions {
  /** How many retries follow the first attempt at most. Default: 2. */
  readonly maxRetries?: number | undefined;
  /**
   * `before-output` (default): never once output was emitted, so nothing comes twice. `restart`: after output too; a `restart`
   * event withdraws what was emitted, and every accumulating operator clears itself.
   */
  readonly mode?: RetryMode | undefined;
}

export type RetryMode = 'before-output' | 'restart';

/** Options of {@link retryCompletion}. */
export interface RetryCompletionOptions extends RetryOptions {
  /** What the pauses run on. Default: RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

export interface RetryPolicy extends BackoffPolicy {
  readonly maxRetries: number;
  readonly mode: RetryMode;
}

export const RETRY_DEFAULTS: RetryPolicy = { ...BACKOFF_DEFAULTS, maxRetries: 2, mode: 'before-output' };

/** The given options over `defaults`, checked. `of` is put before their names in errors. */
export function resolveRetry(options: RetryOptions, defaults: RetryPolicy = RETRY_DEFAULTS, of = ''): RetryPolicy {
  return {
    ...resolveBackoff(options, defaults, of),
    maxRetries: validNumber(`${of}maxRetries`, options.maxRetries, defaults.maxRetries, { min: 0, whole: true }),
    mode: options.mode === undefined ? defaults.mode : validWord(`${of}mode`, options.mode, MODES),
  };
}

/** The option `retry` of a client or a call over `defaults`; `undefined`: no retries. */
export function resolveRetryOption(
  options: RetryOptions | false | undefined,
  defaults: RetryPolicy | undefined,
): RetryPolicy | undefined {
  if (options === undefined) return defaults;
  if (options === false) return undefined;
  if (!isFields(options)) {
    throw configurationError('retry must be an object such as { maxRetries: 5 }, or false', 'retry');
  }
  unknownNames(options, Object.keys(RETRY_DEFAULTS), 'retry');
  return resolveRetry(options, defaults ?? RETRY_DEFAULTS, 'retry.');
}

const MODES = ['before-output', 'restart'] as const;

/**
 * Asks again for a completion that failed: a re-subscription of the source is the new request. Retried is what says of itself that
 * it may help (`error.retryable`: lost connections, interrupted answers, timeouts, 408, 409, 429, 5xx, the same inside a 200, and
 * what `x-should-retry` orders), after a pause that honours `Retry-After` in full or, past `maxRetryAfterMs`, not at all.
 *
 * The client does this by itself, and retries multiply: 2 of its own inside 2 of these are 9 requests. Use this operator on
 * sources that do not retry, or turn the client's off (`retry: false`).
 *
 * Emits what the source emits, but holds back what is no output (`start`, `extra` …) until the first output, so that one `start`
 * is seen for each attempt that is shown. Errors with the last error, its `attempts` counted; it may be another kind than the
 * first. Completes with the source. Unsubscribing unsubscribes from the source, or ends the pause. Works on any Observable;
 * where it carries no CompletionEvents, every emission is output and `mode: 'restart'` does not compile.
 *
 * ```
 * source:        --s--#                       (s start, t text-delta, f finish)
 * source again:           --s--t-----f|       (after a pause)
 * result:        --------------(st)--f|
 * ```
 *
 * With `mode: 'restart'` a failure after output is retried too. The old output stands until the new begins:
 *
 * ```
 * source:        --s--t----#
 * source again:                --s--t------f|
 * result:        -----(st)----------(Rst)--f|   (R restart)
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { retryCompletion, text } from 'rxjs-openai/operators';
 *
 * const chat = new OpenAIChatCompletion({ retry: false });
 * chat.events$('Say this is a test!').pipe(retryCompletion({ maxRetries: 5 }), text()).subscribe(console.log);
 * ```
 *
 * @param options - pauses in milliseconds; all may be left out
 */
export function retryCompletion<T>(
  options?: RetryCompletionOptions & { readonly mode?: 'before-output' | undefined },
): MonoTypeOperatorFunction<T>;
export function retryCompletion(options: RetryCompletionOptions): MonoTypeOperatorFunction<CompletionEvent>;
export function retryCompletion<T>(options: RetryCompletionOptions = {}): MonoTypeOperatorFunction<T> {
  checkNames(options, [...Object.keys(RETRY_DEFAULTS), 'scheduler'], 'retryCompletion');
  return retryAttempts(resolveRetry(options), validScheduler(options.scheduler), { memory: () => new PartialBuffer() });
}

/** What is known where the attempts are made. */
export interface RetryContext<T> extends Pick<AttemptsOptions<T>, 'sent' | 'isOutput' | 'memory'> {
  /** How much time the call has left; a pause that is longer is not begun. */
  readonly leftMs?: () => number | undefined;
  /** Told before each pause. */
  readonly onRetry?: (error: unknown, delayMs: number) => void;
}

export function retryAttempts<T>(
  policy: RetryPolicy,
  scheduler: SchedulerLike,
  context: RetryContext<T> = {},
): MonoTypeOperatorFunction<T> {
  return (source) =>
    defer(() => {
      const attempts = new Attempts<T>({ ...context, restarts: policy.mode === 'restart' });
      let retries = 0;
      const next = (error: unknown): Observable<T> | undefined => {
        if (retries >= policy.maxRetries || !policy.when(error)) return undefined;
        const delayMs = delayBefore(retries + 1, error, policy);
        const leftMs = context.leftMs?.() ?? Number.POSITIVE_INFINITY;
        if (delayMs === undefined || delayMs >= leftMs) return undefined;
        retries += 1;
        context.onRetry?.(error, delayMs);
        return throwError(() => new Retry(delayMs));
      };
      return defer(() => attempts.begin(source, next)).pipe(
        retry({
          delay: (failure: unknown) =>
            failure instanceof Retry ? pause(failure.delayMs, scheduler) : throwError(() => failure),
        }),
      );
    });
}

/** Tells RxJS's `retry` to go on; never leaves this file. */
class Retry {
  readonly delayMs: number;

  constructor(delayMs: number) {
    this.delayMs = delayMs;
  }
}

import { defer, switchMap, throwError, timer, type Observable, type SchedulerLike } from 'rxjs';
import { MAX_TIMER_MS } from '../deadline-clock.ts';
import { isCompletionError } from '../errors.ts';
import { checkNames, validFunction, validNumber, validScheduler } from '../option-checks.ts';

/** How long to wait before an attempt, and whether there is to be one. Times in milliseconds. */
export interface BackoffOptions {
  /** The pause before the first retry; it doubles with each further one. Default: 500. */
  readonly baseDelayMs?: number | undefined;
  /** The longest pause of our own choice. Default: 8000. */
  readonly maxDelayMs?: number | undefined;
  /** The share of a pause that is left to chance, from 0 to 1: a pause is shortened by up to this share. Default: 0.25. */
  readonly jitter?: number | undefined;
  /**
   * The longest `Retry-After` that is waited for, always in full. A longer one is no pause but the error itself, at once, with
   * `retryAfterMs`. Default: 60,000.
   */
  readonly maxRetryAfterMs?: number | undefined;
  /** Whether an error may be retried. Default: a `CompletionError` that says so of itself (`retryable`). */
  readonly when?: ((error: unknown) => boolean) | undefined;
  /** Where chance comes from: a number from 0 up to 1. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** Options of {@link backoff}. */
export interface BackoffNotifierOptions extends BackoffOptions {
  /** What the pauses run on. Default: RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

export type BackoffPolicy = Required<{ readonly [K in keyof BackoffOptions]: NonNullable<BackoffOptions[K]> }>;

export const BACKOFF_DEFAULTS: BackoffPolicy = {
  baseDelayMs: 500,
  maxDelayMs: 8000,
  jitter: 0.25,
  maxRetryAfterMs: 60_000,
  when: (error) => isCompletionError(error) && error.retryable,
  random: () => Math.random(),
};

/** The given options over `defaults`, checked. */
export function resolveBackoff(
  options: BackoffOptions,
  defaults: BackoffPolicy = BACKOFF_DEFAULTS,
  of = '',
): BackoffPolicy {
  const number = (name: 'baseDelayMs' | 'maxDelayMs' | 'jitter' | 'maxRetryAfterMs', max?: number): number =>
    validNumber(of + name, options[name], defaults[name], { min: 0, max });
  return {
    baseDelayMs: number('baseDelayMs'),
    maxDelayMs: number('maxDelayMs'),
    jitter: number('jitter', 1),
    maxRetryAfterMs: number('maxRetryAfterMs'),
    when: validFunction(`${of}when`, options.when, defaults.when),
    random: validFunction(`${of}random`, options.random, defaults.random),
  };
}

/**
 * The notifier for RxJS's own `retry({ count, delay: backoff() })`: emits after the pause that is due, or errors with the error
 * itself where it is not to be retried, or asks for a longer pause than `maxRetryAfterMs`. Unsubscribing ends the pause.
 *
 * The client retries too, and retries multiply: 2 of ours inside 2 of your own are 9 requests. Turn one of them off
 * (`retry: false` in the options of the client or of the call). And RxJS's `retry` does not see what was shown: text that came
 * before the error comes again. {@link retryCompletion} sees it.
 *
 * ```
 * pause before retry n = min(maxDelayMs, baseDelayMs × 2^(n-1)) × (1 - jitter × random()), at least the server's Retry-After
 * ```
 *
 * ```ts
 * import { retry } from 'rxjs';
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { backoff } from 'rxjs-openai/operators';
 *
 * const chat = new OpenAIChatCompletion({ retry: false });
 * chat.generate$('Say this is a test!').pipe(retry({ count: 3, delay: backoff({ baseDelayMs: 200 }) })).subscribe(console.log);
 * ```
 */
export function backoff(
  options: BackoffNotifierOptions = {},
): (error: unknown, retryCount: number) => Observable<number> {
  checkNames(options, [...Object.keys(BACKOFF_DEFAULTS), 'scheduler'], 'backoff');
  const policy = resolveBackoff(options);
  const scheduler = validScheduler(options.scheduler);
  return (error, retryCount) =>
    defer(() => {
      const delayMs = policy.when(error) ? delayBefore(retryCount, error, policy) : undefined;
      return delayMs === undefined ? throwError(() => error) : pause(delayMs, scheduler);
    });
}

/** The pause before the `retry`-th retry, `undefined` if the server asks for one that is too long. */
export function delayBefore(retry: number, error: unknown, policy: BackoffPolicy): number | undefined {
  const asked = isCompletionError(error) ? error.retryAfterMs : undefined;
  return delayWithin(retry, asked, policy, 1 - policy.jitter * policy.random());
}

/** The longest that pause can be, before the error is known. */
export function longestDelayBefore(
  retry: number,
  retryAfterMs: number | undefined,
  policy: BackoffPolicy,
): number | undefined {
  return delayWithin(retry, retryAfterMs, policy, 1);
}

function delayWithin(
  retry: number,
  asked: number | undefined,
  { baseDelayMs, maxDelayMs, maxRetryAfterMs }: BackoffPolicy,
  share: number,
): number | undefined {
  // Bounded, for 0 times infinity is no number.
  const doubled = baseDelayMs * 2 ** Math.min(retry - 1, 100);
  const own = Math.round(Math.min(maxDelayMs, doubled) * share);
  if (asked === undefined) return own;
  return asked > maxRetryAfterMs ? undefined : Math.max(asked, own);
}

/** Emits once after `delayMs`, however long that is, and completes. */
export function pause(delayMs: number, scheduler: SchedulerLike): Observable<number> {
  return delayMs <= MAX_TIMER_MS
    ? timer(delayMs, scheduler)
    : timer(MAX_TIMER_MS, scheduler).pipe(switchMap(() => pause(delayMs - MAX_TIMER_MS, scheduler)));
}

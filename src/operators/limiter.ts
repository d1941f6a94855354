import type { CompletionUsage } from 'openai/resources/completions';
import {
  defer,
  finalize,
  mergeMap,
  tap,
  type MonoTypeOperatorFunction,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { configurationError, isCompletionError } from '../errors.ts';
import { isCompletionEvent } from '../events/output.ts';
import { checkNames, validNumber, validScheduler } from '../option-checks.ts';
import { LimiterQueue, type LimiterLease, type LimiterState } from './limiter-queue.ts';
import { MemoryWindows } from './window.ts';

/** Options of {@link createLimiter}. Every limit is off by default, but that of the queue. */
export interface LimiterOptions {
  /** How many may run at the same time. */
  readonly concurrency?: number | undefined;
  /** How many may begin within any minute. */
  readonly requestsPerMinute?: number | undefined;
  /** How many tokens may be used within any minute; what is expected at the beginning, corrected by the real `usage`. */
  readonly tokensPerMinute?: number | undefined;
  /** How many may wait; one more is an error of kind `limit`. Default: 1000. */
  readonly maxQueued?: number | undefined;
  /** What the minutes run on. Default: RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** Made by {@link createLimiter}; shared by all that must keep the limits together. */
export interface Limiter {
  /**
   * Subscribes to the source when it is its turn; first come, first served. The place is held until the source completes, errors or
   * is unsubscribed, and given back while a retry behind this operator waits. Unsubscribing while queued costs nothing. Emits
   * what the source emits; a full queue is an error of kind `limit`. Of CompletionEvents, `start.rateLimit` and `usage` are taken into
   * account, of errors `retryAfterMs`.
   *
   * @param options - `tokens`: how many are expected to be used, default 0
   */
  readonly limit: <T>(options?: { readonly tokens?: number | undefined }) => MonoTypeOperatorFunction<T>;
  /** The state now, and after each change. Never completes. */
  readonly state$: Observable<LimiterState>;
  /** For who runs something else than an Observable: emits the lease when it is its turn, and completes. */
  readonly acquire: (tokens: number) => Observable<LimiterLease>;
}

export const LIMITER_DEFAULTS = {
  concurrency: Number.POSITIVE_INFINITY,
  requestsPerMinute: Number.POSITIVE_INFINITY,
  tokensPerMinute: Number.POSITIVE_INFINITY,
  maxQueued: 1000,
} as const;

/**
 * A queue with limits, for all calls that share a quota: at most so many at once, so many a minute, so many tokens a minute.
 * As the client's option `limiter` (not also behind its methods: a call would wait for itself) it is asked before each HTTP request, below the retry, so that a retry that waits holds no
 * place; it learns from `x-ratelimit-*` and `Retry-After`. A `Retry-After` of more than a minute is not waited for: whoever would have
 * to gets an error of kind `rate-limit` with `retryAfterMs`, and nothing is sent. For other sources: `source$.pipe(limiter.limit({ tokens }))`.
 *
 * ```
 * concurrency: 1
 * first:    ^--a--|
 * second:   ^------a--|      (subscribed when the first has ended)
 * ```
 *
 * ```ts
 * import { from, mergeMap } from 'rxjs';
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { createLimiter } from 'rxjs-openai/operators';
 *
 * const limiter = createLimiter({ concurrency: 4, requestsPerMinute: 500, tokensPerMinute: 200_000 });
 * const chat = new OpenAIChatCompletion({ limiter });
 * from(['one', 'two', 'three']).pipe(mergeMap((prompt) => chat.generate$(prompt))).subscribe(console.log);
 * limiter.state$.subscribe(({ active, queued }) => console.log(active, queued));
 * ```
 */
export function createLimiter(options: LimiterOptions = {}): Limiter {
  checkNames(options, [...Object.keys(LIMITER_DEFAULTS), 'scheduler'], 'createLimiter');
  const whole = (name: keyof typeof LIMITER_DEFAULTS, min: number): number =>
    validNumber(name, options[name], LIMITER_DEFAULTS[name], { min, whole: true });
  const limits = { requests: whole('requestsPerMinute', 1), tokens: whole('tokensPerMinute', 1) };
  const queue = new LimiterQueue({
    concurrency: whole('concurrency', 1),
    maxQueued: whole('maxQueued', 0),
    store: new MemoryWindows(limits),
    scheduler: validScheduler(options.scheduler),
  });
  const acquire = (tokens: number): Observable<LimiterLease> => queue.acquire(validTokens(tokens));
  return { acquire, limit: limitBy(acquire), state$: queue.state$ };
}

function validTokens(tokens: number): number {
  if (Number.isFinite(tokens) && tokens >= 0) return tokens;
  throw configurationError('tokens must be a finite number, at least 0', 'tokens');
}

function limitBy(acquire: Limiter['acquire']): Limiter['limit'] {
  return (options = {}) => {
    checkNames(options, ['tokens'], 'limit');
    const tokens = validTokens(options.tokens ?? 0);
    return (source) =>
      defer(() => acquire(tokens)).pipe(
        mergeMap((lease) =>
          source.pipe(
            tap({
              next: (value) => {
                if (!isCompletionEvent(value)) return;
                if (value.type === 'start') lease.response({ rateLimit: value.rateLimit });
                else if (value.type === 'usage')
                  lease.usage((value.usage as Partial<CompletionUsage> | undefined)?.total_tokens ?? Number.NaN);
              },
              error: (error: unknown) => {
                if (isCompletionError(error)) lease.response({ retryAfterMs: error.retryAfterMs });
                // Before the error is told: who answers it with the next call must find the place free.
                lease.release();
              },
            }),
            finalize(lease.release),
          ),
        ),
      );
  };
}

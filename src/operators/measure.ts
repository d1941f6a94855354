import type { CompletionUsage } from 'openai/resources/completions';
import { defer, tap, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { configurationError, isCompletionError } from '../errors.ts';
import { isCompletionEvent, isOutput } from '../events/output.ts';
import { checkNames, validMembers, validScheduler } from '../option-checks.ts';

/**
 * What {@link measure} tells; all may be left out. What a callback throws is the error of the result, or, when the consumer leaves, of its
 * `unsubscribe()` (RxJS's own `take` drops it).
 */
export interface MeasureObserver {
  /** The first output has come, this long after subscribing. */
  readonly firstOutput?: ((timeToFirstOutputMs: number) => void) | undefined;
  /** Further output has come, this long after the output before it. */
  readonly output?: ((sinceLastOutputMs: number) => void) | undefined;
  /** The end, whatever it was: told once for each subscription. */
  readonly end?: ((measurement: CompletionMeasurement) => void) | undefined;
}

/** A completion in figures. Times in milliseconds. */
export interface CompletionMeasurement {
  /** `unsubscribe`: the consumer left, `take(1)` and `switchMap` included. */
  readonly ending: 'complete' | 'error' | 'unsubscribe';
  /** From subscribing to the end. */
  readonly totalMs: number;
  /** From subscribing to the first output; `undefined` if there was none. */
  readonly timeToFirstOutputMs: number | undefined;
  /** How much output came, in events; what a restart withdrew is counted too. */
  readonly outputs: number;
  /** The times between outputs; `undefined` for fewer than two. */
  readonly betweenOutputsMs: { readonly min: number; readonly mean: number; readonly max: number } | undefined;
  /** Outputs after the first, over the time from the first to the last; `undefined` where that is none. */
  readonly outputsPerSecond: number | undefined;
  /** `usage.completion_tokens` over `totalMs`; `undefined` without usage. */
  readonly tokensPerSecond: number | undefined;
  /** How many requests were sent, as far as events and errors tell. */
  readonly attempts: number;
  /** Token counts of the attempt that is shown, if the server sent any. */
  readonly usage: CompletionUsage | undefined;
  /** Only with the ending `error`. */
  readonly error?: unknown;
}

/** Options of {@link measure}. */
export interface MeasureOptions {
  /** What the time is read from. Default: RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

const CALLBACKS = ['firstOutput', 'output', 'end'] as const;

/**
 * A `tap` for times: passes everything on unchanged and tells the observer when output comes and how it ended. Of CompletionEvents,
 * deltas and tool calls are output; of other values all are. Each subscription is measured by itself. Sets no timer.
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { measure } from 'rxjs-openai/operators';
 *
 * new OpenAIChatCompletion()
 *   .events$('Say this is a test!')
 *   .pipe(measure({ end: ({ timeToFirstOutputMs, totalMs, usage }) => console.log(timeToFirstOutputMs, totalMs, usage) }))
 *   .subscribe();
 * ```
 */
export function measure<T>(observer: MeasureObserver, options: MeasureOptions = {}): MonoTypeOperatorFunction<T> {
  checkObserver(observer);
  checkNames(options, ['scheduler'], 'measure');
  const scheduler = validScheduler(options.scheduler);
  return (source) =>
    defer(() => {
      const stopwatch = new Stopwatch(scheduler);
      let thrown: { readonly error: unknown } | undefined;
      return source.pipe(
        tap({
          next: (value) => {
            try {
              stopwatch.add(value, observer);
            } catch (error) {
              thrown = { error };
              throw error;
            }
          },
          error: (error: unknown) => {
            observer.end?.(stopwatch.stop('error', error));
          },
          complete: () => {
            observer.end?.(stopwatch.stop('complete'));
          },
          unsubscribe: () => {
            // What a callback has thrown ends the source by unsubscribing from it.
            observer.end?.(
              thrown === undefined ? stopwatch.stop('unsubscribe') : stopwatch.stop('error', thrown.error),
            );
          },
        }),
      );
    });
}

function checkObserver(observer: unknown): asserts observer is MeasureObserver {
  if (typeof observer !== 'object' || observer === null) {
    throw configurationError('measure: observer must be an object with firstOutput, output or end', 'observer');
  }
  // An instance of a class may have fields of its own.
  if (Object.getPrototypeOf(observer) === Object.prototype) checkNames(observer, CALLBACKS, 'measure');
  validMembers(
    observer,
    'observer',
    CALLBACKS.filter((name) => (observer as MeasureObserver)[name] !== undefined),
  );
}

/** The times of one subscription. */
class Stopwatch {
  readonly #scheduler: SchedulerLike;
  readonly #startedAt: number;
  #firstAt: number | undefined;
  #lastAt = 0;
  #outputs = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;
  #attempts = 1;
  #usage: CompletionUsage | undefined;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
    this.#startedAt = scheduler.now();
  }

  add(value: unknown, observer: MeasureObserver): void {
    if (isCompletionEvent(value)) {
      const { attempt } = value as { readonly attempt?: unknown };
      if (typeof attempt === 'number') this.#attempts = Math.max(this.#attempts, attempt);
      if (value.type === 'usage') this.#usage = value.usage;
      if (value.type === 'restart') this.#usage = undefined;
    }
    if (!isOutput(value)) return;
    const now = this.#scheduler.now();
    const since = now - this.#lastAt;
    this.#lastAt = now;
    this.#outputs += 1;
    if (this.#firstAt === undefined) {
      this.#firstAt = now;
      observer.firstOutput?.(now - this.#startedAt);
    } else {
      this.#min = Math.min(this.#min, since);
      this.#max = Math.max(this.#max, since);
      observer.output?.(since);
    }
  }

  stop(ending: CompletionMeasurement['ending'], error?: unknown): CompletionMeasurement {
    const totalMs = this.#scheduler.now() - this.#startedAt;
    const told = isCompletionError(error) ? (error.attempts ?? 1) : 1;
    const firstAt = this.#firstAt;
    const gaps = this.#outputs - 1;
    const spreadMs = firstAt === undefined ? 0 : this.#lastAt - firstAt;
    return {
      ending,
      totalMs,
      timeToFirstOutputMs: firstAt === undefined ? undefined : firstAt - this.#startedAt,
      outputs: this.#outputs,
      betweenOutputsMs: gaps > 0 ? { min: this.#min, mean: spreadMs / gaps, max: this.#max } : undefined,
      outputsPerSecond: perSecond(gaps, spreadMs),
      tokensPerSecond: perSecond(this.#usage?.completion_tokens ?? 0, totalMs),
      attempts: Math.max(this.#attempts, told),
      usage: this.#usage,
      ...(ending === 'error' ? { error } : undefined),
    };
  }
}

function perSecond(count: number, ms: number): number | undefined {
  return count > 0 && ms > 0 ? (count * 1000) / ms : undefined;
}

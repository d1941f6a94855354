import { Observable, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { DeadlineClock, type CallClock } from '../deadline-clock.ts';
import { CompletionError, type PartialCompletion } from '../errors.ts';
import { isOutput } from '../events/output.ts';
import { PartialBuffer } from '../events/partial.ts';
import { checkNames, validScheduler } from '../option-checks.ts';
import { validTimeouts, type TimeoutOptions } from '../clock-options.ts';
import { operate } from './operate.ts';

/** Options of {@link timeoutCompletion}, in milliseconds; `false` turns a clock off. */
export interface TimeoutCompletionOptions extends Pick<TimeoutOptions, 'outputMs' | 'totalMs'> {
  /** What the clocks run on. Default: RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

export const TIMEOUT_COMPLETION_DEFAULTS = { outputMs: 300_000, totalMs: undefined } as const;

/**
 * Ends a source that says nothing, or takes too long. `outputMs` is the longest time without output, from subscribing and
 * between outputs; of CompletionEvents, deltas and tool calls are output, of other values all are. `totalMs` is the longest time
 * from subscribing to the end. Time that the subscriber itself spends inside `next` does not count.
 *
 * Emits what the source emits. A clock that runs out is an error of kind `timeout` with its name in `clock` and what had arrived in
 * `partial`: retries and fallbacks compose after it. Only `outputMs` is `retryable`. It unsubscribes from the source, which aborts a
 * request. Unsubscribing unsubscribes from the source and stops the clocks.
 *
 * The client has the same clocks as its option `timeout`, `outputMs` for each attempt, `totalMs` for all of them together.
 *
 * ```
 * outputMs: 6
 * source:  --s--t---t-----------
 * result:  --s--t---t-----#
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { retryCompletion, timeoutCompletion } from 'rxjs-openai/operators';
 *
 * const chat = new OpenAIChatCompletion({ retry: false });
 * chat
 *   .events$('Say this is a test!')
 *   .pipe(timeoutCompletion({ outputMs: 20_000 }), retryCompletion())
 *   .subscribe(console.log);
 * ```
 *
 * @param options - `outputMs`: default 300,000; `totalMs`: off by default
 */
export function timeoutCompletion<T>(options: TimeoutCompletionOptions = {}): MonoTypeOperatorFunction<T> {
  checkNames(options, [...Object.keys(TIMEOUT_COMPLETION_DEFAULTS), 'scheduler'], 'timeoutCompletion');
  const { scheduler: given, ...times } = options;
  const { outputMs, totalMs } = validTimeouts(times, TIMEOUT_COMPLETION_DEFAULTS, '');
  const scheduler = validScheduler(given);
  return operate((subscriber) => {
    const partial = new PartialBuffer();
    const expire = (clock: CallClock, afterMs: number): void => {
      subscriber.error(timeoutError(clock, afterMs, partial.toPartial()));
    };
    const output = new DeadlineClock(scheduler, expire);
    const total = new DeadlineClock(scheduler, expire);
    subscriber.add(() => {
      output.stop();
      total.stop();
    });
    output.watch('output', outputMs);
    total.watch('total', totalMs);
    return {
      next: (value) => {
        partial.add(value);
        const before = scheduler.now();
        output.suspend(before);
        total.suspend(before);
        subscriber.next(value);
        const after = scheduler.now();
        if (isOutput(value)) output.watch('output', outputMs, after);
        else output.resume(after);
        total.resume(after);
      },
    };
  });
}

/**
 * The clock of a whole call, for who can stop it while a consumer is slow. No part in the way of the values.
 *
 * @param onStart - told the clock before the source is subscribed
 * @param endIfWhole - asked when the clock has run out: whether the source has completed instead
 */
export function totalTimeout<T>(
  totalMs: number,
  scheduler: SchedulerLike,
  onStart: (clock: DeadlineClock) => void,
  endIfWhole: () => boolean = () => false,
): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable((subscriber) => {
      const clock = new DeadlineClock(scheduler, (name, afterMs) => {
        if (!endIfWhole()) subscriber.error(timeoutError(name, afterMs));
      });
      subscriber.add(() => {
        clock.stop();
      });
      onStart(clock);
      clock.watch('total', totalMs);
      source.subscribe(subscriber);
    });
}

/** The error of a clock that has run out; the names of the options are those of the client and of the operator. */
function timeoutError(clock: CallClock, afterMs: number, partial?: PartialCompletion): CompletionError {
  const what = clock === 'total' ? 'was not done' : 'gave no output';
  return new CompletionError(`The completion ${what} within ${String(afterMs)} ms (${clock}Ms)`, {
    kind: 'timeout',
    clock,
    retryable: clock !== 'total',
    partial,
  });
}

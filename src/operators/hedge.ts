import {
  catchError,
  concat,
  defer,
  from,
  merge,
  NEVER,
  race,
  ReplaySubject,
  switchMap,
  take,
  throwError,
  type Observable,
  type MonoTypeOperatorFunction,
  type ObservableInput,
  type ObservedValueOf,
  type OperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import { isCompletionError, withDetails } from '../errors.ts';
import { isOutput } from '../events/output.ts';
import { checkNames, validNumber, validScheduler } from '../option-checks.ts';
import { pause } from './backoff.ts';
import { isReplaceable } from './fallback.ts';
import { AttemptProgress, holdBack } from './hold-back.ts';
import { validInput } from './source-input.ts';

/** Options of {@link hedge}. */
export interface HedgeOptions {
  /** How long the source may be without output before the backup is started, in milliseconds. */
  readonly afterMs: number;
  /** What the time runs on. Default: RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Starts a backup when the source has given no output for `afterMs`, or at once when it fails before. The first of the two to give
 * output, or to complete, wins; the other is unsubscribed in the same tick, which aborts its request. It costs a second request
 * where the first is slow, and cuts off the slow tail.
 *
 * Kind `aborted`, `refusal` and `configuration` are the end whoever errs with them: another source would do no better, or must not.
 *
 * Emits what the winner emits, with its `start`: what is no output is held back until then. If both fail before output, errors with
 * the source's error, the backup's in its `previous`. After output the winner's error is the error, that of one which failed before in
 * its `previous`. Completes with the winner.
 * Unsubscribing unsubscribes from both and ends the wait. Works on any Observable; where it carries no CompletionEvents, every
 * emission is output.
 *
 * ```
 * afterMs: 5
 * source:  --s--------------
 * backup:       --s--t-----f|
 * result:  ----------(st)--f|
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { hedge, text } from 'rxjs-openai/operators';
 *
 * const ask = () => new OpenAIChatCompletion().events$('Say this is a test!');
 * ask().pipe(hedge(ask(), { afterMs: 2000 }), text()).subscribe(console.log);
 * ```
 */
export function hedge<T>(backup: ObservableInput<NoInfer<T>>, options: HedgeOptions): MonoTypeOperatorFunction<T>;
export function hedge<T, O extends ObservableInput<unknown>>(
  backup: O,
  options: HedgeOptions,
): OperatorFunction<T, T | ObservedValueOf<O>>;
export function hedge<T>(backup: ObservableInput<T>, options: HedgeOptions): MonoTypeOperatorFunction<T> {
  const other = validInput('backup', backup);
  checkNames(options, ['afterMs', 'scheduler'], 'hedge');
  const afterMs = validNumber('afterMs', options.afterMs ?? Number.NaN, 0, { min: 0 });
  const scheduler = validScheduler(options.scheduler);
  return (primary) =>
    defer(() => {
      const heat = new Heat<T>();
      const late$ = afterMs === Number.POSITIVE_INFINITY ? NEVER : pause(afterMs, scheduler);
      const backup$ = merge(late$, heat.sourceFailed$).pipe(
        take(1),
        switchMap(() => heat.run(from(other), 'backup')),
      );
      return race(heat.run(primary, 'source'), backup$);
    });
}

type Runner = 'source' | 'backup';

/** One race of the two. */
class Heat<T> {
  readonly #sourceFailed$ = new ReplaySubject<void>(1);
  readonly sourceFailed$ = this.#sourceFailed$.asObservable();
  readonly #failures = new Map<Runner, unknown>();
  /** What the source had said before it failed. */
  #held: readonly T[] = [];

  /** Says nothing before its first output, and nothing of a failure before it as long as the other may still win. */
  run(source: Observable<T>, runner: Runner): Observable<T> {
    return defer(() => {
      const attempt = new AttemptProgress<T>();
      return source.pipe(
        holdBack(attempt, isOutput),
        catchError((error: unknown) => {
          if (attempt.shown || !isReplaceable(error)) {
            return concat(
              from(attempt.held),
              throwError(() => this.#withOther(error, runner)),
            );
          }
          if (runner === 'source') this.#held = attempt.held;
          return this.#lose(runner, error);
        }),
      );
    });
  }

  #lose(runner: Runner, error: unknown): Observable<T> {
    this.#failures.set(runner, error);
    if (this.#failures.size === 2) {
      return concat(
        from(this.#held),
        throwError(() => this.#withOther(this.#failures.get('source'), 'source')),
      );
    }
    // Not before the failed one is left: RxJS subscribes what catchError returns afterwards.
    return defer(() => {
      if (runner === 'source') this.#sourceFailed$.next();
      return NEVER;
    });
  }

  /** The error of one, with that of the other, if it failed too. */
  #withOther(error: unknown, runner: Runner): unknown {
    const other = runner === 'source' ? 'backup' : 'source';
    if (!isCompletionError(error) || !this.#failures.has(other)) return error;
    const failure = this.#failures.get(other);
    const attempts = (error.attempts ?? 1) + (isCompletionError(failure) ? (failure.attempts ?? 1) : 1);
    return withDetails(error, { attempts, previous: [...(error.previous ?? []), failure] });
  }
}

import { catchError, concat, from, map, tap, throwError, type Observable } from 'rxjs';
import { isCompletionError, withDetails, type CompletionError, type CompletionErrorDetails } from '../errors.ts';
import type { RestartEvent } from '../events/event.ts';
import { isCompletionEvent, isOutput } from '../events/output.ts';
import type { PartialBuffer } from '../events/partial.ts';
import { AttemptProgress, holdBack } from './hold-back.ts';

/** How a row of attempts is shown. */
export interface AttemptsOptions<T> {
  /** An attempt that was shown may be followed by another, which withdraws it. */
  readonly restarts: boolean;
  /** How many requests were sent so far, where the source numbers them itself. */
  readonly sent?: (() => number) | undefined;
  readonly isOutput?: ((value: T) => boolean) | undefined;
  /** Remembers what an attempt has shown, where the source does not itself. */
  readonly memory?: (() => PartialBuffer) | undefined;
  /** What else the last error is to say. */
  readonly details?: ((last: CompletionError) => Partial<CompletionErrorDetails>) | undefined;
}

/** What follows a failure; `undefined`: nothing, it is the last. */
export type Successor<T> = (error: unknown) => Observable<T> | undefined;

/** What was shown before the attempt that runs. */
interface Shown {
  readonly outputs: number;
  /** `undefined` where the source remembers itself. */
  readonly partial: PartialBuffer | undefined;
}

/**
 * Attempts at one completion, one after the other, of which a consumer sees one: retries of a source, or other sources in its
 * place. Counts requests, numbers what was numbered from 1 again, and announces an attempt that takes the place of a shown one.
 */
export class Attempts<T> {
  readonly #options: AttemptsOptions<T>;
  /** Requests of the attempts that have failed; a source may retry by itself. */
  #sent = 0;
  #cause: unknown;
  #isFirst = true;
  #shown: Shown | undefined;

  constructor(options: AttemptsOptions<T>) {
    this.#options = options;
  }

  begin(source: Observable<T>, next: Successor<T>): Observable<T> {
    const { restarts, memory, isOutput: isOutputHere = isOutput } = this.#options;
    const attempt = new AttemptProgress<T>();
    if (this.#shown !== undefined) attempt.held.push(this.#restart(this.#shown) as T);
    const partial = restarts ? memory?.() : undefined;
    const settled = catchError<T, Observable<T>>((error: unknown) => this.#settle(error, attempt, partial, next));
    const attempt$ = this.#numbered(source, attempt).pipe(holdBack(attempt, isOutputHere), settled);
    if (partial === undefined) return attempt$;
    return attempt$.pipe(
      tap((value) => {
        partial.add(value);
      }),
    );
  }

  /** Sources count from 1 with each subscription; a restart names the attempt that begins with it. */
  #numbered(source: Observable<T>, attempt: AttemptProgress<T>): Observable<T> {
    if (this.#isFirst) return source;
    const before = this.#options.sent === undefined ? this.#sent : 0;
    return source.pipe(
      map((value) => {
        if (!isCompletionEvent(value) || (value.type !== 'start' && value.type !== 'restart')) return value;
        if (typeof (value.attempt as unknown) !== 'number') return value;
        const numbered = { ...value, attempt: value.attempt + before };
        const [announced] = attempt.held;
        if (value.type === 'start' && isCompletionEvent(announced) && announced.type === 'restart') {
          attempt.held[0] = { ...(announced as RestartEvent), attempt: numbered.attempt } as unknown as T;
        }
        return numbered;
      }),
    );
  }

  #settle(
    error: unknown,
    attempt: AttemptProgress<T>,
    partial: PartialBuffer | undefined,
    next: Successor<T>,
  ): Observable<T> {
    this.#sent += isCompletionError(error) ? (error.attempts ?? 1) : 1;
    const replaceable = !attempt.shown || (this.#options.restarts && !attempt.foreign);
    const following = replaceable ? next(error) : undefined;
    if (following === undefined) return this.#end(error, attempt);
    this.#isFirst = false;
    this.#cause = error;
    if (attempt.shown) this.#shown = { outputs: attempt.outputs, partial };
    return following;
  }

  /** The last error. What was held is shown before it, unless it would withdraw what is better than nothing. */
  #end(error: unknown, attempt: AttemptProgress<T>): Observable<T> {
    const held = this.#shown === undefined || attempt.shown ? attempt.held : [];
    return concat(
      from(held),
      throwError(() => this.#informed(error, attempt)),
    );
  }

  #informed(error: unknown, attempt: AttemptProgress<T>): unknown {
    if (!isCompletionError(error) || this.#isFirst || this.#options.sent !== undefined) return error;
    const shown = attempt.shown ? undefined : this.#shown?.partial?.toPartial();
    return withDetails(error, {
      attempts: this.#sent,
      partial: shown ?? error.partial,
      ...this.#options.details?.(error),
    });
  }

  #restart({ outputs }: Shown): RestartEvent {
    const sent = this.#options.sent?.() ?? this.#sent;
    return { type: 'restart', attempt: sent + 1, cause: this.#cause, discarded: outputs };
  }
}

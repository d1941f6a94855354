import {
  EMPTY,
  NEVER,
  Observable,
  share,
  Subject,
  type MonoTypeOperatorFunction,
  type Observer,
  type SchedulerLike,
  type Unsubscribable,
} from 'rxjs';
import { CompletionState } from '../events/state.ts';
import type { CompletionEvent } from '../events/event.ts';
import { checkNames, validNumber, validScheduler } from '../option-checks.ts';
import { pause } from './backoff.ts';

/** Options of {@link shareCompletion}, in milliseconds. */
export interface ShareCompletionOptions {
  /** How long the request goes on when the last subscriber has left. Default: 0, it is aborted in the same tick. */
  readonly graceMs?: number | undefined;
  /** How long a whole answer is kept for those who come later. An error never is. Default: 0. */
  readonly keepMs?: number | undefined;
  /** What the times run on. Default: RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

export const SHARE_DEFAULTS = { graceMs: 0, keepMs: 0 } as const;

/**
 * One request for many subscribers. Who comes later gets what has been said so far as a short replay (one delta for each kind and
 * choice, not the events one by one), at once and in the same `subscribe`, and then what follows: each event exactly once, also
 * when joining inside somebody's `next`. A `restart` clears what is replayed.
 *
 * Completes and errors with the source; the next subscription is a new request, unless a whole answer is kept (`keepMs`). When the last
 * subscriber leaves, the source is unsubscribed after `graceMs`. Memory grows with the text, not with the number of events.
 *
 * ```
 * source:      ^--s--a--b--c--(f|)
 * first:       ^--s--a--b--c--(f|)
 * second:               ^(s'ab')-c--(f|)   (after b)
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { accumulate, shareCompletion, usage } from 'rxjs-openai/operators';
 *
 * const events$ = new OpenAIChatCompletion().events$('Say this is a test!').pipe(shareCompletion({ graceMs: 1000 }));
 * events$.pipe(accumulate()).subscribe(({ text }) => console.log(text));
 * events$.pipe(usage()).subscribe(console.log);
 * ```
 *
 * @param options - `graceMs`, `keepMs`: default 0; `Infinity` is for ever
 */
export function shareCompletion(options: ShareCompletionOptions = {}): MonoTypeOperatorFunction<CompletionEvent> {
  checkNames(options, [...Object.keys(SHARE_DEFAULTS), 'scheduler'], 'shareCompletion');
  const graceMs = validNumber('graceMs', options.graceMs, SHARE_DEFAULTS.graceMs, { min: 0 });
  const keepMs = validNumber('keepMs', options.keepMs, SHARE_DEFAULTS.keepMs, { min: 0 });
  const scheduler = validScheduler(options.scheduler);
  return (source) => {
    let current: Replaying | undefined;
    return source.pipe(
      share({
        connector: () => (current = new Replaying()),
        // RxJS resets before it tells the end, so that those who leave with the end look like the last who leave a source that runs.
        resetOnRefCountZero: graceMs === 0 ? true : () => (current?.ended === true ? EMPTY : after(graceMs, scheduler)),
        resetOnComplete: keepMs === 0 ? true : () => after(keepMs, scheduler),
        resetOnError: true,
      }),
    );
  };
}

function after(ms: number, scheduler: SchedulerLike): Observable<unknown> {
  return ms === Number.POSITIVE_INFINITY ? NEVER : pause(ms, scheduler);
}

/** A Subject that begins with what was said so far, in short. */
class Replaying {
  readonly #state = new CompletionState();
  readonly #live = new Subject<CompletionEvent>();
  ended = false;

  next(event: CompletionEvent): void {
    // First: who joins while the others are told has it in the replay.
    this.#state.add(event);
    this.#live.next(event);
  }

  error(error: unknown): void {
    this.ended = true;
    this.#live.error(error);
  }

  complete(): void {
    this.ended = true;
    this.#live.complete();
  }

  subscribe(observer: Partial<Observer<CompletionEvent>>): Unsubscribable {
    return this.#joined().subscribe(observer);
  }

  #joined(): Observable<CompletionEvent> {
    return new Observable((subscriber) => {
      const replay = this.#state.events();
      // What is said while the replay is told comes after it.
      const waiting: (() => void)[] = [];
      let replaying = true;
      const inTurn = (tell: () => void): void => {
        if (replaying) waiting.push(tell);
        else tell();
      };
      subscriber.add(
        this.#live.subscribe({
          next: (event) => {
            inTurn(() => {
              subscriber.next(event);
            });
          },
          error: (error: unknown) => {
            inTurn(() => {
              subscriber.error(error);
            });
          },
          complete: () => {
            inTurn(() => {
              subscriber.complete();
            });
          },
        }),
      );
      for (const event of replay) {
        if (subscriber.closed) return;
        subscriber.next(event);
      }
      // Told one by one: telling one may bring another.
      for (let tell = waiting.shift(); tell !== undefined; tell = waiting.shift()) tell();
      replaying = false;
    });
  }
}

import type { MonoTypeOperatorFunction } from 'rxjs';
import { isCompletionEvent } from '../events/output.ts';
import { operate } from './operate.ts';

/** More events before the first output are shown, and the attempt with them: nothing may pile up without end. */
export const MAX_HELD = 1000;

/** What has been seen of one attempt. */
export class AttemptProgress<T> {
  /** Not shown yet. */
  readonly held: T[] = [];
  /** Something was passed on: a failure can no longer be hidden. */
  shown = false;
  /** How much output has been passed on, since the last restart. */
  outputs = 0;
  /** Output that is no CompletionEvent: nobody could be told to withdraw it. */
  foreign = false;
}

/**
 * Holds back what is no output until the first output comes, or the source completes: of an attempt that fails before, nothing
 * was shown. What is held is not passed on with an error; it stays in `attempt.held`.
 *
 * ```
 * source:  --start--extra--text--text--|
 * result:  ----------------(start extra text)--text--|
 * ```
 */
export function holdBack<T>(attempt: AttemptProgress<T>, isOutput: (value: T) => boolean): MonoTypeOperatorFunction<T> {
  return operate((subscriber) => {
    let showing = false;
    let completed = false;
    const show = (): void => {
      attempt.shown = showing = true;
      // What a consumer makes the source say meanwhile comes behind.
      while (attempt.held.length > 0) subscriber.next(attempt.held.shift() as T);
      showing = false;
      if (completed) subscriber.complete();
    };
    return {
      next: (value) => {
        if (isOutput(value)) {
          if (attempt.outputs === 0) attempt.foreign = !isCompletionEvent(value);
          attempt.outputs += 1;
        } else if (isCompletionEvent(value) && value.type === 'restart') {
          attempt.outputs = 0;
        } else if (!attempt.shown && attempt.held.length < MAX_HELD) {
          attempt.held.push(value);
          return;
        }
        if (attempt.shown && !showing) {
          subscriber.next(value);
          return;
        }
        attempt.held.push(value);
        if (!showing) show();
      },
      complete: () => {
        completed = true;
        if (!showing) show();
      },
    };
  });
}

import {
  catchError,
  concat,
  defer,
  from,
  NEVER,
  throwError,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import {
  CompletionError,
  EMPTY_PARTIAL,
  isCompletionError,
  type CompletionErrorDetails,
  type PartialCompletion,
} from '../../src/errors.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { EVENTS, inOrder } from '../support/events.ts';

/** Events by letter, and the starts of later attempts by number. */
export const VALUES = {
  ...EVENTS,
  2: { ...EVENTS.s, attempt: 2 },
  3: { ...EVENTS.s, attempt: 3 },
  4: { ...EVENTS.s, attempt: 4 },
} satisfies Readonly<Record<string, CompletionEvent>>;

/** An error that may be retried, unless `details` say otherwise. */
export function failure(details: Partial<CompletionErrorDetails> = {}): CompletionError {
  return new CompletionError('lost', { kind: 'connection', retryable: true, ...details });
}

/** Each subscription gets the next source; who subscribes more often than there are sources waits for ever. */
export function inTurn<T>(sources: readonly Observable<T>[]): Observable<T> {
  let count = 0;
  return defer(() => sources[count++] ?? NEVER);
}

/** All fields of an error, that which is not enumerable too. */
export function fieldsOf(error: unknown): unknown {
  if (!isCompletionError(error)) return error;
  const { message, partial } = error;
  return { message, partial, ...(error as object) };
}

/** Makes errors comparable. */
export function errorFields<T>(): MonoTypeOperatorFunction<T> {
  return catchError((error: unknown) => throwError(() => fieldsOf(error)));
}

/** All fields of the error of a clock that has run out. */
export function expired(clock: 'output' | 'total', afterMs: number, shown: Partial<PartialCompletion> = {}): unknown {
  const what = clock === 'output' ? 'gave no output' : 'was not done';
  return fieldsOf(
    new CompletionError(`The completion ${what} within ${afterMs} ms (${clock}Ms)`, {
      kind: 'timeout',
      clock,
      retryable: clock === 'output',
      partial: { ...EMPTY_PARTIAL, ...shown },
    }),
  );
}

/** The withdrawal of what was shown, in favour of that attempt. */
export function restart(attempt: number, cause: unknown, discarded: number): CompletionEvent {
  return { type: 'restart', attempt, cause, discarded };
}

/** Says these events inside `subscribe`, and fails. */
export function failing(letters: string, error: unknown): Observable<CompletionEvent> {
  return concat(
    from(inOrder(letters)),
    throwError(() => error),
  );
}

import { catchError, from, identity, map, race, throwError, timer, type Observable, type ObservableInput } from 'rxjs';
import { CompletionError, describe, isCompletionError } from '../errors.ts';
import { abortedBy } from '../operators/aborted-by.ts';

/** How long a piece of code may be on its way. */
const LOAD_MS = 60_000;

/** Code that comes after the page. What goes wrong with that is an error of the call: the network's, retryable. */
export function loaded$<T>(part: ObservableInput<T>, signal?: AbortSignal): Observable<T> {
  const late$ = timer(LOAD_MS).pipe(
    map((): never => {
      throw loadingError(`not within ${String(LOAD_MS)} ms`);
    }),
  );
  return race(from(part), late$).pipe(
    catchError((error: unknown) => throwError(() => (isCompletionError(error) ? error : loadingError(error)))),
    signal === undefined ? identity : abortedBy(signal),
  );
}

function loadingError(error: unknown): CompletionError {
  const message = typeof error === 'string' ? error : describe(error).message;
  return new CompletionError(`A part of the client could not be loaded: ${message}`, {
    kind: 'connection',
    retryable: true,
    cause: error,
  });
}

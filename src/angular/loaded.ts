import { catchError, from, identity, throwError, timeout, type Observable, type ObservableInput } from 'rxjs';
import { CompletionError, describe, isCompletionError } from '../errors.ts';
import { abortedBy } from '../operators/abort.ts';

/** How long a piece of code may be on its way. */
const LOAD_MS = 60_000;

/** Code that comes after the page. What goes wrong with that is an error of the call: the network's, retryable. */
export function loaded$<T>(part: ObservableInput<T>, signal?: AbortSignal): Observable<T> {
  return from(part).pipe(
    timeout({ first: LOAD_MS, with: () => throwError(() => loadingError(`not within ${String(LOAD_MS)} ms`)) }),
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

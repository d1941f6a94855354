import { Observable, takeUntil, type MonoTypeOperatorFunction } from 'rxjs';
import { CompletionError } from '../errors.ts';

/** The caller's abort. Its reason is the caller's own object, and is passed on as it is. */
function abortedError(reason: unknown): CompletionError {
  return new CompletionError('The call was aborted by its AbortSignal', { kind: 'aborted', cause: reason });
}

/**
 * Ends the source with an error of kind `aborted` when `signal` aborts, the signal's reason as `cause`. The signal is looked
 * at before the source is subscribed, so that an aborted one sends nothing; the listener is removed on every ending.
 * Unsubscribing unsubscribes from the source and removes the listener.
 *
 * ```
 * source:  --a--b--c--d|
 * signal:  -------x
 * result:  --a--b-#
 * ```
 */
export function abortOn<T>(signal: AbortSignal): MonoTypeOperatorFunction<T> {
  const aborted$ = new Observable<never>((subscriber) => {
    const onAbort = (): void => {
      subscriber.error(abortedError(signal.reason));
    };
    if (signal.aborted) {
      onAbort();
      return undefined;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    return () => {
      signal.removeEventListener('abort', onAbort);
    };
  });
  return takeUntil(aborted$);
}

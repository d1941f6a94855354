import { Observable, takeUntil, type MonoTypeOperatorFunction } from 'rxjs';
import { CompletionError, type PartialCompletion } from '../errors.ts';

/** `abortOn` for values that somebody else remembers. */
export function abortedBy<T>(signal: AbortSignal, partial?: () => PartialCompletion): MonoTypeOperatorFunction<T> {
  const aborted$ = new Observable<never>((subscriber) => {
    const onAbort = (): void => {
      subscriber.error(abortedError(signal.reason, partial?.()));
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

/** The caller's abort. Its reason is the caller's own object, and is passed on as it is. */
function abortedError(reason: unknown, partial: PartialCompletion | undefined): CompletionError {
  return new CompletionError('The call was aborted by its AbortSignal', { kind: 'aborted', cause: reason, partial });
}

import { mergeMap, takeUntil, throwError, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import { Exit, INTERRUPTED } from './exit.ts';

/** Ends the source with an error when `signal$` emits. Unsubscribing from a completion is what aborts its request. */
export function interruptedBy<T>(signal$: Observable<unknown>): MonoTypeOperatorFunction<T> {
  return takeUntil(signal$.pipe(mergeMap(() => throwError(() => new Exit('Interrupted', INTERRUPTED)))));
}

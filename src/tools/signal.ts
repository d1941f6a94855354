import { Observable, tap } from 'rxjs';

/**
 * An Observable that is given a signal. It is aborted, in the same tick, when the Observable is left or fails (then with the error
 * as its reason); not when it completes.
 */
export function withSignal<T>(make: (signal: AbortSignal) => Observable<T>): Observable<T> {
  return new Observable((subscriber) => {
    const controller = new AbortController();
    let done = false;
    subscriber.add(() => {
      if (!done) controller.abort();
    });
    const ended$ = make(controller.signal).pipe(
      tap({
        complete: () => {
          done = true;
        },
        error: (error: unknown) => {
          controller.abort(error);
        },
      }),
    );
    ended$.subscribe(subscriber);
  });
}

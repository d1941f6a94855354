import { Observable, Subject, takeUntil, type Observer, type OperatorFunction, type Subscriber } from 'rxjs';

/**
 * An operator out of handlers made for each subscription. What a handler throws is the error of the result; without a handler,
 * the notification is passed on. Unsubscribing reaches the source even while it is still inside `subscribe`.
 */
export function operate<T, R>(
  handlersFor: (subscriber: Subscriber<R>) => Pick<Observer<T>, 'next'> & Partial<Observer<T>>,
): OperatorFunction<T, R> {
  return (source) =>
    new Observable((subscriber) => {
      // RxJS subscribes subscribers that have left already; nobody would unsubscribe from the source.
      if (subscriber.closed) return;
      const guard = (handle: () => void): void => {
        try {
          handle();
        } catch (error) {
          subscriber.error(error);
        }
      };
      // The inner subscription is not known before a synchronous source has said everything.
      const left$ = new Subject<void>();
      subscriber.add(() => {
        left$.next();
      });
      const handlers = handlersFor(subscriber);
      // Kept too: a source that has erred is to be left before what follows it is subscribed.
      const subscription = source.pipe(takeUntil(left$)).subscribe({
        next: (value) => {
          try {
            handlers.next(value);
          } catch (error) {
            subscriber.error(error);
          }
        },
        error: (error: unknown) => {
          if (handlers.error === undefined) subscriber.error(error);
          else guard(() => handlers.error?.(error));
        },
        complete: () => {
          if (subscriber.closed) return;
          if (handlers.complete === undefined) subscriber.complete();
          else guard(() => handlers.complete?.());
        },
      });
      subscriber.add(subscription);
    });
}

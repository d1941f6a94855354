import { catchError, NEVER, switchMap, type MonoTypeOperatorFunction, type Observable, type Subscription } from 'rxjs';
import { abortOn } from '../../src/operators/abort.ts';
import { fallbackTo } from '../../src/operators/fallback.ts';
import { hedge } from '../../src/operators/hedge.ts';
import { createLimiter } from '../../src/operators/limiter.ts';
import { operate } from '../../src/operators/operate.ts';
import { retryCompletion } from '../../src/operators/retry.ts';
import { segment } from '../../src/operators/segment.ts';
import { smooth } from '../../src/operators/smooth.ts';
import { stopWhen } from '../../src/operators/stop-when.ts';
import { timeoutCompletion } from '../../src/operators/timeout.ts';
import { HandClock } from '../support/client.ts';
import { CAUSE, marbles } from '../support/events.ts';
import { IDLE, stateOf } from './limiting.ts';

/** What RxJS subscribes although its subscriber has left: what a callback returns that makes that one leave. */
const WAYS: readonly [string, string, (make: () => Observable<string>) => MonoTypeOperatorFunction<string>][] = [
  ['switchMap', '-a', (make) => switchMap(make)],
  ['catchError', '-#', (make) => catchError(make)],
];

const OPERATORS: readonly [string, (clock: HandClock) => MonoTypeOperatorFunction<string>][] = [
  [
    'operate',
    () =>
      operate((subscriber) => ({
        next: (value) => {
          subscriber.next(value);
        },
      })),
  ],
  ['abortOn', () => abortOn(new AbortController().signal)],
  ['timeoutCompletion', (scheduler) => timeoutCompletion({ outputMs: 5, totalMs: 50, scheduler })],
  ['smooth', (scheduler) => smooth({ scheduler })],
  ['segment', () => segment({ by: 'line' })],
  ['stopWhen', () => stopWhen('END')],
  ['retryCompletion', (scheduler) => retryCompletion({ when: () => true, scheduler })],
  ['fallbackTo', () => fallbackTo([NEVER])],
  ['hedge', (scheduler) => hedge<string>(NEVER, { afterMs: 5, scheduler })],
  ['limit', (scheduler) => createLimiter({ concurrency: 1, requestsPerMinute: 1, scheduler }).limit()],
];

const rows = WAYS.flatMap(([way, diagram, follow]) =>
  OPERATORS.map(([name, operator]) => ({ name, way, diagram, follow, operator })),
);

describe('a subscriber that left before it was subscribed', () => {
  it.each(rows)('subscribes to no source, and sets no timer: $name in $way', ({ diagram, follow, operator }) => {
    for (const source of ['a-b|', '#', '---']) {
      const clock = new HandClock();
      const told: unknown[] = [];
      marbles(({ cold, hot, expectSubscriptions }) => {
        const followed = cold(source, undefined, CAUSE);
        const leaving: Subscription = hot(diagram)
          .pipe(
            follow(() => {
              leaving.unsubscribe();
              return followed.pipe(operator(clock));
            }),
          )
          .subscribe({
            next: (value) => told.push(value),
            error: (error: unknown) => told.push(error),
            complete: () => told.push('|'),
          });
        expectSubscriptions(followed.subscriptions).toBe([]);
      });
      expect([told, clock.pending]).toEqual([[], 0]);
    }
  });

  it('takes neither a place of a limiter nor a request of its minute', () => {
    const clock = new HandClock();
    const limiter = createLimiter({ concurrency: 1, requestsPerMinute: 1, maxQueued: 0, scheduler: clock });
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const [left, next] = [cold('a'), cold('b|')];
      const leaving: Subscription = hot('-x')
        .pipe(
          switchMap(() => {
            leaving.unsubscribe();
            return left.pipe(limiter.limit());
          }),
        )
        .subscribe();
      expectObservable(next.pipe(limiter.limit()), '--^').toBe('--b|');
      expectSubscriptions(left.subscriptions).toBe([]);
      expectSubscriptions(next.subscriptions).toBe('--^!');
    });
    expect(stateOf(limiter)).toEqual(IDLE);
  });
});

import { defer, filter, first, merge, NEVER, of, type Observable } from 'rxjs';
import type { LimiterState } from '../../src/operators/limiter-queue.ts';
import type { Limiter } from '../../src/operators/limiter.ts';
import { seenBy } from '../support/events.ts';
import { IDLE, limiting } from './limiting.ts';

describe('state$', () => {
  it('tells the state at once, then each change once, and never completes', () => {
    const { clock, limiter, ask } = limiting({ concurrency: 1, requestsPerMinute: 2 });
    const states: unknown[] = [];
    const subscription = limiter.state$.subscribe({
      next: ({ active, queued, nextFreeAt }) => states.push([active, queued, nextFreeAt]),
      complete: () => states.push('|'),
    });
    const first = ask();
    const [second, third] = [ask(), ask()];
    first.lease.response({});
    first.lease.usage(5);
    first.lease.release();
    first.lease.release();
    second.lease.release();
    clock.advance(60_000);
    third.lease.release();
    expect(states).toEqual([
      [0, 0, undefined],
      [1, 0, undefined],
      [1, 1, undefined],
      [1, 2, undefined],
      [1, 1, undefined],
      [0, 1, 60_000],
      [1, 0, undefined],
      [0, 0, undefined],
    ]);
    subscription.unsubscribe();
  });

  it('can be looked at from where one begins', () => {
    const { limiter, state } = limiting({ concurrency: 1 });
    const seen: LimiterState[] = [];
    merge(of(1), NEVER)
      .pipe(limiter.limit())
      .subscribe(() => seen.push(state()));
    expect(seen).toEqual([{ ...IDLE, active: 1 }]);
  });

  it('is told before a source begins, and after it has ended', () => {
    const { limiter } = limiting({ concurrency: 1 });
    const log: unknown[] = [];
    limiter.state$.subscribe(({ active, queued }) => log.push([active, queued]));
    const source = (name: string): Observable<never> =>
      defer(() => {
        log.push(name);
        return NEVER;
      });
    const first = source('first').pipe(limiter.limit()).subscribe();
    const second = source('second').pipe(limiter.limit()).subscribe();
    first.unsubscribe();
    second.unsubscribe();
    expect(log).toEqual([[0, 0], [1, 0], 'first', [1, 1], [1, 0], 'second', [0, 0]]);
  });

  it('tells the moment anew when the first who waits changes', () => {
    const { clock, limiter, ask } = limiting({ tokensPerMinute: 100 });
    const moments: unknown[] = [];
    limiter.state$.subscribe(({ nextFreeAt }) => moments.push(nextFreeAt));
    ask(50);
    clock.advance(10);
    ask(50);
    const large = ask(100);
    ask(50);
    large.subscription.unsubscribe();
    clock.advance(60_000);
    expect(moments.filter((moment, at) => at === 0 || moment !== moments[at - 1])).toEqual([
      undefined,
      60_010,
      60_000,
      undefined,
    ]);
  });

  it.each([
    ['limit', (limiter: Limiter) => NEVER.pipe(limiter.limit())],
    ['acquire', (limiter: Limiter) => limiter.acquire(0)],
  ])('may be what makes the one leave that is about to begin, which gets no place (%s)', (_name, waitingIn) => {
    const { limiter, state } = limiting({ concurrency: 1 });
    const seen: unknown[] = [];
    const running = NEVER.pipe(limiter.limit()).subscribe();
    const leaving = waitingIn(limiter).subscribe((value) => seen.push(value));
    const next = seenBy(of('next').pipe(limiter.limit()));
    limiter.state$.pipe(filter(({ active, queued }) => active === 1 && queued === 1)).subscribe(() => {
      leaving.unsubscribe();
    });
    running.unsubscribe();
    expect(seen).toEqual([]);
    expect(next).toEqual(['next', '|']);
    expect(state()).toEqual(IDLE);
  });

  it('may be what makes others come, and leave', () => {
    const { limiter, state } = limiting({ concurrency: 1 });
    const order: string[] = [];
    const running = NEVER.pipe(limiter.limit()).subscribe();
    const come = (name: string): void => {
      of(name)
        .pipe(limiter.limit())
        .subscribe((value) => order.push(value));
    };
    limiter.state$.pipe(first(({ active }) => active === 0)).subscribe(() => {
      come('late');
    });
    come('first');
    running.unsubscribe();
    expect(order).toEqual(['first', 'late']);
    expect(state()).toEqual(IDLE);
  });
});

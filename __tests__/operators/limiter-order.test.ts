import { defer, finalize, NEVER, of, take, tap, type Observable, type Subscription } from 'rxjs';
import type { LimiterLease } from '../../src/operators/limiter-queue.ts';
import type { Limiter, LimiterOptions } from '../../src/operators/limiter.ts';
import { IDLE, limiting, stateOf } from './limiting.ts';

const ONE_AT_A_TIME: LimiterOptions = { concurrency: 1 };

describe('the queue', () => {
  it('is left by those in its middle, and keeps its order', () => {
    const { limiter } = limiting(ONE_AT_A_TIME);
    const order: number[] = [];
    const running = NEVER.pipe(limiter.limit()).subscribe();
    const waiting = [1, 2, 3, 4, 5].map((id) =>
      of(id)
        .pipe(limiter.limit())
        .subscribe((value) => order.push(value)),
    );
    waiting[1]?.unsubscribe();
    waiting[3]?.unsubscribe();
    expect(stateOf(limiter)).toMatchObject({ active: 1, queued: 3 });
    running.unsubscribe();
    expect(order).toEqual([1, 3, 5]);
    expect(stateOf(limiter)).toEqual(IDLE);
  });

  it('may be left by another while one begins', () => {
    const { limiter } = limiting(ONE_AT_A_TIME);
    const order: number[] = [];
    const running = NEVER.pipe(limiter.limit()).subscribe();
    const waiting = [1, 2, 3].map((id) =>
      of(id)
        .pipe(limiter.limit())
        .subscribe((value) => {
          order.push(value);
          waiting[1]?.unsubscribe();
        }),
    );
    running.unsubscribe();
    expect(order).toEqual([1, 3]);
  });

  it('puts who comes from inside next behind all that wait', () => {
    const { limiter } = limiting(ONE_AT_A_TIME);
    const order: string[] = [];
    const begin = (name: string, inNext?: () => void): void => {
      of(name)
        .pipe(limiter.limit(), tap(inNext))
        .subscribe((value) => order.push(value));
    };
    const running = NEVER.pipe(limiter.limit()).subscribe();
    begin('a', () => {
      begin('c');
      begin('d');
    });
    begin('b');
    running.unsubscribe();
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });

  it.each([
    ['limit', (limiter: Limiter) => of(0).pipe(limiter.limit())],
    ['acquire', (limiter: Limiter) => limiter.acquire(0)],
  ])('puts who left it and comes again behind all that wait (%s)', (_name, waitingIn) => {
    const { limiter } = limiting(ONE_AT_A_TIME);
    const order: string[] = [];
    const running = NEVER.pipe(limiter.limit()).subscribe();
    const again$ = waitingIn(limiter);
    const come = (name: string, source$: Observable<unknown>): Subscription =>
      source$.pipe(take(1)).subscribe((value) => {
        order.push(name);
        (value as Partial<LimiterLease>).release?.();
      });
    const left = come('again', again$);
    come('other', of(0).pipe(limiter.limit()));
    left.unsubscribe();
    come('again', again$);
    running.unsubscribe();
    expect(order).toEqual(['other', 'again']);
    expect(stateOf(limiter)).toEqual(IDLE);
  });

  it('runs thousands of synchronous sources in their order, and nests none in another', () => {
    const { limiter } = limiting({ concurrency: 1, maxQueued: 5000 });
    const order: number[] = [];
    let [depth, deepest] = [0, 0];
    const running = NEVER.pipe(limiter.limit()).subscribe();
    for (let id = 0; id < 5000; id++) {
      const source = defer(() => {
        depth += 1;
        deepest = Math.max(deepest, depth);
        return of(id).pipe(finalize(() => (depth -= 1)));
      });
      source.pipe(limiter.limit()).subscribe((value) => order.push(value));
    }
    running.unsubscribe();
    expect(order).toEqual(Array.from({ length: 5000 }, (_, id) => id));
    expect(deepest).toBe(1);
    expect(stateOf(limiter)).toEqual(IDLE);
  });

  it.each(['next', 'complete'] as const)('has no end of subscribers that follow from inside %s', (when) => {
    const { limiter } = limiting(ONE_AT_A_TIME);
    let count = 0;
    const follow = (): void => {
      count += 1;
      if (count < 10_000)
        of(1)
          .pipe(limiter.limit())
          .subscribe({ [when]: follow });
    };
    follow();
    expect(count).toBe(10_000);
    expect(stateOf(limiter)).toEqual(IDLE);
  });
});

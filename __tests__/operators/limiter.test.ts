import { catchError, concat, Observable, of, repeat, retry, Subject, take, throwError } from 'rxjs';
import { createLimiter, type LimiterOptions } from '../../src/operators/limiter.ts';
import { CAUSE, marbles, seenBy, seenByLeaver, synchronous, untilEnd } from '../support/events.ts';
import { IDLE, limiting, stateOf } from './limiting.ts';

const ONE_AT_A_TIME: LimiterOptions = { concurrency: 1 };

describe('limit', () => {
  it.each([
    ['that never says anything', '---'],
    ['that is empty', '|'],
    ['of one value', '--a-|'],
    ['of many values', '-a(bc)-d-|'],
    ['that ends as it speaks', '-a-(b|)'],
    ['that fails at once', '#'],
    ['that fails after a value', '-a-#'],
  ])('shows a source %s as it is, where there is room', (_name, diagram) => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold(diagram, undefined, CAUSE);
      const limiter = createLimiter({ ...ONE_AT_A_TIME, requestsPerMinute: 1, tokensPerMinute: 1, scheduler });
      expectObservable(source.pipe(limiter.limit({ tokens: 1 }))).toBe(diagram, undefined, CAUSE);
      expectSubscriptions(source.subscriptions).toBe(untilEnd(diagram));
    });
  });

  it('limits nothing by default', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold('-a|');
      const limiter = createLimiter({ scheduler });
      for (let count = 0; count < 100; count++) {
        expectObservable(source.pipe(limiter.limit({ tokens: 1_000_000 }))).toBe('-a|');
      }
      expectSubscriptions(source.subscriptions).toBe(Array<string>(100).fill('^-!'));
    });
  });

  it.each([
    ['completes', '--a--|', '^', '^----!'],
    ['fails', '--a--#', '^', '^----!'],
    ['is unsubscribed', '--a---', '^----!', '^----!'],
  ])('subscribes to the next source when the one before %s', (_name, diagram, subscription, held) => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const first = cold(diagram);
      const second = cold('--b-|');
      const limiter = createLimiter({ ...ONE_AT_A_TIME, scheduler });
      expectObservable(first.pipe(limiter.limit()), subscription).toBe(diagram);
      expectObservable(second.pipe(limiter.limit())).toBe('-------b-|');
      expectSubscriptions(first.subscriptions).toBe(held);
      expectSubscriptions(second.subscriptions).toBe('-----^---!');
    });
  });

  it('gives the place back when its consumer leaves from inside next', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const first = cold('--a--b|');
      const second = cold('-c|');
      const limiter = createLimiter({ ...ONE_AT_A_TIME, scheduler });
      expectObservable(first.pipe(limiter.limit(), take(1))).toBe('--(a|)');
      expectObservable(second.pipe(limiter.limit())).toBe('---c|');
      expectSubscriptions(first.subscriptions).toBe('^-!');
      expectSubscriptions(second.subscriptions).toBe('--^-!');
    });
  });

  it('never subscribes to a source whose consumer left the queue', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const first = cold('-----|');
      const second = cold('-b|');
      const third = cold('-c|');
      const limiter = createLimiter({ ...ONE_AT_A_TIME, scheduler });
      expectObservable(first.pipe(limiter.limit())).toBe('-----|');
      expectObservable(second.pipe(limiter.limit()), '-^-!').toBe('-');
      expectObservable(third.pipe(limiter.limit()), '--^').toBe('------c|');
      expectSubscriptions(second.subscriptions).toBe([]);
      expectSubscriptions(third.subscriptions).toBe('-----^-!');
    });
  });

  it('waits for its turn with each subscription anew', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const again = cold('-a|');
      const failing = cold('-c#');
      const other = cold('-b|');
      const limiter = createLimiter({ ...ONE_AT_A_TIME, scheduler });
      expectObservable(again.pipe(limiter.limit(), repeat(2))).toBe('-a-----a|');
      expectObservable(other.pipe(limiter.limit())).toBe('---b|');
      expectObservable(failing.pipe(limiter.limit(), retry(1))).toBe('-----c---c#');
      expectSubscriptions(again.subscriptions).toBe(['^-!', '------^-!']);
      expectSubscriptions(other.subscriptions).toBe('--^-!');
      expectSubscriptions(failing.subscriptions).toBe(['----^-!', '--------^-!']);
    });
  });

  it.each([
    [1, ['^--!', '---^--!', '------^--!', '---------^--!', '------------^--!']],
    [2, ['^--!', '^--!', '---^--!', '---^--!', '------^--!']],
    [3, ['^--!', '^--!', '^--!', '---^--!', '---^--!']],
    [5, ['^--!', '^--!', '^--!', '^--!', '^--!']],
  ])('lets %i run at the same time', (concurrency, subscriptions) => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold('---|');
      const limiter = createLimiter({ concurrency, scheduler });
      for (const subscription of subscriptions) {
        expectObservable(source.pipe(limiter.limit())).toBe(`${'-'.repeat(subscription.indexOf('!'))}|`);
      }
      expectSubscriptions(source.subscriptions).toBe(subscriptions);
    });
  });

  it('lets a consumer of a synchronous source leave', () => {
    const { source$, said } = synchronous([1, 2, 3]);
    const limiter = createLimiter(ONE_AT_A_TIME);
    expect(seenBy(source$.pipe(limiter.limit(), take(2)))).toEqual([1, 2, '|']);
    expect(seenByLeaver(source$.pipe(limiter.limit()))).toEqual([1]);
    expect(said).toEqual([1, 2, 1]);
    expect(stateOf(limiter)).toEqual(IDLE);
  });

  it('passes on the very error of the source, also of a source that throws', () => {
    const limiter = createLimiter(ONE_AT_A_TIME);
    const throwing = new Observable<never>(() => {
      throw CAUSE;
    });
    expect(seenBy(throwError(() => CAUSE).pipe(limiter.limit()))).toEqual([CAUSE]);
    expect(seenBy(throwing.pipe(limiter.limit()))).toEqual([CAUSE]);
    expect(stateOf(limiter)).toEqual(IDLE);
  });

  it('needs no queue for one after the other: the place of one that has ended is free', () => {
    const limiter = createLimiter({ concurrency: 1, maxQueued: 0 });
    const limited = of(1).pipe(limiter.limit());
    expect(seenBy(concat(limited, limited))).toEqual([1, 1, '|']);
    expect(seenBy(throwError(() => CAUSE).pipe(limiter.limit(), retry(1)))).toEqual([CAUSE]);
    expect(stateOf(limiter)).toEqual(IDLE);
  });

  it.each(['complete', 'error'] as const)('has given the place back before %s is told', (end) => {
    const { limiter, state } = limiting({ concurrency: 1, maxQueued: 0 });
    const source = new Subject<never>();
    const seen: unknown[] = [];
    const follow = (): void => {
      seen.push(...seenBy(of(1).pipe(limiter.limit())));
    };
    source.pipe(limiter.limit()).subscribe({ error: () => undefined, [end]: follow });
    source[end](CAUSE);
    expect(seen).toEqual([1, '|']);
    expect(state()).toEqual(IDLE);
  });

  it.each([
    ['where there is room', false],
    ['where others run', true],
  ])('has no place and no use for a consumer that left before it was subscribed (%s)', (_name, full) => {
    const { limiter, ask, state } = limiting({ concurrency: 1, requestsPerMinute: 2 });
    const running = ask();
    if (!full) running.lease.release();
    const before = state();
    const { source$, said } = synchronous([1]);
    const failing = new Subject<number>();
    // RxJS subscribes to what catchError has in place of the source, also if nobody is there any more.
    const subscription = failing
      .pipe(
        catchError(() => {
          subscription.unsubscribe();
          return source$.pipe(limiter.limit());
        }),
      )
      .subscribe();
    failing.error(CAUSE);
    expect([said, state()]).toEqual([[], before]);
    running.lease.release();
    expect([ask().at, state()]).toEqual([0, { ...IDLE, active: 1 }]);
  });
});

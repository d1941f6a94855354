import fc from 'fast-check';
import { NEVER, of } from 'rxjs';
import type { LimiterOptions } from '../../src/operators/limiter.ts';
import { synchronous } from '../support/events.ts';
import { limiting, type Asked } from './limiting.ts';

const MINUTE_MS = 60_000;

describe('requestsPerMinute', () => {
  it('lets so many begin at once, and the next ones a minute after each', () => {
    const { clock, ask } = limiting({ requestsPerMinute: 2 });
    const first = [ask()];
    clock.advance(10);
    const asked = [...first, ask(), ask(), ask(), ask()];
    clock.advance(59_989);
    expect(asked.map(({ at }) => at)).toEqual([0, 10, undefined, undefined, undefined]);
    clock.advance(10 * MINUTE_MS);
    expect(asked.map(({ at }) => at)).toEqual([0, 10, MINUTE_MS, MINUTE_MS + 10, 2 * MINUTE_MS]);
  });

  it('counts who begins, however short it runs, and none who leaves the queue', () => {
    const { clock, limiter, ask } = limiting({ requestsPerMinute: 1 });
    of(1).pipe(limiter.limit()).subscribe();
    const { source$, said } = synchronous([1]);
    source$.pipe(limiter.limit()).subscribe().unsubscribe();
    const next = ask();
    clock.advance(MINUTE_MS);
    expect(next.at).toBe(MINUTE_MS);
    expect(said).toEqual([]);
  });

  it('waits for a place first, and counts when it begins', () => {
    const { clock, ask } = limiting({ requestsPerMinute: 1, concurrency: 1 });
    const first = ask();
    const second = ask();
    clock.advance(3 * MINUTE_MS);
    // A place is missing, which no time gives back.
    expect([second.at, clock.pending]).toEqual([undefined, 0]);
    first.lease.release();
    second.lease.release();
    const third = ask();
    clock.advance(MINUTE_MS);
    expect([second.at, third.at]).toEqual([3 * MINUTE_MS, 4 * MINUTE_MS]);
  });

  it('counts a request when it begins, not when its tokens are still missing', () => {
    const { clock, ask } = limiting({ requestsPerMinute: 2, tokensPerMinute: 10 });
    const first = ask(10);
    clock.advance(1);
    const second = ask(10);
    clock.advance(MINUTE_MS - 1);
    const later = [ask(), ask()];
    clock.advance(2 * MINUTE_MS);
    expect([first, second, ...later].map(({ at }) => at)).toEqual([0, MINUTE_MS, MINUTE_MS, 2 * MINUTE_MS]);
  });

  it('does not count one that left while its tokens were missing', () => {
    const { clock, ask } = limiting({ requestsPerMinute: 2, tokensPerMinute: 10 });
    ask(10);
    ask(10).subscription.unsubscribe();
    const others = [ask(), ask()];
    expect(others.map(({ at }) => at)).toEqual([0, undefined]);
    clock.advance(MINUTE_MS);
    expect(others.map(({ at }) => at)).toEqual([0, MINUTE_MS]);
  });

  it('lets no more begin for one that left a minute ago', () => {
    const { clock, ask } = limiting({ requestsPerMinute: 2, tokensPerMinute: 10 });
    ask(10);
    ask(10).subscription.unsubscribe();
    clock.advance(2 * MINUTE_MS);
    expect([ask(), ask(), ask()].map(({ at }) => at)).toEqual([2 * MINUTE_MS, 2 * MINUTE_MS, undefined]);
  });
});

describe('both windows', () => {
  it('are taken from at once: no tokens while a request is missing', () => {
    const { clock, ask } = limiting({ requestsPerMinute: 1, tokensPerMinute: 100 });
    ask(10);
    clock.advance(30_000);
    const second = ask(100);
    clock.advance(MINUTE_MS);
    expect([second.at, clock.pending]).toEqual([MINUTE_MS, 0]);
  });

  it('are taken from at once: no request while tokens are missing, however often they are looked at', () => {
    const { clock, ask } = limiting({ requestsPerMinute: 3, tokensPerMinute: 100 });
    const { lease } = ask(100);
    const second = ask(100);
    for (const used of [99, 98, 97]) {
      clock.advance(1000);
      lease.usage(used);
    }
    second.subscription.unsubscribe();
    expect([ask(), ask(), ask()].map(({ at }) => at)).toEqual([3000, 3000, undefined]);
  });

  it('let the next one begin at once when the first in the queue leaves', () => {
    const { clock, ask, state } = limiting({ tokensPerMinute: 100 });
    ask(60);
    const [large, small] = [ask(90), ask(40)];
    clock.advance(5);
    expect(small.at).toBeUndefined();
    large.subscription.unsubscribe();
    expect([small.at, clock.pending]).toEqual([5, 0]);
    expect(state()).toEqual({ active: 2, queued: 0, nextFreeAt: undefined });
  });
});

describe('the timer of the windows', () => {
  it('is one, however many wait, and none when nobody does', () => {
    const { clock, limiter, ask } = limiting({ requestsPerMinute: 1 });
    ask();
    expect(clock.pending).toBe(0);
    const waiting = [1, 2, 3].map(() => NEVER.pipe(limiter.limit()).subscribe());
    expect(clock.pending).toBe(1);
    waiting[0]?.unsubscribe();
    waiting[2]?.unsubscribe();
    expect(clock.pending).toBe(1);
    waiting[1]?.unsubscribe();
    expect(clock.pending).toBe(0);
  });

  it('is none while a place is missing', () => {
    const { clock, ask } = limiting({ requestsPerMinute: 2, concurrency: 1 });
    const first = ask();
    ask();
    ask();
    expect(clock.pending).toBe(0);
    first.lease.release();
    expect(clock.pending).toBe(0);
  });
});

interface Arrival {
  readonly gapMs: number;
  readonly tokens: number;
}

describe('in no minute, wherever it begins, more than the limits, but for one that is more by itself', () => {
  const arrival = fc.record({
    gapMs: fc.oneof(
      { weight: 4, arbitrary: fc.nat(3) },
      { weight: 2, arbitrary: fc.nat(50_000) },
      fc.constant(MINUTE_MS),
    ),
    tokens: fc.nat(12),
  });
  const limit = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

  it.each<[string, fc.Arbitrary<LimiterOptions>]>([
    ['of requests', fc.record({ requestsPerMinute: limit(4) })],
    ['of tokens', fc.record({ tokensPerMinute: fc.integer({ min: 6, max: 30 }) })],
    ['of both', fc.record({ requestsPerMinute: limit(4), tokensPerMinute: fc.integer({ min: 6, max: 20 }) })],
  ])('%s, and each as soon as may be', (_name, options) => {
    fc.assert(
      fc.property(options, fc.array(arrival, { maxLength: 25 }), (limits, arrivals) => {
        const { clock, ask } = limiting(limits);
        const asked: Asked[] = [];
        for (const { gapMs, tokens } of arrivals) {
          clock.advance(gapMs);
          asked.push(ask(tokens));
        }
        clock.advance(100 * MINUTE_MS);
        expect(asked.map(({ at }) => at)).toEqual(earliest(limits, arrivals));
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

/** When each may begin at the earliest: not before the one before it, nor while a minute back leaves no room. */
function earliest(limits: LimiterOptions, arrivals: readonly Arrival[]): readonly number[] {
  const { requestsPerMinute = Infinity, tokensPerMinute = Infinity } = limits;
  const begun: { readonly at: number; readonly tokens: number }[] = [];
  let now = 0;
  for (const { gapMs, tokens } of arrivals) {
    now += gapMs;
    const from = Math.max(now, begun.at(-1)?.at ?? 0);
    const fits = (at: number): boolean => {
      const recent = begun.filter((one) => one.at + MINUTE_MS > at);
      const used = recent.reduce((sum, one) => sum + one.tokens, 0);
      return recent.length < requestsPerMinute && (used === 0 || used + tokens <= tokensPerMinute);
    };
    const moments = [from, ...begun.map(({ at }) => at + MINUTE_MS).filter((at) => at > from)];
    begun.push({ at: moments.find(fits) ?? Number.NaN, tokens });
  }
  return begun.map(({ at }) => at);
}

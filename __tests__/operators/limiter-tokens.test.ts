import type { LimiterOptions } from '../../src/operators/limiter.ts';
import { limiting } from './limiting.ts';

const MINUTE_MS = 60_000;

/** Asks for places of so many tokens, one after the other, and tells when each was given, if within the time. */
function beginsOf(options: LimiterOptions, tokens: readonly number[], withinMs = 10 * MINUTE_MS): unknown[] {
  const { clock, ask } = limiting(options);
  const asked = tokens.map((each) => ask(each));
  clock.advance(withinMs);
  expect(clock.pending).toBe(asked.at(-1)?.at === undefined ? 1 : 0);
  return asked.map(({ at }) => at);
}

describe('tokensPerMinute', () => {
  it.each([
    ['lets begin what fits', [40, 60, 0], [0, 0, 0]],
    ['lets the rest wait', [40, 60, 1, 40], [0, 0, MINUTE_MS, MINUTE_MS]],
    ['lets none overtake that would fit', [60, 50, 10], [0, MINUTE_MS, MINUTE_MS]],
    ['counts fractions', [99.5, 0.5, 0.5], [0, 0, MINUTE_MS]],
    ['counts more than the whole of it for one minute', [250, 10, 1, 80], [0, MINUTE_MS, MINUTE_MS, MINUTE_MS]],
    ['lets more than the whole of it wait for an empty minute', [1, 250, 1], [0, MINUTE_MS, 2 * MINUTE_MS]],
  ])('%s', (_name, tokens, begins) => {
    expect(beginsOf({ tokensPerMinute: 100 }, tokens)).toEqual(begins);
  });

  it.each([
    ['as many as expected', [50], 50, 0],
    ['more', [60], 40, 0],
    ['more than the next one leaves room for', [60], 41, MINUTE_MS],
    ['more than all of it', [130], 1, MINUTE_MS],
    ['more than all of it, for one minute', [1000], 100, MINUTE_MS],
    ['fewer', [10], 90, 0],
    ['fewer, but not enough so', [10], 91, MINUTE_MS],
    ['none', [0], 100, 0],
    ['more and more, of which the last word counts', [60, 70, 80], 20, 0],
    ['more and more, no less than the last word', [60, 70, 80], 21, MINUTE_MS],
    ['fewer in the end', [99, 10], 90, 0],
    ['nobody knows how many', [Number.NaN, Number.POSITIVE_INFINITY], 50, 0],
  ])('is corrected by what was used: %s', (_name, used, next, at) => {
    const { clock, ask } = limiting({ tokensPerMinute: 100 });
    const first = ask(50);
    for (const total of used) first.lease.usage(total);
    first.lease.release();
    const second = ask(next);
    clock.advance(MINUTE_MS);
    expect(second.at).toBe(at);
  });

  it('is corrected at once for who waits, also after the place was given back', () => {
    const { ask, clock } = limiting({ tokensPerMinute: 100 });
    const first = ask(100);
    const second = ask(60);
    const third = ask(60);
    first.lease.release();
    clock.advance(10);
    first.lease.usage(40);
    expect([second.at, third.at, clock.pending]).toEqual([10, undefined, 1]);
    second.lease.usage(0);
    expect([third.at, clock.pending]).toEqual([10, 0]);
  });

  it('gives no more in a minute for what was not used in another', () => {
    const { clock, ask } = limiting({ tokensPerMinute: 100 });
    ask(100).lease.usage(0);
    clock.advance(2 * MINUTE_MS);
    expect([ask(100), ask(100)].map(({ at }) => at)).toEqual([2 * MINUTE_MS, undefined]);
  });

  it.each([
    [250, 110, 90, MINUTE_MS],
    [250, 40, 60, 0],
    [250, 40, 61, MINUTE_MS],
    [250, 0, 100, 0],
  ])('is corrected of more than the whole of it: of %i were used %i', (expected, used, next, at) => {
    const { clock, ask } = limiting({ tokensPerMinute: 100 });
    ask(expected).lease.usage(used);
    const asked = ask(next);
    clock.advance(MINUTE_MS);
    expect([asked.at, clock.pending]).toEqual([at, 0]);
  });

  it('counts what was used beyond it in the minute it began in, then forgets it', () => {
    const { clock, ask } = limiting({ tokensPerMinute: 100 });
    const { lease } = ask(10);
    clock.advance(30_000);
    const second = ask(10);
    lease.usage(1000);
    const [third, fourth] = [ask(90), ask(10)];
    clock.advance(MINUTE_MS);
    expect([second, third, fourth].map(({ at }) => at)).toEqual([30_000, MINUTE_MS, MINUTE_MS + 30_000]);
  });

  it('forgets at once what is told more than a minute later', () => {
    const { clock, ask } = limiting({ tokensPerMinute: 100 });
    const { lease } = ask(10);
    clock.advance(MINUTE_MS);
    lease.usage(1000);
    expect(ask(100).at).toBe(MINUTE_MS);
  });

  it('counts the use of those who expected none', () => {
    const { clock, ask } = limiting({ tokensPerMinute: 100 });
    ask().lease.usage(60);
    ask().lease.usage(60);
    const asked = [ask(), ask(1)];
    clock.advance(MINUTE_MS);
    expect(asked.map(({ at }) => at)).toEqual([MINUTE_MS, MINUTE_MS]);
  });

  it('is corrected where it was taken, although time passes while the state is told', () => {
    const { clock, limiter, ask } = limiting({ tokensPerMinute: 100 });
    limiter.state$.subscribe(({ active }) => {
      if (active === 1) clock.advance(1);
    });
    ask(100).lease.usage(0);
    expect(ask(100).at).toBeDefined();
  });
});

import fc from 'fast-check';
import { MemoryWindows } from '../../src/operators/window.ts';

const MINUTE_MS = 60_000;

describe('MemoryWindows', () => {
  it('takes what fits, down to the last point', () => {
    const windows = new MemoryWindows({ tokens: 5 });
    expect([2, 2, 1].map((points, now) => windows.consume('tokens', points, now))).toEqual([0, 0, 0]);
    expect(windows.consume('tokens', 1, 3)).toBe(MINUTE_MS - 3);
  });

  it('gives back what was taken a minute later, and no millisecond earlier', () => {
    const windows = new MemoryWindows({ tokens: 1 });
    expect(windows.consume('tokens', 1, 7)).toBe(0);
    expect(windows.consume('tokens', 1, MINUTE_MS + 6)).toBe(1);
    expect(windows.consume('tokens', 1, MINUTE_MS + 7)).toBe(0);
    expect(windows.consume('tokens', 1, MINUTE_MS + 7)).toBe(MINUTE_MS);
  });

  it.each([
    [1, 30],
    [2, 30],
    [3, 40],
    [4, 40],
    [5, 50],
  ])('waits for as many as it must go before %i points fit', (points, firstFreedAt) => {
    const windows = new MemoryWindows({ tokens: 5 });
    for (const [taken, now] of [
      [2, 30],
      [2, 40],
      [1, 50],
    ] as const)
      windows.consume('tokens', taken, now);
    expect(windows.consume('tokens', points, 100)).toBe(firstFreedAt + MINUTE_MS - 100);
  });

  it('takes nothing of what does not fit', () => {
    const windows = new MemoryWindows({ tokens: 5 });
    windows.consume('tokens', 3, 0);
    expect(windows.consume('tokens', 3, 1)).toBe(MINUTE_MS - 1);
    expect(windows.consume('tokens', 2, 2)).toBe(0);
  });

  it('takes more than the whole limit where nothing is used, and counts all of it for a minute', () => {
    const windows = new MemoryWindows({ tokens: 5 });
    expect(windows.consume('tokens', 12, 0)).toBe(0);
    expect(windows.consume('tokens', 1, 1)).toBe(MINUTE_MS - 1);
    expect(windows.consume('tokens', 5, MINUTE_MS)).toBe(0);
  });

  it('lets more than the whole limit wait until nothing is used', () => {
    const windows = new MemoryWindows({ tokens: 5 });
    windows.consume('tokens', 1, 30);
    windows.consume('tokens', 1, 40);
    expect(windows.consume('tokens', 6, 100)).toBe(40 + MINUTE_MS - 100);
    expect(windows.consume('tokens', 6, 39 + MINUTE_MS)).toBe(1);
    expect(windows.consume('tokens', 6, 40 + MINUTE_MS)).toBe(0);
  });

  it('takes no second of what is more than the whole limit, also at the same time', () => {
    const windows = new MemoryWindows({ tokens: 5 });
    expect([6, 6].map((points) => windows.consume('tokens', points, 0))).toEqual([0, MINUTE_MS]);
  });

  it('counts more than the whole limit where its parts leave a rest in the arithmetic', () => {
    const windows = new MemoryWindows({ tokens: 5 });
    windows.consume('tokens', 0.1, 0);
    windows.consume('tokens', 0.2, 1);
    expect(windows.consume('tokens', 6, MINUTE_MS + 1)).toBe(0);
    expect(windows.consume('tokens', 1, MINUTE_MS + 2)).toBe(MINUTE_MS - 1);
  });

  it('takes no points at any time, also of a full window', () => {
    const windows = new MemoryWindows({ tokens: 1 });
    windows.consume('tokens', 1, 0);
    expect(windows.consume('tokens', 0, 1)).toBe(0);
    expect(windows.consume('tokens', 1, MINUTE_MS)).toBe(0);
  });

  it('has a window for each key', () => {
    const windows = new MemoryWindows({ tokens: 1, requests: 1 });
    expect(windows.consume('tokens', 1, 0)).toBe(0);
    expect(windows.consume('requests', 1, 1)).toBe(0);
    expect(windows.consume('tokens', 1, 2)).toBe(MINUTE_MS - 2);
    expect(windows.consume('requests', 1, 2)).toBe(MINUTE_MS - 1);
  });

  it.each(['other', 'constructor', '__proto__'])('takes anything of a key without a limit (%s)', (key) => {
    const windows = new MemoryWindows({ tokens: 1 });
    expect(windows.consume(key, 1_000_000, 0)).toBe(0);
    expect(windows.consume(key, 1_000_000, 0)).toBe(0);
  });

  it('takes anything where the limit is infinite', () => {
    const windows = new MemoryWindows({ tokens: Number.POSITIVE_INFINITY });
    for (let now = 0; now < 10; now++) expect(windows.consume('tokens', Number.MAX_VALUE, now)).toBe(0);
  });

  it('counts right over thousands of entries that come and go', () => {
    const windows = new MemoryWindows({ requests: 1500 });
    for (let minute = 0; minute < 4; minute++) {
      for (let ms = 0; ms < 1500; ms++) {
        const now = minute * MINUTE_MS + ms;
        expect(windows.consume('requests', 1, now)).toBe(0);
        // Its own place was the only one free.
        if (minute > 0 || ms === 1499)
          expect(windows.consume('requests', 1, now)).toBe(minute > 0 && ms < 1499 ? 1 : 58_501);
      }
    }
  });
});

describe('a correction', () => {
  it.each([
    ['fewer', -2, 4, 0],
    ['fewer, but not enough so', -2, 5, 10 + MINUTE_MS],
    ['none', -3, 5, 0],
    ['no difference', 0, 2, 0],
    ['no difference, and no room', 0, 3, 10 + MINUTE_MS],
    ['more', 1, 1, 0],
    ['more than leaves room', 1, 2, 10 + MINUTE_MS],
    ['all of it', 2, 1, 10 + MINUTE_MS],
    ['more than there is', 100, 1, 10 + MINUTE_MS],
  ])('of 3 of 5 points counts what was used: %s (%i)', (_name, difference, points, fitsAt) => {
    const windows = new MemoryWindows({ tokens: 5 });
    windows.consume('tokens', 3, 10);
    windows.correct('tokens', difference, 10);
    expect(windows.consume('tokens', points, 20)).toBe(Math.max(0, fitsAt - 20));
  });

  it('gives back no more than was taken', () => {
    const windows = new MemoryWindows({ tokens: 5 });
    windows.consume('tokens', 3, 10);
    windows.consume('tokens', 1, 11);
    windows.correct('tokens', -100, 10);
    expect(windows.consume('tokens', 5, 20)).toBe(11 + MINUTE_MS - 20);
    expect(windows.consume('tokens', 4, 20)).toBe(0);
  });

  it('that passes the limit is forgotten a minute after its points were taken', () => {
    const windows = new MemoryWindows({ tokens: 5 });
    windows.consume('tokens', 1, 0);
    windows.consume('tokens', 1, 30);
    windows.correct('tokens', 100, 0);
    expect(windows.consume('tokens', 4, MINUTE_MS - 1)).toBe(1);
    expect(windows.consume('tokens', 4, MINUTE_MS)).toBe(0);
    expect(windows.consume('tokens', 5, MINUTE_MS + 29)).toBe(MINUTE_MS - 29);
  });

  it.each([
    ['the first', 10, [10, 20, 20, 30, 30, 40]],
    ['the second', 20, [10, 10, 20, 30, 30, 40]],
    ['the third', 30, [10, 10, 20, 20, 30, 40]],
  ])('is given back to the time its points were taken: %s', (_name, takenAt, fitAt) => {
    for (const [more, at] of fitAt.entries()) {
      const windows = new MemoryWindows({ tokens: 6 });
      for (const now of [10, 20, 30]) windows.consume('tokens', 2, now);
      windows.correct('tokens', -1, takenAt);
      expect(windows.consume('tokens', 1, 40)).toBe(0);
      expect(windows.consume('tokens', more + 1, 40)).toBe(at + MINUTE_MS - 40);
    }
  });

  it.each([0, 15, 25, 40])('of a time when nothing was taken is nothing (%i ms)', (takenAt) => {
    const windows = new MemoryWindows({ tokens: 6 });
    for (const now of [10, 20, 30]) windows.consume('tokens', 1, now);
    windows.correct('tokens', -1, takenAt);
    windows.correct('tokens', 3, takenAt);
    expect(windows.consume('tokens', 4, 50)).toBe(10 + MINUTE_MS - 50);
    expect(windows.consume('tokens', 3, 50)).toBe(0);
  });

  it('of what has expired is nothing, also beside what has not', () => {
    const windows = new MemoryWindows({ tokens: 6 });
    windows.consume('tokens', 1, 0);
    windows.consume('tokens', 1, 10);
    expect(windows.consume('tokens', 1, MINUTE_MS)).toBe(0);
    windows.correct('tokens', 100, 0);
    windows.correct('tokens', -1, 0);
    expect(windows.consume('tokens', 4, MINUTE_MS)).toBe(0);
    expect(windows.consume('tokens', 1, MINUTE_MS)).toBe(10);
  });

  it('is one of its key, and nothing where that has no limit', () => {
    const windows = new MemoryWindows({ tokens: 5, requests: 5 });
    windows.consume('tokens', 1, 0);
    windows.consume('requests', 1, 0);
    windows.correct('tokens', 4, 0);
    windows.correct('other', 4, 0);
    expect(['tokens', 'requests', 'other'].map((key) => windows.consume(key, 4, 0))).toEqual([MINUTE_MS, 0, 0]);
  });

  it('lets even no points wait where more than the whole limit was used', () => {
    const windows = new MemoryWindows({ tokens: 5 });
    windows.consume('tokens', 0, 0);
    windows.correct('tokens', 6, 0);
    expect(windows.consume('tokens', 0, 1)).toBe(MINUTE_MS - 1);
    windows.correct('tokens', -1, 0);
    expect(windows.consume('tokens', 0, 1)).toBe(0);
  });
});

describe('taking and correcting', () => {
  it('does what counting everything anew each time would', () => {
    const step = fc.record({
      points: fc.nat(14),
      gapMs: fc.oneof(fc.nat(3), fc.nat(40_000), fc.constant(MINUTE_MS)),
      difference: fc.option(fc.integer({ min: -14, max: 14 })),
      of: fc.nat(),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
        const windows = new MemoryWindows({ tokens: limit });
        const taken = new Map<number, number>();
        let now = 0;
        for (const { points, gapMs, difference, of } of steps) {
          now += gapMs;
          const waitMs = waitFor(taken, points, now, limit);
          expect(windows.consume('tokens', points, now)).toBe(waitMs);
          if (waitMs === 0) taken.set(now, (taken.get(now) ?? 0) + points);
          const [at, used] = [...taken][of % taken.size] ?? [];
          if (difference === null || at === undefined || used === undefined) continue;
          windows.correct('tokens', difference, at);
          taken.set(at, Math.max(0, used + difference));
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** The first moment from which a minute back leaves room, or holds nothing. */
function waitFor(taken: ReadonlyMap<number, number>, points: number, now: number, limit: number): number {
  const fits = (moment: number): boolean => {
    const used = [...taken].filter(([at]) => at + MINUTE_MS > moment).reduce((sum, [, each]) => sum + each, 0);
    return used === 0 || used + points <= limit;
  };
  const moments = [now, ...[...taken.keys()].map((at) => at + MINUTE_MS).filter((at) => at > now)];
  return (moments.find(fits) ?? Number.NaN) - now;
}

import fc from 'fast-check';
import { Subject, type SchedulerAction, type Subscription } from 'rxjs';
import { smooth, type SmoothOptions } from '../../src/operators/smooth.ts';
import { HandClock } from '../support/client.ts';
import { splitsPair } from './pieces.ts';

/** A hidden tab: timers run a second after they were set, or later. */
class LateClock extends HandClock {
  override schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T): Subscription {
    return super.schedule(work, Math.max(delay, 1000), state);
  }
}

/** A piece, and how long after the one before it comes. */
interface Arrival {
  readonly afterMs: number;
  readonly piece: string;
}

/** Something shown, and when. */
interface Shown {
  readonly at: number;
  readonly text: string;
}

const arrivals: fc.Arbitrary<readonly Arrival[]> = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 20, max: 2000 })),
    piece: fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'b', '😀', 'é', '\n'), maxLength: 8 }),
      fc.string({ unit: 'grapheme', maxLength: 200 }),
    ),
  }),
  { maxLength: 30 },
);

const bounds = fc.record({ maxLagMs: fc.integer({ min: 0, max: 600 }), frameMs: fc.integer({ min: 1, max: 60 }) });

/** What comes of the arrivals; `settle` lets all of it be shown before the source completes. */
function shownOf(options: SmoothOptions, given: readonly Arrival[], clock = new HandClock(), settle = true) {
  const source = new Subject<string>();
  const shown: Shown[] = [];
  const arrived: number[] = [];
  let waiting = 0;
  source.pipe(smooth({ ...options, scheduler: clock })).subscribe((text) => {
    waiting -= text.length;
    shown.push({ at: clock.now(), text });
  });
  for (const { afterMs, piece } of given) {
    clock.advance(afterMs);
    arrived.push(...Array.from({ length: piece.length }, () => clock.now()));
    waiting += piece.length;
    source.next(piece);
    expect(clock.pending).toBe(waiting === 0 ? 0 : 1);
  }
  if (settle) clock.advance(10_000);
  expect(clock.pending).toBe(settle || waiting === 0 ? 0 : 1);
  source.complete();
  const left = shown.flatMap(({ at, text }) => Array.from({ length: text.length }, () => at));
  return { shown, lags: left.map((at, index) => at - arrived[index]!), texts: shown.map(({ text }) => text) };
}

/** One burst of that many characters. */
const burst = (length: number, afterMs = 0): Arrival => ({ afterMs, piece: 'x'.repeat(length) });

describe('smooth, for any text at any times,', () => {
  it.each([true, false])(
    'shows all of it in its order, never nothing, and cuts no surrogate pair (settled: %p)',
    (settle) => {
      fc.assert(
        fc.property(bounds, arrivals, (options, given) => {
          const { texts } = shownOf(options, given, new HandClock(), settle);
          expect(texts.join('')).toBe(given.map(({ piece }) => piece).join(''));
          expect(texts).not.toContain('');
          expect(splitsPair(texts)).toBe(false);
        }),
      );
    },
  );

  it('lets no character wait longer than maxLagMs and a frame, nor a timer run while none waits', () => {
    fc.assert(
      fc.property(bounds, arrivals, (options, given) => {
        const { lags } = shownOf(options, given);
        expect(Math.max(0, ...lags)).toBeLessThanOrEqual(options.maxLagMs + options.frameMs);
        expect(Math.min(0, ...lags)).toBe(0);
      }),
    );
  });

  it('lets none wait longer than maxLagMs and a second where timers are a second late', () => {
    fc.assert(
      fc.property(bounds, arrivals, (options, given) => {
        const { lags } = shownOf(options, given, new LateClock());
        expect(Math.max(0, ...lags)).toBeLessThanOrEqual(options.maxLagMs + 1000);
      }),
    );
  });

  it('shows something of each pause at once', () => {
    fc.assert(
      fc.property(bounds, fc.integer({ min: 1, max: 5000 }), (options, length) => {
        expect(shownOf(options, [burst(length), burst(length, 5000)]).lags[length]).toBe(0);
      }),
    );
  });
});

describe('the pace of smooth', () => {
  it('is even: a burst is shown in equal parts, in all of the frames', () => {
    fc.assert(
      fc.property(bounds, fc.integer({ min: 1, max: 5000 }), (options, length) => {
        const { shown, texts } = shownOf(options, [burst(length)]);
        const frames = Math.max(1, Math.floor(options.maxLagMs / options.frameMs));
        expect(texts).toHaveLength(Math.min(length, frames));
        const lengths = texts.map((text) => text.length);
        expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
        expect(shown.map(({ at }) => at)).toEqual(texts.map((_, frame) => frame * options.frameMs));
      }),
    );
  });

  it('rises with what waits, and falls again', () => {
    const options = { maxLagMs: 1000, frameMs: 10 };
    const { shown } = shownOf(options, [burst(200), burst(2000, 105), burst(100, 3000)]);
    const per100Ms = (from: number): number =>
      shown.filter(({ at }) => at >= from && at < from + 100).reduce((sum, { text }) => sum + text.length, 0);
    expect(per100Ms(0)).toBe(20);
    expect(per100Ms(300)).toBeGreaterThan(200);
    expect(per100Ms(3105)).toBe(10);
  });

  it('keeps up with a source of any rate', () => {
    fc.assert(
      fc.property(
        bounds,
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 40 }),
        (options, length, afterMs) => {
          const given = Array.from({ length: 100 }, () => burst(length, afterMs));
          const { lags } = shownOf(options, given, new HandClock(), false);
          expect(Math.max(...lags)).toBeLessThanOrEqual(options.maxLagMs + options.frameMs);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('of a steady source is steady', () => {
    const given = Array.from({ length: 200 }, () => burst(10, 20));
    const { shown } = shownOf({ maxLagMs: 240, frameMs: 10 }, given, new HandClock(), false);
    const steady = shown.filter(({ at }) => at > 500 && at < 3500).map(({ text }) => text.length);
    expect([Math.min(...steady), Math.max(...steady)]).toEqual([5, 5]);
  });
});

describe('a clock that stood still', () => {
  it('is made up for in one frame', () => {
    const clock = new LateClock();
    const { texts } = shownOf({ maxLagMs: 250, frameMs: 16 }, [burst(1500)], clock);
    expect(texts.map((text) => text.length)).toEqual([100, 1400]);
  });
});

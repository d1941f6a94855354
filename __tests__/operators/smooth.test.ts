import { Subject, take } from 'rxjs';
import { smooth, SMOOTH_DEFAULTS, type SmoothOptions } from '../../src/operators/smooth.ts';
import { HandClock, thrownBy } from '../support/client.ts';
import { CAUSE, marbles, seenBy, seenByLeaver, synchronous, untilEnd } from '../support/events.ts';

/** Texts of the diagrams: small letters stand for themselves, others for more, or for nothing. */
const TEXTS = {
  ...Object.fromEntries(Array.from('abcdefghyz', (letter) => [letter, letter] as const)),
  ...{ 0: '', A: 'abcd', B: 'abcdefgh', C: 'cd', D: 'bcd', E: 'ef', F: 'gh', G: 'ab', H: 'aby', I: 'cdefgh' },
};

/** Four frames of a millisecond. */
const FOUR = { maxLagMs: 4, frameMs: 1 } as const;

describe('smooth', () => {
  it.each([
    ['never says anything if the source does not', '---', '        ---'],
    ['never ends if the source does not', '         -A-----', '    -abcd--'],
    ['is empty for an empty source', '              |', '          |'],
    ['is empty for an empty text', '                -0--0|', '      -----|'],
    ["says nothing for ''", '                       -a--0--b-|', '  -a-----b-|'],
    ['passes on single characters at once', '       -a--b-c--|', '  -a--b-c--|'],
    ['spreads a piece over the frames', '           --A-----|', '   --abcd--|'],
    ['spreads a larger one in larger parts', '      --B-----|', '   --GCEF--|'],
    ['spreads each of many', '                      -A-----A--|', ' -abcd--abc(d|)'],
    ['completes with what waits', '                 -A-|', '       -ab(C|)'],
    ['completes in the tick of a piece', '          -(A|)', '       -(aD|)'],
    ['passes on an error at once', '                #', '          #'],
    ['passes on an error after what waits', '       -A-#', '       -ab(C#)'],
    ['passes on an error in the tick of a piece', ' -(A#)', '       -(aD#)'],
    ['passes on an error when nothing waits', '     -a---#', '     -a---#'],
  ])('%s', (_name, source, expected) => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const text = cold(source.trim(), TEXTS);
      expectObservable(text.pipe(smooth({ ...FOUR, scheduler }))).toBe(expected.trim(), TEXTS);
      expectSubscriptions(text.subscriptions).toBe(untilEnd(source.trim()));
    });
  });

  it('unsubscribes from the source with its subscriber, and stops its frames', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const text = cold('-B---|', TEXTS);
      expectObservable(text.pipe(smooth({ ...FOUR, scheduler })), '^-!').toBe('-G', TEXTS);
      expectSubscriptions(text.subscriptions).toBe('^-!');
    });
  });

  it('lets wait for each subscription what that one was told', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const text = cold('-A-----|', TEXTS);
      const result = text.pipe(smooth({ ...FOUR, scheduler }));
      expectObservable(result).toBe('-abcd--|', TEXTS);
      expectObservable(result, '--^').toBe('---abcd--|', TEXTS);
      expectSubscriptions(text.subscriptions).toBe(['^------!', '--^------!']);
    });
  });

  it('passes on the very error of the source', () => {
    const source = new Subject<string>();
    const seen = seenBy(source.pipe(smooth({ ...FOUR, scheduler: new HandClock() })));
    source.next('abcd');
    source.error(CAUSE);
    expect(seen).toEqual(['a', 'bcd', CAUSE]);
    expect(seen[2]).toBe(CAUSE);
  });

  it('does not run a synchronous source past what its consumer takes', () => {
    const { source$, said } = synchronous(['ab', 'cd', 'ef']);
    const clock = new HandClock();
    const result = source$.pipe(smooth({ ...FOUR, scheduler: clock }));
    expect(seenBy(result.pipe(take(1)))).toEqual(['a', '|']);
    expect(seenByLeaver(result)).toEqual(['a']);
    expect(seenBy(result)).toEqual(['a', 'bcdef', '|']);
    expect(said).toEqual(['ab', 'ab', ...['ab', 'cd', 'ef']]);
    expect(clock.pending).toBe(0);
  });

  it.each([1, 2, 3])('leaves no timer behind when its consumer leaves inside next, at emission %i', (count) => {
    const clock = new HandClock();
    const source = new Subject<string>();
    const seen = seenBy(source.pipe(smooth({ ...FOUR, scheduler: clock }), take(count)));
    source.next('abcd');
    clock.advance(10);
    expect(seen).toEqual([...['a', 'b', 'c'].slice(0, count), '|']);
    expect([clock.pending, source.observed]).toEqual([0, false]);
  });

  it('shows nothing more to a consumer that leaves at what waited', () => {
    const clock = new HandClock();
    const source = new Subject<string>();
    const seen = seenBy(source.pipe(smooth({ ...FOUR, scheduler: clock }), take(2)));
    source.next('abcd');
    source.error(CAUSE);
    expect(seen).toEqual(['a', 'bcd', '|']);
    expect(clock.pending).toBe(0);
  });

  it('keeps the order of what is said from inside next, and one timer', () => {
    const clock = new HandClock();
    const source = new Subject<string>();
    const seen: string[] = [];
    source.pipe(smooth({ ...FOUR, scheduler: clock })).subscribe((text) => {
      seen.push(text);
      if (text === 'a') source.next('bcd');
    });
    source.next('a');
    expect(clock.pending).toBe(1);
    clock.advance(10);
    expect(seen.join('')).toBe('abcd');
    expect(clock.pending).toBe(0);
  });
});

describe('the defaults of smooth', () => {
  it('are 250 ms of lag, 16 ms a frame and the scheduler of RxJS', () => {
    expect(SMOOTH_DEFAULTS).toEqual({ maxLagMs: 250, frameMs: 16 });
    marbles(({ cold, expectObservable }) => {
      const text = cold('B 300ms |', { B: 'abcdefghijklmno' });
      const frames = Array.from('bcdefghijklmno', (letter) => `15ms ${letter} `).join('');
      expectObservable(text.pipe(smooth())).toBe(`a ${frames} 76ms |`);
    });
  });
});

describe('the options of smooth', () => {
  it.each<[string, unknown, string, RegExp]>([
    ['null', null, 'options', /^The options of smooth must be an object$/],
    ['a number', 250, 'options', /must be an object/],
    ['an unknown name', { maxLag: 100 }, 'maxLag', /of smooth; did you mean maxLagMs\?$/],
    ['a lag below 0', { maxLagMs: -1 }, 'maxLagMs', /^maxLagMs must be a number/],
    ['a lag that is no number', { maxLagMs: Number.NaN }, 'maxLagMs', /must be a number/],
    ['a lag as text', { maxLagMs: '100' }, 'maxLagMs', /must be a number/],
    ['a lag without end, in which nothing would ever be shown', { maxLagMs: Infinity }, 'maxLagMs', /must be a number/],
    ['a frame of no time', { frameMs: 0 }, 'frameMs', /^frameMs must be a number/],
    ['null for a frame', { frameMs: null }, 'frameMs', /must be a number/],
    ['a scheduler that is none', { scheduler: {} }, 'scheduler', /^scheduler must be an object whose schedule/],
    ['null for a scheduler', { scheduler: null }, 'scheduler', /^scheduler must be an object/],
  ])('are checked when it is made: %s', (_name, options, param, message) => {
    const error = thrownBy(() => smooth(options as SmoothOptions));
    expect(error).toMatchObject({ kind: 'configuration', param, message: expect.stringMatching(message) as unknown });
  });

  it.each<[string, SmoothOptions, string]>([
    ['undefined', { maxLagMs: undefined, frameMs: undefined, scheduler: undefined }, 'a'],
    ['no lag: all is shown at once', { maxLagMs: 0 }, 'abcd'],
    ['a lag below a frame: all is shown at once', { maxLagMs: 10, frameMs: 16 }, 'abcd'],
    ['a frame of any length', { frameMs: Infinity }, 'abcd'],
    ['parts of milliseconds', { maxLagMs: 3.5, frameMs: 1.5 }, 'ab'],
  ])('may be %s', (_name, options, first) => {
    const source = new Subject<string>();
    const seen = seenBy(source.pipe(smooth({ ...options, scheduler: options.scheduler ?? new HandClock() })));
    source.next('abcd');
    expect(seen).toEqual([first]);
  });
});

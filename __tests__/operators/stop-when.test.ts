import { Subject, take, type MonoTypeOperatorFunction } from 'rxjs';
import { stopWhen, type StopWhenOptions } from '../../src/operators/stop-when.ts';
import { thrownBy } from '../support/client.ts';
import { CAUSE, marbles, seenBy, seenByLeaver, synchronous, untilEnd } from '../support/events.ts';
import { shownPerPiece } from './pieces.ts';

/** Texts of the diagrams: letters stand for themselves, numbers for more, or for nothing. */
const TEXTS = {
  ...Object.fromEntries(Array.from('abxEND', (letter) => [letter, letter] as const)),
  ...{ 0: '', 1: 'EN', 2: 'xEND', 3: 'xENDy', 4: 'xEN', 5: 'ENDING', 6: 'END', 7: 'ENb', 8: 'xENDxENDx' },
};

const atEnd = stopWhen('END');

describe('stopWhen', () => {
  it.each([
    ['never says anything if the source does not', '---', '       ---'],
    ['never ends if the source does not', '         -a-b-', '     -a-b-'],
    ['is empty for an empty source', '              --|', '       --|'],
    ["says nothing for ''", '                       -0-a-|', '    ---a-|'],
    ['passes on one piece', '                       -a-|', '      -a-|'],
    ['passes on many pieces', '                     -a-b-x-|', '  -a-b-x-|'],
    ['passes on an error at once', '                #', '         #'],
    ['passes on an error after text', '             -a-b-#', '    -a-b-#'],
    ['passes on an error after what it held back', '-a-1-#', '    -a---(1#)'],
    ['completes after what it held back', '         -a-1-|', '    -a---(1|)'],
    ['stops in the middle of a piece', '            -a-3-b-|', '  -a-(x|)'],
    ['stops at the end of a piece', '               -a-2-b-|', '  -a-(x|)'],
    ['stops at the beginning of a piece', '         -a-5-b-|', '  -a-|'],
    ['stops at a piece that is the stop text', '    -a-6-b-|', '  -a-|'],
    ['stops before it has shown anything', '        --6-b-|', '   --|'],
    ['stops across pieces', '                       -a-E-N-D-b|', '-a-----|'],
    ['stops across an empty piece', '               -a-1-0-D-b|', '-a-----|'],
    ['stops behind a beginning that was none', '    -4--6-b|', '   -x--(1|)'],
    ['stops at the first of two', '                 -a-8-b-|', '  -a-(x|)'],
    ['stops although an error would follow', '      -2-#', '      -(x|)'],
    ['shows what turns out not to be its stop text', '-E-N-b-|', '  -----7-|'],
  ])('%s', (_name, source, expected) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const text = cold(source.trim(), TEXTS);
      expectObservable(text.pipe(atEnd)).toBe(expected.trim(), TEXTS);
      expectSubscriptions(text.subscriptions).toBe(untilEnd(expected.trim()));
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const text = cold('-a-1-b-|', TEXTS);
      expectObservable(text.pipe(atEnd), '^---!').toBe('-a---', TEXTS);
      expectSubscriptions(text.subscriptions).toBe('^---!');
    });
  });

  it('looks anew for each subscription', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const text = cold('-1-D-|', TEXTS);
      const result = text.pipe(atEnd);
      expectObservable(result).toBe('---|');
      expectObservable(result, '--^').toBe('-----|');
      expectObservable(result, '----^').toBe('-------|');
      expectSubscriptions(text.subscriptions).toBe(['^--!', '--^--!', '----^--!']);
    });
  });

  it('passes on the very error of the source', () => {
    const source = new Subject<string>();
    const seen = seenBy(source.pipe(atEnd));
    source.next('aE');
    source.error(CAUSE);
    expect(seen).toEqual(['a', 'E', CAUSE]);
    expect(seen[2]).toBe(CAUSE);
  });
});

describe('a synchronous source of stopWhen', () => {
  it.each<[string, MonoTypeOperatorFunction<string>]>([
    ['without it', stopWhen('END')],
    ['with it', stopWhen('END', { include: true })],
  ])('does not run past the stop text (%s)', (_name, operator) => {
    const { source$, said } = synchronous(['a', 'E', 'NDb', 'c']);
    expect(seenBy(source$.pipe(operator)).join('')).toMatch(/^a(END)?\|$/);
    expect(said).toEqual(['a', 'E', 'NDb']);
  });

  it('does not run past what its consumer takes', () => {
    const { source$, said } = synchronous(['a', 'b', 'c']);
    expect(seenBy(source$.pipe(atEnd, take(1)))).toEqual(['a', '|']);
    expect(seenByLeaver(source$.pipe(atEnd))).toEqual(['a']);
    expect(said).toEqual(['a', 'a']);
  });
});

describe('a consumer of stopWhen that acts inside next', () => {
  it('sees nothing more when it leaves at what stands before the stop text', () => {
    expect(seenByLeaver(synchronous(['aENDb']).source$.pipe(atEnd))).toEqual(['a']);
  });

  it('sees nothing behind the stop text, although it makes the source say more', () => {
    const source = new Subject<string>();
    const seen: string[] = [];
    source.pipe(atEnd).subscribe({
      next: (text) => {
        if (seen.push(text) === 1) source.next('more');
      },
      complete: () => seen.push('|'),
    });
    source.next('aEND');
    expect(seen).toEqual(['a', '|']);
  });

  it('sees what it makes the source say behind what came before, and the stop text found in both', () => {
    const source = new Subject<string>();
    const seen: string[] = [];
    source.pipe(atEnd).subscribe({
      next: (text) => {
        seen.push(text);
        source.next('ND');
      },
      complete: () => seen.push('|'),
    });
    source.next('aE');
    expect(seen).toEqual(['a', '|']);
  });
});

describe('stopWhen shows after each piece', () => {
  it.each<[string, string, StopWhenOptions, readonly string[], readonly (readonly string[])[]]>([
    ['all but a possible beginning', 'END', {}, ['aE', 'N', 'b'], [['a'], [], ['ENb'], []]],
    ['what no longer can be one', 'aab', {}, ['a', 'a', 'a', 'a', 'b', 'c'], [[], [], ['a'], ['a'], [], [], []]],
    ['the part of a beginning that is none', 'abac', {}, ['aba', 'ba', 'c'], [[], ['ab'], [], []]],
    ['a beginning within another beginning', 'aabaaac', {}, ['aabaaabaaac', 'x'], [['aaba'], [], []]],
    ['what is before the stop text, and no more', '\n\n', {}, ['a\n', 'b\n', '\nc'], [['a'], ['\nb'], [], []]],
    ['the stop text, if asked to', 'END', { include: true }, ['aE', 'N', 'Db', 'c'], [['a'], [], ['END'], [], []]],
    ['the stop text with what is before it', 'END', { include: true }, ['aENDb'], [['aEND'], []]],
    ['the stop text alone', 'END', { include: true }, ['END'], [['END'], []]],
    ['everything at once where one character stops', '.', {}, ['ab', 'c.d', 'e'], [['ab'], ['c'], [], []]],
    ['nothing at once but a stop text of one character', '.', { include: true }, ['.'], [['.'], []]],
    ['half of a surrogate pair not before the other', '😀', {}, ['a\ud83d', '\ude00b'], [['a'], [], []]],
    ['another character of the same first half', '😀', {}, ['a👍', 'b'], [['a👍'], ['b'], []]],
    ['what differs in case alone', 'END', {}, ['aEnd', 'END'], [['aEnd'], [], []]],
    ['what a pattern would match', 'a.c', {}, ['abc', 'a.c'], [['abc'], [], []]],
  ])('%s', (_name, stop, options, pieces, shown) => {
    expect(shownPerPiece(stopWhen(stop, options), pieces)).toEqual(shown);
  });
});

describe('what stopWhen takes', () => {
  it.each([undefined, null, '', 5, /END/, ['END'], {}])('is no text: %p', (text) => {
    const error = thrownBy(() => stopWhen(text as string));
    expect(error).toMatchObject({
      kind: 'configuration',
      param: 'text',
      message: 'stopWhen: text must be the text to stop at, at least one character',
    });
  });

  it.each<[string, unknown, string, RegExp]>([
    ['null', null, 'options', /^The options of stopWhen must be an object$/],
    ['true', true, 'options', /must be an object/],
    ['an unknown name', { included: true }, 'included', /of stopWhen; did you mean include\?$/],
    ['a word', { include: 'false' }, 'include', /include must be/],
    ['a number', { include: 0 }, 'include', /include must be/],
    ['null for a choice', { include: null }, 'include', /include must be/],
  ])('is no option: %s', (_name, options, param, message) => {
    const error = thrownBy(() => stopWhen('END', options as StopWhenOptions));
    expect(error).toMatchObject({ kind: 'configuration', param, message: expect.stringMatching(message) as unknown });
  });

  it.each<[string, StopWhenOptions]>([
    ['nothing', {}],
    ['undefined', { include: undefined }],
    ['false', { include: false }],
  ])('may be %s: the stop text is not shown', (_name, options) => {
    expect(seenBy(synchronous(['aEND']).source$.pipe(stopWhen('END', options)))).toEqual(['a', '|']);
  });
});

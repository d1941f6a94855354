import { Subject, take } from 'rxjs';
import { segment, type SegmentOptions } from '../../src/operators/segment.ts';
import { thrownBy } from '../support/client.ts';
import { CAUSE, marbles, seenBy, seenByLeaver, synchronous, untilEnd } from '../support/events.ts';
import { shownPerPiece } from './pieces.ts';

type Unit = SegmentOptions['by'];

const lines = segment({ by: 'line' });
const words = segment({ by: 'word', locale: 'en' });

/** What is said in the diagrams, and what is shown. */
const SAID = { a: 'x', b: '', c: 'y\nz', d: 'u\n\nv\n', e: 'w\n' };
const SHOWN = { ...SAID, p: 'xy\n', q: 'z', r: 'u\n', s: '\n', t: 'v\n', u: 'zw\n', v: 'xw\n' };

describe('segment', () => {
  it.each([
    ['never says anything if the source does not', ' ---', '       ---'],
    ['never ends if the source does not', '          -a-e--', '    ---v--'],
    ['is empty for an empty source', '               |', '         |'],
    ['is empty for an empty text', '                 -b-b|', '     ----|'],
    ["says nothing for ''", '                        -e-b-|', '    -e---|'],
    ['says the rest at the end', '                   -a--|', '     ----(a|)'],
    ['says a line at its line feed', '               -a-c-|', '    ---p-(q|)'],
    ['says many lines of one piece', '               -d------|', ' -(rst)--|'],
    ['says lines of many pieces', '                  -a-c-e-b-|', '---p-u---|'],
    ['passes on an error at once', '                 #', '         #'],
    ['passes on an error after what it held back', ' -e-a-#', '    -e---(a#)'],
    ['passes on an error when it holds back nothing', '-e--#', '   -e--#'],
  ])('%s', (_name, source, expected) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const text = cold(source.trim(), SAID);
      expectObservable(text.pipe(lines)).toBe(expected.trim(), SHOWN);
      expectSubscriptions(text.subscriptions).toBe(untilEnd(source.trim()));
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const text = cold('-a-c-e-|', SAID);
      expectObservable(text.pipe(lines), '^---!').toBe('---p-', SHOWN);
      expectSubscriptions(text.subscriptions).toBe('^---!');
    });
  });

  it('holds back for each subscription what that one was told', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const text = cold('-a-c-|', SAID);
      const result = text.pipe(lines);
      expectObservable(result).toBe('---p-(q|)', SHOWN);
      expectObservable(result, '--^').toBe('-----p-(q|)', SHOWN);
      expectSubscriptions(text.subscriptions).toBe(['^----!', '--^----!']);
    });
  });

  it('passes on the very error of the source', () => {
    const source = new Subject<string>();
    const seen = seenBy(source.pipe(lines));
    source.next('a');
    source.error(CAUSE);
    expect(seen[0]).toBe('a');
    expect(seen[1]).toBe(CAUSE);
  });

  it('does not run a synchronous source past what its consumer takes', () => {
    const { source$, said } = synchronous(['a b', ' c', ' d']);
    expect(seenBy(source$.pipe(words, take(1)))).toEqual(['a', '|']);
    expect(seenBy(source$.pipe(words, take(2)))).toEqual(['a', ' ', '|']);
    expect(seenByLeaver(source$.pipe(words))).toEqual(['a']);
    expect(said).toEqual(['a b', ...['a b', ' c'], 'a b']);
  });

  it('shows nothing more to a consumer that leaves in the middle of a piece, of a cut or of the rest', () => {
    expect(seenByLeaver(synchronous(['a\nb\nc\n']).source$.pipe(lines))).toEqual(['a\n']);
    const short = segment({ by: 'line', maxChars: 2 });
    expect(seenByLeaver(synchronous(['abcdefg']).source$.pipe(short))).toEqual(['ab']);
    expect(seenByLeaver(synchronous(['a b']).source$.pipe(segment({ by: 'sentence' })))).toEqual(['a b']);
    expect(seenByLeaver(synchronous(['a.']).source$.pipe(words))).toEqual(['a']);
  });
});

describe('segment shows', () => {
  it.each<[string, Unit, readonly string[], readonly (readonly string[])[]]>([
    ['a character when the next one begins', 'grapheme', ['ab', 'c'], [['a'], ['b'], ['c']]],
    [
      'a letter with the marks that follow it',
      'grapheme',
      ['e', '\u0301', '\u0302', 'f'],
      [[], [], [], ['e\u0301\u0302'], ['f']],
    ],
    ['a family with its joiners', 'grapheme', ['👩', '\u200d', '👧', '!'], [[], [], [], ['👩\u200d👧'], ['!']]],
    ['flags in pairs', 'grapheme', ['🇩', '🇪', '🇫', '🇷'], [[], [], ['🇩🇪'], [], ['🇫🇷']]],
    ['a surrogate pair that the source cut', 'grapheme', ['\ud83d', '\ude00', 'a'], [[], [], ['😀'], ['a']]],
    ['a flag whose second half the source cut', 'grapheme', ['🇩\ud83c', '\uddea'], [[], [], ['🇩🇪']]],
    ['CRLF as one character', 'grapheme', ['\r', '\n', 'a'], [[], [], ['\r\n'], ['a']]],
    [
      'a word when it can no longer grow',
      'word',
      ['Hel', 'lo', ' ', 'wor', 'ld'],
      [[], [], [], ['Hello'], [], [' ', 'world']],
    ],
    [
      'an apostrophe in the middle of a word with it',
      'word',
      ['can', "'", 't', ' ', 'do'],
      [[], [], [], [], ["can't"], [' ', 'do']],
    ],
    [
      'an apostrophe at the end of a word alone',
      'word',
      ['dogs', "'", ' ', 'tail'],
      [[], [], ['dogs'], ["'"], [' ', 'tail']],
    ],
    ['a number with its point', 'word', ['3', '.', '14', ' ', 'pi'], [[], [], [], [], ['3.14'], [' ', 'pi']]],
    [
      'a sentence when the next one has a letter',
      'sentence',
      ['Hi! ', 'You', '. I', '!'],
      [[], ['Hi! '], ['You. '], [], ['I!']],
    ],
    [
      'no sentence that a small letter continues',
      'sentence',
      ['See etc. ', '5', ' apples. No.'],
      [[], [], ['See etc. 5 apples. '], ['No.']],
    ],
    ['a line with CRLF', 'line', ['a\r', '\nb', '\n'], [[], ['a\r\n'], ['b\n'], []]],
    ['a carriage return as a part of its line', 'line', ['a\rb', '\n'], [[], ['a\rb\n'], []]],
    ['empty lines', 'line', ['\n', '\n\n'], [['\n'], ['\n', '\n'], []]],
    ['no empty line at the end', 'line', ['a\n', ''], [['a\n'], [], []]],
  ])('%s', (_name, by, pieces, shown) => {
    expect(shownPerPiece(segment({ by, locale: 'en' }), pieces)).toEqual(shown);
  });

  it('sentences by the rules of the language', () => {
    const text = ['Τι; Ναι. Ω'];
    expect(shownPerPiece(segment({ by: 'sentence', locale: 'el' }), text).flat()).toEqual(['Τι; ', 'Ναι. ', 'Ω']);
    expect(shownPerPiece(segment({ by: 'sentence', locale: 'en' }), text).flat()).toEqual(['Τι; Ναι. ', 'Ω']);
  });
});

describe('the options of segment', () => {
  it.each<[string, unknown, string, RegExp]>([
    ['none', undefined, 'options', /^The options of segment must be an object$/],
    ['null', null, 'options', /must be an object/],
    ['a word', 'line', 'options', /must be an object/],
    ['no unit', {}, 'by', /^by must be one of grapheme, word, sentence, line$/],
    ['a unit that is none', { by: 'char' }, 'by', /^by must be 'grapheme' or 'word' or 'sentence' or 'line'$/],
    ['null for a unit', { by: null }, 'by', /^by must be/],
    ['an unknown name', { by: 'line', maxChar: 5 }, 'maxChar', /of segment; did you mean maxChars\?$/],
    [
      'no room for a surrogate pair',
      { by: 'line', maxChars: 1 },
      'maxChars',
      /^maxChars must be a whole number, at least 2$/,
    ],
    ['a fraction', { by: 'line', maxChars: 2.5 }, 'maxChars', /whole number/],
    ['no number', { by: 'line', maxChars: Number.NaN }, 'maxChars', /whole number/],
    ['a number as text', { by: 'line', maxChars: '5' }, 'maxChars', /whole number/],
    [
      'a language that is none',
      { by: 'word', locale: 'no language' },
      'locale',
      /^locale must be a language tag such as en/,
    ],
    ['no language', { by: 'sentence', locale: '' }, 'locale', /language tag/],
    ['null for a language', { by: 'grapheme', locale: null }, 'locale', /language tag/],
    ['a number for a language', { by: 'word', locale: 5 }, 'locale', /language tag/],
  ])('are checked when it is made: %s', (_name, options, param, message) => {
    const error = thrownBy(() => segment(options as SegmentOptions));
    expect(error).toMatchObject({ kind: 'configuration', param, message: expect.stringMatching(message) as unknown });
  });

  it.each<[string, SegmentOptions]>([
    ['undefined', { by: 'line', locale: undefined, maxChars: undefined }],
    ['the least', { by: 'line', maxChars: 2 }],
    ['no limit', { by: 'line', maxChars: Number.POSITIVE_INFINITY }],
    ['a language tag', { by: 'word', locale: 'pt-BR' }],
  ])('may be %s', (_name, options) => {
    expect(shownPerPiece(segment(options), ['a']).flat()).toEqual(['a']);
  });
});

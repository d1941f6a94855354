import { Subject } from 'rxjs';
import { segment, SEGMENT_DEFAULTS, type SegmentOptions } from '../../src/operators/segment.ts';
import { CAUSE } from '../support/events.ts';
import { shownOf, shownPerPiece } from './pieces.ts';

const UNITS: readonly SegmentOptions['by'][] = ['grapheme', 'word', 'sentence', 'line'];

describe('what is longer than maxChars', () => {
  it.each<[string, SegmentOptions['by'], readonly string[], readonly (readonly string[])[]]>([
    ['counts its line feed', 'line', ['abcd', '\n'], [[], ['abcd', '\n'], []]],
    ['stays whole if it is as long', 'line', ['abc', '\n'], [[], ['abc\n'], []]],
    ['is cut before it ends', 'line', ['abc', 'de', 'fghij'], [[], ['abcd'], ['efgh'], ['ij']]],
    ['is cut in one piece', 'line', ['abcdefghij'], [['abcd', 'efgh'], ['ij']]],
    ['is cut when it has ended', 'line', ['abcdef\ng'], [['abcd', 'ef\n'], ['g']]],
    ['is cut between pairs', 'line', ['abc😀😀😀'], [['abc', '😀😀'], ['😀']]],
    [
      'is cut as a word',
      'word',
      ['abcdef gh'],
      [
        ['abcd', 'ef'],
        [' ', 'gh'],
      ],
    ],
    ['waits no longer for what follows', 'word', ['abc', "'d"], [[], ["abc'"], ['d']]],
    ['waits if it is as long', 'word', ['ab efgh', 'i'], [['ab', ' '], ['efgh'], ['i']]],
    ['waits with what is before it if both are as long', 'word', ['abc,', 'd'], [[], ['abc'], [',', 'd']]],
    ['is cut before half a pair at the end', 'line', ['abcd\ud83d'], [[], ['abcd', '\ud83d']]],
    ['is cut as a sentence', 'sentence', ['Abc def'], [['Abc '], ['def']]],
    ['lets a whole sentence go first', 'sentence', ['A. Bc'], [['A. '], ['Bc']]],
    ['is cut as a character', 'grapheme', ['e\u0301\u0301\u0301', '\u0301'], [[], ['e\u0301\u0301\u0301'], ['\u0301']]],
  ])('%s', (_name, by, pieces, shown) => {
    expect(shownPerPiece(segment({ by, locale: 'en', maxChars: 4 }), pieces)).toEqual(shown);
  });
});

describe('what segment holds back', () => {
  const PIECES = 20_000;

  /** The most characters that are ever held back of a text that comes one by one. */
  const heldAtMost = (options: SegmentOptions, characterAt: (place: number) => string): number => {
    const source = new Subject<string>();
    let held = 0;
    let most = 0;
    source.pipe(segment(options)).subscribe((text) => (held -= text.length));
    for (let place = 0; place < PIECES; place++) {
      const character = characterAt(place);
      held += character.length;
      source.next(character);
      most = Math.max(most, held);
    }
    source.complete();
    expect(held).toBe(0);
    return most;
  };

  it.each<[string, SegmentOptions['by'], string, number]>([
    ['a character', 'grapheme', 'e\u0301 ', 2],
    ['a word and what follows it', 'word', "can't stop ", 6],
    ['a sentence', 'sentence', 'I am 5 now. ', 12],
    ['a line', 'line', 'one line\n', 8],
  ])('of an ordinary text is %s', (_name, by, text, most) => {
    expect(heldAtMost({ by, locale: 'en' }, (place) => text.charAt(place % text.length))).toBe(most);
  });

  it.each<[SegmentOptions['by'], string]>([
    ['grapheme', '\u0301'],
    ['word', 'a'],
    ['sentence', 'a'],
    ['line', 'a'],
  ])('of a text without any boundary is maxChars (%s)', (by, character) => {
    expect(heldAtMost({ by, maxChars: 100 }, () => character)).toBe(100);
  });

  it('is 4096 by default', () => {
    expect(SEGMENT_DEFAULTS.maxChars).toBe(4096);
    expect(heldAtMost({ by: 'line' }, () => 'a')).toBe(4096);
  });
});

describe('a long piece', () => {
  it.each(UNITS)('without any boundary is cut all through (%s)', (by) => {
    const character = by === 'grapheme' ? '\u0301' : 'a';
    const shown = shownOf(segment({ by, maxChars: 10 }), [character.repeat(2003)]);
    expect(shown).toEqual([...Array.from({ length: 200 }, () => character.repeat(10)), character.repeat(3)]);
  });

  it.each(UNITS)('with boundaries is shown whole (%s)', (by) => {
    const text = 'A b.\n'.repeat(20_000);
    expect(shownOf(segment({ by, maxChars: 10 }), [text]).join('')).toBe(text);
  });
});

describe('what is said from inside next', () => {
  /** What is shown when a consumer says a second piece on the first emission. */
  const shownWhenAnswered = (options: SegmentOptions, first: string, second: string): string[] => {
    const source = new Subject<string>();
    const shown: string[] = [];
    source.pipe(segment(options)).subscribe((text) => {
      if (shown.push(text) === 1) source.next(second);
    });
    source.next(first);
    source.complete();
    return shown;
  };

  it.each<[string, SegmentOptions, string, string]>([
    ['while lines are shown', { by: 'line' }, 'a\nb\nc', 'd\ne'],
    ['while the last of them is shown', { by: 'line' }, 'a\nb', 'c'],
    ['while a long one is cut', { by: 'line', maxChars: 2 }, 'abcdefgh', 'ij'],
    ['while a long one of whole pieces is cut', { by: 'word', maxChars: 2 }, 'abcd,efgh', 'ij'],
  ])('follows what was said before, and nothing comes twice: %s', (_name, options, first, second) => {
    expect(shownWhenAnswered(options, first, second).join('')).toBe(first + second);
  });
});

describe('a source that ends from inside next', () => {
  it.each<[string, SegmentOptions, string, (source: Subject<string>) => void, readonly unknown[]]>([
    [
      'completes behind all of its text',
      { by: 'line' },
      'a\nb\nc',
      (source) => {
        source.complete();
      },
      ['a\n', 'b\n', 'c', '|'],
    ],
    [
      'errors behind all of its text',
      { by: 'line', maxChars: 2 },
      'abcde',
      (source) => {
        source.error(CAUSE);
      },
      ['ab', 'cd', 'e', CAUSE],
    ],
  ])('%s', (_name, options, text, finish, expected) => {
    const source = new Subject<string>();
    const seen: unknown[] = [];
    source.pipe(segment(options)).subscribe({
      next: (piece) => {
        if (seen.push(piece) === 1) finish(source);
      },
      error: (error: unknown) => seen.push(error),
      complete: () => seen.push('|'),
    });
    source.next(text);
    expect(seen).toEqual(expected);
  });
});

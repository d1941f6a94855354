import fc from 'fast-check';
import { segment, type SegmentOptions } from '../../src/operators/segment.ts';
import { inPieces, inWholePieces, shownOf, shownPerPiece, splitsPair } from './pieces.ts';

const UNITS: readonly SegmentOptions['by'][] = ['grapheme', 'word', 'sentence', 'line'];
const WHOLE = { maxChars: 1_000_000 };

/** Everything whose boundaries are not where a naive cut is. */
const HARD = [
  ...['a', 'B', 'ß', ' ', '  ', '.', '. ', '!', '?', ',', "'", '"', '5', '3.14', '-', '_', ':', ')', '\t'],
  ...['\n', '\r', '\r\n', '\u2028', '\u0085', '\u00ad', '\u200b', '\u200d', '\ufe0f', '\u0301', '\u0308'],
  ...['e\u0301', '😀', '👍🏽', '👩‍👩‍👧', '❤️', '🇩🇪', '🇫', '한', '\u1100', '\u1161', 'क्ष', 'நி', 'א"ב', 'ش'],
  ...['漢字', 'かな', 'カナ', 'ไทย', '\ud83d', '\ude00', '\0'],
];

const HARD_WHOLE = HARD.filter((unit) => !/^[\ud800-\udfff]$/.test(unit));

/** English and German words with the punctuation that matters. */
const PROSE = [
  ...['Hello', 'world', "can't", 'U.S.', 'e.g.', 'etc.', 'Mr.', 'Straße', 'über', 'Äpfel', 'rock-and-roll', 'a', 'I'],
  ...[' ', ' ', ' ', ' ', '  ', '\n', '\n\n', '\r\n', '.', '. ', '! ', '?', '?!', '…', ', ', ': ', '; ', ' – ', '-'],
  ...["'", '"', '„', '“', '’', '(', ')', '3', '3.14', '10,000', '1.', '50%', '$', '@', '_', '/', '*', '#', '`', '\t'],
];

const linesOf = (text: string): readonly string[] => text.split(/(?<=\n)/).filter((line) => line !== '');

const piecesOf = (text: string, granularity: 'grapheme' | 'word' | 'sentence', locale: string): readonly string[] =>
  [...new Intl.Segmenter(locale, { granularity }).segment(text)].map((piece) => piece.segment);

describe('segment, for any text in any pieces,', () => {
  it.each(UNITS)('loses and adds nothing, and is never empty (%s)', (by) => {
    const any = fc.integer({ min: 2, max: 20 });
    fc.assert(
      fc.property(inPieces(HARD), any, (pieces, maxChars) => {
        const shown = shownOf(segment({ by, locale: 'en', maxChars }), pieces);
        expect(shown.join('')).toBe(pieces.join(''));
        expect(shown.filter(({ length }) => length === 0 || length > maxChars)).toEqual([]);
      }),
    );
  });

  it.each(UNITS)('cuts no surrogate pair (%s)', (by) => {
    fc.assert(
      fc.property(inWholePieces(HARD_WHOLE), fc.integer({ min: 2, max: 6 }), (pieces, maxChars) => {
        expect(splitsPair(shownOf(segment({ by, maxChars }), pieces))).toBe(false);
      }),
    );
  });

  it.each([
    ['cut anywhere', inPieces(HARD)],
    ['cut between characters', inWholePieces(HARD_WHOLE)],
  ])('shows the characters of the whole text, all but the last at once (%s)', (_name, texts) => {
    fc.assert(
      fc.property(texts, (pieces) => {
        const shown = shownPerPiece(segment({ by: 'grapheme', locale: 'en', ...WHOLE }), pieces);
        expect(shown.flat()).toEqual(piecesOf(pieces.join(''), 'grapheme', 'en'));
        // Half a pair says nothing of what it will be.
        expectShownBy(shown, pieces, (text) =>
          piecesOf(text.replace(/[\ud800-\udbff]$/, ''), 'grapheme', 'en').slice(0, -1),
        );
      }),
    );
  });

  it('shows the lines of the whole text, each at its line feed', () => {
    fc.assert(
      fc.property(inPieces(HARD), (pieces) => {
        const shown = shownPerPiece(segment({ by: 'line', ...WHOLE }), pieces);
        expect(shown.flat()).toEqual(linesOf(pieces.join('')));
        expectShownBy(shown, pieces, (text) => linesOf(text).filter((line) => line.endsWith('\n')));
      }),
    );
  });
});

describe.each(['en', 'de'])('segment, for prose in any pieces (%s),', (locale) => {
  it.each(['word', 'sentence'] as const)('shows each %s of the whole text, all but the last two at once', (by) => {
    fc.assert(
      fc.property(inPieces(PROSE, 60), (pieces) => {
        const shown = shownPerPiece(segment({ by, locale, ...WHOLE }), pieces);
        expect(shown.flat()).toEqual(piecesOf(pieces.join(''), by, locale));
        for (const count of pieces.keys()) {
          const known = piecesOf(pieces.slice(0, count + 1).join(''), by, locale).slice(0, -2);
          const soFar = shown.slice(0, count + 1).flat();
          // What follows may have undone a boundary behind it: `U.` is a word of its own until `S` comes.
          expect(soFar.slice(0, known.length)).toEqual(known);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** What is shown after each piece is what can be known from the text so far. */
function expectShownBy(
  shown: readonly (readonly string[])[],
  pieces: readonly string[],
  knownOf: (text: string) => readonly string[],
): void {
  for (const count of pieces.keys()) {
    const soFar = pieces.slice(0, count + 1).join('');
    expect(shown.slice(0, count + 1).flat()).toEqual(knownOf(soFar));
  }
}

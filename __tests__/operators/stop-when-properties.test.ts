import fc from 'fast-check';
import { concat, NEVER, of, range, map, type Observable } from 'rxjs';
import { stopWhen } from '../../src/operators/stop-when.ts';
import { seenBy } from '../support/events.ts';
import { inPieces, shownPerPiece } from './pieces.ts';

/** Few letters, so that beginnings of the stop text lie within each other. */
const few = fc.tuple(
  fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 10 }),
  inPieces(['a', 'b', 'ab', 'aab', 'aa', 'bb'], 30),
);

/** The same of characters of more than one unit. */
const wide = fc.tuple(
  fc.string({ unit: fc.constantFrom('😀', '👍', '\ud83d', '\r\n', '\n'), minLength: 1, maxLength: 4 }),
  inPieces(['😀', '👍', '\ud83d', '\ude00', '\r\n', '\n', '\r'], 30),
);

/** The part of the text that may be shown: all but the longest end that is a beginning of the stop text. */
function certain(text: string, stop: string): string {
  const [before = ''] = text.split(stop, 1);
  if (before !== text) return before;
  const beginnings = Array.from({ length: stop.length }, (_, length) => stop.slice(0, length)).reverse();
  return text.slice(0, text.length - (beginnings.find((beginning) => text.endsWith(beginning)) ?? '').length);
}

describe.each([
  ['of two letters', few],
  ['of characters of many units', wide],
])('stopWhen, for any text %s in any pieces,', (_name, texts) => {
  it('shows what the text is up to the stop text, never nothing', () => {
    fc.assert(
      fc.property(texts, ([stop, pieces]) => {
        const shown = shownPerPiece(stopWhen(stop), pieces).flat();
        expect(shown.join('')).toBe(pieces.join('').split(stop, 1)[0]);
        expect(shown).not.toContain('');
      }),
      { numRuns: 500 },
    );
  });

  it('shows the stop text as well, if it is to be included', () => {
    fc.assert(
      fc.property(texts, ([stop, pieces]) => {
        const text = pieces.join('');
        const shown = shownPerPiece(stopWhen(stop, { include: true }), pieces).flat();
        expect(shown.join('')).toBe(text.includes(stop) ? `${text.split(stop, 1).join('')}${stop}` : text);
        expect(shown).not.toContain('');
      }),
      { numRuns: 500 },
    );
  });

  it('holds back nothing but a possible beginning of it, and completes where it ends', () => {
    fc.assert(
      fc.property(texts, ([stop, pieces]) => {
        for (const place of pieces.keys()) {
          const soFar = pieces.slice(0, place + 1);
          const text = soFar.join('');
          const seen = seenBy(concat(of(...soFar), NEVER).pipe(stopWhen(stop)));
          expect(seen.join('')).toBe(text.includes(stop) ? `${certain(text, stop)}|` : certain(text, stop));
        }
      }),
    );
  });
});

describe('stopWhen, for a long text one character at a time,', () => {
  const characters = (count: number, characterAt: (place: number) => string): Observable<string> =>
    range(0, count).pipe(map(characterAt));

  it.each<[string, string, (place: number) => string, number]>([
    ['without its first letter', 'END', () => 'a', 100_000],
    ['that all but matches all the time', `${'a'.repeat(20)}b`, () => 'a', 100_000],
    ['that matches by halves', 'abababac', (place) => 'ab'.charAt(place % 2), 100_000],
    ['and a long stop text', `${'a'.repeat(1000)}b`, () => 'a', 20_000],
  ])('shows all of it: %s', (_name, stop, characterAt, count) => {
    let length = 0;
    characters(count, characterAt)
      .pipe(stopWhen(stop))
      .subscribe((text) => (length += text.length));
    expect(length).toBe(count);
  });

  it('ends it at the stop text, and asks for no more', () => {
    const stop = `${'a'.repeat(20)}b`;
    let asked = 0;
    let length = 0;
    characters(200_000, (place) => {
      asked += 1;
      return place === 100_000 ? 'b' : 'a';
    })
      .pipe(stopWhen(stop))
      .subscribe((text) => (length += text.length));
    expect([asked, length]).toEqual([100_001, 100_000 - 20]);
  });
});

import fc from 'fast-check';
import { from, type OperatorFunction } from 'rxjs';
import { jsonElements } from '../../src/operators/json-elements.ts';
import { parseJson } from '../../src/operators/parse-json.ts';
import { partialJson } from '../../src/operators/partial-json.ts';
import { isFields } from '../../src/fields.ts';

interface Seen {
  readonly values: readonly unknown[];
  readonly error?: unknown;
}

function seenOf(pieces: readonly string[], operator: OperatorFunction<string, unknown>): Seen {
  const values: unknown[] = [];
  let error: unknown;
  from(pieces)
    .pipe(operator)
    .subscribe({ next: (value) => values.push(value), error: (caught: unknown) => (error = caught) });
  return error === undefined ? { values } : { values, error };
}

/** The text cut at these places, inside a surrogate pair or an escape too. */
function cut(text: string, places: readonly number[]): readonly string[] {
  const ends = [...new Set(places.map((place) => place % text.length)), text.length].sort((a, b) => a - b);
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end)).filter((piece) => piece !== '');
}

/** Nothing is there that the whole does not have, and strings are beginnings. */
function isPartOf(part: unknown, whole: unknown): boolean {
  // Half of a surrogate pair becomes the whole of it.
  if (typeof whole === 'string')
    return typeof part === 'string' && whole.startsWith(part.replace(/[\ud800-\udbff]$/, ''));
  if (Array.isArray(whole)) {
    return Array.isArray(part) && part.length <= whole.length && part.every((each, at) => isPartOf(each, whole[at]));
  }
  if (!isFields(whole)) return part === whole || Object.is(part, whole);
  return (
    isFields(part) && Object.keys(part).every((key) => Object.hasOwn(whole, key) && isPartOf(part[key], whole[key]))
  );
}

const places = fc.array(fc.nat(), { maxLength: 30 });
const texts = fc
  .tuple(fc.jsonValue(), fc.constantFrom(0, 2))
  .map(([value, indent]) => JSON.stringify(value, null, indent));
const fences = fc.constantFrom(['', ''], ['```json\n', '\n```'], ['\n```\n', '\n```\n'], ['  \n', ' \n ']);
const tokens = fc
  .array(fc.constantFrom('{', '}', '[', ']', ':', ',', '"a"', '1', 'true', 'null', ' ', '-', '1e5', '"'), {
    maxLength: 12,
  })
  .map((list) => list.join(''));

describe('any JSON in any pieces', () => {
  it('grows to what JSON.parse makes of it, and never shows anything else on the way', () => {
    fc.assert(
      fc.property(texts, fences, places, (text, [before, behind], at) => {
        const whole = JSON.parse(text) as unknown;
        const { values, error } = seenOf(cut(`${before}${text}${behind}`, at), partialJson());
        expect(error).toBeUndefined();
        expect(values.at(-1)).toEqual(whole);
        for (const value of values) expect(isPartOf(value, whole)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is shown in values that never change, and shares what has ended', () => {
    fc.assert(
      fc.property(texts, places, (text, at) => {
        const copies: unknown[] = [];
        const values: unknown[] = [];
        from(cut(text, at))
          .pipe(partialJson())
          .subscribe((value) => {
            values.push(value);
            copies.push(structuredClone(value));
          });
        expect(values).toEqual(copies);
      }),
    );
    const shown = seenOf(['{"a":{"b":[1]},"c":', '{"d":"x', 'y"}}'], partialJson()).values as {
      a: object;
      c?: object;
    }[];
    expect(shown).toEqual([{ a: { b: [1] } }, { a: { b: [1] }, c: { d: 'x' } }, { a: { b: [1] }, c: { d: 'xy' } }]);
    expect(shown[2]!.a).toBe(shown[0]!.a);
    expect(shown[2]!.c).not.toBe(shown[1]!.c);
  });

  it('gives its elements, each once, and its whole', () => {
    fc.assert(
      fc.property(texts, fences, places, (text, [before, behind], at) => {
        const whole = JSON.parse(text) as unknown;
        const pieces = cut(`${before}${text}${behind}`, at);
        expect(seenOf(pieces, parseJson())).toEqual({ values: [whole] });
        expect(seenOf(pieces, jsonElements(''))).toEqual({ values: Array.isArray(whole) ? whole : [] });
        const inside = cut(`{"decoy":[0,{"items":[9]}],"data":{"items":${text}},"items":[8]}`, at);
        expect(seenOf(inside, jsonElements('data.items'))).toEqual({ values: Array.isArray(whole) ? whole : [] });
      }),
      { numRuns: 300 },
    );
  });

  it('is an error where JSON.parse finds one, and only there', () => {
    fc.assert(
      fc.property(fc.oneof(tokens, fc.string()), (text) => {
        const { values, error } = seenOf(Array.from(text), parseJson());
        let whole: unknown;
        try {
          whole = JSON.parse(text);
        } catch {
          expect(error).toMatchObject({ kind: 'invalid-output', retryable: false });
          return;
        }
        expect({ values, error }).toEqual({ values: [whole], error: undefined });
      }),
      { numRuns: 2000 },
    );
  });
});

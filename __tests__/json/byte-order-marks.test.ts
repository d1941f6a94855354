import fc from 'fast-check';
import { JsonBuilder } from '../../src/json/builder.ts';
import { JsonText } from '../../src/json/text.ts';

/** What a reader shows after each piece, and at the end; what is no JSON throws. */
function shownBy(pieces: readonly string[]): readonly unknown[] {
  const builder = new JsonBuilder();
  const shown = pieces.map((piece) => {
    builder.push(piece);
    return builder.snapshot();
  });
  builder.end();
  return [...shown, builder.snapshot()];
}

/** Whole, in single characters, and cut once at every place. */
function everyCut(text: string): readonly (readonly string[])[] {
  const cuts = Array.from({ length: text.length - 1 }, (_, at) => [text.slice(0, at + 1), text.slice(at + 1)]);
  return [[text], text.split(''), ...cuts];
}

/** The pieces of a text cut at any places. */
function cut(text: string, places: readonly number[]): readonly string[] {
  const ends = [...places.map((place) => place % (text.length + 1)), text.length].sort((one, other) => one - other);
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
}

function isJson(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

/** Beside marks: what looks like them, and what a detour around them might take for its own. */
const UNITS = [
  ...['\ufeff', '\uffff', '\ufffe', '\\ufeff', '\\uFEFF', '\\uFeFf', '\\uffff', '\\uFFFF'],
  ...['\\\\', '\\\\ufeff', '\\\\uFFFF', '\\\\\\ufeff', '\\\\\ufeff', '\\n', '\\"', '\\/', '\\u0022', '\\u005c'],
  ...['ufeff', 'u', 'feff', '0', '1', 'a', '`', 'é', '漢', '😀', '\\ud83d\\ude00', '\\ud83d', '\\ude00'],
];
const literals = fc.array(fc.constantFrom(...UNITS), { maxLength: 6 }).map((units) => `"${units.join('')}"`);
const places = fc.array(fc.nat(), { maxLength: 12 });

/** A text, and what it means. Keys are parsed alone: V8 of Node 24 may misread one with an escape among others. */
interface Meant {
  readonly text: string;
  readonly value: unknown;
}
const parsed = (text: string): Meant => ({ text, value: JSON.parse(text) });

const { meant } = fc.letrec<{ meant: Meant }>((tie) => ({
  meant: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    literals.map(parsed),
    fc.constantFrom('12', 'true', '[]', '{}').map(parsed),
    fc.array(tie('meant'), { maxLength: 3 }).map((entries) => ({
      text: `[${entries.map(({ text }) => text).join(' ,')}]`,
      value: entries.map(({ value }) => value),
    })),
    fc.array(fc.tuple(literals, tie('meant')), { maxLength: 3 }).map((fields) => ({
      text: `{${fields.map(([key, { text }]) => `${key} :${text}`).join(',')}}`,
      value: Object.fromEntries(fields.map(([key, { value }]) => [String(parsed(key).value), value])),
    })),
  ),
}));

describe('a byte order mark, and U+FFFF, in JSON cut anywhere', () => {
  it.each([
    ['alone', '"\ufeff"'],
    ['first', '"\ufeffab"'],
    ['in the middle', '"a\ufeffb"'],
    ['last', '"ab\ufeff"'],
    ['many times', '"\ufeff\ufeffa\ufeff\ufeff"'],
    ['as an escape in small letters', '"a\\ufeffb"'],
    ['as an escape in capitals', '"\\uFEFF\\uFeFf"'],
    ['behind an escape', '"\\n\ufeff\\u00e9\ufeff\\"\ufeff"'],
    ['behind an escaped backslash', '"\\\\\ufeff\\\\\\ufeff"'],
    ['between the halves of a pair', '"\\ud83d\ufeff\\ude00"'],
    ['beside a pair', '"😀\ufeff😀\\ufeff\\ud83d\\ude00"'],
    ['as U+FFFF', '"\uffff\\uffff\\uFFFF\uffff0\uffff1"'],
    ['beside U+FFFF', '"\uffff\ufeff\\uffff1\\ufeff0"'],
    ['in a list', '["\ufeff","a\ufeff","\\ufeffb",["\ufeff"],1]'],
    ['in a key', '{"\ufeff":1,"a\ufeff":{"\ufeffb\ufeff":"\ufeff"},"\uffff":2}'],
    ['in two keys that differ in nothing else', '{"a":1,"\ufeffa":2,"a\ufeff":3}'],
    ['in __proto__', '{"__proto__\ufeff":1,"__proto__":{"\ufeff":2}}'],
  ])('is kept %s', (_name, text) => {
    const expected: unknown = JSON.parse(text);
    for (const pieces of everyCut(text)) expect(shownBy(pieces).at(-1)).toStrictEqual(expected);
  });

  it.each([
    ['a backslash and letters', '"\\\\ufeff"', '\\ufeff'],
    ['two backslashes and letters', '"\\\\\\\\uFEFF"', '\\\\uFEFF'],
    ['a backslash and a mark', '"\\\\\\ufeff"', '\\\ufeff'],
    ['letters of U+FFFF', '"\\\\uffff"', '\\uffff'],
    ['letters alone', '"ufeff"', 'ufeff'],
  ])('is not seen in %s', (_name, text, expected) => {
    for (const pieces of everyCut(text)) expect(shownBy(pieces).at(-1)).toBe(expected);
  });

  it('comes to what JSON.parse makes of it, for any text in any pieces', () => {
    fc.assert(
      fc.property(meant, places, ({ text, value }, at) => {
        expect(JSON.stringify(shownBy(cut(text, at)).at(-1))).toBe(JSON.stringify(value));
      }),
      { numRuns: 500 },
    );
  });

  it('is refused where JSON.parse refuses it, for any text in any pieces', () => {
    const parts = ['{', '}', '[', ']', ':', ',', '"', '"', '"a"', '1', ' ', 'true', '\ufeff', '\ufeff', '\\ufeff'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 8 }), places, (all, at) => {
        const text = all.join('');
        expect(isJson(() => shownBy(cut(text, at)))).toBe(isJson(() => JSON.parse(text) as unknown));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['before the value', '\ufeff{}'],
    ['behind the value', '{}\ufeff'],
    ['behind a string', '"a"\ufeff'],
    ['behind a number', '1\ufeff'],
    ['before a key', '{\ufeff"a":1}'],
    ['behind a key', '{"a"\ufeff:1}'],
    ['before a string', '{"a":\ufeff"x"}'],
    ['between elements', '["a",\ufeff"b"]'],
    ['for a value', '[\ufeff]'],
    ['as an escape outside of a string', '[\\ufeff]'],
    ['as half an escape', '"\\ufef"'],
    ['behind half an escape', '"\\u00\ufeff"'],
    ['as what is escaped', '"\\\ufeff"'],
    ['in the middle of true', 'tr\ufeffue'],
  ])('is refused %s', (_name, text) => {
    for (const pieces of everyCut(text)) expect(() => shownBy(pieces)).toThrow(/valid JSON|follows the JSON/);
  });

  it('is no part of the JSON where a text begins with it', () => {
    const json = new JsonText();
    for (const piece of ['\ufeff', '{"a":"', '\ufeff', '"}']) json.push(piece);
    json.end();
    expect(json.builder.snapshot()).toStrictEqual({ a: '\ufeff' });
  });
});

describe('a string with byte order marks, while it comes', () => {
  it.each([
    ['marks as they come', ['"', '\ufeff', 'a', '\ufeff', '"'], ['', '\ufeff', '\ufeffa', '\ufeffa\ufeff']],
    ['marks of the same piece', ['"a\ufeffb', '\ufeff"'], ['a\ufeffb', 'a\ufeffb\ufeff']],
    ['an escaped mark when it is whole', ['"a\\uf', 'ef', 'f', '"'], ['a', 'a', 'a\ufeff', 'a\ufeff']],
    ['nothing else in the place of a mark', ['"\uffff', '1"'], ['\uffff', '\uffff1']],
  ])('shows %s', (_name, pieces, expected) => {
    expect(shownBy(pieces).slice(0, expected.length)).toStrictEqual(expected);
  });

  it('only ever grows, for any string in any pieces', () => {
    fc.assert(
      fc.property(literals, places, (text, at) => {
        const whole = JSON.parse(text) as string;
        let before = '';
        for (const shown of shownBy(cut(text, at))) {
          if (shown === undefined) continue;
          expect(whole.startsWith(shown as string)).toBe(true);
          expect((shown as string).startsWith(before)).toBe(true);
          before = shown as string;
        }
      }),
    );
  });

  it('is a key alone, as an escape too', () => {
    for (const pieces of everyCut('{"\\ufeff":1,"\\uFFFF":2}')) {
      expect(shownBy(pieces).at(-1)).toStrictEqual({ '\ufeff': 1, '\uffff': 2 });
    }
  });

  it('is told once, when it is whole, with all of its keys', () => {
    const told: unknown[] = [];
    const builder = new JsonBuilder((value, path) => told.push([path.join('/'), value]));
    for (const letter of '{"\ufeffk\ufeff":["a\ufeffb","\\ufeff"]}') builder.push(letter);
    builder.end();
    expect(told.slice(0, 2)).toStrictEqual([
      ['\ufeffk\ufeff/0', 'a\ufeffb'],
      ['\ufeffk\ufeff/1', '\ufeff'],
    ]);
    expect(told).toHaveLength(4);
  });

  it('shows no key before it is whole', () => {
    expect(shownBy(['{"a', '\ufeff', 'b":', '1,', '"\ufeff"', ':2}'])).toStrictEqual([
      ...[{}, {}, {}, { 'a\ufeffb': 1 }, { 'a\ufeffb': 1 }],
      ...[0, 1].map(() => ({ 'a\ufeffb': 1, '\ufeff': 2 })),
    ]);
  });

  it('is a new value only where it has grown', () => {
    const builder = new JsonBuilder();
    const versions = ['["a', '\ufeff', '"', ',"\ufeff', 'x', '"]'].map((piece) => {
      builder.push(piece);
      return builder.version;
    });
    expect(versions.map((version, at) => version > (versions[at - 1] ?? 0))).toEqual([
      ...[true, true, false, true, true, false],
    ]);
  });
});

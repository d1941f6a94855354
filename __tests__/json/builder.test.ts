import fc from 'fast-check';
import { JsonBuilder } from '../../src/json/builder.ts';

/** What the builder shows after each piece, and at the end. */
function shownBy(pieces: readonly string[]): unknown[] {
  const builder = new JsonBuilder();
  const shown = pieces.map((piece) => {
    builder.push(piece);
    return builder.snapshot();
  });
  builder.end();
  return [...shown, builder.snapshot()];
}

/** The pieces of a text cut at any places. */
function cut(text: string, places: readonly number[]): readonly string[] {
  const ends = [...places.map((place) => place % (text.length + 1)), text.length].sort((one, other) => one - other);
  return ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
}

const containersOf = (value: unknown): readonly object[] =>
  typeof value === 'object' && value !== null ? [value, ...Object.values(value).flatMap(containersOf)] : [];

const places = fc.array(fc.nat(), { maxLength: 20 });

/** JSON texts with what JSON.stringify does not write: other forms of numbers, escapes, blanks, and keys said twice. */
const { text: texts } = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      ...['0', '-0', '12', '-1.50', '1e5', '1E+2', '2.5e-3', '1e400', '9007199254740993', 'true', 'null'],
    ),
    fc.constantFrom(
      ...['""', '"a`b"', '"\\"\\\\\\/\\b\\n"', '"\\u00e9é\\ud83d\\ude00"', '"😀漢"', '"\\ud83d"', '"\\ude00x"'],
    ),
    fc.array(tie('text'), { maxLength: 4 }).map((entries) => `[ ${entries.join(' ,\t')}]`),
    fc
      .array(
        fc.tuple(fc.constantFrom('"a"', '"b"', '"__proto__"', '"\\u0061"', '"1"', '""', '"constructor"'), tie('text')),
        {
          maxLength: 4,
        },
      )
      .map((fields) => `{${fields.map(([key, value]) => `${key}\r\n:${value}`).join(', ')} }`),
  ),
}));

describe('JSON in pieces', () => {
  it('comes to what JSON.parse makes of the whole, in any pieces', () => {
    fc.assert(
      fc.property(texts, places, (text, at) => {
        const [shown, expected] = [shownBy(cut(text, at)).at(-1), JSON.parse(text) as unknown];
        expect(shown).toEqual(expected);
        // The order of keys too.
        expect(JSON.stringify(shown)).toBe(JSON.stringify(expected));
      }),
    );
  });

  it.each([
    ['strings as far as they came', ['"', 'a', 'b"'], ['', 'a', 'ab', 'ab']],
    ['numbers when they are whole', ['[1', '2', ',3', ']'], [[], [], [12], [12, 3], [12, 3]]],
    ['a number alone at the end of the text', ['1', '2'], [undefined, undefined, 12]],
    [
      'true, false and null when they are whole',
      ['[tru', 'e,fa', 'lse,n', 'ull]'],
      [[], [true], [true, false], [true, false, null], [true, false, null]],
    ],
    ['keys when their value begins', ['{"a', '"', ':', '"'], [{}, {}, {}, { a: '' }]],
    ['an escape when it is whole', ['"x\\', 'u00', 'e9"'], ['x', 'x', 'xé', 'xé']],
    ['both halves of a pair at once', ['"x\ud83d', '\ude00"'], ['x', 'x😀', 'x😀']],
    ['the value of a key that was said last', ['{"a":1,', '"a":"x"}'], [{ a: 1 }, { a: 'x' }, { a: 'x' }]],
  ])('shows %s', (_name, pieces, expected) => {
    const builder = new JsonBuilder();
    const shown = pieces.map((piece) => {
      builder.push(piece);
      return builder.snapshot();
    });
    if (builder.whole || expected.length > pieces.length) {
      builder.end();
      shown.push(builder.snapshot());
    }
    expect(shown).toEqual(expected);
  });

  it.each([
    ['at the beginning of a string', '"\ufeffab"'],
    ['behind a letter', '"a\ufeffb"'],
    ['behind an escape', '"\\n\ufeffb"'],
    ['as an escape', '"a\\ufeffb"'],
    ['in a key', '{"\ufeffa":1}'],
  ])('keeps a byte order mark %s', (_name, text) => {
    expect(shownBy([text]).at(-1)).toStrictEqual(JSON.parse(text));
  });

  it('keeps __proto__ an own property of its name', () => {
    const shown = shownBy(['{"__proto__":{"a":"', 'x"}', ',"b":"', 'y"}']);
    expect(shown.at(-1)).toStrictEqual(JSON.parse('{"__proto__":{"a":"x"},"b":"y"}'));
    for (const value of shown) expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });
});

describe('a value shown', () => {
  it('never changes, for any text in any pieces', () => {
    fc.assert(
      fc.property(texts, places, (text, at) => {
        const builder = new JsonBuilder();
        const shown = cut(text, at).map((piece) => {
          builder.push(piece);
          const value = builder.snapshot();
          return { value, copy: structuredClone(value) };
        });
        for (const { value, copy } of shown) expect(value).toEqual(copy);
      }),
    );
  });

  it('shares what has ended with those before, and copies only what is open', () => {
    const shown = shownBy(['{"a":[[1],{"b":2}],"c":{"d":[3],"e":"', 'x', 'y', '"}}']) as Shared[];
    const [first, ...later] = shown;
    for (const value of later) {
      expect(value.a).toBe(first?.a);
      expect(value.c.d).toBe(first?.c.d);
    }
    expect(shown[1]).not.toBe(first);
    expect(shown[1]?.c).not.toBe(first?.c);
  });

  it('costs a copy of each open container, however long the text before it is', () => {
    const closed = JSON.stringify(Array.from({ length: 50 }, (_, at) => ({ at })));
    const letters = Array.from({ length: 200 }, () => 'x');
    const shown = shownBy([`{"closed":${closed},"a":{"b":["`, ...letters].concat(['"]}}']));
    const containers = new Set(shown.flatMap(containersOf));
    const versions = new Set(shown).size;
    expect(versions).toBeGreaterThan(200);
    expect(containers.size).toBe(51 + 3 * versions);
  });

  it('is the same object while nothing changes', () => {
    const builder = new JsonBuilder();
    builder.push('{"a":[1');
    const [value, version] = [builder.snapshot(), builder.version];
    builder.push('2 ');
    builder.push('');
    expect(builder.version).toBe(version + 1);
    const next = builder.snapshot();
    expect(next).not.toBe(value);
    builder.push('] ,"b"  :');
    expect([builder.snapshot(), builder.version]).toEqual([next, version + 1]);
    expect(builder.snapshot()).toBe(next);
  });

  it.each([
    ['the quote that ends a string', ['["ab', '"']],
    ['half of a pair', ['["ab', '\ud83d']],
    ['the first escape of a pair', ['["ab', '\\ud83d']],
  ])('is not another for %s', (_name, [before = '', piece = '']) => {
    const builder = new JsonBuilder();
    builder.push(before);
    const { version } = builder;
    builder.push(piece);
    expect(builder.snapshot()).toEqual(['ab']);
    expect(builder.version).toBe(version);
  });
});

describe('the state of a builder', () => {
  it('tells whether something can be shown and whether all has come', () => {
    const builder = new JsonBuilder();
    const states = [' ', '{', '"a":[]', '}', ' '].map((piece) => {
      builder.push(piece);
      return [builder.begun, builder.whole];
    });
    expect(states).toEqual([
      [false, false],
      [true, false],
      [true, false],
      [true, true],
      [true, true],
    ]);
  });

  it('tells each value that is whole with the keys that lead to it, inner ones first', () => {
    const told: unknown[] = [];
    const builder = new JsonBuilder((value, path) => told.push([path, structuredClone(value)]));
    for (const letter of '{"a":[1,{"b":"x"}],"a":true}') builder.push(letter);
    expect(told).toEqual([
      [['a', 0], 1],
      [['a', 1, 'b'], 'x'],
      [['a', 1], { b: 'x' }],
      [['a'], [1, { b: 'x' }]],
      [['a'], true],
      [[], { a: true }],
    ]);
  });

  it('keeps nothing of a list whose elements are forgotten, and counts on', () => {
    const at: unknown[] = [];
    const builder = new JsonBuilder((_value, path) => {
      if (path.length !== 1) return;
      at.push(path[0]);
      builder.forget();
    });
    builder.push('[');
    let most = 0;
    for (let index = 0; index < 50_000; index += 1) {
      builder.push(index === 0 ? '{"a":1}' : ',{"a":1}');
      most = Math.max(most, (builder.snapshot() as unknown[]).length);
    }
    builder.push(',[2');
    expect(builder.snapshot()).toEqual([[]]);
    builder.push(']]');
    builder.end();
    expect([most, at.length, at[0], at.at(-1)]).toEqual([0, 50_001, 0, 50_000]);
    expect(builder.snapshot()).toEqual([]);
  });

  it('forgets nothing of an object, or where nothing is open', () => {
    const builder = new JsonBuilder();
    builder.forget();
    builder.push('{"a":1,');
    builder.forget();
    expect(builder.snapshot()).toEqual({ a: 1 });
  });
});

interface Shared {
  readonly a: object;
  readonly c: { readonly d: object };
}

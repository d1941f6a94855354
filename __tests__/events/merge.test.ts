import { continueFields, copyOf, replaceFields } from '../../src/events/merge.ts';
import type { Fields } from '../../src/fields.ts';

function continued(...pieces: readonly Fields[]): Fields {
  const target: Fields = {};
  for (const piece of pieces) continueFields(target, piece);
  return target;
}

function replaced(...states: readonly Fields[]): Fields {
  const target: Fields = {};
  for (const state of states) replaceFields(target, state);
  return target;
}

describe('pieces of a message', () => {
  it('join texts, however deep, and keep what is repeated once', () => {
    const first = { audio: { id: 'a1', data: 'AAA', transcript: 'Hel' }, name: 'n', note: 'x' };
    const second = { audio: { id: 'a1', data: 'BBB', transcript: 'lo', expires_at: 5 }, name: 'n', note: 'y' };
    expect(continued(first, second)).toEqual({
      audio: { id: 'a1', data: 'AAABBB', transcript: 'Hello', expires_at: 5 },
      name: 'n',
      note: 'xy',
    });
  });

  it.each(['id', 'type', 'format', 'name', 'role', 'object', 'model', 'index', 'status', 'provider'])(
    'take the last %s, which servers repeat',
    (key) => {
      expect(continued({ [key]: 'a' }, { [key]: 'a' }, { [key]: 'b' })).toEqual({ [key]: 'b' });
    },
  );

  it('continue lists: entries with an index continue theirs, others are appended', () => {
    const list = (...entries: readonly unknown[]): Fields => ({ list: entries });
    expect(
      continued(
        list({ index: 0, type: 't', text: 'a' }, { index: 1, text: 'x' }, 'plain'),
        list({ index: 1, text: 'y' }, { text: 'loose' }),
        list({ index: 0, type: 't', text: 'b' }, { index: 'no', text: 'z' }),
      ),
    ).toEqual(
      list(
        { index: 0, type: 't', text: 'ab' },
        { index: 1, text: 'xy' },
        'plain',
        { text: 'loose' },
        { index: 'no', text: 'z' },
      ),
    );
  });

  it('take the last number, and do not forget for a null', () => {
    expect(continued({ a: 1, b: 'x', c: null }, { a: 2, b: null, c: null, d: { e: 1 } }, { c: 'y', d: 'z' })).toEqual({
      a: 2,
      b: 'x',
      c: 'y',
      d: 'z',
    });
  });

  it('are not shared with the whole, and not changed', () => {
    const piece = { audio: { data: 'A' }, list: [{ index: 0, text: 'a' }] };
    const copy = structuredClone(piece);
    const whole = continued(piece, piece);
    expect(piece).toEqual(copy);
    expect(whole).toEqual({ audio: { data: 'AA' }, list: [{ index: 0, text: 'aa' }] });
  });
});

describe('states', () => {
  it('replace one another; objects keep their other members', () => {
    expect(
      replaced(
        { filter: { hate: 'low', self_harm: { filtered: false } }, list: [1], text: 'a' },
        { list: [2, 3], text: 'b' },
        {
          filter: { hate: 'high', self_harm: { severity: 1 } },
          text: null,
        },
      ),
    ).toEqual({ filter: { hate: 'high', self_harm: { filtered: false, severity: 1 } }, list: [2, 3], text: 'b' });
  });

  it('are not shared with the whole, and not changed', () => {
    const state = { filter: { hate: 'low' } };
    replaced(state, { filter: { hate: 'high' } });
    expect(state).toEqual({ filter: { hate: 'low' } });
  });
});

describe.each([
  ['pieces', continueFields],
  ['states', replaceFields],
])('%s with hostile names', (_name, merge) => {
  it('become own properties and touch no prototype', () => {
    const hostile = (): Fields =>
      JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":"x"}') as Fields;
    const target: Fields = {};
    merge(target, hostile());
    merge(target, hostile());
    merge(target, { a: hostile() });
    merge(target, { a: hostile() });
    expect(Object.keys(target)).toEqual(['__proto__', 'constructor', 'toString', 'a']);
    expect(Object.getPrototypeOf(target)).toBe(Object.prototype);
    expect(Object.keys(target['a'] as object)).toEqual(['__proto__', 'constructor', 'toString']);
    expect('polluted' in (target['a'] as object)).toBe(false);
    expect('polluted' in {}).toBe(false);
    expect((Object as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('a copy', () => {
  it('shares nothing that JSON can hold with what it is of', () => {
    const value = { list: [{ a: 1 }, 'x', null], nested: { b: true } };
    const copy = copyOf(value);
    expect(copy).toEqual(value);
    expect(copy.list).not.toBe(value.list);
    expect(copy.list[0]).not.toBe(value.list[0]);
    expect(copy.nested).not.toBe(value.nested);
  });

  it('keeps names that are those of prototypes', () => {
    const copy = copyOf(JSON.parse('{"__proto__":{"a":1}}') as Fields);
    expect(Object.keys(copy)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });

  it('holds what JSON cannot hold as it is', () => {
    const value = { map: new Map([[1, 2]]), date: new Date(0), work: (): void => undefined };
    const copy = copyOf(value);
    expect([copy.map, copy.date, copy.work]).toEqual([value.map, value.date, value.work]);
    expect(copy.map).toBe(value.map);
    expect(copy.work).toBe(value.work);
  });
});

describe('a list whose entries have an index', () => {
  it('is continued by it, wherever the entry stands', () => {
    const target: Fields = { list: [{ index: 5, text: 'a' }] };
    continueFields(target, { list: [{ index: 2, text: 'b' }] });
    continueFields(target, { list: [{ index: 5, text: 'c' }] });
    expect(target['list']).toEqual([
      { index: 5, text: 'ac' },
      { index: 2, text: 'b' },
    ]);
  });

  it('is not looked through when it is long: an entry costs the same however many there are', () => {
    let looks = 0;
    const entry = (index: number): Fields =>
      Object.defineProperty({}, 'index', { enumerable: true, configurable: true, get: () => ((looks += 1), index) });
    const target: Fields = { list: [] };
    const list = target['list'] as unknown[];
    for (let index = 0; index < 2000; index++) list.push(entry(index + 1));
    looks = 0;
    continueFields(target, { list: [{ index: 1, text: 'a' }] });
    expect(looks).toBeLessThan(10);
    expect(list).toHaveLength(2001);
  });
});

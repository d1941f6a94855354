import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import ts from 'typescript';
import { Fifo } from '../../src/operators/fifo.ts';

interface Entry {
  readonly id: number;
}

const entries = (count: number): Entry[] => Array.from({ length: count }, (_, id) => ({ id }));

function filled(pushed: readonly Entry[]): Fifo<Entry> {
  const fifo = new Fifo<Entry>();
  for (const entry of pushed) fifo.push(entry);
  return fifo;
}

/** Takes all out at the front. */
function drained(fifo: Fifo<Entry>): number[] {
  const ids: number[] = [];
  for (let entry = fifo.first; entry !== undefined; entry = fifo.first) {
    ids.push(entry.id);
    if (!fifo.remove(entry)) throw new Error('the first of the queue was not in it');
  }
  return ids;
}

describe('Fifo', () => {
  it('is empty at first', () => {
    const fifo = new Fifo<Entry>();
    expect([fifo.size, fifo.first, fifo.remove({ id: 0 })]).toEqual([0, undefined, false]);
    expect([fifo.size, fifo.first]).toEqual([0, undefined]);
  });

  it('has in front who came first, and tells it without taking it', () => {
    const fifo = filled(entries(3));
    expect([fifo.first?.id, fifo.first?.id, fifo.size]).toEqual([0, 0, 3]);
    expect(drained(fifo)).toEqual([0, 1, 2]);
    expect([fifo.size, fifo.first]).toEqual([0, undefined]);
  });

  it.each([
    ['the first', [0], [1, 2, 3, 4]],
    ['one in the middle', [2], [0, 1, 3, 4]],
    ['the last', [4], [0, 1, 2, 3]],
    ['the first ones', [0, 1, 2], [3, 4]],
    ['the first ones, backwards', [2, 1, 0], [3, 4]],
    ['the last ones', [3, 4], [0, 1, 2]],
    ['every other', [1, 3], [0, 2, 4]],
    ['all but one', [4, 0, 3, 1], [2]],
    ['all', [2, 0, 4, 1, 3], []],
  ])('is left by %s, and keeps its order', (_name, leaving, staying) => {
    const all = entries(5);
    const fifo = filled(all);
    for (const [left, id] of leaving.entries()) {
      expect(fifo.remove(all[id] as Entry)).toBe(true);
      expect(fifo.size).toBe(4 - left);
    }
    expect(fifo.first?.id).toBe(staying[0]);
    expect(drained(fifo)).toEqual(staying);
  });

  it('tells whether one that is to be removed was there', () => {
    const [one, other] = entries(2) as [Entry, Entry];
    const fifo = filled([one]);
    expect([fifo.remove(other), fifo.remove({ ...one }), fifo.size]).toEqual([false, false, 1]);
    expect([fifo.remove(one), fifo.remove(one), fifo.size]).toEqual([true, false, 0]);
  });

  it('goes on after it was empty, whether that was seen or not', () => {
    const [first, second, third] = entries(3) as [Entry, Entry, Entry];
    const fifo = filled([first]);
    fifo.remove(first);
    fifo.push(second);
    expect([fifo.first, fifo.size]).toEqual([second, 1]);
    fifo.remove(second);
    expect(fifo.first).toBeUndefined();
    fifo.push(third);
    expect([fifo.first, fifo.size]).toEqual([third, 1]);
  });

  it.each([
    ['without a look at it', 0],
    ['after a look at it', 1],
  ])('has no entry twice that was removed and pushed again (%s)', (_name, looks) => {
    const [again, other] = entries(2) as [Entry, Entry];
    const fifo = filled([again]);
    fifo.remove(again);
    if (looks > 0) expect(fifo.first).toBeUndefined();
    fifo.push(again);
    fifo.push(other);
    expect([fifo.first, fifo.size]).toEqual([again, 2]);
    expect(drained(fifo)).toEqual([0, 1]);
    expect([fifo.remove(again), fifo.size]).toEqual([false, 0]);
  });

  it('has no entry twice that was pushed again while its old place was behind another, and loses none', () => {
    const [first, again, last] = entries(3) as [Entry, Entry, Entry];
    const fifo = filled([first, again, last]);
    fifo.remove(again);
    fifo.push(again);
    expect([fifo.first, fifo.size]).toEqual([first, 3]);
    // Which of its two places counts is left open: nobody in the library pushes anything twice.
    expect(drained(fifo).toSorted()).toEqual([0, 1, 2]);
  });

  it('has an entry behind all others that was seen to be gone before it was pushed again, however many follow', () => {
    const [again, other, ...many] = entries(500) as [Entry, Entry, ...Entry[]];
    const fifo = filled([again]);
    fifo.remove(again);
    expect(fifo.first).toBeUndefined();
    fifo.push(other);
    fifo.push(again);
    for (const entry of many) {
      fifo.push(entry);
      fifo.remove(entry);
    }
    expect(drained(fifo)).toEqual([1, 0]);
  });

  it('has no entry twice that was pushed twice', () => {
    const [again, other] = entries(2) as [Entry, Entry];
    const fifo = filled([again, again, other]);
    expect(fifo.size).toBe(2);
    expect(drained(fifo)).toEqual([0, 1]);
  });

  it('does what an array does, where each is pushed once', () => {
    const step = fc.record({ pushes: fc.nat(40), removes: fc.array(fc.nat(), { maxLength: 40 }), looks: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const fifo = new Fifo<Entry>();
        const array: Entry[] = [];
        let id = 0;
        for (const { pushes, removes, looks } of steps) {
          for (let count = 0; count < pushes; count++) {
            const entry = { id: id++ };
            fifo.push(entry);
            array.push(entry);
          }
          for (const at of removes) {
            const [entry] = array.splice(at % (array.length + 1), 1);
            if (entry !== undefined) expect(fifo.remove(entry)).toBe(true);
          }
          expect(fifo.size).toBe(array.length);
          if (looks) expect(fifo.first).toBe(array[0]);
        }
        expect(drained(fifo)).toEqual(array.map((entry) => entry.id));
      }),
    );
  });
});

describe('the work of a Fifo', () => {
  const COUNT = 2000;
  const all = entries(COUNT);
  const shuffled = all.toSorted((a, b) => ((a.id * 7919) % COUNT) - ((b.id * 7919) % COUNT));

  it.each([
    ['from the front', all],
    ['from the back', all.toReversed()],
    ['from anywhere', shuffled],
  ])('does not grow with its length, where it is left %s', (_name, leaving) => {
    const { fifo, looks } = countingFifo();
    for (const entry of all) fifo.push(entry);
    let front = fifo.first;
    for (const entry of leaving) {
      fifo.remove(entry);
      front = fifo.first;
    }
    expect([fifo.size, front]).toEqual([0, undefined]);
    expect(looks()).toBeGreaterThan(COUNT);
    expect(looks()).toBeLessThanOrEqual(4 * COUNT);
  });

  it.each([0, 1, 1000])('does not grow with all that ever came, where %i wait', (waiting) => {
    const { fifo, looks } = countingFifo();
    for (const entry of entries(waiting)) fifo.push(entry);
    for (const entry of all) {
      fifo.push(entry);
      fifo.remove(fifo.first ?? entry);
    }
    expect(fifo.size).toBe(waiting);
    expect(looks()).toBeGreaterThan(COUNT);
    expect(looks()).toBeLessThanOrEqual(6 * COUNT + 2 * waiting);
  });
});

describe('the memory of a Fifo', () => {
  it.each([0, 1, 1000])('does not grow with all that ever came, where %i wait', (waiting) => {
    const { fifo, places } = countingFifo();
    for (const entry of entries(waiting)) fifo.push(entry);
    for (const entry of entries(5000)) {
      fifo.push(entry);
      fifo.remove(entry);
    }
    expect(fifo.size).toBe(waiting);
    expect(places()).toBeGreaterThanOrEqual(waiting);
    expect(places()).toBeLessThanOrEqual(2 * waiting + 200);
  });
});

/**
 * A Fifo, and how many entries it has looked at, be it one by one or by a method that goes over an array: a count says the same on
 * every machine, which a time does not. It lives in a realm of its own, whose arrays and sets count.
 */
function countingFifo(): {
  readonly fifo: Fifo<Entry>;
  readonly looks: () => number;
  /** How long its array is. */
  readonly places: () => number;
} {
  const source = readFileSync(join(__dirname, '../../src/operators/fifo.ts'), 'utf8');
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const exports: { Fifo?: typeof Fifo } = {};
  const realm = createContext({ exports });
  runInContext(outputText, realm);
  if (exports.Fifo === undefined) throw new Error('fifo.ts exports no Fifo');
  let looks = 0;
  const count = (prototype: string, names: readonly string[], looksOf: (self: unknown) => number): void => {
    const methods = runInContext(`${prototype}.prototype`, realm) as object;
    for (const name of names) {
      const original = Reflect.get(methods, name) as (...args: unknown[]) => unknown;
      Reflect.set(methods, name, function (this: unknown, ...args: unknown[]): unknown {
        looks += looksOf(this);
        return Reflect.apply(original, this, args);
      });
    }
  };
  count('Set', ['has', 'delete'], () => 1);
  count(
    'Array',
    ['filter', 'find', 'findIndex', 'forEach', 'includes', 'indexOf', 'map', 'shift', 'slice', 'splice', 'unshift'],
    (self) => (self as readonly unknown[]).length,
  );
  let pushedTo: readonly unknown[] = [];
  count('Array', ['push'], (self) => {
    pushedTo = self as readonly unknown[];
    return 0;
  });
  return { fifo: new exports.Fifo(), looks: () => looks, places: () => pushedTo.length };
}

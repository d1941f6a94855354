import Tokenizer from '@streamparser/json/tokenizer.js';
import { from } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { TextBuffer } from '../../src/events/text-buffer.ts';
import { growingJson } from '../../src/operators/growing-json.ts';
import type { ReadEnd } from '../../src/wire/body-decoder.ts';

/** Characters of a delta. */
const DELTA = 4;

/** Texts that grow with a number. No container has more than four entries: each that is open is copied for each value shown. */
const TEXTS: readonly (readonly [name: string, textOf: (size: number) => string])[] = [
  ['a long text', (size) => JSON.stringify({ name: 'x', story: 'once upon '.repeat(size) })],
  ['a long text of escapes', (size) => JSON.stringify({ story: '"é\n\\`😀'.repeat(size) })],
  ['long texts in a list', (size) => JSON.stringify({ list: ['a', 'b', 'c'].map((text) => text.repeat(size * 3)) })],
  ['nested objects', (size) => JSON.stringify(nested(size))],
  ['nested objects in a code fence', (size) => `\`\`\`json\n${JSON.stringify(nested(size))}\n\`\`\``],
  ['a long text with byte order marks', (size) => JSON.stringify({ story: 'once\ufeff upon '.repeat(size) })],
  ['a long number of digits', (size) => `{"size":${'1'.repeat(size * 10)}}`],
];

/** What it takes to show the value of a text after each of its deltas. */
interface Work {
  readonly text: string;
  readonly deltas: number;
  readonly shown: readonly unknown[];
  /** Characters that a parser was given. */
  readonly parsed: number;
  /** Characters that an expression was matched against. */
  readonly matched: number;
  /** Characters of the text when it was put together again. */
  readonly joined: number;
  /** Entries of lists and objects that no value before has. */
  readonly copied: number;
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('the work for a JSON that grows', () => {
  it.each(TEXTS)('is four times as much for four times as many deltas: %s', (_name, textOf) => {
    const [work, more] = [workFor(textOf(4 ** 4)), workFor(textOf(4 ** 5))];
    expect(more.deltas / work.deltas).toBeGreaterThan(3.5);
    // Not sixteen times; the objects are one level deeper.
    for (const of of ['parsed', 'matched', 'joined', 'copied'] as const) expect(more[of] / work[of]).toBeLessThan(6);
  });

  it.each(TEXTS)('is to read each character once, and the whole text never again: %s', (_name, textOf) => {
    const { text, parsed, matched, joined } = workFor(textOf(4 ** 3));
    // A mark ends one string and begins another.
    expect(parsed).toBeLessThanOrEqual(text.length + text.split('\ufeff').length - 1);
    expect(parsed).toBeGreaterThan(text.length - 20);
    expect(matched).toBeLessThan(10 * text.length);
    // For the validator's verdict.
    expect(joined).toBeLessThanOrEqual(text.length);
  });

  it('is to copy what is open, for each value shown', () => {
    const { shown, copied, deltas } = workFor(JSON.stringify({ a: nested(16), b: { c: ['x'.repeat(4000)] } }));
    expect(shown.length).toBeGreaterThan(1000);
    expect(shown.length).toBeLessThanOrEqual(deltas);
    // While the text grows: two entries at the root, one in `b`, one in `c`.
    expect(copied).toBeLessThan(4.2 * shown.length);
  });

  it('leaves what is shared the same object', () => {
    const { shown } = workFor(JSON.stringify({ a: nested(16), b: { c: ['x'.repeat(40)] } }));
    const [last, before] = shown.slice(-2).reverse() as { readonly a: unknown; readonly b: unknown }[];
    expect(last?.a).toBe(before?.a);
    const first = shown.find((value) => 'b' in (value as object)) as { readonly a: unknown; readonly b: unknown };
    expect(last?.a).toBe(first.a);
    expect(last?.b).not.toBe(first.b);
  });
});

/** Counted, not timed: a clock tells of the machine. */
function workFor(text: string): Work {
  const deltas = Math.ceil(text.length / DELTA);
  const events = Array.from({ length: deltas }, (_, at): readonly (CompletionEvent | ReadEnd)[] => [
    { type: 'text-delta', choice: 0, text: text.slice(at * DELTA, (at + 1) * DELTA) },
    { type: 'read-end' },
  ]).flat();
  const write = jest.spyOn(Tokenizer.prototype, 'write');
  const parse = jest.spyOn(JSON, 'parse');
  const match = jest.spyOn(RegExp.prototype, 'exec');
  const join = jest.spyOn(TextBuffer.prototype, 'toString');
  const shown: unknown[] = [];
  let final: unknown;
  from(events)
    .pipe(growingJson(0, (value) => ({ value })))
    .subscribe((event) => {
      if (event.type === 'partial') shown.push(event.value);
      else final = event.value;
    });
  const parsed = [...write.mock.calls, ...parse.mock.calls].map(([given]) => String(given).length);
  const matched = match.mock.calls.map(([given]) => given.length);
  const joined = join.mock.results.map(({ value }) => String(value).length);
  jest.restoreAllMocks();
  expect(final).toEqual(JSON.parse(text.replace(/^```json|```$/g, '')));
  const totals = { parsed: sum(parsed), matched: sum(matched), joined: sum(joined), copied: copiesIn(shown) };
  return { text, deltas, shown, ...totals };
}

function copiesIn(shown: readonly unknown[]): number {
  const seen = new Set<unknown>();
  const entriesIn = (value: unknown): number => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return 0;
    seen.add(value);
    const members: readonly unknown[] = Object.values(value);
    return members.length + sum(members.map(entriesIn));
  };
  return sum(shown.map(entriesIn));
}

/** A tree with so many leaves. */
function nested(leaves: number): unknown {
  if (leaves === 1) return 'leaf';
  return Object.fromEntries(['a', 'b', 'c', 'd'].map((key) => [key, nested(leaves / 4)]));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

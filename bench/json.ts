/** What JSON costs that is read as it grows: `npx node bench/json.ts`. No server: the pieces are at hand. */
import assert from 'node:assert/strict';
import { from, type OperatorFunction } from 'rxjs';
import { jsonElements } from '../src/operators/json-elements.ts';
import { partialJson } from '../src/operators/partial-json.ts';

const PIECES = 16_000;
const ROUNDS = 7;

const object = (entries: number, of: (n: number) => unknown): object =>
  Object.fromEntries(Array.from({ length: entries }, (_, n) => [`key${String(n)}`, of(n)]));

/** Eight entries a level. */
function nested(levels: number): object {
  return object(8, (n) => (levels === 1 ? { text: 'some text', n, done: true } : nested(levels - 1)));
}

const CASES: Readonly<Record<string, unknown>> = {
  'long strings': { a: { b: { text: 'lorem ipsum dolor '.repeat(5000) }, note: 'x'.repeat(20_000) } },
  'nested objects': nested(4),
  'a wide object': object(400, (n) => ({ a: { b: { text: 'some text '.repeat(20), n, done: true } } })),
  'a long list': { items: Array.from({ length: 4000 }, (_, id) => ({ id, name: `name ${String(id)}` })) },
};

function piecesOf(json: string): readonly string[] {
  const size = Math.ceil(json.length / PIECES);
  return Array.from({ length: Math.ceil(json.length / size) }, (_, n) => json.slice(n * size, (n + 1) * size));
}

/** The median of the CPU times of several rounds, in milliseconds. */
function cpuMs(work: () => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return times.sort((a, b) => a - b)[ROUNDS >> 1] ?? NaN;
}

function lastOf<T>(pieces: readonly string[], operator: OperatorFunction<string, T>): T | undefined {
  let last: T | undefined;
  from(pieces)
    .pipe(operator)
    .subscribe((value) => {
      last = value;
    });
  return last;
}

const rows = Object.entries(CASES).map(([name, value]) => {
  const json = JSON.stringify(value);
  const pieces = piecesOf(json);
  assert.deepEqual(lastOf(pieces, partialJson()), value);
  const ms = {
    'joined and parsed once': cpuMs(() => {
      let text = '';
      for (const piece of pieces) text += piece;
      JSON.parse(text);
    }),
    partialJson: cpuMs(() => lastOf(pieces, partialJson())),
    jsonElements: cpuMs(() => lastOf(pieces, jsonElements('items'))),
  };
  const shown = Object.entries(ms).map(([way, time]) => [way, `${time.toFixed(1)} ms`] as const);
  return [`${name}, ${String(pieces.length)} pieces`, Object.fromEntries(shown)] as const;
});

console.table(Object.fromEntries(rows));

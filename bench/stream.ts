/** What a streamed chunk costs: `npm run bench`, or after a build `npx node bench/stream.ts`. See README.md here. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { SHAPES, textOf, type Shape } from './body.ts';
import { CONTESTANTS, type ContestantName } from './contestants.ts';
import type { Report } from './run.ts';

const NAMES = Object.keys(CONTESTANTS) as ContestantName[];

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    chunks: { type: 'string' },
    rounds: { type: 'string' },
  },
});
const chunks = Number(values.chunks ?? (values.quick ? 2000 : 50_000));
const rounds = Number(values.rounds ?? (values.quick ? 1 : 7));

if (!existsSync(fileURLToPath(import.meta.resolve('rxjs-openai')))) {
  console.error('What is measured is the built package, and dist/ is not there: npm run build');
  process.exit(1);
}

/** Nothing of the caller's may change what is measured: no keys, base URLs, log levels, Node options. */
const env = { PATH: process.env['PATH'] };
const pathOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const server = spawn(process.execPath, [pathOf('server.ts')], { env, stdio: ['pipe', 'pipe', 'inherit'] });
const [listening] = (await once(server.stdout, 'data')) as [Buffer];
const baseURL = listening.toString().trim();

const run = promisify(execFile);
const expected = createHash('sha256').update(textOf(chunks)).digest('hex');

async function measure(name: ContestantName, shape: Shape): Promise<number> {
  const { stdout } = await run(process.execPath, [pathOf('run.ts'), name, baseURL, shape, String(chunks)], { env });
  const { cpuMicros, sha256 } = JSON.parse(stdout) as Report;
  assert.equal(sha256, expected, `${name} did not give the text that was sent (${shape})`);
  return cpuMicros / chunks;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** Ratios are taken within a round, where both sides met the same machine. */
function medianRatio(of: readonly number[], to: readonly number[] = []): string {
  return median(of.map((micros, round) => micros / (to[round] ?? NaN))).toFixed(2);
}

try {
  for (const shape of SHAPES) {
    const micros: Record<string, number[]> = {};
    for (let round = 0; round < rounds; round += 1) {
      // Turn by turn, so that a busy minute of the machine meets all of them, and none is always first.
      const turn = NAMES.map((_, i) => NAMES[(i + round) % NAMES.length] as ContestantName);
      for (const name of turn) (micros[name] ??= []).push(await measure(name, shape));
    }
    if (values.quick) continue;
    console.log(`\n${shape}: ${String(chunks)} chunks, CPU time, medians of ${String(rounds)} rounds`);
    console.table(
      Object.fromEntries(
        NAMES.map((name) => [
          name,
          {
            'µs/chunk': median(micros[name] ?? []).toFixed(2),
            'to fetch by hand': medianRatio(micros[name] ?? [], micros['fetch by hand']),
            'to openai': medianRatio(micros[name] ?? [], micros['openai for await']),
          },
        ]),
      ),
    );
  }
  if (values.quick) console.log(`All ${String(NAMES.length)} gave the text that was sent, in every shape.`);
} finally {
  server.kill();
}

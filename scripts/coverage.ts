/** Holds the branches that the last `npm test` took against the floor; below it, names the lines whose branches nobody took. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const FLOOR = 95;

/** What is used of istanbul's report of one file: where each branch's paths begin, and how often each was taken. */
interface FileCoverage {
  readonly path: string;
  readonly branchMap: Readonly<Record<string, { readonly loc: Location; readonly locations: readonly Location[] }>>;
  readonly b: Readonly<Record<string, readonly number[]>>;
}

interface Location {
  readonly start: { readonly line?: number };
}

const report = JSON.parse(
  readFileSync(new URL('../coverage/coverage-final.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, FileCoverage>>;

const files = Object.values(report).map(({ path, branchMap, b }) => {
  const paths = Object.entries(b).flatMap(([id, counts]) =>
    counts.map((count, place) => {
      const branch = branchMap[id];
      // The missing else of an if has no place of its own.
      return { count, line: branch?.locations[place]?.start.line ?? branch?.loc.start.line ?? 0 };
    }),
  );
  const missing = paths.filter(({ count }) => count === 0).map(({ line }) => line);
  return { file: relative('.', path), total: paths.length, missing };
});

const total = files.reduce((sum, file) => sum + file.total, 0);
const taken = total - files.reduce((sum, file) => sum + file.missing.length, 0);
if (total === 0) throw new Error('The report covers nothing: run npm test first');
const percent = (100 * taken) / total;
console.log(
  `branches of src: ${String(taken)} of ${String(total)}, ${percent.toFixed(2)} % (floor ${String(FLOOR)} %)`,
);

if (percent < FLOOR) {
  for (const { file, missing } of files.filter((each) => each.missing.length > 0)) {
    const lines = [...new Set(missing)].sort((one, other) => one - other);
    console.error(`  ${file}: ${String(missing.length)} not taken, lines ${lines.join(' ')}`);
  }
  process.exitCode = 1;
}

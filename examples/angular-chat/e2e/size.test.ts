import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const EXAMPLE = fileURLToPath(new URL('..', import.meta.url));
/** Gzipped, in bytes: of what the page names, of the client, which is loaded when it is first injected, of what only json$ and tools load. */
interface Size {
  readonly atOnce: number;
  readonly client: number;
  readonly onDemand: number;
}

const MOST: Size = { atOnce: 10_000, client: 16_000, onDemand: 28_500 };

function sizeOf(project: 'with' | 'without'): Size {
  execFileSync('npx', ['ng', 'build', `size-${project}`], { cwd: EXAMPLE, stdio: ['ignore', 'ignore', 'inherit'] });
  const dist = `${EXAMPLE}dist/size-${project}/browser/`;
  const html = readFileSync(`${dist}index.html`, 'utf8');
  const size = { atOnce: 0, client: 0, onDemand: 0 };
  for (const name of globSync('*.js', { cwd: dist })) {
    const text = readFileSync(dist + name, 'utf8');
    // Nothing of the SDK but the class that errors extend.
    expect(text.includes('X-Stainless-Lang')).toBe(false);
    const part = html.includes(name) ? 'atOnce' : text.includes('/chat/completions') ? 'client' : 'onDemand';
    size[part] += gzipSync(text, { level: 9 }).length;
  }
  return size;
}

it('adds little to a page of Angular that uses toSignal', () => {
  const without = sizeOf('without');
  const size = sizeOf('with');
  expect(without).toMatchObject({ client: 0, onDemand: 0 });
  const added: Size = { ...size, atOnce: size.atOnce - without.atOnce };
  console.log(`chatResource adds, in bytes of gzip: ${JSON.stringify(added)}`);
  for (const part of ['atOnce', 'client', 'onDemand'] as const) {
    expect(added[part]).toBeGreaterThan(0);
    expect(added[part]).toBeLessThanOrEqual(MOST[part]);
  }
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(__dirname, '../..');

/** What npm would install beside the package. */
function dependencies(): readonly string[] {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, object>;
  return [...Object.keys(manifest['dependencies'] ?? {}), ...Object.keys(manifest['peerDependencies'] ?? {})];
}

/**
 * Builds and packs the package once for all suites of the project, and unpacks the tarball into an otherwise empty project.
 * Its dependencies are links: tests do not reach the registry.
 */
export default function build(): void {
  npm('run', '--silent', 'build');
  const consumer = realpathSync(mkdtempSync(join(tmpdir(), 'rxjs-openai-')));
  process.env['RXJS_OPENAI_CONSUMER'] = consumer;
  // The build has just run; prepack would delete it and begin anew, under the feet of whoever uses it.
  const tarball = npm('pack', '--ignore-scripts', '--silent', '--pack-destination', consumer);
  const modules = join(consumer, 'node_modules');
  mkdirSync(join(modules, 'rxjs-openai'), { recursive: true });
  execFileSync('tar', ['-xzf', join(consumer, tarball), '-C', join(modules, 'rxjs-openai'), '--strip-components=1']);
  for (const name of dependencies()) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction');
  }
  writeFileSync(join(consumer, 'package.json'), '{ "private": true }\n');
}

function npm(...words: readonly string[]): string {
  return execFileSync('npm', words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

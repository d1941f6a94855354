import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { consumer } from './consumer.ts';

const root = join(__dirname, '../..');
const installed = join(consumer, 'node_modules/rxjs-openai');

function filesIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(directory, path)).isFile())
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
}

/** The targets of an exports map, whatever the conditions before them. */
function targetsOf(exports: unknown): readonly string[] {
  return typeof exports === 'string' ? [exports] : Object.values(exports as object).flatMap(targetsOf);
}

describe('the tarball', () => {
  it('holds both builds of every source with its types and its map, the documents, and nothing else', () => {
    const modules = filesIn(join(root, 'src')).map((path) => path.replace(/\.ts$/, ''));
    // Angular's own packages are ES modules alone.
    const isIn = (format: string, path: string): boolean => format === 'esm' || !path.startsWith('angular/');
    const built = ['esm', 'cjs'].flatMap((format) =>
      modules
        .filter((path) => isIn(format, path))
        .flatMap((path) => ['js', 'js.map', 'd.ts'].map((end) => `dist/${format}/${path}.${end}`)),
    );
    const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json', 'dist/cjs/package.json'];
    expect(filesIn(installed)).toEqual([...built, ...documents].sort());
  });

  it('has every file that package.json points to', () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, unknown>;
    const targets = [manifest['main'], manifest['module'], manifest['types'], ...targetsOf(manifest['exports'])];
    expect(targets.length).toBeGreaterThan(20);
    expect(targets.filter((target) => !existsSync(join(installed, String(target))))).toEqual([]);
  });

  it('brings the sources inside the maps, so that a debugger needs no file that is not there', () => {
    const map = JSON.parse(readFileSync(join(installed, 'dist/esm/errors.js.map'), 'utf8')) as Record<string, unknown>;
    expect(map['sourcesContent']).toEqual([readFileSync(join(root, 'src/errors.ts'), 'utf8')]);
  });

  it('names no folder of the machine that built it', () => {
    const telling = filesIn(installed).filter((path) => readFileSync(join(installed, path), 'utf8').includes(root));
    expect(telling).toEqual([]);
  });

  it('keeps what is internal out of the types', () => {
    expect(readFileSync(join(installed, 'dist/esm/chat-completion.d.ts'), 'utf8')).not.toMatch(/platform/i);
  });
});

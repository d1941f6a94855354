import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeBlocks } from '../support/code-blocks.ts';
import { compile, settings } from '../support/compile.ts';

const ROOT = join(__dirname, '../..');

/** As a user's compiler may be set. */
const OPTIONS = {
  ...settings({
    module: 'nodenext',
    lib: ['ES2022', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'],
    types: ['node', 'jest'],
    allowImportingTsExtensions: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    experimentalDecorators: true,
    skipLibCheck: true,
  }),
  paths: {
    'rxjs-openai': [join(ROOT, 'src/index.node.ts')],
    'rxjs-openai/node': [join(ROOT, 'src/node/index.ts')],
    'rxjs-openai/operators': [join(ROOT, 'src/operators/index.ts')],
    'rxjs-openai/relay': [join(ROOT, 'src/relay/index.node.ts')],
    'rxjs-openai/testing': [join(ROOT, 'src/testing/index.ts')],
    'rxjs-openai/promises': [join(ROOT, 'src/promises.node.ts')],
    'rxjs-openai/angular': [join(ROOT, 'src/angular/index.ts')],
    'rxjs-openai/angular/http': [join(ROOT, 'src/angular/http/index.ts')],
    'rxjs-openai/angular/testing': [join(ROOT, 'src/angular/testing/index.ts')],
  },
};

/** Each block is a module of its own. */
const FILES = [
  'README.md',
  'docs/retry-and-timeouts.md',
  'docs/structured-output.md',
  'docs/tools.md',
  'docs/angular.md',
];
const BLOCKS = FILES.flatMap((file) =>
  codeBlocks(readFileSync(join(ROOT, file), 'utf8')).map(({ code }, index) => ({
    name: `${file.replace(/\W/g, '-')}-${String(index + 1)}.mts`,
    code,
  })),
);

describe('the code in README and docs', () => {
  const { errors } = compile(
    join(ROOT, 'docs'),
    Object.fromEntries(BLOCKS.map(({ name, code }) => [name, `${code}\nexport {};\n`])),
    OPTIONS,
  );

  it('is found in each file', () => {
    const found = FILES.map((file) => BLOCKS.filter(({ name }) => name.startsWith(file.replace(/\W/g, '-'))).length);
    expect(found.every((count) => count > 0)).toBe(true);
  });

  it.each(BLOCKS.map(({ name }) => name))('compiles: %s', (name) => {
    expect(errors[name]).toEqual([]);
  });

  it('finds nothing wrong elsewhere', () => {
    expect(errors['elsewhere']).toEqual([]);
  });
});

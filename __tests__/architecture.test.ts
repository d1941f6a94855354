import { join, posix } from 'node:path';
import {
  cyclesOf,
  filesImportedBy,
  importsOf,
  loadedWith,
  mentions,
  readSources,
  type Sources,
} from './support/import-graph.ts';

/** A file may import what stands above it, and files of its own folder. */
const ROWS = [
  'fields.ts',
  'redact.ts',
  'errors.ts',
  'error-response.ts',
  'json-copy.ts',
  'logger.ts',
  'deadline-clock.ts',
  'steps.ts',
  'option-checks.ts',
  'clock-options.ts',
  'request-checks.ts',
  'events/',
  'json/',
  'wire/',
  'transport/',
  'operators/',
  'platform.ts',
  'config.ts',
  'request.ts',
  'tools/',
  'expected-tokens.ts',
  'prompts.ts',
  'methods.ts',
  'json-method.ts',
  'call.ts',
  'lazy-parts.ts',
  'chat-completion.ts',
  'async-iterable.ts',
  'promise-chat-completion.ts',
  'relay/',
  'node/',
  'testing/',
  'angular/',
  'angular/http/',
  'angular/testing/',
];

/** Lists of re-exports for users; they may import everything, and nothing may import them. */
const BARRELS = [
  'index.ts',
  'index.node.ts',
  'promises.ts',
  'promises.node.ts',
  'node/index.ts',
  'operators/index.ts',
  'testing/index.ts',
  'relay/index.ts',
  'relay/index.node.ts',
  'angular/index.ts',
  'angular/http/index.ts',
  'angular/testing/index.ts',
];

/** Of a folder in a folder, the row of the inner one. */
function rowOf(path: string): number {
  return BARRELS.includes(path) ? ROWS.length : ROWS.findLastIndex((row) => path === row || path.startsWith(row));
}

/** What breaks the direction of imports, one line each. */
function violations(sources: Sources): readonly string[] {
  return [...sources.keys()].flatMap((path) => {
    if (rowOf(path) === -1) return [`${path} has no row`];
    return filesImportedBy(sources, path).flatMap((imported) => {
      if (!sources.has(imported.path)) return [`${path} imports ${imported.path}, which does not exist`];
      if (BARRELS.includes(imported.path)) return [`${path} imports the barrel ${imported.path}`];
      const sibling = path.includes('/') && posix.dirname(path) === posix.dirname(imported.path);
      const allowed = rowOf(imported.path) < rowOf(path) || sibling;
      return allowed ? [] : [`${path} imports ${imported.path}, which is not above it`];
    });
  });
}

const sources = readSources(join(__dirname, '../src'));

/** Files that import a package, or a part of it, at runtime or for its types. */
function importersOf(wanted: RegExp, kind: 'any' | 'runtime' = 'any'): readonly string[] {
  const matches = (text: string): boolean =>
    importsOf(text).some(({ specifier, typeOnly }) => wanted.test(specifier) && !(kind === 'runtime' && typeOnly));
  return [...sources].filter(([, text]) => matches(text)).map(([path]) => path);
}

describe('the direction of imports', () => {
  it('goes up the rows only', () => {
    expect(violations(sources)).toEqual([]);
  });

  it('has no cycles, types included', () => {
    expect(cyclesOf(sources)).toEqual([]);
  });

  it('keeps operators free of all but events, JSON, errors, clocks and checks of options', () => {
    const imported = [...sources.keys()]
      .filter((path) => path.startsWith('operators/'))
      .flatMap((path) => filesImportedBy(sources, path).map((file) => file.path));
    expect(imported.length).toBeGreaterThan(0);
    expect(
      imported.filter(
        (path) =>
          !/^(?:operators\/|events\/|json\/|(?:errors|fields|redact|deadline-clock|option-checks|clock-options)\.ts$)/.test(
            path,
          ),
      ),
    ).toEqual([]);
  });

  it('knows a row for every file, and a file for every row', () => {
    const used = new Set([...sources.keys()].map(rowOf));
    expect(ROWS.filter((_, row) => !used.has(row))).toEqual([]);
    expect(BARRELS.filter((path) => !sources.has(path))).toEqual([]);
  });
});

/** A parser and a validator, for who reads JSON. */
const JSON_PACKAGES = [
  '@cfworker/json-schema',
  '@streamparser/json/tokenizer.js',
  '@streamparser/json/utils/types/tokenType.js',
];

describe('what a page or a worker loads', () => {
  it('operators/index.ts loads RxJS, the error class of the SDK and what reads JSON, and nothing that sends requests', () => {
    const { files, packages } = loadedWith(sources, 'operators/index.ts');
    expect(packages).toEqual([...JSON_PACKAGES, 'openai/core/error', 'rxjs']);
    expect(files.filter((path) => /^(?:node|transport|wire)\/|^config\.ts$/.test(path))).toEqual([]);
  });

  it.each([
    ['index.ts', []],
    ['promises.ts', []],
    ['relay/index.ts', []],
    ['testing/index.ts', ['rxjs/testing']],
  ])('%s loads RxJS, the error class of the SDK and what reads JSON, nothing else but %j', (entry, others) => {
    const { files, packages } = loadedWith(sources, entry);
    const expected = [...JSON_PACKAGES, 'openai/core/error', 'rxjs', ...others];
    expect(packages).toEqual(expected);
    expect(files.filter((path) => path.startsWith('node/') || path === 'transport/sdk.ts')).toEqual([]);
    const nodeGlobals = ['process', 'Buffer', 'require', '__dirname'];
    const found = files.flatMap((path) =>
      nodeGlobals.filter((name) => mentions(sources.get(path) ?? '', name)).map((name) => `${path}: ${name}`),
    );
    expect(found).toEqual([]);
  });

  it.each(['chat-completion.ts', 'promise-chat-completion.ts'])(
    '%s loads what reads JSON and runs tools with the first call that needs it',
    (entry) => {
      const { files, packages } = loadedWith(sources, entry, 'at once');
      expect(packages).toEqual(['openai/core/error', 'rxjs']);
      expect(files.filter((path) => /^(?:json|tools)\/|^json-method\.ts$/.test(path))).toEqual([]);
    },
  );

  it('node: modules and dotenv are for node/ alone', () => {
    const importers = importersOf(/^(?:node:|dotenv|fs$|path$|os$)/);
    expect(importers).toContain('node/environment.ts');
    expect(importers.filter((path) => !path.startsWith('node/'))).toEqual([]);
  });

  it('the SDK is loaded by transport/sdk.ts alone, lazily, and that file by node/ alone', () => {
    expect(importersOf(/^openai(?!\/core\/error$)/, 'runtime')).toEqual(['transport/sdk.ts']);
    const ofSdk = importsOf(sources.get('transport/sdk.ts') ?? '').filter(({ specifier }) => specifier === 'openai');
    expect(ofSdk.filter(({ typeOnly, lazy }) => !typeOnly && !lazy)).toEqual([]);
    const importers = [...sources.keys()].filter((path) =>
      filesImportedBy(sources, path).some((file) => file.path === 'transport/sdk.ts'),
    );
    expect(importers).toContain('node/platform.ts');
    expect(importers.filter((path) => !path.startsWith('node/'))).toEqual([]);
  });

  it('the fakes are for tests alone', () => {
    const importers = [...sources.keys()].filter((path) =>
      filesImportedBy(sources, path).some((file) => file.path.startsWith('testing/')),
    );
    expect(importers).toContain('testing/index.ts');
    expect(importers.filter((path) => !/^(?:angular\/)?testing\//.test(path))).toEqual([]);
    expect(importersOf(/^rxjs\/testing$/).filter((path) => !path.startsWith('testing/'))).toEqual([]);
  });

  it('Angular is for angular/ alone, its HttpClient for angular/http/', () => {
    expect(importersOf(/^@angular\//).filter((path) => !path.startsWith('angular/'))).toEqual([]);
    expect(importersOf(/^@angular\/(?!core$)/).filter((path) => !path.startsWith('angular/http/'))).toEqual([]);
  });

  it('a page with Angular loads at once what shows an answer, and the client itself later', () => {
    const { files, packages } = loadedWith(sources, 'angular/index.ts', 'at once');
    expect(packages).toEqual(['@angular/core', 'openai/core/error', 'rxjs']);
    expect(
      files.filter((path) =>
        /^(?:node|json|testing|relay|transport|wire)\/|^tools\/(?!denial)|^(?:json-method|chat-completion|config)\.ts$/.test(
          path,
        ),
      ),
    ).toEqual([]);
  });
});

describe('the checks themselves', () => {
  const planted = (...files: readonly (readonly [string, string])[]): Sources => new Map(files);

  it.each([
    ['a row below', 'errors.ts', `import { Config } from './config.ts';`],
    ['a row below, for a type', 'errors.ts', `import type { Config } from './config.ts';`],
    ['a row below, re-exported', 'errors.ts', `export { Config } from './config.ts';`],
    ['a row below, lazily', 'errors.ts', `const config = import('./config.ts');`],
    ['a row below, in a type', 'errors.ts', `let config: import('./config.ts').Config;`],
    ['a folder below', 'wire/sse.ts', `import '../config.ts';`],
  ])('see an import of %s', (_, path, text) => {
    expect(violations(planted([path, text], ['config.ts', '']))).toEqual([
      `${path} imports config.ts, which is not above it`,
    ]);
  });

  it('see a barrel, a file without a row and a file that is not there', () => {
    const found = violations(
      planted(['config.ts', `import './index.ts'; import './gone.ts';`], ['index.ts', ''], ['util.ts', '']),
    );
    expect(found).toEqual([
      'config.ts imports the barrel index.ts',
      'config.ts imports gone.ts, which does not exist',
      'util.ts has no row',
    ]);
  });

  it('allow siblings and rows above', () => {
    expect(
      violations(
        planted(['wire/a.ts', `import './b.ts'; import '../errors.ts';`], ['wire/b.ts', ''], ['errors.ts', '']),
      ),
    ).toEqual([]);
  });

  it('see a cycle', () => {
    const circle = planted(
      ['wire/a.ts', `import './b.ts';`],
      ['wire/b.ts', `import type {} from './c.ts';`],
      ['wire/c.ts', `import './a.ts';`],
    );
    expect(cyclesOf(circle)).toEqual(['wire/a.ts → wire/b.ts → wire/c.ts → wire/a.ts']);
  });

  it('follow what is loaded, not what is only named in types', () => {
    const { files, packages } = loadedWith(
      planted(
        ['index.ts', `import type { A } from 'types-only'; import { type B } from 'kept'; export * from './a.ts';`],
        ['a.ts', `import type { C } from './c.ts'; void import('later');`],
        ['c.ts', `import 'hidden';`],
      ),
      'index.ts',
    );
    expect(files).toEqual(['a.ts', 'index.ts']);
    expect(packages).toEqual(['kept', 'later']);
  });

  it.each([
    [`process.env.A`, true],
    [`const env = globalThis.process?.env`, true],
    [`f(process)`, true],
    [`const a = { b: process }`, true],
    [`child.process.kill()`, false],
    [`const a = { process: 1 }`, false],
    [`const text = 'process'; // process`, false],
  ])('%s', (text, expected) => {
    expect(mentions(text, 'process')).toBe(expected);
  });
});

import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile, settings } from '../support/compile.ts';

const root = join(__dirname, '../..');

const IMPORTS = `
import { sdkTransport } from '${join(root, 'src/node/index.ts')}';
import { AzureOpenAI, OpenAI } from 'openai';
import { AzureOpenAI as OtherAzure, OpenAI as OtherOpenAI } from 'other-openai';
declare const value: { openai: OpenAI; azure: AzureOpenAI; other: OtherOpenAI; otherAzure: OtherAzure };
`;

const PROGRAMS = {
  'an OpenAI': `sdkTransport(value.openai)`,
  'an AzureOpenAI': `sdkTransport(value.azure)`,
  'an OpenAI of a second copy': `sdkTransport(value.other)`,
  'an AzureOpenAI of a second copy': `sdkTransport(value.otherAzure)`,
  'the options of an OpenAI': `sdkTransport({ apiKey: 'key', baseURL: 'http://localhost:1234/v1', timeout: 5 })`,
};

const MISTAKES = {
  'a string': [`sdkTransport('key')`, /^TS2345: .*'string' is not assignable/],
  'a misspelt option': [`sdkTransport({ apikey: 'key' })`, /^TS2353: .*'apikey'/],
  'the chat of a client': [`sdkTransport(value.openai.chat)`, /^TS2345: .*'Chat' is not assignable/],
  // Shows that the second copy is one, and why the parameter is a structure and no class.
  'one copy of the SDK where the other is asked for': [
    `const other: OtherOpenAI = value.openai`,
    /^TS2322: .*OpenAI' is not assignable to type .*other-openai/,
  ],
} as const;

const codes = [...Object.entries(PROGRAMS), ...Object.entries(MISTAKES).map(([name, [code]]) => [name, code] as const)];

let project: string;
let errors: Readonly<Record<string, readonly string[]>>;

beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'rxjs-openai-types-')));
  const modules = join(project, 'node_modules');
  const openai = realpathSync(join(root, 'node_modules/openai'));
  const other = join(modules, 'other-openai');
  cpSync(openai, other, {
    recursive: true,
    filter: (path) => !/\.(?:m?js|map)$/.test(path) && !path.includes(join(openai, 'src')),
  });
  // TypeScript takes two copies of one name and version for one.
  const manifest = readFileSync(join(other, 'package.json'), 'utf8');
  writeFileSync(join(other, 'package.json'), manifest.replace(/"version": "[^"]+"/, '"version": "7.0.0"'));
  symlinkSync(openai, join(modules, 'openai'), 'junction');
  ({ errors } = compile(
    project,
    Object.fromEntries(codes.map(([name, code]) => [fileOf(name), `${IMPORTS}\n${code};`])),
    settings({
      module: 'nodenext',
      lib: ['ES2022', 'DOM'],
      types: [],
      allowImportingTsExtensions: true,
      skipLibCheck: true,
    }),
  ));
});

afterAll(() => {
  rmSync(project, { recursive: true });
});

const fileOf = (name: string): string => `${name.replaceAll(' ', '-')}.mts`;

describe('sdkTransport takes', () => {
  it.each(Object.keys(PROGRAMS))('%s', (name) => {
    expect(errors[fileOf(name)]).toEqual([]);
  });
});

describe('the compiler refuses', () => {
  it.each(Object.entries(MISTAKES))('%s', (name, [, error]) => {
    expect(errors[fileOf(name)]).toEqual([expect.stringMatching(error)]);
  });
});

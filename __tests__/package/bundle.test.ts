import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type BuildOptions, type Metafile } from 'esbuild';
import { ANSWER, consumer, runNode, startServer, type Server } from './consumer.ts';

interface Bundle {
  readonly code: string;
  /** Every file that went in, as `package/path`. */
  readonly inputs: readonly string[];
  /** What is left to be imported when the bundle runs. */
  readonly imports: readonly string[];
}

async function bundle(
  contents: string,
  target: Pick<BuildOptions, 'platform' | 'format' | 'packages'>,
): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: consumer },
    absWorkingDir: consumer,
    bundle: true,
    write: false,
    metafile: true,
    logLevel: 'silent',
    ...target,
  });
  return {
    code: outputFiles[0]?.text ?? '',
    inputs: Object.keys(metafile.inputs)
      .filter((path) => path.includes('node_modules/'))
      .map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length))
      .sort(),
    imports: Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path)),
  };
}

const packagesOf = ({ inputs }: Bundle): readonly string[] =>
  [...new Set(inputs.map((path) => path.split('/')[0]!))].sort();

/** For who reads JSON or validates it. */
const JSON_PACKAGES = ['@cfworker', '@streamparser'];

/** As bundlers for the web do: what is imported lazily is a file of its own. */
async function split(contents: string): Promise<Metafile> {
  const { metafile } = await build({
    stdin: { contents, resolveDir: consumer },
    absWorkingDir: consumer,
    bundle: true,
    splitting: true,
    format: 'esm',
    outdir: 'out',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  return metafile;
}

/** The packages in the entry and in the files it imports, but not lazily. */
function loadedAtOnce({ outputs }: Metafile): readonly string[] {
  const entry = Object.keys(outputs).find((path) => outputs[path]?.entryPoint === '<stdin>');
  const paths = new Set(entry === undefined ? [] : [entry]);
  const packages = new Set<string>();
  for (const path of paths) {
    for (const each of outputs[path]?.imports ?? []) if (each.kind === 'import-statement') paths.add(each.path);
    for (const input of Object.keys(outputs[path]?.inputs ?? {})) {
      const name = /.*node_modules\/([^/]+)/.exec(input)?.[1];
      if (name !== undefined) packages.add(name);
    }
  }
  return [...packages].sort();
}

let server: Server;
let empty: string;

beforeAll(async () => {
  server = await startServer();
  empty = mkdtempSync(join(tmpdir(), 'rxjs-openai-bundle-'));
});

afterAll(async () => {
  rmSync(empty, { recursive: true });
  await server.close();
});

/** Runs a bundle where there is no package to be found. */
async function run(code: string, name: string): Promise<string> {
  writeFileSync(join(empty, name), code);
  const { stdout } = await runNode([name], { cwd: empty, environment: server.environment });
  return stdout.trim();
}

describe('a bundle for browsers', () => {
  const BROWSER = { platform: 'browser', format: 'esm' } as const;

  it.each(['rxjs-openai', 'rxjs-openai/promises', 'rxjs-openai/relay'])(
    '%s brings no SDK client, no dotenv, no module of Node',
    async (entry) => {
      const whole = await bundle(`export * from '${entry}'`, BROWSER);
      expect(packagesOf(whole).filter((name) => name !== 'tslib')).toEqual([
        ...JSON_PACKAGES,
        'openai',
        'rxjs',
        'rxjs-openai',
      ]);
      const ofErrorClass = await bundle(`export * from 'openai/core/error'`, BROWSER);
      const openai = (made: Bundle): readonly string[] => made.inputs.filter((path) => path.startsWith('openai/'));
      expect(openai(whole)).toEqual(openai(ofErrorClass));
      expect(
        whole.inputs.filter((path) => /^rxjs-openai\/dist\/(?:cjs|esm\/node|esm\/transport\/sdk)/.test(path)),
      ).toEqual([]);
      expect(whole.imports).toEqual([]);
      // Examples in comments are none of the program.
      expect(whole.code.replace(/^\s*\*.*$/gm, '')).not.toMatch(/\bprocess\.|\brequire\(/);
    },
  );

  it('rxjs-openai/operators brings RxJS, the error class and what reads JSON, nothing that sends requests', async () => {
    const { inputs, imports } = await bundle(`export * from 'rxjs-openai/operators'`, BROWSER);
    expect(imports).toEqual([]);
    expect(
      inputs.filter(
        (path) =>
          !/^(?:rxjs|tslib|openai\/core\/|openai\/internal\/|rxjs-openai|@cfworker\/|@streamparser\/)/.test(path),
      ),
    ).toEqual([]);
    expect(
      inputs.filter((path) => /^rxjs-openai\/dist\/esm\/(?:transport|wire|node)\/|rxjs-openai\/dist\/cjs/.test(path)),
    ).toEqual([]);
  });

  it.each([
    ['the client', `import { OpenAIChatCompletion } from 'rxjs-openai'; console.log(OpenAIChatCompletion);`],
    ['the facade', `import { OpenAIChatCompletion } from 'rxjs-openai/promises'; console.log(OpenAIChatCompletion);`],
    ['other operators', `import { accumulate } from 'rxjs-openai/operators'; console.log(accumulate);`],
  ])('%s without a call for JSON or tools brings nothing for them', async (_, contents) => {
    const loaded = loadedAtOnce(await split(contents));
    expect(loaded).toContain('rxjs');
    expect(loaded.filter((name) => JSON_PACKAGES.includes(name))).toEqual([]);
  });

  it('works', async () => {
    const { code } = await bundle(
      `import { fetchTransport, OpenAIChatCompletion } from 'rxjs-openai';
       const transport = fetchTransport({ baseURL: process.env.OPENAI_BASE_URL });
       new OpenAIChatCompletion({ transport }).stream$('Hi').subscribe((text) => console.log(text));`,
      BROWSER,
    );
    await expect(run(code, 'browser.mjs')).resolves.toBe(ANSWER);
  });

  it('leaves out what is not used', async () => {
    const { code } = await bundle(
      `import 'rxjs-openai'; import 'rxjs-openai/operators'; import 'rxjs-openai/promises'; console.log('alone');`,
      BROWSER,
    );
    expect(code.replace(/^\s*\/\/.*$/gm, '').trim()).toBe('console.log("alone");');
  });
});

describe('a bundle for Node', () => {
  const PROGRAM = `
    import { OpenAIChatCompletion } from 'rxjs-openai/promises';
    new OpenAIChatCompletion().generateCompletion('Hi').then((text) => console.log(text));`;

  it('as CommonJS needs nothing beside it', async () => {
    const { code, inputs } = await bundle(PROGRAM, { platform: 'node', format: 'cjs' });
    expect(inputs).toContain('rxjs-openai/dist/esm/transport/sdk.js');
    await expect(run(code, 'program.cjs')).resolves.toBe(ANSWER);
  });

  it('as an ES module, with the packages left outside, loads them when it runs', async () => {
    const { code, imports } = await bundle(PROGRAM, { platform: 'node', format: 'esm', packages: 'external' });
    expect(imports).toEqual(['rxjs-openai/promises']);
    const { stdout } = await runNode(['--input-type=module', '-e', code], { environment: server.environment });
    expect(stdout.trim()).toBe(ANSWER);
  });
});

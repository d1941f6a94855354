import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Limiter } from '../../src/operators/index.ts';
import * as operators from '../../src/operators/index.ts';
import * as relay from '../../src/relay/index.ts';
import { RELAY_DEFAULTS } from '../../src/relay/options.ts';
import { fetchClient } from '../support/client.ts';
import { codeBlocks, exportsOf } from '../support/code-blocks.ts';
import { compile, settings } from '../support/compile.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { whole } from '../support/faults-steps.ts';
import { MESSAGES, post, type Relay } from '../relay/setting.ts';

const ROOT = join(__dirname, '../..');
const DOCUMENT = readFileSync(join(ROOT, 'docs/relay.md'), 'utf8');
const BLOCKS = codeBlocks(DOCUMENT);

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({ v1: whole('yes') });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

/** The exports of a block whose relay has a server behind it, and the key that needs. */
function exported(name: string): Readonly<Partial<Record<string, unknown>>> {
  const createRelay = (options: relay.RelayOptions<unknown>): Relay =>
    relay.createRelay({ ...options, completion: fetchClient.client(server.baseURL('v1')) });
  const code = BLOCKS.find((block) => block.name === name)?.code ?? '';
  return exportsOf(code, { 'rxjs-openai/relay': { createRelay }, 'rxjs-openai/operators': operators });
}

describe('docs/relay.md', () => {
  const { errors } = compile(
    join(ROOT, 'docs'),
    Object.fromEntries(BLOCKS.map(({ name, code }) => [`${name}.mts`, code])),
    {
      ...settings({
        module: 'nodenext',
        lib: ['ES2022', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'],
        types: ['node'],
        allowImportingTsExtensions: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        noUnusedLocals: true,
        isolatedModules: true,
        verbatimModuleSyntax: true,
        skipLibCheck: true,
      }),
      typeRoots: [join(ROOT, 'node_modules/@types')],
      paths: {
        'rxjs-openai': [join(ROOT, 'src/index.node.ts')],
        'rxjs-openai/operators': [join(ROOT, 'src/operators/index.ts')],
        'rxjs-openai/relay': [join(ROOT, 'src/relay/index.node.ts')],
      },
    },
  );

  it.each(BLOCKS.map(({ name }) => name))('has a block %s that the compiler accepts', (name) => {
    expect(errors[`${name}.mts`]).toEqual([]);
  });

  it('is otherwise in order for the compiler', () => {
    expect(errors['elsewhere']).toEqual([]);
  });

  it.each(Object.entries(RELAY_DEFAULTS.timeout))('tells the default of timeout.%s', (name, ms) => {
    expect(DOCUMENT).toContain(`| \`timeout.${name}\` | ${ms.toLocaleString('en')} |`);
  });

  it('has a handler, a route and a worker that answer', async () => {
    const worker = exported('worker')['default'] as { readonly fetch: (request: Request, env: object) => unknown };
    const fetch = worker.fetch as (request: Request, env: object) => Promise<Response>;
    for (const handler of [exported('handler')['relay'], exported('next')['POST']] as Relay[]) {
      expect((await handler(post())).status).toBe(200);
    }
    expect((await fetch(post(), { OPENAI_API_KEY: 'none' })).status).toBe(200);
    expect(server.requests).toHaveLength(3);
  });

  it('knows users', async () => {
    const {
      relay: handler,
      sessions,
      begin,
    } = exported('users') as {
      readonly relay: Relay;
      readonly sessions: Map<string, { readonly limiter: Limiter; readonly tokens: number }>;
      readonly begin: (session: string, id: string) => void;
    };
    begin('s1', 'ada');
    expect((await handler(post(undefined, { 'x-session': 's2' }))).status).toBe(401);
    expect((await handler(post(undefined, { 'x-session': 's1' }))).status).toBe(200);
    expect(sessions.get('s1')?.tokens).toBe(8);
  });

  it.each([
    [{ max_tokens: 500 }, 200],
    [{ max_tokens: 501 }, 400],
    [{ tools: [] }, 400],
    [{ top_k: 40 }, 200],
    [{ metadata: { a: 1 } }, 200],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://a.test/' } }] }] }, 400],
  ])('has rules by which %j is answered %i', async (fields, status) => {
    const handler = exported('params')['relay'] as Relay;
    expect((await handler(post({ messages: MESSAGES, ...fields }))).status).toBe(status);
  });
});

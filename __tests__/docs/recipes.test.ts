import { join } from 'node:path';
import { CLIENTS } from '../support/client.ts';
import { compile, STRICTEST } from '../support/compile.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { OF_MANY_PROMPTS } from './many-prompts.ts';
import { OF_ONE_PROMPT } from './one-prompt.ts';
import { BLOCKS, recipe, stageOf, type Promises, type Recipes } from './recipe-stage.ts';

const ROOT = join(__dirname, '../..');
const PROMISES: Readonly<Record<keyof Recipes, Promises>> = { ...OF_MANY_PROMPTS, ...OF_ONE_PROMPT };
const NAMES = BLOCKS.map(({ name }) => name);

const OPTIONS = {
  ...STRICTEST,
  paths: {
    'rxjs-openai': [join(ROOT, 'src/index.node.ts')],
    'rxjs-openai/operators': [join(ROOT, 'src/operators/index.ts')],
  },
};

let server: FaultServer;
beforeEach(async () => {
  server = await startFaultServer();
});
afterEach(() => server.close());

describe('docs/recipes.md', () => {
  it('gives each recipe a name of its own, which is that of the function in it', () => {
    expect(NAMES.length).toBeGreaterThan(0);
    expect(new Set(NAMES).size).toBe(NAMES.length);
    for (const name of NAMES) expect(recipe(name as keyof Recipes).name).toBe(name);
  });

  it('has a test for each recipe here', () => {
    expect(Object.keys(PROMISES).sort()).toEqual([...NAMES].sort());
    expect(Object.entries(PROMISES).filter(([, promises]) => Object.keys(promises).length === 0)).toEqual([]);
  });
});

describe('the compiler', () => {
  const { errors } = compile(
    join(ROOT, 'docs'),
    Object.fromEntries(BLOCKS.map(({ name, code }) => [`${name}.mts`, code])),
    OPTIONS,
  );

  it.each(NAMES)('accepts %s as it stands', (name) => {
    expect(errors[`${name}.mts`]).toEqual([]);
  });

  it('finds nothing wrong elsewhere', () => {
    expect(errors['elsewhere']).toEqual([]);
  });
});

describe.each(CLIENTS)('over the $name transport,', (clientCase) => {
  describe.each(Object.entries(PROMISES))('the recipe %s', (_name, promises) => {
    it.each(Object.entries(promises))('%s', async (_promise, check) => {
      await check(stageOf(server, clientCase));
    });
  });
});

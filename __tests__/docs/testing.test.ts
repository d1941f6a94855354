/** The examples of docs/testing.md, each as the test that it is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as rxjs from 'rxjs';
import * as rxjsTesting from 'rxjs/testing';
import * as index from '../../src/index.node.ts';
import * as operators from '../../src/operators/index.ts';
import * as promises from '../../src/promises.node.ts';
import * as testing from '../../src/testing/index.ts';
import { codeBlocks, exportsOf } from '../support/code-blocks.ts';
import { compile, STRICTEST } from '../support/compile.ts';

const ROOT = join(__dirname, '../..');
const BLOCKS = codeBlocks(readFileSync(join(ROOT, 'docs/testing.md'), 'utf8'));
const NAMES = BLOCKS.map(({ name }) => name);

const MODULES = {
  rxjs,
  'rxjs/testing': rxjsTesting,
  'rxjs-openai': index,
  'rxjs-openai/operators': operators,
  'rxjs-openai/promises': promises,
  'rxjs-openai/testing': testing,
};

describe('docs/testing.md', () => {
  it('gives each example a name of its own, and a test', () => {
    expect(NAMES.length).toBeGreaterThan(5);
    expect(new Set(NAMES).size).toBe(NAMES.length);
    expect(BLOCKS.filter(({ code }) => !/^it\(/m.test(code))).toEqual([]);
  });

  describe.each(BLOCKS)('the example $name', ({ code }) => {
    exportsOf(code, MODULES, { it, expect, jest });
  });
});

describe('the compiler', () => {
  const { errors } = compile(
    join(ROOT, 'docs'),
    Object.fromEntries(BLOCKS.map(({ name, code }) => [`${name}.mts`, code])),
    {
      ...STRICTEST,
      types: ['jest'],
      paths: {
        'rxjs-openai': [join(ROOT, 'src/index.node.ts')],
        'rxjs-openai/operators': [join(ROOT, 'src/operators/index.ts')],
        'rxjs-openai/promises': [join(ROOT, 'src/promises.node.ts')],
        'rxjs-openai/testing': [join(ROOT, 'src/testing/index.ts')],
      },
    },
  );

  it.each(NAMES)('accepts %s as it stands', (name) => {
    expect(errors[`${name}.mts`]).toEqual([]);
  });

  it('finds nothing wrong elsewhere', () => {
    expect(errors['elsewhere']).toEqual([]);
  });
});

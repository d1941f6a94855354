import * as v from 'valibot';
import { z } from 'zod';
import { resolveSchema, resolveValidator } from '../../src/json/schema.ts';
import type { Verdict } from '../../src/json/verdict.ts';
import { thrownBy } from '../support/client.ts';

const NUMBER = { type: 'number' };

const verdictOn = (value: unknown, schema: unknown): Verdict | Promise<Verdict> =>
  resolveValidator(schema, 'parseJson', 'schema')(value);

/** A Standard Schema of nobody's library. */
const schemaOf = (validate: (value: unknown) => unknown, jsonSchema?: unknown): unknown => ({
  '~standard': { version: 1, vendor: 'own', validate, jsonSchema },
});

describe('the validator of a Standard Schema', () => {
  it.each<[string, unknown]>([
    ['zod', z.object({ a: z.array(z.object({ b: z.string().transform((text) => text.length) })) })],
    [
      'valibot',
      v.object({
        a: v.array(
          v.object({
            b: v.pipe(
              v.string(),
              v.transform((text) => text.length),
            ),
          }),
        ),
      }),
    ],
  ])('of %s makes the value, or says what is wrong and where', (_name, schema) => {
    expect(verdictOn({ a: [{ b: 'xyz' }] }, schema)).toMatchObject({ value: { a: [{ b: 3 }] } });
    expect(verdictOn({ a: [{ b: 'xyz' }, { b: 5 }] }, schema)).toEqual({
      issues: [{ message: expect.stringContaining('string') as unknown, path: ['a', 1, 'b'] }],
    });
  });

  it('is asked about the very value, once', () => {
    const asked: unknown[] = [];
    const value = {};
    const { validate } = resolveSchema(
      schemaOf((given) => ({ value: asked.push(given) }), { input: () => ({ type: 'object' }) }),
      'json$',
      'schema',
      true,
    );
    expect(validate(value)).toMatchObject({ value: 1 });
    expect(asked[0]).toBe(value);
  });

  it.each<[string, unknown]>([
    ['zod', z.object({ a: z.string().refine(async (text) => text === 'x', 'not this') })],
    [
      'valibot',
      v.objectAsync({
        a: v.pipeAsync(
          v.string(),
          v.checkAsync(async (text) => text === 'x', 'not this'),
        ),
      }),
    ],
  ])('of %s may take its time', async (_name, schema) => {
    const verdict = verdictOn({ a: 'x' }, schema);
    expect(verdict).toBeInstanceOf(Promise);
    expect(await verdict).toMatchObject({ value: { a: 'x' } });
    expect(await verdictOn({ a: 'y' }, schema)).toEqual({ issues: [{ message: 'not this', path: ['a'] }] });
  });

  it('may be a promise of another make', async () => {
    // Unlike that of a real promise, it returns nothing to go on with.
    const then = (settle: (result: unknown) => void): void => {
      settle({ issues: [{ message: 'no' }] });
    };
    expect(
      await verdictOn(
        1,
        schemaOf(() => ({ then })),
      ),
    ).toEqual({ issues: [{ message: 'no' }] });
  });

  it('that throws, or rejects, does so with the very error', async () => {
    const error = new Error('lost');
    const throwing = schemaOf(() => {
      throw error;
    });
    const seen: unknown[] = [];
    for (const schema of [throwing, schemaOf(() => Promise.reject(error))]) {
      try {
        await verdictOn(1, schema);
      } catch (caught) {
        seen.push(caught);
      }
    }
    expect(seen.map((each) => each === error)).toEqual([true, true]);
  });

  it('has its issues masked and cut, with any kind of path, and not more than a hundred', () => {
    const issues = [
      {
        message: 'key sk-1234567890abc\n\u001b[31mred',
        path: [{ key: 'a\nb' }, 0, { key: 1 }, Symbol('s'), 'sk-1234567890abc'],
      },
      { message: 'x'.repeat(900), path: ['k'.repeat(300)] },
      { message: 'whole' },
      { message: 'root', path: [] },
    ];
    const verdict = verdictOn(
      1,
      schemaOf(() => ({ issues })),
    ) as { readonly issues: readonly object[] };
    expect(verdict.issues).toStrictEqual([
      { message: 'key *** red', path: ['a b', 0, 1, 'Symbol(s)', '***'] },
      { message: `${'x'.repeat(499)}…`, path: [`${'k'.repeat(99)}…`] },
      { message: 'whole' },
      { message: 'root', path: [] },
    ]);
    const many = schemaOf(() => ({ issues: Array.from({ length: 101 }, (_, at) => ({ message: `${at}` })) }));
    const { issues: told } = verdictOn(1, many) as { readonly issues: readonly { readonly message: string }[] };
    expect([told.length, told[0]?.message]).toEqual([100, '0']);
  });
});

describe('the validator of a JSON Schema', () => {
  const deep = { additionalProperties: { items: { properties: { n: NUMBER } } } };

  it('gives the value itself', () => {
    const value = { a: [{ n: 1, more: 'x' }] };
    expect((verdictOn(value, deep) as { readonly value: unknown }).value).toBe(value);
  });

  it.each([
    ...[
      'a/b',
      'a~b',
      'a~1b',
      'a%b',
      'a%2Fb',
      '%23',
      '%',
      'a#b',
      'a b',
      'ä',
      '😀',
      '',
      '0',
      '"',
      '\\',
      '?',
      '__proto__',
    ],
    ...['constructor', 'length', '[]'],
  ])('says where, numbers in lists and texts in objects: %j', (key) => {
    const value: unknown = JSON.parse(`{"ok":[{"n":1}],${JSON.stringify(key)}:[{"n":1},{"n":"x"}]}`);
    expect(verdictOn(value, deep)).toEqual({
      issues: [{ message: 'Instance type "string" is invalid. Expected "number".', path: [key, 1, 'n'] }],
    });
  });

  it('says what is innermost alone', () => {
    const number = 'Instance type "string" is invalid. Expected "number".';
    const nothing = 'Instance type "string" is invalid. Expected "null".';
    const schema = {
      type: 'object',
      properties: { a: { $ref: '#/$defs/a' }, b: { anyOf: [NUMBER, { type: 'null' }] } },
      required: ['a', 'c'],
      $defs: { a: { type: 'array', items: NUMBER } },
    };
    expect(verdictOn({ a: [1, 'x'], b: 'x' }, schema)).toEqual({
      issues: [
        { message: 'Instance does not have required property "c".', path: [] },
        { message: number, path: ['a', 1] },
        { message: number, path: ['b'] },
        { message: nothing, path: ['b'] },
      ],
    });
    expect(verdictOn('x', schema)).toMatchObject({ issues: [{ path: [] }] });
  });

  it('has its issues masked and cut, and not more than a hundred', () => {
    const keys = { 'a\u001b[31mb\nc': 'x', ['k'.repeat(300)]: 'x', 'sk-1234567890abc': 'x' };
    expect(verdictOn(keys, { additionalProperties: { const: `sk-1234567890abc ${'y'.repeat(900)}` } })).toEqual({
      issues: ['ab c', `${'k'.repeat(99)}…`, '***'].map((key) => ({
        message: `Instance does not match "*** ${'y'.repeat(470)}…`,
        path: [key],
      })),
    });
    const many = verdictOn(
      Array.from({ length: 101 }, () => 'x'),
      { items: NUMBER },
    );
    expect((many as { readonly issues: readonly unknown[] }).issues).toHaveLength(100);
  });

  it.each<[string, object, unknown, boolean]>([
    ['the current one, where it names none', { $ref: '#/$defs/n', maximum: 3, $defs: { n: NUMBER } }, 5, false],
    [
      '2019-09',
      {
        $schema: 'https://json-schema.org/draft/2019-09/schema',
        $recursiveAnchor: true,
        properties: { a: { $recursiveRef: '#' }, n: NUMBER },
      },
      { a: { n: 'x' } },
      false,
    ],
    [
      '7',
      {
        $schema: 'http://json-schema.org/draft-07/schema#',
        $ref: '#/definitions/n',
        maximum: 3,
        definitions: { n: NUMBER },
      },
      5,
      true,
    ],
    ['4', { $schema: 'http://json-schema.org/draft-04/schema#', minimum: 3, exclusiveMinimum: true }, 3, false],
  ])('keeps to the draft: %s', (_name, schema, value, valid) => {
    expect('value' in verdictOn(value, schema)).toBe(valid);
  });

  it.each([{ 'a\ud800': 1 }, [{ b: { '\udc00': 'x' } }]])('refuses a key that is half a character: %#', (value) => {
    expect(verdictOn(value, {})).toEqual({ issues: [{ message: 'A key holds half a character.' }] });
    expect(verdictOn(['\ud800', { '😀': 1 }], {})).toMatchObject({ value: ['\ud800', { '😀': 1 }] });
  });

  it.each<[string, object, RegExp]>([
    ['has no address', { $id: 'http://[' }, /: ./],
    [
      'has one address twice',
      {
        anyOf: [
          { $id: 'x', type: 'null' },
          { $id: 'x', ...NUMBER },
        ],
      },
      /Duplicate schema URI/,
    ],
    ['leads nowhere', { $ref: '#/$defs/none' }, /Unresolved \$ref "#\/\$defs\/none"/],
    ['leads to itself', { $ref: '#' }, /Maximum call stack/],
    ['has a pattern that is none', { pattern: '(' }, /Invalid regular expression/],
  ])('refuses a schema that %s, as configuration', (_name, schema, why) => {
    const error = thrownBy(() => verdictOn('x', schema));
    expect(error).toMatchObject({ kind: 'configuration', param: 'schema' });
    expect(error.message).toMatch(/^parseJson: schema is no valid JSON Schema: /);
    expect(error.message).toMatch(why);
  });
});

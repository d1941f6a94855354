import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { z } from 'zod';
import { resolveSchema, resolveValidator, type JsonSchema } from '../../src/json/schema.ts';
import type { Verdict } from '../../src/json/verdict.ts';
import { thrownBy } from '../support/client.ts';

const TEXT = { type: 'string' };
const NUMBER = { type: 'number' };
const closed = (properties: object): object => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

const sentFor = (schema: unknown): JsonSchema => resolveSchema(schema, 'json$', 'schema', true).json;
const refusalOf = (schema: unknown): ReturnType<typeof thrownBy> => thrownBy(() => sentFor(schema));
const verdictOn = (value: unknown, schema: unknown): Verdict | Promise<Verdict> =>
  resolveValidator(schema, 'parseJson', 'schema')(value);

/** A Standard Schema of nobody's library. */
const schemaOf = (validate: (value: unknown) => unknown, jsonSchema?: unknown): unknown => ({
  '~standard': { version: 1, vendor: 'own', validate, jsonSchema },
});

interface Tree {
  readonly name: string;
  readonly children: readonly Tree[];
}
const Tree = z.object({
  name: z.string(),
  get children(): z.ZodArray<z.ZodType<Tree>> {
    return z.array(Tree);
  },
});
const Lazy: z.ZodType = z.object({ next: z.lazy(() => Lazy.nullable()) });
const Kinds = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('a'), text: z.string() }),
  z.object({ kind: z.literal('b') }),
]);
const TREE = closed({ name: TEXT, children: { type: 'array', items: { $ref: '#' } } });

describe('a schema of either kind is sent as strict mode takes it', () => {
  it.each<[string, unknown, object]>([
    ['zod', z.object({ a: z.string(), b: z.array(z.number()) }), { a: TEXT, b: { type: 'array', items: NUMBER } }],
    [
      'zod with a default, which becomes required',
      z.object({ a: z.string().default('x'), b: z.string() }),
      { a: TEXT, b: TEXT },
    ],
    ['zod with a default before it is read', z.object({ a: z.string().prefault('x') }), { a: TEXT }],
    ['zod with what is caught', z.object({ a: z.string().catch('x') }), { a: TEXT }],
    ['zod with null', z.object({ a: z.string().nullable() }), { a: { type: ['string', 'null'] } }],
    ['zod with literals', z.object({ a: z.enum(['x', 'y']) }), { a: { type: 'string', enum: ['x', 'y'] } }],
    ['zod before its transformations', z.object({ a: z.string().transform((text) => text.length) }), { a: TEXT }],
    ['zod that coerces', z.object({ a: z.coerce.number() }), { a: NUMBER }],
    ['zod that is strict itself', z.strictObject({ a: z.string() }), { a: TEXT }],
    [
      'zod with a union told apart by a property',
      z.object({ a: Kinds }),
      {
        a: {
          anyOf: [
            closed({ kind: { type: 'string', const: 'a' }, text: TEXT }),
            closed({ kind: { type: 'string', const: 'b' } }),
          ],
        },
      },
    ],
    ['zod with a url, which strict mode has no format for', z.object({ a: z.url() }), { a: TEXT }],
    [
      'zod with names that are keywords elsewhere',
      z.object({ default: z.string(), required: z.string(), $schema: z.string(), 'a/b': z.string() }),
      { default: TEXT, required: TEXT, $schema: TEXT, 'a/b': TEXT },
    ],
    [
      'valibot, wrapped',
      toStandardJsonSchema(v.object({ a: v.string(), b: v.optional(v.string(), 'x') })),
      { a: TEXT, b: TEXT },
    ],
    ['a JSON Schema', { type: 'object', properties: { a: TEXT }, required: ['a'], description: 'D' }, { a: TEXT }],
  ])('%s', (_name, schema, properties) => {
    expect(sentFor(schema)).toMatchObject(closed(properties));
    expect(Object.keys(sentFor(schema))).not.toContain('$schema');
  });

  it('where it refers to itself', () => {
    expect(sentFor(Tree)).toStrictEqual(TREE);
    expect(sentFor(z.object({ tree: Tree }))).toMatchObject({
      properties: { tree: { $ref: expect.any(String) as unknown } },
    });
    expect(sentFor(Lazy)).toStrictEqual(closed({ next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } }));
    const list: v.GenericSchema = v.object({ next: v.nullable(v.lazy(() => list)) });
    expect(sentFor(toStandardJsonSchema(list))).toMatchObject({
      ...closed({ next: { anyOf: [{ $ref: '#/$defs/0' }, { type: 'null' }] } }),
      $defs: { 0: closed({ next: { anyOf: [{ $ref: '#/$defs/0' }, { type: 'null' }] } }) },
    });
  });

  it.each<[string, unknown, string]>([
    [
      'an optional property of zod',
      z.object({ a: z.object({ b: z.string().optional() }) }),
      '#/properties/a/properties/b',
    ],
    ['a nullish property of zod', z.object({ 'a/b': z.string().nullish() }), '#/properties/a~1b'],
    [
      'an optional property of valibot',
      toStandardJsonSchema(v.object({ a: v.optional(v.string()) })),
      '#/properties/a',
    ],
    ['a record', z.object({ a: z.record(z.string(), z.number()) }), '#/properties/a'],
    ['a tuple', z.object({ a: z.tuple([z.string(), z.number()]) }), '#/properties/a'],
    ['a tuple of valibot', toStandardJsonSchema(v.object({ a: v.tuple([v.string()]) })), '#/properties/a'],
    ['any', z.object({ a: z.array(z.any()) }), '#/properties/a/items'],
    ['unknown', z.object({ a: z.unknown() }), '#/properties/a'],
    ['never', z.object({ a: z.never() }), '#/properties/a'],
    ['an object with more properties', z.object({ a: z.looseObject({}) }), '#/properties/a'],
    ['a union for the whole', Kinds, '#'],
    ['a list for the whole', z.array(z.string()), '#'],
    ['a text for the whole', toStandardJsonSchema(v.string()), '#'],
  ])('or refused with its place: %s', (_name, schema, place) => {
    const error = refusalOf(schema);
    expect(error).toMatchObject({ kind: 'configuration', param: place });
    expect(error.message).toContain(`json$: the schema at ${place} `);
  });

  it('asks for the JSON Schema of what the model writes, in the draft that is current', () => {
    const asked: unknown[] = [];
    const input = (options: unknown): unknown => {
      asked.push(options);
      return { type: 'object' };
    };
    const output = (): never => {
      throw new Error('not this one');
    };
    expect(sentFor(schemaOf(() => ({ value: 1 }), { input, output }))).toStrictEqual(closed({}));
    expect(asked).toStrictEqual([{ target: 'draft-2020-12' }]);
  });

  it('or as it is, where it need not be strict', () => {
    const schema = { $schema: 'x', anyOf: [TEXT, { type: 'array' }] };
    expect(resolveSchema(schema, 'tool f', 'parameters', false).json).toStrictEqual(schema);
    const { json } = resolveSchema(z.record(z.string(), z.any().optional()), 'tool f', 'parameters', false);
    expect(json).toMatchObject({ type: 'object', additionalProperties: {} });
  });

  it('as it was: no change of it reaches what is sent or what validates, and it is never written to', () => {
    const schema = Object.freeze({ type: 'object', properties: { a: { ...NUMBER } }, required: Object.freeze(['a']) });
    const text = JSON.stringify(schema);
    for (const strict of [true, false]) {
      schema.properties.a.type = 'number';
      const { json, validate } = resolveSchema(schema, 'json$', 'schema', strict);
      expect(validate({ a: 1 })).toEqual({ value: { a: 1 } });
      expect([JSON.stringify(schema), Object.getOwnPropertyNames(schema.properties.a)]).toEqual([text, ['type']]);
      schema.properties.a.type = 'string';
      expect(json).toMatchObject({ properties: { a: NUMBER } });
      expect(validate({ a: 1 })).toEqual({ value: { a: 1 } });
    }
  });
});

describe('a schema that is none, or cannot be sent, is refused before anything is', () => {
  it.each([null, undefined, 'string', 5, true, [], () => TEXT, Symbol('s'), z, { parse: () => 1, _def: {} }])(
    'as no schema: %#',
    (schema) => {
      const message = 'must be a Standard Schema (zod, valibot, arktype …) or a JSON Schema';
      for (const [work, of, option] of [
        [(): unknown => resolveSchema(schema, 'tool f', 'parameters', false), 'tool f', 'parameters'],
        [(): unknown => resolveValidator(schema, 'parseJson', 'schema'), 'parseJson', 'schema'],
      ] as const) {
        expect(thrownBy(work)).toMatchObject({
          kind: 'configuration',
          param: option,
          message: `${of}: ${option} ${message}`,
        });
      }
    },
  );

  const cyclic: Record<string, unknown> = {};
  cyclic['properties'] = { cyclic };
  it.each<[string, object]>([
    ['goes in a circle', cyclic],
    ['holds a bigint', { minimum: 1n }],
    ['refuses to be JSON', { type: 'object', toJSON: () => thrownBy(() => undefined) }],
    ['comes to nothing', { type: 'object', toJSON: () => undefined }],
  ])('as no JSON: what %s', (_name, schema) => {
    const message = 'schema cannot be written as JSON: a cycle, a BigInt, or a toJSON that throws';
    for (const given of [schema, schemaOf(() => ({ value: 1 }), { input: () => schema })]) {
      expect(refusalOf(given)).toMatchObject({ kind: 'configuration', param: 'schema', message: `json$: ${message}` });
    }
    expect(thrownBy(() => verdictOn(1, schema)).message).toBe(`parseJson: ${message}`);
  });

  it.each<[string, unknown, RegExp]>([
    ['a date of zod', z.object({ a: z.date() }), /: Date cannot be represented in JSON Schema$/],
    ['a bigint of zod', z.object({ a: z.bigint() }), /: BigInt cannot be represented in JSON Schema$/],
    ['a map of zod', z.object({ a: z.map(z.string(), z.string()) }), /: Map cannot be represented in JSON Schema$/],
    ['a date of valibot', toStandardJsonSchema(v.object({ a: v.date() })), /: The "date" schema cannot be converted/],
  ])('as what has no JSON Schema: %s', (_name, schema, why) => {
    const error = refusalOf(schema);
    expect(error).toMatchObject({ kind: 'configuration', param: 'schema' });
    expect(error.message).toMatch(/^json\$: schema cannot be written as JSON Schema: /);
    expect(error.message).toMatch(why);
  });

  it('with what its library says masked and cut, or without', () => {
    const throwing = (error: unknown): unknown =>
      schemaOf(Boolean, {
        input: () => {
          throw error;
        },
      });
    const why = (error: unknown): string => refusalOf(throwing(error)).message.replace(/^.*JSON Schema: /, '');
    expect(why('no error')).toBe('its library refuses');
    expect(why(new Error('key sk-1234567890abc\n\u001b[31mred'))).toBe('key *** red');
    expect(why(new Error('x'.repeat(900)))).toHaveLength(200);
  });

  it.each<[string, unknown, string]>([
    ['valibot, unwrapped', v.object({ a: v.string() }), 'wrap it in toStandardJsonSchema() of @valibot/to-json-schema'],
    [
      'any other library',
      schemaOf(Boolean),
      'use a schema that implements ~standard.jsonSchema (zod 4.2 and later, arktype 2.1.28 and later), or a JSON Schema',
    ],
    ['a library with half of it', schemaOf(Boolean, { output: () => TEXT }), 'use a schema that implements'],
  ])('as what knows no JSON Schema, with a remedy: %s', (_name, schema, remedy) => {
    const error = refusalOf(schema);
    expect(error).toMatchObject({ kind: 'configuration', param: 'schema' });
    expect(error.message).toContain(`json$: schema knows no JSON Schema of its own: ${remedy}`);
    // What only validates needs none.
    expect(verdictOn({ a: 'x' }, v.object({ a: v.string() }))).toMatchObject({ value: { a: 'x' } });
  });
});

/** What a program makes of schemas of arktype, which is a module that CommonJS cannot load. */
function ofArktype(body: string): unknown {
  const [arktype, schema] = [require.resolve('arktype'), join(__dirname, '../../src/json/schema.ts')].map(
    (path) => pathToFileURL(path).href,
  );
  const program = `
    const { type } = await import('${arktype}');
    const { resolveSchema, resolveValidator } = await import('${schema}');
    const sent = (schema) => resolveSchema(schema, 'json$', 'schema', true).json;
    const param = (schema) => { try { return sent(schema); } catch (error) { return error.param; } };
    const verdict = (schema, value) => resolveValidator(schema, 'parseJson', 'schema')(value);
    console.log(JSON.stringify(${body}));
  `;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' }));
}

describe('a schema of arktype', () => {
  it('is sent before its morphs, validates, and is refused where strict mode must', () => {
    const given = `{ a: 'string', b: 'string.numeric.parse', c: "'x'|'y'", d: 'number[]' }`;
    expect(
      ofArktype(`{
        sent: sent(type(${given})),
        value: verdict(type(${given}), { a: 'x', b: '5', c: 'y', d: [1] }),
        wrong: verdict(type(${given}), { a: 'x', b: '5', c: 'z', d: [1, 'x'] }),
        many: verdict(type('number[]'), Array(150).fill('x')).issues.length,
        refused: [type({ 'a?': 'string' }), type({ a: { '[string]': 'number' } }), type('string'), type({ a: 'unknown' })].map(param),
      }`),
    ).toEqual({
      sent: closed({ a: TEXT, b: TEXT, c: { type: 'string', enum: ['x', 'y'] }, d: { type: 'array', items: NUMBER } }),
      value: { value: { a: 'x', b: 5, c: 'y', d: [1] } },
      wrong: {
        issues: [
          { message: expect.stringContaining('must be "x" or "y"') as unknown, path: ['c'] },
          { message: expect.stringContaining('must be a number') as unknown, path: ['d', 1] },
        ],
      },
      many: 100,
      refused: ['#/properties/a', '#/properties/a', '#', '#/properties/a'],
    });
  });
});

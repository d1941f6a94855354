import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { z } from 'zod';
import type { StandardSchema } from '../../src/json/schema.ts';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { tool, type Tool, type ToolOptions } from '../../src/tools/tool.ts';
import { errorOf, thrownBy } from '../support/client.ts';
import { calling, lines, model, saying, told } from './conversation.ts';

const CITY = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
} as const;
const execute = (args: unknown): unknown => args;
const refused = (options: unknown): ReturnType<typeof thrownBy> =>
  thrownBy(() => tool(options as ToolOptions<typeof CITY, unknown>));

/** What a call comes to: the arguments as the tool saw them, or what the model was told. */
function called(made: Tool, json: string): unknown {
  const chat = model(calling({ id: 'a', name: made.name, arguments: json }), saying('Fine'));
  lines(runTools$(chat, 'Go', {}, { tools: [made] }));
  return told(chat.asked[1]!)[0]?.[1];
}

describe('tool', () => {
  it('is sent with its name, its description and its schema, strict', () => {
    const made = tool({ name: 'look', description: 'Looks', parameters: CITY, execute });
    expect(made.name).toBe('look');
    expect(made.definition).toStrictEqual({
      type: 'function',
      function: { name: 'look', description: 'Looks', parameters: CITY, strict: true },
    });
  });

  it('is sent without a description where it has none', () => {
    for (const description of [undefined, '']) {
      const { definition } = tool({ name: 'look', description, parameters: CITY, execute });
      expect('description' in definition.function).toBe(description !== undefined);
    }
  });

  it.each(['a', 'get-weather_2', '__proto__', 'constructor', 'x'.repeat(64)])('may be called %s', (name) => {
    const made = tool({ name, parameters: CITY, execute });
    expect(made.definition.function.name).toBe(name);
    expect(called(made, '{"city":"Oslo"}')).toBe('{"city":"Oslo"}');
  });

  it.each(['', 'a b', 'a.b', 'ä', 'a\n', 'x'.repeat(65), 7, undefined, null])('may not be called %j', (name) => {
    expect(refused({ name, parameters: CITY, execute })).toMatchObject({ kind: 'configuration', param: 'name' });
  });

  it.each<[string, object]>([
    ['description', { description: 7 }],
    ['description', { description: null }],
    ['execute', { execute: undefined }],
    ['execute', { execute: 'rm' }],
    ['strict', { strict: 'yes' }],
    ['strict', { strict: null }],
    ['parameters', { parameters: undefined }],
    ['parameters', { parameters: [] }],
    ['parameters', { parameters: v.object({ city: v.string() }) }],
    ['descripton', { descripton: 'x' }],
  ])('is refused when it is made, by the name of the option: %s of %j', (param, options) => {
    expect(refused({ name: 'look', parameters: CITY, execute, ...options })).toMatchObject({
      kind: 'configuration',
      param,
    });
  });

  it.each([undefined, null, 'look', []])('is made of options: %j', (options) => {
    expect(refused(options).kind).toBe('configuration');
  });

  it('says what a misspelt option was meant to be', () => {
    expect(refused({ name: 'look', parameter: CITY, execute }).message).toMatch(/of tool; did you mean parameters\?/);
  });

  it('executes on its own options, and gives what they gave', () => {
    const result = {};
    const options = {
      name: 'look',
      parameters: CITY,
      execute(this: unknown) {
        return this === options ? result : undefined;
      },
    };
    const { signal } = new AbortController();
    expect(tool(options).execute({}, { signal, toolCallId: 'a' })).toBe(result);
  });
});

describe('strict', () => {
  const optional = {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'number' } },
    required: ['city'],
  };

  it.each<[string, object, string]>([
    ['an optional property', optional, '#/properties/days'],
    ['a record', { type: 'object', additionalProperties: { type: 'string' } }, '#'],
    [
      'deep down',
      {
        type: 'object',
        properties: { a: { type: 'array', items: { type: 'object', patternProperties: {} } } },
        required: ['a'],
      },
      '#/properties/a/items',
    ],
    ['a schema that is no object', { type: 'string' }, '#'],
  ])('refuses what it cannot express, naming the tool and the place: %s', (_name, parameters, place) => {
    const error = refused({ name: 'look', parameters, execute });
    expect(error).toMatchObject({ kind: 'configuration', param: place });
    expect(error.message).toContain('tool look: ');
    expect(error.message).toContain(`the schema at ${place} `);
  });

  it('closes objects, and requires what has a default', () => {
    const parameters = z.object({ city: z.string().default('Oslo'), more: z.object({ days: z.int() }) });
    const sent = tool({ name: 'look', parameters, execute }).definition.function;
    expect(sent).toMatchObject({
      strict: true,
      parameters: {
        required: ['city', 'more'],
        additionalProperties: false,
        properties: { more: { additionalProperties: false, required: ['days'] } },
      },
    });
  });

  it('false sends the schema as it is, and arguments are validated all the same', () => {
    const made = tool({ name: 'look', parameters: optional, strict: false, execute });
    expect(made.definition.function).toStrictEqual({ name: 'look', parameters: optional, strict: false });
    expect(called(made, '{"city":"Oslo","more":1}')).toBe('{"city":"Oslo","more":1}');
    expect(called(made, '{"days":"x"}')).toMatch(/^Error: The arguments .*\n- /);
  });

  it('is a copy: no later change of a schema reaches what is sent or what validates', () => {
    const parameters = { type: 'object', properties: { a: { type: 'string' } } };
    const made = tool({ name: 'look', parameters, strict: false, execute });
    parameters.properties.a.type = 'number';
    expect(made.definition.function.parameters).toEqual({ type: 'object', properties: { a: { type: 'string' } } });
    expect(called(made, '{"a":"x"}')).toBe('{"a":"x"}');
  });
});

/** The schema of zod in the shape of arktype's. */
function callable(): StandardSchema {
  return Object.assign(() => undefined, { '~standard': z.object({ city: z.string() })['~standard'] });
}

describe('the arguments of a tool', () => {
  const schemas: readonly (readonly [string, () => Tool])[] = [
    ['zod', () => tool({ name: 'look', parameters: z.object({ city: z.string() }), execute })],
    [
      'a schema that is a function, as those of arktype are',
      () => tool({ name: 'look', parameters: callable(), execute }),
    ],
    [
      'valibot',
      () => tool({ name: 'look', parameters: toStandardJsonSchema(v.object({ city: v.string() })), execute }),
    ],
    ['a JSON Schema', () => tool({ name: 'look', parameters: CITY, execute })],
  ];

  it.each(schemas)('are validated by %s, and sent as its JSON Schema', (_name, make) => {
    const made = make();
    expect(made.definition.function.parameters).toMatchObject({
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    });
    expect(called(made, '{"city":"Oslo"}')).toBe('{"city":"Oslo"}');
    expect(called(made, '{"city":7}')).toMatch(/see issues; it was not executed\n- city: .+$/);
    expect(called(made, '{}')).toMatch(/see issues; it was not executed\n- /);
  });

  it('are what the validator makes of them: defaults, transformations, unknown keys left out', () => {
    const parameters = z.object({ city: z.string().transform((it) => it.toUpperCase()), days: z.number().default(3) });
    const made = tool({ name: 'look', parameters, execute: ({ city, days }) => `${city} ${days}` });
    expect(called(made as Tool, '{"city":"Oslo","more":1}')).toBe('OSLO 3');
  });

  it('are as free as a JSON Schema says', () => {
    const made = tool({
      name: 'look',
      parameters: { type: 'object', properties: { a: { enum: [1, 2] } } },
      strict: false,
      execute,
    });
    expect(called(made, '{"a":2,"b":[{}]}')).toBe('{"a":2,"b":[{}]}');
    expect(called(made, '{"a":3}')).toMatch(/- a: /);
  });

  it('may be validated by a Promise', async () => {
    const parameters = z.object({ city: z.string().refine(async (it) => it !== 'Rome', 'is closed') });
    const made = tool({ name: 'look', parameters, execute });
    expect(await made.validate({ city: 'Oslo' })).toEqual({ value: { city: 'Oslo' } });
    expect(await made.validate({ city: 'Rome' })).toEqual({ issues: [{ message: 'is closed', path: ['city'] }] });
  });

  it('are told to the model with the places of what is wrong, as errors are', async () => {
    const parameters = z.object({ days: z.array(z.object({ hour: z.int() })) });
    const made = tool({ name: 'look', parameters, execute }) as Tool;
    expect(called(made, '{"days":[{"hour":1},{"hour":"x"}]}')).toMatch(/\n- days\.1\.hour: .+$/);
    const chat = model(calling({ id: 'a', name: 'look', arguments: '{"days":[{"hour":1.5}]}' }));
    const error = await errorOf(runTools$(chat, 'Go', {}, { tools: [made], onToolError: 'fail' }));
    expect(error.issues).toEqual([{ path: ['days', 0, 'hour'], message: expect.any(String) as unknown }]);
  });
});

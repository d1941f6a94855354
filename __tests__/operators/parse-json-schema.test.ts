import { runInNewContext } from 'node:vm';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { lastValueFrom, NEVER, of, toArray, type Observable } from 'rxjs';
import * as v from 'valibot';
import { z } from 'zod';
import type { CompletionError } from '../../src/errors.ts';
import { parseJson } from '../../src/operators/parse-json.ts';
import { thrownBy } from '../support/client.ts';
import { seenBy } from '../support/events.ts';

const LOST = new Error('lost');

/** A schema with this validator. */
const schemaOf = (validate: (value: unknown) => unknown): StandardSchemaV1 =>
  ({ '~standard': { version: 1, vendor: 'test', validate } }) as StandardSchemaV1;

const MODEL = '{"city":"Berlin","people":["many"]}';
const refused = (schema: StandardSchemaV1, text = MODEL): CompletionError =>
  seenBy(of(text).pipe(parseJson(schema)))[0] as CompletionError;

/** What comes in the end, the error as a value too. */
const settled = (result$: Observable<unknown>): Promise<unknown> =>
  lastValueFrom(result$.pipe(toArray())).catch((error: unknown) => error);

describe('a schema of parseJson', () => {
  it.each<[string, StandardSchemaV1]>([
    ['zod', z.object({ city: z.string().toUpperCase(), people: z.array(z.string()).transform((all) => all.length) })],
    [
      'valibot',
      v.object({
        city: v.pipe(v.string(), v.toUpperCase()),
        people: v.pipe(
          v.array(v.string()),
          v.transform((all) => all.length),
        ),
      }),
    ],
  ])('of %s makes the value, at once', (_name, schema) => {
    expect(seenBy(of(MODEL).pipe(parseJson(schema)))).toEqual([{ city: 'BERLIN', people: 1 }, '|']);
  });

  it.each<[string, StandardSchemaV1, string]>([
    [
      'zod',
      z.object({ city: z.string(), people: z.array(z.number()) }),
      'Invalid input: expected number, received string',
    ],
    [
      'valibot',
      v.object({ city: v.string(), people: v.array(v.pipe(v.unknown(), v.number('a number, please'))) }),
      'a number, please',
    ],
  ])('of %s refuses with issues, their paths, the text and the value', (_name, schema, message) => {
    const error = refused(schema);
    expect(error).toMatchObject({
      kind: 'invalid-output',
      retryable: false,
      message: 'The output does not satisfy its schema; see issues',
      issues: [{ message, path: ['people', 0] }],
    });
    expect(error.partial).toMatchObject({ text: MODEL, value: { city: 'Berlin', people: ['many'] } });
    expect(seenBy(of(MODEL).pipe(parseJson(schema)))).toHaveLength(1);
  });

  it('is not asked about text that is no JSON', () => {
    let asked = 0;
    const schema = schemaOf(() => ({ value: (asked += 1) }));
    expect(refused(schema, '{"a":')).toMatchObject({ kind: 'invalid-output' });
    expect(asked).toBe(0);
    expect(seenBy(of('{}').pipe(parseJson(schema)))).toEqual([1, '|']);
  });

  it('may make undefined of a value', () => {
    expect(seenBy(of('{}').pipe(parseJson(schemaOf(() => ({ value: undefined })))))).toEqual([undefined, '|']);
  });

  it('tells all issues, and in its message nothing of them', () => {
    const issues = [
      { message: 'first\n\u001b[31mline', path: [{ key: 'a\nb' }, 0, 'c'] },
      { message: 'second', path: [] },
      { message: 'third' },
    ];
    const error = refused(schemaOf(() => ({ issues })));
    expect(error.message).toBe('The output does not satisfy its schema; see issues');
    expect(error.issues).toEqual([
      { message: 'first line', path: ['a b', 0, 'c'] },
      { message: 'second', path: [] },
      { message: 'third' },
    ]);
    expect(refused(schemaOf(() => ({ issues: issues.slice(1) }))).message).toBe(
      'The output does not satisfy its schema; see issues',
    );
    const long = refused(schemaOf(() => ({ issues: [{ message: 'x'.repeat(5000), path: ['k'.repeat(5000)] }] })));
    expect(long.message.length).toBeLessThanOrEqual(700);
    expect(String(long.issues?.[0]?.path?.[0])).toHaveLength(100);
  });

  it.each<[string, StandardSchemaV1]>([
    ['zod', z.object({ city: z.number() })],
    ['valibot', v.object({ city: v.number() })],
  ])('of %s puts no text of the model into the message', (_name, schema) => {
    const error = refused(schema);
    expect(error.message).toBe('The output does not satisfy its schema; see issues');
    expect(error.message).not.toContain('Berlin');
  });

  it.each<[string, StandardSchemaV1]>([
    ['zod', z.object({ city: z.string().refine((city) => Promise.resolve(city !== 'Berlin'), 'not this one') })],
    [
      'valibot',
      v.objectAsync({
        city: v.pipeAsync(
          v.string(),
          v.checkAsync((city) => Promise.resolve(city !== 'Berlin'), 'not this one'),
        ),
      }),
    ],
  ])('of %s may take its time', async (_name, schema) => {
    expect(await settled(of('{"city":"Bonn"}').pipe(parseJson(schema)))).toEqual([{ city: 'Bonn' }]);
    const error = await settled(of('{"city":"Berlin"}').pipe(parseJson(schema)));
    expect(error).toMatchObject({ kind: 'invalid-output', issues: [{ message: 'not this one', path: ['city'] }] });
    expect((error as CompletionError).partial).toMatchObject({ text: '{"city":"Berlin"}', value: { city: 'Berlin' } });
  });

  it.each<[string, () => unknown]>([
    ['of this realm', () => Promise.resolve({ value: 5 })],
    ['of another realm', () => runInNewContext('Promise.resolve({ value: 5 })') as unknown],
    [
      'of another make',
      () => ({
        then: (settle: (result: unknown) => void) => {
          settle({ value: 5 });
        },
      }),
    ],
  ])('may promise its result by a promise %s', async (_name, validate) => {
    expect(await settled(of('{}').pipe(parseJson(schemaOf(validate))))).toEqual([5]);
  });

  it('whose validator throws or rejects ends in that very error', async () => {
    const throwing = schemaOf(() => {
      throw LOST;
    });
    expect(seenBy(of('{}').pipe(parseJson(throwing)))[0]).toBe(LOST);
    const rejecting = schemaOf(() => Promise.reject(LOST));
    expect(await settled(of('{}').pipe(parseJson(rejecting)))).toBe(LOST);
  });

  it('is not waited for by one who left', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    const seen: unknown[] = [];
    for (const result of [Promise.resolve({ value: 5 }), Promise.reject(LOST), Promise.resolve({ issues: [] })]) {
      const subscription = of('{}')
        .pipe(parseJson(schemaOf(() => result)))
        .subscribe({ next: (value) => seen.push(value), error: (error: unknown) => seen.push(error) });
      subscription.unsubscribe();
    }
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', onUnhandled);
    expect([seen, unhandled]).toEqual([[], []]);
  });

  it.each([null, 5, 'zod', [], { '~standard': {} }, { '~standard': { validate: 1 } }, z])(
    'is refused when the operator is made, if it is none: %#',
    (schema) => {
      expect(thrownBy(() => NEVER.pipe(parseJson(schema as unknown as StandardSchemaV1)))).toMatchObject({
        kind: 'configuration',
        param: 'schema',
        message: 'parseJson: schema must be a Standard Schema (zod, valibot, arktype …) or a JSON Schema',
      });
    },
  );

  it('may be a JSON Schema, which validates too', async () => {
    const schema = { type: 'object', properties: { list: { type: 'array', items: { type: 'number' } } } };
    const city$ = of('{"list":[1,2]}').pipe(parseJson<{ readonly list: readonly number[] }>(schema));
    expect((await lastValueFrom(city$)).list).toEqual([1, 2]);
    const { error } = outcome('{"list":[1,"Berlin"]}', schema);
    expect(error).toMatchObject({ kind: 'invalid-output', issues: [{ path: ['list', 1] }] });
    expect(outcome('[true]', {}).error).toBeUndefined();
    expect(outcome('[true]', { prefixItems: [{ type: 'boolean' }] }).error).toBeUndefined();
    expect(outcome('3', { multipleOf: 2 }).error).toMatchObject({ kind: 'invalid-output' });
    expect(outcome('{}', { $ref: '#/$defs/gone' }).error).toMatchObject({ kind: 'configuration', param: 'schema' });
    expect(
      outcome('{"\\ud800":1}', { type: 'object', properties: {}, additionalProperties: false }).error,
    ).toMatchObject({
      kind: 'invalid-output',
    });
  });
});

describe('a JSON Schema', () => {
  it('says what is wrong beside a property that bears the name of a keyword', () => {
    const required = { type: 'object', additionalProperties: false };
    const schema = { type: 'object', properties: { required }, required: ['name'] };
    const { issues = [] } = outcome('{"required":{"x":1}}', schema).error as CompletionError;
    expect(issues).toContainEqual({ message: expect.stringContaining('"name"') as string, path: [] });
  });

  it('that a long list violates in each element is told of the first hundred, or of one where they are too many', () => {
    const list = (length: number): string => JSON.stringify(Array.from({ length }, () => 'x'));
    const schema = { type: 'array', items: { type: 'number' } };
    expect((outcome(list(1000), schema).error as CompletionError).issues).toHaveLength(100);
    const { kind, issues = [] } = outcome(`{"l":${list(200_000)}}`, { properties: { l: schema } })
      .error as CompletionError;
    expect([kind, issues.map(({ path }) => path)]).toEqual(['invalid-output', [['l', 0]]]);
  });

  it.each([new Date(), new Map(), { '~standard': { version: 1 } }, z])('is not any object: %#', (schema) => {
    expect(thrownBy(() => NEVER.pipe(parseJson(schema as object as Record<string, unknown>))).kind).toBe(
      'configuration',
    );
  });
});

function outcome(text: string, schema: Readonly<Record<string, unknown>>): { readonly error: unknown } {
  let error: unknown;
  of(text)
    .pipe(parseJson(schema))
    .subscribe({
      error: (given: unknown) => {
        error = given;
      },
    });
  return { error };
}

import { Validator } from '@cfworker/json-schema';
import fc from 'fast-check';
import { strictSchema } from '../../src/json/strict-schema.ts';
import { thrownBy } from '../support/client.ts';

type Fields = Readonly<Record<string, unknown>>;

const TEXT = { type: 'string' };
const closed = (properties: Fields): Fields => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

/** The property `a` of an object, as it is sent. */
const sentAs = (a: unknown, more: Fields = {}): unknown =>
  (strictSchema({ type: 'object', properties: { a }, required: ['a'], ...more }, 'json$')['properties'] as Fields)['a'];
const refusedAt = (a: unknown, more: Fields = {}): ReturnType<typeof thrownBy> => thrownBy(() => sentAs(a, more));

const says = (place: string, what: string, remedy: string): object => ({
  kind: 'configuration',
  param: place,
  message: `json$: the schema at ${place} ${what}, which strict mode cannot express: ${remedy}`,
});

describe('a strict schema', () => {
  it('closes every object, and requires every property in its order', () => {
    const inner = { type: 'object', properties: { d: TEXT, c: TEXT }, required: ['c', 'd'] };
    const schema = {
      type: 'object',
      properties: {
        b: { ...inner, additionalProperties: false },
        a: { type: 'array', items: { anyOf: [inner, { type: 'null' }] } },
        n: { ...inner, type: ['object', 'null'] },
        e: { type: 'object' },
      },
      required: ['e', 'n', 'a', 'b'],
      $defs: { x: inner },
      definitions: { y: { type: 'array', items: inner } },
    };
    const shut = closed({ d: TEXT, c: TEXT });
    expect(strictSchema(schema, 'json$')).toStrictEqual({
      ...closed({
        b: shut,
        a: { type: 'array', items: { anyOf: [shut, { type: 'null' }] } },
        n: { ...shut, type: ['object', 'null'] },
        e: closed({}),
      }),
      $defs: { x: shut },
      definitions: { y: { type: 'array', items: shut } },
    });
  });

  it('requires what has a default, and does not say it', () => {
    const properties = { a: { ...TEXT, default: 'x' }, b: { type: 'array', items: TEXT, default: [] }, c: TEXT };
    expect(strictSchema({ type: 'object', properties, required: ['c'] }, 'json$')).toStrictEqual(
      closed({ a: TEXT, b: { type: 'array', items: TEXT }, c: TEXT }),
    );
  });

  it('writes anyOf for oneOf', () => {
    const kinds = ['a', 'b'].map((kind) => closed({ kind: { type: 'string', const: kind } }));
    expect(sentAs({ description: 'One', oneOf: kinds, discriminator: { propertyName: 'kind' } })).toStrictEqual({
      description: 'One',
      anyOf: kinds,
      discriminator: { propertyName: 'kind' },
    });
  });

  it.each<[string, Fields, unknown]>([
    ['of a constant', { const: 'x' }, 'string'],
    ['of null', { const: null }, 'null'],
    ['of texts', { enum: ['x', 'y'] }, 'string'],
    ['of values of many kinds', { enum: [1, 'x', null, true, 2] }, ['number', 'string', 'null', 'boolean']],
  ])('says the type %s', (_name, schema, type) => {
    expect(sentAs(schema)).toStrictEqual({ ...schema, type });
  });

  it('leaves out what is said for others', () => {
    const said = { $comment: 'c', $id: 'i', $schema: 's', examples: ['x'], default: 'x', contentEncoding: 'base64' };
    expect(sentAs({ ...TEXT, ...said, contentMediaType: 'text/plain', contentSchema: {} })).toStrictEqual(TEXT);
  });

  it('keeps what describes and limits', () => {
    const text = { title: 'T', description: 'D', type: 'string', minLength: 1, maxLength: 9, pattern: '^\\d{4}$' };
    const number = { type: ['integer', 'null'], minimum: 0, exclusiveMaximum: 9, multipleOf: 2 };
    const list = { type: 'array', items: number, minItems: 1, maxItems: 3 };
    expect([sentAs(text), sentAs(list)]).toStrictEqual([text, list]);
  });

  it.each(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'])(
    'keeps the format %s, which the server knows',
    (format) => {
      expect(sentAs({ ...TEXT, format })).toStrictEqual({ ...TEXT, format });
    },
  );

  it.each<[string, Fields]>([
    ['a format the server does not know', { format: 'uri' }],
    ['a pattern that looks ahead', { pattern: '^a(?=b)' }],
    ['a pattern that looks ahead for what is not there', { pattern: '(?!a)' }],
    ['a pattern that looks behind', { pattern: '(?<=a)b' }],
    ['a pattern that looks behind for what is not there', { pattern: '(?<!a)b' }],
    ['a pattern that refers back', { pattern: '(a)\\1' }],
    ['a pattern that refers back by name', { pattern: '(?<n>a)\\k<n>' }],
  ])('leaves to the validator %s', (_name, keyword) => {
    expect(sentAs({ ...TEXT, ...keyword })).toStrictEqual(TEXT);
  });

  it.each([
    ...['__proto__', 'constructor', 'a/b', 'a~b', 'a b', '', 'default', 'required', '$schema', '$id', '$ref', 'type'],
    ...['format', 'pattern', 'not', 'allOf', 'oneOf', 'properties', 'items', 'enum', 'additionalProperties'],
  ])('keeps the property %j, which is no keyword there', (name) => {
    const named = JSON.parse(`{${JSON.stringify(name)}:{"type":"string"}}`) as Fields;
    const schema = { type: 'object', properties: named, required: [name] };
    expect(strictSchema({ ...schema, $defs: named }, 'json$')).toEqual({ ...closed(named), $defs: named });
    expect(sentAs({ type: 'array', items: schema })).toEqual({ type: 'array', items: closed(named) });
  });

  it('keeps constants that look like schemas', () => {
    const schema = { type: 'object', properties: {}, enum: [{ default: 1, oneOf: [] }, { $schema: 'x' }] };
    expect(sentAs(schema)).toStrictEqual({ ...closed({}), enum: schema.enum });
  });
});

describe('a reference in a strict schema', () => {
  const node = { type: 'object', properties: { next: { $ref: '#/$defs/node' } }, required: ['next'] };

  it.each([
    ['the schema itself', '#'],
    ['a definition', '#/$defs/node'],
    ['a definition in the older place', '#/definitions/node'],
    ['a property', '#/properties/b'],
    ['a definition with / and ~ in its name', '#/$defs/a~1b~0c'],
    ['a definition with a blank and % in its name', '#/$defs/a%20b%25'],
    ['a definition with a % of its own in its name', '#/$defs/5%'],
  ])('to %s is kept', (_name, $ref) => {
    const definitions = { node, 'a/b~c': TEXT, 'a b%': TEXT, '5%': TEXT };
    const properties = { a: { $ref }, b: TEXT };
    const schema = { type: 'object', properties, required: ['a', 'b'], $defs: definitions, definitions };
    const strict = { ...definitions, node: closed({ next: { $ref: '#/$defs/node' } }) };
    expect(strictSchema(schema, 'json$')).toStrictEqual({ ...closed(properties), $defs: strict, definitions: strict });
  });

  it('stands alone: what is said beside it is left out', () => {
    const said = { title: 'T', description: 'D', default: null, deprecated: true, readOnly: true, writeOnly: true };
    expect(sentAs({ ...said, $ref: '#' })).toStrictEqual({ $ref: '#' });
  });

  it('at the root is the definition', () => {
    const schema = { $schema: 's', $ref: '#/$defs/node', $defs: { node } };
    const strict = closed({ next: { $ref: '#/$defs/node' } });
    expect(strictSchema(schema, 'json$')).toStrictEqual({ ...strict, $defs: { node: strict } });
  });

  it.each([
    'https://example.com/a.json',
    'other.json#/$defs/a',
    '#/$defs/b',
    '#a',
    '#a/$defs/a',
    '#/$defs/toString',
    '#/$defs/u/oneOf/0',
    '#/components/a',
    5,
  ])('to another document, or to nothing, is refused: %j', ($ref) => {
    expect(
      refusedAt(
        { type: 'array', items: { $ref } },
        { $defs: { a: TEXT, u: { oneOf: [TEXT] } }, components: { a: TEXT } },
      ),
    ).toMatchObject(
      says('#/properties/a/items/$ref', 'refers to another document', 'put what it refers to into $defs'),
    );
  });

  it('with a constraint beside it is refused', () => {
    expect(refusedAt({ $ref: '#/$defs/t', minLength: 1 }, { $defs: { t: TEXT } })).toMatchObject(
      says('#/properties/a', 'uses minLength beside $ref', 'use anyOf'),
    );
  });
});

describe('strict mode refuses, with the place and a remedy,', () => {
  const NAMED = 'name the properties, or use a list of entries';
  it.each<[string, string]>([
    ['allOf', 'write one schema with the properties of all'],
    ['not', 'say what is allowed instead'],
    ...['if', 'then', 'else', 'dependentRequired', 'dependentSchemas', 'dependencies'].map(
      (keyword): [string, string] => [keyword, 'use anyOf'],
    ),
    ...['patternProperties', 'propertyNames', 'minProperties', 'maxProperties'].map((keyword): [string, string] => [
      keyword,
      NAMED,
    ]),
    ['unevaluatedProperties', 'name the properties'],
    ...['unevaluatedItems', 'additionalItems', 'contains', 'minContains', 'maxContains'].map(
      (keyword): [string, string] => [keyword, 'use items alone'],
    ),
    ['prefixItems', 'use an object with a property for each place, or a list of one kind'],
    ['uniqueItems', 'check it after validation'],
  ])('%s, wherever it stands', (keyword, remedy) => {
    for (const [schema, place] of [
      [{ ...TEXT, [keyword]: {} }, '#/properties/a'],
      [{ type: 'array', items: { ...TEXT, [keyword]: true } }, '#/properties/a/items'],
      [{ oneOf: [TEXT, { [keyword]: [] }] }, '#/properties/a/oneOf/1'],
    ] as const) {
      expect(refusedAt(schema)).toMatchObject(says(place, `uses ${keyword}`, remedy));
    }
    expect(refusedAt(TEXT, { [keyword]: {} })).toMatchObject(says('#', `uses ${keyword}`, remedy));
    expect(refusedAt(TEXT, { $defs: { d: { [keyword]: {} } } }).param).toBe('#/$defs/d');
  });

  it.each<[string, Fields]>([
    ['a text', TEXT],
    ['a list', { type: 'array', items: closed({}) }],
    ['null beside an object', { type: ['object', 'null'], properties: {} }],
    ['a union without a type', { anyOf: [closed({})] }],
    ['nothing', {}],
    ['itself', { $ref: '#' }],
    ['a definition that is no object', { $ref: '#/$defs/a', $defs: { a: TEXT } }],
    ['a definition that leads to itself', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } }],
  ])('a root that is %s', (_name, schema) => {
    expect(thrownBy(() => strictSchema(schema, 'json$'))).toMatchObject(
      says('#', 'is no object', 'wrap it in an object with one property'),
    );
  });

  it.each<[string, unknown, string, string, string]>([
    ['anything', {}, '#/properties/a', 'allows anything', 'give it a type'],
    ['true', true, '#/properties/a', 'allows anything', 'give it a type'],
    ['an empty enum', { enum: [] }, '#/properties/a', 'allows anything', 'give it a type'],
    ['properties without a type', { properties: {} }, '#/properties/a', 'allows anything', 'give it a type'],
    ['a list of anything', { type: 'array' }, '#/properties/a', 'is a list of anything', 'say what its items are'],
    [
      'null or a list of anything',
      { type: ['null', 'array'] },
      '#/properties/a',
      'is a list of anything',
      'say what its items are',
    ],
    ['items of anything', { type: 'array', items: {} }, '#/properties/a/items', 'allows anything', 'give it a type'],
    ['an older tuple', { type: 'array', items: [TEXT] }, '#/properties/a/items', 'allows anything', 'give it a type'],
    [
      'anyOf beside oneOf',
      { anyOf: [TEXT], oneOf: [TEXT] },
      '#/properties/a',
      'uses anyOf beside oneOf',
      'use anyOf alone',
    ],
    ...[true, {}, TEXT].map((additionalProperties): [string, unknown, string, string, string] => [
      `additionalProperties of ${JSON.stringify(additionalProperties)}`,
      { type: 'object', additionalProperties },
      '#/properties/a',
      'has properties of any name',
      NAMED,
    ]),
    ...['b', '__proto__', 'constructor'].map((name): [string, unknown, string, string, string] => [
      `the requirement of ${name}, which is not described`,
      { type: 'object', properties: {}, required: [name] },
      '#/properties/a',
      `requires "${name}" and does not describe it`,
      'add it to properties',
    ]),
  ])('%s', (_name, schema, place, what, remedy) => {
    expect(refusedAt(schema)).toMatchObject(says(place, what, remedy));
  });

  it.each(['anyOf', 'oneOf'])('an object that is a union by %s at the root', (keyword) => {
    expect(refusedAt(TEXT, { [keyword]: [closed({})] })).toMatchObject(
      says('#', 'is a union', 'wrap it in an object with one property'),
    );
  });

  it.each([
    ['b', 'b'],
    ['x/y~z', 'x~1y~0z'],
    ['default', 'default'],
    ['__proto__', '__proto__'],
  ])('the optional property %s', (name, segment) => {
    const properties = JSON.parse(`{"r":{"type":"string"},${JSON.stringify(name)}:{"type":"string"}}`) as Fields;
    const remedy = 'make it required, and nullable if it may be absent';
    const at = (key: string): object => says(`#/properties/a/items/properties/${key}`, 'is optional', remedy);
    const items = { type: 'object', properties };
    expect(refusedAt({ type: 'array', items: { ...items, required: ['r'] } })).toMatchObject(at(segment));
    for (const required of [undefined, [], 'r']) {
      expect(refusedAt({ type: 'array', items: { ...items, required } })).toMatchObject(at('r'));
    }
  });
});

/** A schema that strict mode can express, and a value that it accepts. */
type Pair = readonly [schema: Fields, value: unknown];

const NAMES = ['a', 'b', '__proto__', 'x/y', 'default', '$ref', 'required'];
const ofKind = (kind: string, [schema, value]: Pair): Pair => [
  { type: 'object', properties: { kind: { const: kind }, of: schema }, required: ['kind', 'of'] },
  { kind, of: value },
];

const { object: objects } = fc.letrec<{ pair: Pair; object: Pair }>((tie) => ({
  pair: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<Pair>(
      [{ type: 'string', minLength: 1, title: 'T' }, 'x'],
      [{ type: ['string', 'null'], maxLength: 3 }, null],
      [{ type: 'integer', minimum: 0, exclusiveMaximum: 5 }, 4],
      [{ enum: ['x', 1, null] }, 1],
      [{ const: 'x', $comment: 'c' }, 'x'],
      [{ type: 'boolean' }, true],
      [{ $ref: '#/$defs/word', description: 'D' }, 'y'],
      [{ $ref: '#/$defs/node' }, { next: { next: null } }],
    ),
    fc
      .tuple(tie('pair'), fc.nat(2))
      .map(([[items, value], more]): Pair => [
        { type: 'array', items, maxItems: 2 },
        Array.from({ length: more }, () => value),
      ]),
    fc
      .array(tie('pair'), { minLength: 1, maxLength: 3 })
      .map((of): Pair => [{ anyOf: of.map(([schema]) => schema) }, of.at(-1)![1]]),
    fc
      .tuple(tie('pair'), tie('pair'))
      .map(([a, b]): Pair => [{ oneOf: [ofKind('a', a)[0], ofKind('b', b)[0]] }, ofKind('b', b)[1]]),
    tie('object'),
  ),
  object: fc
    .tuple(
      fc.uniqueArray(fc.tuple(fc.constantFrom(...NAMES), tie('pair'), fc.boolean()), {
        selector: ([name]) => name,
        maxLength: 3,
      }),
      fc.constantFrom({}, { additionalProperties: false }),
    )
    .map(([members, more]): Pair => {
      const properties = members.map(([name, [schema, value], isRequired]): readonly [string, Fields] => [
        name,
        isRequired ? schema : { ...schema, default: value },
      ]);
      const required = members.flatMap(([name, , isRequired]) => (isRequired ? [name] : []));
      return [
        { type: 'object', properties: Object.fromEntries(properties), required, ...more },
        Object.fromEntries(members.map(([name, [, value]]) => [name, value])),
      ];
    }),
}));

const NODE = { next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } };
const schemas = objects.map(([schema, value]): Pair => [
  { ...schema, $defs: { word: { enum: ['x', 'y'] }, node: { type: 'object', properties: NODE, required: ['next'] } } },
  value,
]);

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value with a change in one place. */
function variantsOf(value: unknown): readonly unknown[] {
  const others = [null, 'x', '', 4, -1, 5.5, {}, [], true];
  if (Array.isArray(value)) return [...others, [...(value as unknown[]), 'x'], ...variantsOf(value[0])];
  if (!isFields(value)) return others;
  const entries = Object.entries(value);
  const changed = entries.flatMap(([key, member], at) =>
    variantsOf(member).map((other) => Object.fromEntries(entries.with(at, [key, other]))),
  );
  const without = entries.map((_, at) => Object.fromEntries(entries.toSpliced(at, 1)));
  return [...others, ...changed, ...without, { ...value, more: 'x' }];
}

const accepts = (schema: Fields): ((value: unknown) => boolean) => {
  const validator = new Validator(structuredClone(schema), '2020-12');
  return (value) => validator.validate(value).valid;
};

describe('any schema that strict mode can express', () => {
  it('accepts, when it is strict, what it accepted, and nothing that it refused', () => {
    fc.assert(
      fc.property(schemas, ([schema, value]) => {
        const [before, after] = [accepts(schema), accepts(strictSchema(schema, 'json$'))];
        expect([before(value), after(value)]).toEqual([true, true]);
        const loosened = variantsOf(value).filter((other) => after(other) && !before(other));
        expect(loosened).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('is never changed, and is the same when it is made strict twice', () => {
    fc.assert(
      fc.property(schemas, ([schema]) => {
        const text = JSON.stringify(schema);
        const strict = strictSchema(schema, 'json$');
        expect(JSON.stringify(schema)).toBe(text);
        expect(strictSchema(strict, 'json$')).toStrictEqual(strict);
      }),
    );
  });
});

import { configurationError, type CompletionError } from '../errors.ts';
import { setOwn } from '../events/merge.ts';
import { isFields, type Fields } from '../fields.ts';

/** Keywords that OpenAI's strict mode has no form for, and what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  allOf: 'write one schema with the properties of all',
  not: 'say what is allowed instead',
  if: 'use anyOf',
  then: 'use anyOf',
  else: 'use anyOf',
  dependentRequired: 'use anyOf',
  dependentSchemas: 'use anyOf',
  dependencies: 'use anyOf',
  patternProperties: 'name the properties, or use a list of entries',
  propertyNames: 'name the properties, or use a list of entries',
  minProperties: 'name the properties, or use a list of entries',
  maxProperties: 'name the properties, or use a list of entries',
  unevaluatedProperties: 'name the properties',
  unevaluatedItems: 'use items alone',
  prefixItems: 'use an object with a property for each place, or a list of one kind',
  additionalItems: 'use items alone',
  contains: 'use items alone',
  minContains: 'use items alone',
  maxContains: 'use items alone',
  uniqueItems: 'check it after validation',
};

/** Said for readers and other tools, and refused or ignored by the server. */
const DROPPED = new Set([
  ...['$schema', '$id', '$comment', 'default', 'examples', 'required', 'additionalProperties'],
  ...['contentEncoding', 'contentMediaType', 'contentSchema'],
]);

/** The server refuses others; what they ask for is left to the validator. */
const FORMATS: ReadonlySet<unknown> = new Set('date-time time date duration email hostname ipv4 ipv6 uuid'.split(' '));

/** The server's expressions know no looking ahead or behind, nor references back. */
const UNKNOWN_PATTERN = /\(\?(?:[=!]|<[=!])|\\(?:[1-9]|k<)/;

/** Allowed beside a reference nowhere: the server refuses all but it. */
const ANNOTATIONS = new Set(['title', 'description', 'deprecated', 'readOnly', 'writeOnly', ...DROPPED]);

/** Where the strict form has the same schema in the same place, strict too. */
const KEPT_PLACE = /^#(?:\/(?:properties|\$defs|definitions)\/[^/]+|\/items|\/anyOf\/\d+)*$/;

/**
 * A JSON Schema as OpenAI's strict mode takes it: objects are closed, all properties are required, one with a default too. Looser than
 * the schema given in three things, for the validator to make good: `oneOf` is `anyOf`, and formats and patterns that the server
 * refuses are left out. What cannot be expressed throws a `configuration` error that names the place.
 *
 * Source of the rules: OpenAI's guide to Structured Outputs, "Supported schemas".
 */
export function strictSchema(schema: Fields, of: string): Fields {
  const refuse = (path: readonly string[], what: string, remedy: string): CompletionError =>
    configurationError(
      `${of}: the schema at ${pointer(path)} ${what}, which strict mode cannot express: ${remedy}`,
      pointer(path),
    );

  const each = (value: unknown, path: readonly string[]): Fields => {
    if (!isFields(value)) throw refuse(path, 'allows anything', 'give it a type');
    checkKeywords(value, path);
    const strict: Fields = {};
    for (const [key, member] of Object.entries(value)) {
      if (DROPPED.has(key) || isLeftToValidator(key, member) || isBesideReference(key, value)) continue;
      const at = [...path, key];
      if (key === 'properties' || key === '$defs' || key === 'definitions') setOwn(strict, key, mapped(member, at));
      else if (key === 'items') setOwn(strict, key, each(member, at));
      else if (key === 'anyOf' || key === 'oneOf') setOwn(strict, 'anyOf', list(member, at));
      else if (key === '$ref') setOwn(strict, key, known(member, at));
      else setOwn(strict, key, member);
    }
    if (!('type' in strict) && !('anyOf' in strict) && !('$ref' in strict)) strict['type'] = literalTypes(value, path);
    if (typesOf(value).includes('object')) close(strict, value, path);
    return strict;
  };

  const checkKeywords = (value: Fields, path: readonly string[]): void => {
    const refused = Object.keys(value).find((key) => Object.hasOwn(REFUSED, key));
    if (refused !== undefined) throw refuse(path, `uses ${refused}`, REFUSED[refused] ?? '');
    if ('anyOf' in value && 'oneOf' in value) throw refuse(path, 'uses anyOf beside oneOf', 'use anyOf alone');
    if (path.length === 0 && ('anyOf' in value || 'oneOf' in value)) {
      throw refuse(path, 'is a union', 'wrap it in an object with one property');
    }
    const beside = Object.keys(value).find((key) => key !== '$ref' && !ANNOTATIONS.has(key));
    if ('$ref' in value && beside !== undefined) throw refuse(path, `uses ${beside} beside $ref`, 'use anyOf');
    if (typesOf(value).includes('array') && !('items' in value)) {
      throw refuse(path, 'is a list of anything', 'say what its items are');
    }
  };

  const mapped = (value: unknown, path: readonly string[]): Fields => {
    const strict: Fields = {};
    for (const [key, member] of Object.entries(isFields(value) ? value : {})) {
      setOwn(strict, key, each(member, [...path, key]));
    }
    return strict;
  };

  const list = (value: unknown, path: readonly string[]): readonly Fields[] =>
    (Array.isArray(value) ? value : []).map((member, index) => each(member, [...path, String(index)]));

  const known = (reference: unknown, path: readonly string[]): unknown => {
    const isKept = typeof reference === 'string' && KEPT_PLACE.test(reference);
    if (isKept && definitionOf(schema, reference) !== undefined) return reference;
    throw refuse(path, 'refers to another document', 'put what it refers to into $defs');
  };

  const close = (strict: Fields, value: Fields, path: readonly string[]): void => {
    const { additionalProperties = false, required } = value;
    if (additionalProperties !== false) {
      throw refuse(path, 'has properties of any name', 'name the properties, or use a list of entries');
    }
    const properties = isFields(value['properties']) ? value['properties'] : {};
    const missing = (Array.isArray(required) ? (required as readonly unknown[]) : []).find(
      (key) => !Object.hasOwn(properties, key as string),
    );
    if (missing !== undefined) {
      throw refuse(path, `requires ${JSON.stringify(missing)} and does not describe it`, 'add it to properties');
    }
    for (const [key, member] of Object.entries(properties)) {
      const isRequired = Array.isArray(required) && required.includes(key);
      if (isRequired || (isFields(member) && 'default' in member)) continue;
      throw refuse([...path, 'properties', key], 'is optional', 'make it required, and nullable if it may be absent');
    }
    Object.assign(strict, { properties: strict['properties'] ?? {} });
    Object.assign(strict, { required: Object.keys(properties), additionalProperties: false });
  };

  const literalTypes = (value: Fields, path: readonly string[]): unknown => {
    const values = 'const' in value ? [value['const']] : value['enum'];
    if (!Array.isArray(values) || values.length === 0) throw refuse(path, 'allows anything', 'give it a type');
    const types = [...new Set(values.map(typeOf))];
    return types.length === 1 ? types[0] : types;
  };

  const root = rootOf(schema);
  if (!typesOf(root).includes('object') || Array.isArray(root['type'])) {
    throw refuse([], 'is no object', 'wrap it in an object with one property');
  }
  return each(root, []);
}

/** A root that only refers to a definition is that definition. */
function rootOf(schema: Fields): Fields {
  const { $ref: reference, ...rest } = schema;
  const definition = typeof reference === 'string' && reference !== '#' ? definitionOf(schema, reference) : undefined;
  return isFields(definition) ? { ...rest, ...definition } : schema;
}

function isLeftToValidator(key: string, value: unknown): boolean {
  if (key === 'format') return !FORMATS.has(value);
  return key === 'pattern' && typeof value === 'string' && UNKNOWN_PATTERN.test(value);
}

function isBesideReference(key: string, schema: Fields): boolean {
  return key !== '$ref' && '$ref' in schema && ANNOTATIONS.has(key);
}

function typesOf({ type, properties }: Fields): readonly unknown[] {
  if (Array.isArray(type)) return type as readonly unknown[];
  return [type ?? (properties === undefined ? undefined : 'object')];
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/** What a reference leads to in the same schema: RFC 6901, 6. */
function definitionOf(root: Fields, reference: string): unknown {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return undefined;
  let at: unknown = root;
  for (const segment of reference.slice(2).split('/')) {
    const key = decoded(segment).replaceAll('~1', '/').replaceAll('~0', '~');
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? (at as Fields)[key] : undefined;
  }
  return at;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** A JSON Pointer as the fragment of an address: RFC 6901, 6. */
function pointer(path: readonly string[]): string {
  return ['#', ...path.map((key) => key.replaceAll('~', '~0').replaceAll('/', '~1'))].join('/');
}

import { Validator, type Schema, type SchemaDraft } from '@cfworker/json-schema';
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { configurationError, type OutputIssue } from '../errors.ts';
import { isFields, type Fields } from '../events/merge.ts';
import { redact } from '../redact.ts';
import { strictSchema } from './strict-schema.ts';

/**
 * A schema that can validate and knows its JSON Schema: zod 4, arktype, valibot (by `toStandardJsonSchema` of
 * `@valibot/to-json-schema`), any Standard Schema with its JSON Schema side.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': StandardSchemaV1.Props<Input, Output> & StandardJSONSchemaV1.Props<Input, Output>;
}

/** A JSON Schema as it is written: an object with `type`, `properties` and so on. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What the model writes to satisfy the schema. */
export type InferInput<S extends StandardSchema> = StandardSchemaV1.InferInput<S>;

/** What the schema's validator makes of that. */
export type InferOutput<S extends StandardSchema> = StandardSchemaV1.InferOutput<S>;

/** What a validator says: the value, or what is wrong with it. */
export type Verdict =
  { readonly value: unknown; readonly issues?: undefined } | { readonly issues: readonly OutputIssue[] };

export type Validate = (value: unknown) => Verdict | Promise<Verdict>;

/** A schema of either kind, as it is used. */
export interface ResolvedSchema {
  /** To be sent. */
  readonly json: JsonSchema;
  readonly validate: Validate;
}

/**
 * A schema of either kind → what is sent and what validates. Throws a `configuration` error if it is none, if it has no JSON Schema, or,
 * with `strict`, if strict mode cannot express it.
 */
export function resolveSchema(schema: unknown, of: string, option: string, strict: boolean): ResolvedSchema {
  const standard = standardOf(schema);
  const json =
    standard === undefined ? copied(fieldsOf(schema, of, option), of, option) : jsonSideOf(standard, of, option);
  return { json: strict ? strictSchema(json, of) : json, validate: resolveValidator(schema, of, option) };
}

/** The validator of a schema of either kind; a JSON Schema side is not needed. */
export function resolveValidator(schema: unknown, of: string, option: string): Validate {
  const standard = standardOf(schema);
  if (standard !== undefined) return standardValidator(standard);
  return jsonSchemaValidator(copied(fieldsOf(schema, of, option), of, option), of, option);
}

function fieldsOf(schema: unknown, of: string, option: string): Fields {
  if (isFields(schema) && looksLikeOne(schema)) return schema;
  throw configurationError(
    `${of}: ${option} must be a Standard Schema (zod, valibot, arktype …) or a JSON Schema`,
    option,
  );
}

/** Whatever object somebody passes by mistake (the module of zod itself) would be a JSON Schema that says nothing. */
function looksLikeOne(schema: Fields): boolean {
  const keys = Object.keys(schema);
  return keys.length === 0 || keys.some((key) => KEYWORDS.test(key) && typeof schema[key] !== 'function');
}

const KEYWORDS =
  /^(?:\$(?:schema|id|ref|defs)|type|properties|required|additionalProperties|items|enum|const|anyOf|oneOf|allOf|not|if|pattern|format|min.+|max.+)$/;

type Standard = StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props>;

/** By shape; arktype's schemas are functions. */
function standardOf(schema: unknown): Standard | undefined {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return undefined;
  const standard = (schema as { readonly '~standard'?: Partial<Standard> | null })['~standard'];
  return typeof standard?.validate === 'function' ? (standard as Standard) : undefined;
}

function jsonSideOf({ jsonSchema, vendor }: Standard, of: string, option: string): Fields {
  if (typeof jsonSchema?.input !== 'function') {
    const remedy =
      vendor === 'valibot'
        ? 'wrap it in toStandardJsonSchema() of @valibot/to-json-schema'
        : 'use a schema that implements ~standard.jsonSchema (zod 4.2 and later, arktype 2.1.28 and later), or a JSON Schema';
    throw configurationError(`${of}: ${option} knows no JSON Schema of its own: ${remedy}`, option);
  }
  let json: unknown;
  try {
    json = jsonSchema.input({ target: 'draft-2020-12' });
  } catch (error) {
    const why = error instanceof Error ? redact(error.message, [], 200) : 'its library refuses';
    throw configurationError(`${of}: ${option} cannot be written as JSON Schema: ${why}`, option);
  }
  return copied(json as Fields, of, option);
}

/** What JSON makes of it: no later change reaches it, and what is sent is what was checked. */
function copied(schema: Fields, of: string, option: string): Fields {
  try {
    return JSON.parse(JSON.stringify(schema)) as Fields;
  } catch {
    throw configurationError(
      `${of}: ${option} cannot be written as JSON: a cycle, a BigInt, or a toJSON that throws`,
      option,
    );
  }
}

function standardValidator(standard: Standard): Validate {
  const told = (result: StandardSchemaV1.Result<unknown>): Verdict =>
    result.issues === undefined ? result : { issues: result.issues.slice(0, MAX_ISSUES).map(toIssue) };
  return (value) => {
    const result = standard.validate(value);
    return 'then' in result ? Promise.resolve(result).then(told) : told(result);
  };
}

function toIssue({ message, path }: StandardSchemaV1.Issue): OutputIssue {
  const keys = path?.map((segment) => (typeof segment === 'object' ? segment.key : segment));
  return issueOf(message, keys);
}

/** Masked and cut, as everything in errors is: a validator may quote the model. */
function issueOf(message: string, path: readonly PropertyKey[] | undefined): OutputIssue {
  const shown = path?.map((key) => (typeof key === 'number' ? key : redact(String(key), [], 100)));
  return { message: redact(message), ...(shown === undefined ? undefined : { path: shown }) };
}

const DRAFTS: Readonly<Record<string, SchemaDraft>> = {
  'http://json-schema.org/draft-04/schema': '4',
  'http://json-schema.org/draft-07/schema': '7',
  'https://json-schema.org/draft/2019-09/schema': '2019-09',
};

/** A plain JSON Schema says nothing to TypeScript, so all the more to the values: servers differ in how much of it they enforce. */
function jsonSchemaValidator(schema: Fields, of: string, option: string): Validate {
  const declared = typeof schema['$schema'] === 'string' ? schema['$schema'].replace(/#$/, '') : '';
  // It writes into the schema it is given.
  const own = copied(schema, of, option) as Schema;
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      const why = error instanceof Error ? redact(error.message, [], 200) : 'it cannot be read';
      throw configurationError(`${of}: ${option} is no valid JSON Schema: ${why}`, option);
    }
  };
  const validator = guarded(() => new Validator(own, DRAFTS[declared] ?? '2020-12', false));
  return (value) => {
    if (hasLoneSurrogate(value)) return { issues: [{ message: 'A key holds half a character.' }] };
    const { valid, errors } = guarded(() => validator.validate(value));
    if (valid) return { value };
    const isInnermost = ({ keywordLocation }: { keywordLocation: string }): boolean =>
      !errors.some((other) => other.keywordLocation.startsWith(`${keywordLocation}/`));
    return {
      issues: errors
        .filter(isInnermost)
        .slice(0, MAX_ISSUES)
        .map(({ error, instanceLocation }) => issueOf(error, keysOf(instanceLocation, value))),
    };
  };
}

/** Its paths are addresses, which cannot hold half a surrogate pair. */
function hasLoneSurrogate(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, member]) => /\p{Surrogate}/u.test(key) || hasLoneSurrogate(member));
}

/** A long list may be wrong in each of its elements. */
const MAX_ISSUES = 100;

/** `#/a/0` → `['a', 0]`, numbers where lists are. */
function keysOf(location: string, root: unknown): readonly (string | number)[] {
  let at = root;
  return location
    .split('/')
    .slice(1)
    .map((segment) => {
      const key = decodeURI(segment.replaceAll('%23', '#')).replaceAll('~1', '/').replaceAll('~0', '~');
      const isList = Array.isArray(at);
      at = typeof at === 'object' && at !== null ? (at as Fields)[key] : undefined;
      return isList ? Number(key) : key;
    });
}

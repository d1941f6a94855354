import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { configurationError, type OutputIssue } from '../errors.ts';
import { isFields, type Fields } from '../fields.ts';
import { jsonCopy } from '../json-copy.ts';
import { redact } from '../redact.ts';
import { jsonSchemaValidator } from './json-schema-validator.ts';
import { strictSchema } from './strict-schema.ts';
import { issueOf, MAX_ISSUES, type Validate, type Verdict } from './verdict.ts';

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
    standard === undefined
      ? jsonCopy(fieldsOf(schema, of, option), `${of}: ${option}`, option)
      : jsonSideOf(standard, of, option);
  return { json: strict ? strictSchema(json, of) : json, validate: resolveValidator(schema, of, option) };
}

/** The validator of a schema of either kind; a JSON Schema side is not needed. */
export function resolveValidator(schema: unknown, of: string, option: string): Validate {
  const standard = standardOf(schema);
  if (standard !== undefined) return standardValidator(standard);
  return jsonSchemaValidator(jsonCopy(fieldsOf(schema, of, option), `${of}: ${option}`, option), of, option);
}

function fieldsOf(schema: unknown, of: string, option: string): Fields {
  if (isFields(schema) && looksLikeOne(schema)) return schema;
  throw configurationError(
    `${of}: ${option} must be a Standard Schema (zod, valibot, arktype …) or a JSON Schema`,
    option,
  );
}

/** No class of objects, no module and no schema of another kind: as a JSON Schema they would say nothing. */
function looksLikeOne(schema: Fields): boolean {
  const prototype: unknown = Object.getPrototypeOf(schema);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  const hasMethods = Object.entries(schema).some(([key, value]) => key !== 'toJSON' && typeof value === 'function');
  return isPlain && !('~standard' in schema) && !hasMethods;
}

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
  return jsonCopy(json as Fields, `${of}: ${option}`, option);
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

import type { StandardSchemaV1 } from '@standard-schema/spec';
import { defer, from, mergeMap, reduce, type OperatorFunction } from 'rxjs';
import { TextBuffer } from '../events/text-buffer.ts';
import { resolveValidator, type JsonSchema } from '../json/schema.ts';
import { readWhole, validated } from './json-output.ts';

/**
 * The whole of a text as the value of its JSON, once, when the source completes; with a schema, what its validator makes of it. The
 * schema is any Standard Schema (zod, valibot, arktype …), or a JSON Schema, whose type is then to be said: `parseJson<City>(schema)`.
 * A code fence around the JSON is tolerated.
 *
 * Errors with kind `invalid-output`: no JSON, text before or behind it, an end in the middle, or a value that the schema refuses,
 * with the validator's `issues` and the value in `partial.value`. Errors of the source are passed on. Unsubscribing unsubscribes from
 * the source.
 *
 * ```
 * source:  --'{"a":'--'1}'--|
 * result:  -----------------({a:1}|)
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { parseJson } from 'rxjs-openai/operators';
 * import { z } from 'zod';
 *
 * const City = z.object({ name: z.string(), people: z.number() });
 * new OpenAIChatCompletion()
 *   .generate$('Berlin as JSON with name and people', { response_format: { type: 'json_object' } })
 *   .pipe(parseJson(City))
 *   .subscribe(({ name, people }) => console.log(name, people));
 * ```
 */
export function parseJson<S extends StandardSchemaV1>(
  schema: S,
): OperatorFunction<string, StandardSchemaV1.InferOutput<S>>;
export function parseJson<T = unknown>(schema?: JsonSchema): OperatorFunction<string, T>;
export function parseJson(schema?: StandardSchemaV1 | JsonSchema): OperatorFunction<string, unknown> {
  const validate = schema === undefined ? undefined : resolveValidator(schema, 'parseJson', 'schema');
  return (source) =>
    defer(() => {
      const whole$ = source.pipe(reduce((text, piece) => text.add(piece), new TextBuffer()));
      return whole$.pipe(
        mergeMap((buffer) => {
          const text = buffer.toString();
          const value = readWhole(text);
          return validate === undefined ? [value] : from(validated(validate, value, text));
        }),
      );
    });
}

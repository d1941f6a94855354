/** What `json$` needs besides the client. Loaded with its first call: who reads no JSON does not pay for a parser and a validator. */
import { configurationError } from './errors.ts';
import type { CompletionEvent } from './events/event.ts';
import { resolveSchema } from './json/schema.ts';
import type { Validate } from './json/verdict.ts';
import type { Method } from './methods.ts';
import { growingJson, type JsonEvent } from './operators/growing-json.ts';
import {
  checkOptions,
  fields,
  STREAM_OPTION_NAMES,
  type ChatCompletionParams,
  type JsonOptions,
  type JsonParams,
} from './request.ts';
import { readDecoder, type ReadEnd } from './wire/body-decoder.ts';

const OPTION_NAMES = [...STREAM_OPTION_NAMES, 'choice', 'schema', 'name'];

/** A call of `json$`: what is sent, and what is made of the answer. Throws `configuration` errors. */
export interface JsonCall {
  readonly method: Method<CompletionEvent | ReadEnd, JsonEvent<unknown>>;
  readonly params: ChatCompletionParams;
}

export function prepareJson(params: JsonParams | undefined, options: JsonOptions<unknown>): JsonCall {
  checkOptions(options, OPTION_NAMES, 'json$');
  const { json, validate } = resolveSchema(options.schema, 'json$', 'schema', true);
  return { method: jsonMethod(validate), params: withSchema(params, json, options.name) };
}

function jsonMethod(validate: Validate): JsonCall['method'] {
  return {
    name: 'json$',
    optionNames: OPTION_NAMES,
    stream: true,
    decoderFor: readDecoder,
    project: (source, { choice, signal }) => source.pipe(growingJson(choice ?? 0, validate, signal)),
  };
}

function withSchema(params: JsonParams | undefined, json: unknown, name = 'output'): ChatCompletionParams {
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name)) {
    throw configurationError('name must consist of letters, digits, _ and -, at most 64', 'name');
  }
  const given = fields(params, 'params');
  if (given['response_format'] !== undefined) {
    throw configurationError(
      'params must not hold response_format: json$ makes it of the schema; what a server wants instead goes into extraBody',
      'response_format',
    );
  }
  const schema = json as Record<string, unknown>;
  return { ...given, response_format: { type: 'json_schema', json_schema: { name, strict: true, schema } } };
}

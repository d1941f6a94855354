/** The body of a request → what is asked of the client. Nothing that is not allowed by name gets past this file. */
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { isFields, type Fields } from '../fields.ts';
import type { ChatCompletionParams } from '../request.ts';
import { allowedParams, invalid, unknownField, type ParamRules } from './params.ts';
import { Refusal } from './refusal.ts';

/** One call, as far as the client of the relay may choose it. */
export interface RelayRequest {
  readonly model: string;
  readonly messages: readonly ChatCompletionMessageParam[];
  /** `model` included. */
  readonly params: ChatCompletionParams;
  readonly stream: boolean;
  /** Whether the last chunk of a stream, which tells the usage, was asked for. */
  readonly includeUsage: boolean;
}

/** Throws a 400 that names the field. */
export function relayRequestOf(body: unknown, models: readonly string[], rules: ParamRules): RelayRequest {
  if (!isFields(body)) throw new Refusal(400, 'The body must be a JSON object', { code: 'invalid_json' });
  refuseProto(body);
  const { model, stream, stream_options, ...rest } = body;
  const { messages, ...params } = allowedParams(rest, rules);
  const named = allowedModel(model, models);
  return {
    model: named,
    messages: validMessages(messages),
    params: { ...params, model: named },
    stream: streamOf(stream),
    includeUsage: usageAsked(stream_options),
  };
}

/** As a field it is harmless here, but not for everybody who merges objects: nobody means it. */
function refuseProto(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Object.hasOwn(value, '__proto__')) throw unknownField('__proto__');
  for (const part of Object.values(value)) refuseProto(part);
}

function allowedModel(model: unknown, models: readonly string[]): string {
  const named = model ?? models[0];
  if (typeof named === 'string' && models.includes(named)) return named;
  throw new Refusal(400, `The relay offers ${models.join(', ')}`, { code: 'model_not_found', param: 'model' });
}

function streamOf(stream: unknown): boolean {
  if (stream === undefined || stream === null || typeof stream === 'boolean') return stream ?? false;
  throw invalid('stream', 'stream must be a boolean');
}

function usageAsked(options: unknown): boolean {
  if (options === undefined || options === null) return false;
  if (!isFields(options)) throw invalid('stream_options', 'stream_options must be an object');
  const { include_usage, ...rest } = options;
  const [other] = Object.keys(rest);
  if (other !== undefined) throw unknownField(`stream_options.${other}`);
  if (include_usage === undefined || include_usage === null || typeof include_usage === 'boolean') {
    return include_usage ?? false;
  }
  throw invalid('stream_options.include_usage', 'stream_options.include_usage must be a boolean');
}

const ROLES: readonly unknown[] = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];

function validMessages(messages: unknown): readonly ChatCompletionMessageParam[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw invalid('messages', 'messages must be a list of at least one message');
  }
  for (const [place, message] of (messages as unknown[]).entries()) {
    const name = `messages[${String(place)}]`;
    if (!isFields(message)) throw invalid(name, `${name} must be an object`);
    if (!ROLES.includes(message['role'])) throw invalid(`${name}.role`, `${name}.role is not known`);
    if (!isContent(message)) throw invalid(`${name}.content`, `${name}.content must be a string or a list of parts`);
  }
  return messages as readonly ChatCompletionMessageParam[];
}

function isContent({ content }: Fields): boolean {
  if (Array.isArray(content)) return content.every(isFields);
  return content === undefined || content === null || typeof content === 'string';
}

/** Bodies that are one document: what a non-streaming request is answered with, and what some servers answer instead of a stream. */
import type { ChatCompletion } from 'openai/resources/chat/completions';
import { CompletionError } from '../errors.ts';
import { errorFromBody, excerpt, parseJson, type ResponseFacts } from '../error-response.ts';
import type { Chunk } from '../events/event.ts';
import { JsonBrackets } from '../events/json-brackets.ts';
import { isFields, type Fields } from '../fields.ts';
import { TextBuffer } from '../events/text-buffer.ts';
import { tooLarge } from './sse.ts';

/** Values to mask in error messages; asked for only when one is made. */
export type Secrets = () => readonly string[];

/** A body that is a chat completion; anything else with a 2xx status (empty, `{}`, `null`, HTML) is kind `protocol`. */
export function parseCompletion(body: string, facts: ResponseFacts, secrets: Secrets): ChatCompletion {
  const parsed = readJson(body);
  const error = embeddedError(parsed);
  if (error !== undefined) throw errorFromBody(error, facts, secrets());
  if (parsed === undefined && looksCut(body)) throw interrupted(facts);
  const choices = isFields(parsed) ? parsed['choices'] : undefined;
  if (!Array.isArray(choices) || choices.length === 0) throw notACompletion(body, facts, secrets());
  return parsed as ChatCompletion;
}

/**
 * The error report that stands where an answer should: `{error}`, the same in a list of one (Gemini), vLLM's
 * `{object: 'error'}`, an `error` beside a choice's delta, or the finish reason `error`, which has no report at all.
 */
export function embeddedError(answer: unknown): unknown {
  const body: unknown = Array.isArray(answer) && answer.length === 1 ? answer[0] : answer;
  if (!isFields(body)) return undefined;
  if (isReport(body['error'])) return body;
  if (body['object'] === 'error') return body;
  const choices = body['choices'];
  if (!Array.isArray(choices)) return undefined;
  for (const choice of choices as unknown[]) {
    if (!isFields(choice)) continue;
    if (isReport(choice['error'])) return choice;
    if (choice['finish_reason'] === 'error') return { message: 'the model stopped with finish_reason "error"' };
  }
  return undefined;
}

/** `error: null`, `''`, `false` and `{}` say that there is none. */
function isReport(error: unknown): boolean {
  if (isFields(error)) return Object.keys(error).length > 0;
  return Array.isArray(error) ? error.length > 0 : Boolean(error);
}

/** No completion is nested this deeply. What walks an object (`structuredClone` too) overflows the stack at some thousands. */
const MAX_DEPTH = 500;

/** JSON or `undefined`; never throws. */
export function readJson(text: string): unknown {
  const tooDeep = text.length > 2 * MAX_DEPTH && new JsonBrackets().add(text).deepest > MAX_DEPTH;
  return tooDeep ? undefined : parseJson(text);
}

/** A JSON body whose brackets are still open: a server that dies in the middle of a chunked body can end it cleanly. */
function looksCut(body: string): boolean {
  return /^\s*[{[]/.test(body) && new JsonBrackets().add(body).open;
}

function notACompletion(body: string, facts: ResponseFacts, secrets: readonly string[]): CompletionError {
  const what = body.trim() === '' ? 'an empty body' : `no chat completion: ${excerpt(body, secrets)}`;
  return new CompletionError(`The server answered ${String(facts.status ?? 200)} with ${what}`, {
    kind: 'protocol',
    status: facts.status,
    requestId: facts.requestId,
  });
}

/** A whole completion as the one chunk it would be. */
export function chunkOfCompletion(completion: ChatCompletion): Chunk {
  const choices = (completion.choices as unknown as readonly unknown[]).filter(isFields).map((choice, place) => {
    const { message, delta, ...rest } = choice;
    return { index: place, ...rest, delta: isFields(message) ? withIndexes(message) : (delta ?? {}) };
  });
  return { ...completion, object: 'chat.completion.chunk', choices } as unknown as Chunk;
}

/** In a stream tool calls are told apart by an index; in a message by their place. */
function withIndexes(message: Fields): Fields {
  const calls = message['tool_calls'];
  if (!Array.isArray(calls)) return message;
  const tool_calls = (calls as unknown[]).map((call, index) => (isFields(call) ? { ...call, index } : call));
  return { ...message, tool_calls };
}

/** The text of a whole body, bounded. */
export class DocumentBuffer {
  readonly #utf8 = new TextDecoder();
  readonly #text = new TextBuffer();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(bytes: Uint8Array): void {
    this.#bytes += bytes.byteLength;
    if (this.#bytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
    this.#text.add(this.#utf8.decode(bytes, { stream: true }));
  }

  toString(): string {
    return this.#text.toString() + this.#utf8.decode();
  }
}

/** A body that ended before the completion did. */
export function interrupted(facts: ResponseFacts, cause?: Error): CompletionError {
  return new CompletionError('The answer was cut off: the body ended before the completion was finished', {
    kind: 'interrupted',
    retryable: true,
    requestId: facts.requestId,
    code: (cause as { code?: string } | undefined)?.code,
    cause,
  });
}

import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { CompletionError, type PartialCompletion } from '../errors.ts';
import { Collector } from '../events/collector.ts';
import type { CompletionEvent, FinishReason } from '../events/event.ts';
import { getOwn } from '../events/merge.ts';
import { isFields, type Fields } from '../fields.ts';
import { PartialBuffer } from '../events/partial.ts';

/** A call the model asks for. */
export interface RequestedCall {
  /** No other call of the turn has it. */
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
  /** Why it must not be executed, whatever its tool says. */
  readonly refused: CompletionError | undefined;
}

/** One answer of the model, as it goes into the conversation. */
export interface TurnResult {
  /** `undefined` if the server sent none. */
  readonly message: ChatCompletionMessageParam | undefined;
  /** In the order of the answer. */
  readonly calls: readonly RequestedCall[];
  readonly reason: FinishReason;
}

interface Begun {
  readonly id: string;
  readonly name: string;
}

/** The events of one answer → its message and its calls. A `restart` begins anew. */
export class Turn {
  readonly #collector = new Collector();
  readonly #partial = new PartialBuffer();
  #begun = new Map<number, Begun>();
  /** In the order in which the message has them. */
  #whole: number[] = [];
  #reason: FinishReason = null;

  add(event: CompletionEvent): void {
    this.#collector.add(event);
    this.#partial.add(event);
    if (event.type === 'restart') {
      this.#begun = new Map();
      this.#whole = [];
      this.#reason = null;
    } else if (!('choice' in event) || event.choice !== 0) return;
    else if (event.type === 'tool-call-start') this.#begun.set(event.index, event);
    else if (event.type === 'tool-call') {
      this.#begun.set(event.index, event);
      this.#whole.push(event.index);
    } else if (event.type === 'finish') this.#reason = event.reason;
  }

  partial(): PartialCompletion {
    return this.#partial.toPartial();
  }

  result(): TurnResult {
    const message: Fields | undefined = this.#collector.toCompletion().choices.find(({ index }) => index === 0)
      ?.message as Fields | undefined;
    if (message === undefined) return { message: undefined, calls: [], reason: this.#reason };
    const [toolCalls, calls] = this.#calls((message['tool_calls'] ?? []) as readonly Fields[]);
    return { message: toParam(message, toolCalls), calls, reason: this.#reason };
  }

  /** The calls twice: as the message has them, and as they are to be executed. */
  #calls(whole: readonly Fields[]): [Fields[], RequestedCall[]] {
    const entries = [...this.#begun].sort(([one], [other]) => one - other);
    const counts = new Map<string, number>();
    for (const [, { id }] of entries) counts.set(id, (counts.get(id) ?? 0) + 1);
    const taken = new Set<string>();
    const [toolCalls, calls]: [Fields[], RequestedCall[]] = [[], []];
    for (const [index, { id: given, name }] of entries) {
      const id = unused(given, index, taken);
      taken.add(id);
      const at = this.#whole.indexOf(index);
      const toolCall = whole[at];
      const refused = refusal(name, toolCall, (counts.get(given) ?? 0) > 1);
      toolCalls.push({ ...(toolCall ?? { type: 'function', function: { name, arguments: '{}' } }), id });
      calls.push({ id, name, arguments: argumentsOf(toolCall), refused });
    }
    return [toolCalls, calls];
  }
}

/** A result names its call by the id: of two calls with one id nobody could tell whose it is. */
function unused(id: string, index: number, taken: ReadonlySet<string>): string {
  let candidate = id === '' ? `call_${String(index)}` : id;
  for (let n = 2; taken.has(candidate); n++) candidate = `${id}_${String(n)}`;
  return candidate;
}

function refusal(name: string, toolCall: Fields | undefined, repeated: boolean): CompletionError | undefined {
  if (toolCall === undefined) {
    return new CompletionError(`The arguments of the call to ${name} are cut off; it was not executed`, {
      kind: 'invalid-output',
    });
  }
  if (repeated) {
    return new CompletionError(`Several calls have the id of this call to ${name}; none was executed`, {
      kind: 'tool',
    });
  }
  return undefined;
}

function argumentsOf(toolCall: Fields | undefined): string {
  const called = toolCall?.['function'];
  const text = isFields(called) ? getOwn(called, 'arguments') : undefined;
  return typeof text === 'string' ? text : '';
}

/** The calls are put in anew; `content_parts` is our own name for parts of unknown types. */
const NOT_SENT: ReadonlySet<string> = new Set(['tool_calls', 'content_parts', '__proto__']);

/**
 * The answer as a server wants it back: with its reasoning and whatever fields it had besides OpenAI's own, for some providers
 * refuse the next turn without; audio by its id.
 */
function toParam(message: Fields, toolCalls: readonly Fields[]): ChatCompletionMessageParam {
  const param: Fields = {};
  for (const [key, value] of Object.entries(message)) {
    const isSaid = key === 'content' || (value !== null && value !== undefined);
    if (isSaid && !NOT_SENT.has(key)) param[key] = value;
  }
  const audio = param['audio'];
  if (isFields(audio)) param['audio'] = { id: audio['id'] };
  if (toolCalls.length > 0) param['tool_calls'] = toolCalls;
  // Without anything to say an assistant message needs some content.
  else if (param['content'] === null && param['refusal'] === undefined && audio === undefined) param['content'] = '';
  return param as unknown as ChatCompletionMessageParam;
}

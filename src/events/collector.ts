import type { ChatCompletion } from 'openai/resources/chat/completions';
import type { CompletionUsage } from 'openai/resources/completions';
import type { CompletionEvent, FinishReason, ReasoningField, StartEvent, ToolCallEvent } from './event.ts';
import { continueFields, copyOf, getOwn, replaceFields, setOwn, type Fields } from './merge.ts';
import { TextBuffer } from './text-buffer.ts';

interface CollectedChoice {
  readonly content: TextBuffer;
  readonly reasoning: TextBuffer;
  readonly refusal: TextBuffer;
  hasContent: boolean;
  hasRefusal: boolean;
  reasoningField: ReasoningField | undefined;
  reason: FinishReason;
  finished: boolean;
  readonly tokens: unknown[];
  readonly refusalTokens: unknown[];
  readonly toolCalls: ToolCallEvent[];
  readonly messageFields: Fields;
  readonly choiceFields: Fields;
}

/** Events → the `ChatCompletion` that a non-streaming request would have given. A `restart` begins anew. */
export class Collector {
  #start: StartEvent | undefined;
  #usage: CompletionUsage | undefined;
  #fields: Fields = {};
  #choices = new Map<number, CollectedChoice>();

  add(event: CompletionEvent): void {
    switch (event.type) {
      case 'restart':
        this.#start = this.#usage = undefined;
        this.#fields = {};
        this.#choices = new Map();
        break;
      case 'start':
        this.#start = event;
        break;
      case 'usage':
        this.#usage = event.usage;
        break;
      case 'extra':
        if (event.choice === undefined) replaceFields(this.#fields, event.fields);
        else if (event.scope === 'choice') replaceFields(this.#at(event.choice).choiceFields, event.fields);
        else continueFields(this.#at(event.choice).messageFields, event.fields);
        break;
      case 'text-delta':
      case 'reasoning-delta':
      case 'refusal-delta':
      case 'tool-call-start':
      case 'tool-call-delta':
      case 'tool-call':
      case 'logprobs':
      case 'finish':
        addToChoice(this.#at(event.choice), event);
        break;
      default: // A type that is not known here.
    }
  }

  /** Every choice that began has ended. */
  get whole(): boolean {
    return this.#choices.size > 0 && [...this.#choices.values()].every(({ finished }) => finished);
  }

  /** The completion as far as it came. */
  toCompletion(): ChatCompletion {
    const completion: Fields = {
      id: this.#start?.id ?? '',
      object: 'chat.completion',
      created: this.#start?.created ?? 0,
      model: this.#start?.model ?? '',
      choices: [...this.#choices].sort(([a], [b]) => a - b).map(([index, choice]) => toChoice(index, choice)),
    };
    if (this.#start?.systemFingerprint !== undefined) completion['system_fingerprint'] = this.#start.systemFingerprint;
    if (this.#usage !== undefined) completion['usage'] = copyOf(this.#usage);
    copyFields(completion, this.#fields);
    return completion as unknown as ChatCompletion;
  }

  #at(index: number): CollectedChoice {
    let choice = this.#choices.get(index);
    if (choice === undefined) {
      choice = {
        content: new TextBuffer(),
        reasoning: new TextBuffer(),
        refusal: new TextBuffer(),
        hasContent: false,
        hasRefusal: false,
        reasoningField: undefined,
        reason: null,
        finished: false,
        tokens: [],
        refusalTokens: [],
        toolCalls: [],
        messageFields: {},
        choiceFields: {},
      };
      this.#choices.set(index, choice);
    }
    return choice;
  }
}

type ChoiceEvent = Extract<CompletionEvent, { readonly choice: number }>;

function addToChoice(choice: CollectedChoice, event: ChoiceEvent): void {
  switch (event.type) {
    case 'text-delta':
      choice.hasContent = true;
      choice.content.add(event.text);
      break;
    case 'reasoning-delta':
      choice.reasoningField = event.field;
      choice.reasoning.add(event.text);
      break;
    case 'refusal-delta':
      choice.hasRefusal = true;
      choice.refusal.add(event.text);
      break;
    case 'logprobs':
      // One by one: spread as arguments, the tokens of a long answer that comes in one piece overflow the stack.
      for (const token of event.tokens) choice.tokens.push(token);
      for (const token of event.refusalTokens) choice.refusalTokens.push(token);
      break;
    case 'tool-call':
      choice.toolCalls.push(event);
      break;
    case 'finish':
      choice.finished = true;
      choice.reason = event.reason;
      break;
    default: // The pieces of tool calls; `tool-call` has the whole.
  }
}

function toChoice(index: number, choice: CollectedChoice): Fields {
  const message: Fields = {
    role: 'assistant',
    content: choice.hasContent ? choice.content.toString() : null,
    refusal: choice.hasRefusal ? choice.refusal.toString() : null,
  };
  const field = choice.reasoningField;
  if (field !== undefined) {
    const reasoning = choice.reasoning.toString();
    if (field !== 'reasoning_content') message['reasoning'] = reasoning;
    if (field !== 'reasoning') message['reasoning_content'] = reasoning;
  }
  if (choice.toolCalls.length > 0) message['tool_calls'] = choice.toolCalls.map(toToolCall);
  copyFields(message, choice.messageFields);
  const hasLogprobs = choice.tokens.length > 0 || choice.refusalTokens.length > 0;
  const result: Fields = {
    index,
    message,
    finish_reason: choice.reason,
    logprobs: hasLogprobs ? { content: orNull(choice.tokens), refusal: orNull(choice.refusalTokens) } : null,
  };
  copyFields(result, choice.choiceFields);
  return result;
}

function orNull(list: readonly unknown[]): readonly unknown[] | null {
  return list.length > 0 ? copyOf(list) : null;
}

function toToolCall(call: ToolCallEvent): Fields {
  const custom = call.extra !== undefined && getOwn(call.extra, 'type') === 'custom';
  const toolCall: Fields = custom
    ? { id: call.id, type: 'custom', custom: { name: call.name, input: call.arguments } }
    : { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } };
  if (call.extra !== undefined) copyFields(toolCall, call.extra);
  return toolCall;
}

/** A copy, so that what was returned once does not change when more events come. */
function copyFields(target: Fields, fields: Fields): void {
  for (const [key, value] of Object.entries(fields)) {
    setOwn(target, key, copyOf(value));
  }
}

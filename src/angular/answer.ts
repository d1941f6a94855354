import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { CompletionUsage } from 'openai/resources/completions';
import { isCompletionError } from '../errors.ts';
import type { Observer } from 'rxjs';
import type { FinishReason } from '../events/event.ts';
import { denial } from '../tools/denial.ts';
import type { ToolRunEvent } from '../tools/events.ts';
import type { ChatAssistantMessage, ChatPart, ChatTextPart, ChatToolPart } from './chat-message.ts';
import { toError } from './errors.ts';
import { callsOf } from './told.ts';
import { unfinished } from './unfinished.ts';

/** What {@link Answer} is made of. */
export interface AnswerOptions {
  readonly id: string;
  /** Whether calls are executed. */
  readonly runsTools: boolean;
  /** What an answer is that was cut at the token limit. */
  readonly onLength?: 'complete' | 'error' | undefined;
}

/**
 * One answer as it grows, an observer of its events. An event costs the same however long the text is; a message is made when one is to be
 * shown.
 */
export class Answer implements Observer<ToolRunEvent> {
  readonly #options: AnswerOptions;
  /** How many of a run's messages were there before the answer. */
  asked = 0;
  #status: ChatAssistantMessage['status'] = 'connecting';
  #parts: ChatPart[] = [];
  /** Where the parts of the model's current answer begin: a restart takes them back. */
  #roundAt = 0;
  /** Where the calls of the current round are among the parts, by index and by id. */
  #byIndex = new Map<number, number>();
  #byId = new Map<string, number>();
  #rounds = 0;
  #finishReason: FinishReason | undefined;
  #roundUsage: CompletionUsage | undefined;
  #usage: CompletionUsage | undefined;
  #error: Error | undefined;
  /** The conversation as far as the run has told it. */
  #messages: readonly ChatCompletionMessageParam[] | undefined;
  /** The run has told of all that is behind the current round, or of everything. */
  #isTold = false;
  /** What the model is told of calls, by id; of the current round. */
  #contents = new Map<string, string>();

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  next(event: ToolRunEvent): void {
    // That a round begins is no sign of the model yet.
    if (this.#status === 'connecting' && event.type !== 'round-start') this.#status = 'streaming';
    switch (event.type) {
      case 'round-start':
        this.#beginRound();
        break;
      case 'restart':
        this.#parts.length = this.#roundAt;
        this.#roundUsage = this.#finishReason = undefined;
        this.#byIndex.clear();
        this.#byId.clear();
        break;
      case 'usage':
        this.#roundUsage = event.usage;
        break;
      case 'messages':
        this.#messages = event.messages;
        this.#isTold = true;
        break;
      case 'tool-approval':
        this.#changeCall(event.toolCallId, {
          status: APPROVAL[event.status],
          input: event.arguments,
          reason: event.reason,
        });
        if (event.status === 'denied') this.#contents.set(event.toolCallId, denial(event.reason));
        break;
      case 'tool-progress':
        this.#changeCall(event.toolCallId, { progress: event.value });
        break;
      case 'tool-result':
        this.#changeCall(event.toolCallId, { status: 'done', value: event.value });
        this.#contents.set(event.toolCallId, event.content);
        break;
      case 'tool-error':
        this.#changeCall(event.toolCallId, { status: 'error', error: event.error });
        this.#contents.set(event.toolCallId, event.content);
        break;
      default:
        if ('choice' in event && event.choice === 0) this.#addOutput(event);
    }
  }

  /** Of a run, what the model is asked with in its next round: everything that was said and done before. */
  told(messages: readonly ChatCompletionMessageParam[]): void {
    this.#messages = messages;
  }

  complete(): void {
    const error = this.#options.runsTools ? undefined : unfinished(this.#finishReason, this.#options.onLength);
    if (error !== undefined) {
      this.error(error);
      return;
    }
    // Something of the user's may have ended it.
    const isWhole = this.#finishReason !== undefined && (this.#isTold || !this.#options.runsTools);
    this.#end(isWhole ? 'done' : 'stopped');
  }

  /** After `stop` the error is that of the abort, and only tells how far the conversation is. */
  error(error: unknown): void {
    if (isCompletionError(error) && error.partial.messages !== undefined) {
      this.#messages = error.partial.messages;
      this.#isTold = true;
    }
    if (this.#status !== 'stopped') this.#error = toError(error);
    this.#end('error');
  }

  stop(): void {
    this.#end('stopped');
  }

  #end(status: 'done' | 'stopped' | 'error'): void {
    if (this.#status !== 'connecting' && this.#status !== 'streaming') return;
    this.#status = status;
    this.#parts = stoppedParts(this.#parts);
  }

  message(): ChatAssistantMessage {
    const parts = [...this.#parts];
    return {
      id: this.#options.id,
      role: 'assistant',
      status: this.#status,
      parts,
      text: joined(parts),
      finishReason: this.#finishReason,
      usage: sum(this.#usage, this.#roundUsage),
      error: this.#error,
      history: this.#history(),
    };
  }

  #beginRound(): void {
    this.#rounds += 1;
    this.#usage = sum(this.#usage, this.#roundUsage);
    this.#roundUsage = this.#finishReason = undefined;
    this.#roundAt = this.#parts.length;
    this.#byIndex = new Map();
    this.#byId = new Map();
    this.#contents = new Map();
  }

  #addOutput(event: Extract<ToolRunEvent, { readonly choice: number }> | { readonly type: 'extra' }): void {
    switch (event.type) {
      case 'text-delta':
        this.#addText('text', event.text);
        break;
      case 'reasoning-delta':
        this.#addText('reasoning', event.text);
        break;
      case 'refusal-delta':
        this.#addText('refusal', event.text);
        break;
      case 'tool-call-start':
        this.#addCall(event.index, event.id, event.name);
        break;
      case 'tool-call-delta': {
        const at = this.#byIndex.get(event.index);
        this.#change(at, (call) => ({ arguments: call.arguments + event.arguments }));
        break;
      }
      case 'tool-call': {
        const { index, id, name, arguments: json } = event;
        if (!this.#byIndex.has(index)) this.#addCall(index, id, name);
        this.#change(this.#byIndex.get(index), () => ({
          arguments: json,
          status: this.#options.runsTools ? 'running' : 'called',
        }));
        break;
      }
      case 'finish':
        this.#finishReason = event.reason;
    }
  }

  #addText(type: ChatTextPart['type'], text: string): void {
    const last = this.#parts.length - 1;
    const part = last < this.#roundAt ? undefined : this.#parts[last];
    if (part?.type === type) this.#parts[last] = { type, text: part.text + text };
    else this.#parts.push({ type, text });
  }

  #addCall(index: number, toolCallId: string, name: string): void {
    const at = this.#parts.length;
    this.#byIndex.set(index, at);
    this.#byId.set(toolCallId, at);
    this.#parts.push({
      type: 'tool',
      toolCallId,
      name,
      arguments: '',
      input: undefined,
      status: 'calling',
      progress: undefined,
      value: undefined,
      error: undefined,
      reason: undefined,
    });
  }

  #changeCall(id: string, change: Partial<ChatToolPart>): void {
    this.#change(this.#byId.get(id), () => change);
  }

  #change(at: number | undefined, change: (call: ChatToolPart) => Partial<ChatToolPart>): void {
    const call = at === undefined ? undefined : this.#parts[at];
    if (call?.type === 'tool') this.#parts[at as number] = { ...call, ...change(call) };
  }

  /** What the run has told, and what of the current round it has not: of an answer that was cut, what had arrived. */
  #history(): readonly ChatCompletionMessageParam[] {
    const told = this.#messages?.slice(this.asked) ?? [];
    if (this.#isTold && told.filter(({ role }) => role === 'assistant').length >= this.#rounds) return told;
    const rest = this.#parts.slice(this.#messages === undefined ? 0 : this.#roundAt);
    return [...told, ...this.#said(rest)];
  }

  #said(parts: readonly ChatPart[]): readonly ChatCompletionMessageParam[] {
    const text = joined(parts);
    // Calls of an answer that has not ended, or was cut, are not known to be meant.
    const calls = CALLED.has(this.#finishReason) ? parts.filter((part) => part.type === 'tool') : [];
    if (this.#options.runsTools && calls.length > 0) return [callsOf(calls, text), ...calls.map(this.#resultOf)];
    if (text !== '') return [{ role: 'assistant', content: text }];
    const refusal = parts.find((part): part is ChatTextPart => part.type === 'refusal');
    return refusal === undefined ? [] : [{ role: 'assistant', refusal: refusal.text }];
  }

  readonly #resultOf = ({ toolCallId }: ChatToolPart): ChatCompletionMessageParam => ({
    role: 'tool',
    tool_call_id: toolCallId,
    content: this.#contents.get(toolCallId) ?? 'Error: the run ended before this call was done.',
  });
}

/** How an answer ends whose calls are run. */
const CALLED: ReadonlySet<FinishReason | undefined> = new Set(['tool_calls', 'stop', 'function_call', null]);

const APPROVAL = { requested: 'approval', approved: 'running', denied: 'denied' } as const;

/** Calls that go on no more. */
export function stoppedParts(parts: readonly ChatPart[]): ChatPart[] {
  return parts.map((part) =>
    part.type === 'tool' && PENDING.has(part.status) ? { ...part, status: 'stopped' } : part,
  );
}

const PENDING: ReadonlySet<ChatToolPart['status']> = new Set(['calling', 'approval', 'running']);

/** No work with the text: strings that are put together are not copied until they are read. */
function joined(parts: readonly ChatPart[]): string {
  return parts.reduce((text, part) => {
    if (part.type !== 'text') return text;
    return text === '' ? part.text : `${text}\n\n${part.text}`;
  }, '');
}

function sum(before: CompletionUsage | undefined, usage: CompletionUsage | undefined): CompletionUsage | undefined {
  if (before === undefined || usage === undefined) return usage ?? before;
  return {
    ...usage,
    prompt_tokens: before.prompt_tokens + usage.prompt_tokens,
    completion_tokens: before.completion_tokens + usage.completion_tokens,
    total_tokens: before.total_tokens + usage.total_tokens,
  };
}

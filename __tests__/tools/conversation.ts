/** A model that says what the test wants, tools that tell of their calls, and a run as lines to compare. */
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { from, isObservable, type Observable, type SchedulerLike } from 'rxjs';
import type { ChatCompletionParams, ChatMessages, EventsCallOptions } from '../../src/index.ts';
import { isCompletionError } from '../../src/errors.ts';
import type { CompletionEvent, FinishReason } from '../../src/events/event.ts';
import type { ToolRunEvent } from '../../src/tools/events.ts';
import type { EventsSource } from '../../src/tools/run-tools.ts';
import { tool, type Tool, type ToolContext } from '../../src/tools/tool.ts';

export const START: CompletionEvent = { type: 'start', id: 'x', model: 'm', created: 1, attempt: 1 };

export function finish(reason: FinishReason): CompletionEvent {
  return { type: 'finish', choice: 0, reason };
}

/** An answer in text. */
export function saying(text: string, reason: FinishReason = 'stop'): readonly CompletionEvent[] {
  return [START, { type: 'text-delta', choice: 0, text }, finish(reason)];
}

/** A call of the model's. */
export interface Called {
  readonly id: string;
  readonly name: string;
  readonly arguments?: string;
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** The pieces of a call, without the event that says that it is whole. */
export function begun({ id, name, arguments: json = '{}' }: Called, index = 0): readonly CompletionEvent[] {
  return [
    { type: 'tool-call-start', choice: 0, index, id, name },
    { type: 'tool-call-delta', choice: 0, index, arguments: json },
  ];
}

export function whole({ id, name, arguments: json = '{}', extra }: Called, index = 0): CompletionEvent {
  const call = { type: 'tool-call', choice: 0, index, id, name, arguments: json } as const;
  return extra === undefined ? call : { ...call, extra };
}

/** An answer in calls. */
export function calling(...calls: readonly Called[]): readonly CompletionEvent[] {
  return ending('tool_calls', ...calls);
}

export function ending(reason: FinishReason, ...calls: readonly Called[]): readonly CompletionEvent[] {
  return [START, ...calls.flatMap(begun), ...calls.map(whole), finish(reason)];
}

/** What a model was asked. */
export interface Asked {
  readonly messages: readonly ChatCompletionMessageParam[];
  readonly params: ChatCompletionParams;
  readonly options: EventsCallOptions;
}

/** A model, and what it was asked so far. */
export interface Model extends EventsSource {
  readonly asked: readonly Asked[];
}

type Answer = readonly CompletionEvent[] | Observable<CompletionEvent>;

/** Gives its answers one after the other: lists at once, Observables in their time. */
export function model(...answers: readonly Answer[]): Model {
  const asked: Asked[] = [];
  return {
    asked,
    events$: (messages: ChatMessages, params = {}, options = {}) => {
      const answer = answers[asked.length];
      const list = typeof messages === 'string' ? [{ role: 'user' as const, content: messages }] : messages;
      asked.push({ messages: structuredClone(list), params, options });
      if (answer === undefined) throw new Error('the model was asked too often');
      return isObservable(answer) ? answer : from(answer);
    },
  };
}

/** What a model was told of its calls: ids and contents. */
export function told({ messages }: Pick<Asked, 'messages'>): readonly (readonly [id: string, content: unknown])[] {
  return messages.flatMap((message) =>
    message.role === 'tool' ? [[message.tool_call_id, message.content] as const] : [],
  );
}

/** A tool, and what it was called with. */
export interface Watched {
  readonly tool: Tool;
  readonly runs: readonly { readonly args: unknown; readonly context: ToolContext }[];
}

export const ANYTHING = { type: 'object' } as const;

export function watched(
  name: string,
  execute: (args: unknown, context: ToolContext) => unknown = () => 'done',
  parameters: Readonly<Record<string, unknown>> = ANYTHING,
): Watched {
  const runs: { args: unknown; context: ToolContext }[] = [];
  const made = tool({
    name,
    parameters,
    strict: false,
    execute: (args, context) => {
      runs.push({ args, context });
      return execute(args, context);
    },
  });
  return { tool: made, runs };
}

/** An event as one line. */
export function line(event: ToolRunEvent): string {
  switch (event.type) {
    case 'round-start':
      return `round ${event.round}`;
    case 'text-delta':
      return `text ${event.text}`;
    case 'tool-call':
      return `call ${event.id}`;
    case 'finish':
      return `finish ${String(event.reason)}`;
    case 'tool-progress':
      return `${event.toolCallId}: progress ${JSON.stringify(event.value) ?? 'undefined'}`;
    case 'tool-result':
      return `${event.toolCallId}: result ${event.content}`;
    case 'tool-error':
      return `${event.toolCallId}: error ${event.content}`;
    case 'tool-approval':
      return `${event.toolCallId}: ${event.status}${event.reason === undefined ? '' : ` for ${event.reason}`}`;
    case 'messages':
      return `messages ${event.messages.length}`;
    default:
      return event.type;
  }
}

/** What a consumer has seen, as far as time went: events, then `|` or the error. */
export function lines(run$: Observable<ToolRunEvent>, clock?: SchedulerLike): readonly string[] {
  const seen: string[] = [];
  const at = (what: string): void => void seen.push(clock === undefined ? what : `${clock.now()} ${what}`);
  run$.subscribe({
    next: (event) => {
      at(line(event));
    },
    error: (error: unknown) => {
      at(`# ${isCompletionError(error) ? error.kind : String(error)}`);
    },
    complete: () => {
      at('|');
    },
  });
  return seen;
}

/** The same without the answers of the model. */
export function ofTools(seen: readonly string[]): readonly string[] {
  return seen.filter((each) => !/^(\d+ )?(start|text|tool-call|call|finish|usage|extra)/.test(each));
}

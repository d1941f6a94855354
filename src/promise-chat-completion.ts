import type { ChatCompletion, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { filter, lastValueFrom, map, type Observable } from 'rxjs';
import { ASYNC_ITERABLE_DEFAULTS, iterableOf, type GatedSource, type ObservableIterable } from './async-iterable.ts';
import { OpenAIChatCompletion } from './chat-completion.ts';
import type { ChatCompletionOptions } from './config.ts';
import type { InferInput, InferOutput, JsonSchema, StandardSchema } from './json/schema.ts';
import type { JsonEvent } from './operators/growing-json.ts';
import type { MessagesEvent, ToolRunEvent } from './tools/events.ts';
import type { ToolRunOptions, ToolRunParams } from './tools/run-options.ts';
import type { CompletionEvent } from './events/event.ts';
import type {
  CallOptions,
  ChatCompletionParams,
  ChatMessages,
  ChoiceOptions,
  EventsCallOptions,
  GenerateTextOptions,
  JsonOptions,
  JsonParams,
} from './request.ts';

/** Options of `streamCompletion`. The gate is the iterator's own: it reads when the consumer asks for more. */
export interface StreamCompletionOptions extends CallOptions, ChoiceOptions {}

/** Options of `streamEvents`. */
export type StreamEventsOptions = Omit<EventsCallOptions, 'gate'>;

/** Options of `generateJson` and `streamJson`. */
export type GenerateJsonOptions<S> = Omit<JsonOptions<S>, 'gate'>;

/** Options of `runTools` and `streamTools`. */
export type RunToolsOptions = Omit<ToolRunOptions, 'gate'>;

/** What the facade needs of a reactive client; also a client of another copy of this package, or a fake. */
export type ReactiveChatCompletion = Pick<
  OpenAIChatCompletion,
  'generate$' | 'stream$' | 'events$' | 'completion$' | 'json$' | 'runTools$'
>;

/**
 * The same client for promise code: `await` for one answer, `for await` for a streamed one. Errors, options and parameters
 * are those of the reactive client.
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai/promises';
 *
 * const chat = new OpenAIChatCompletion(); // reads OPENAI_API_KEY
 * for await (const text of chat.streamCompletion('Say this is a test!')) process.stdout.write(text);
 * ```
 */
export class PromiseChatCompletion {
  readonly #chat: ReactiveChatCompletion;

  /** @param chat - a reactive client, or the options for one */
  constructor(chat?: ChatCompletionOptions | ReactiveChatCompletion) {
    this.#chat = isReactive(chat) ? chat : new OpenAIChatCompletion(chat);
  }

  /** The whole text of the answer. Sent at once; `options.signal` aborts. */
  generateCompletion(
    messages: ChatMessages,
    params?: ChatCompletionParams,
    options?: GenerateTextOptions,
  ): Promise<string> {
    return lastValueFrom(this.#chat.generate$(messages, params, options));
  }

  /** The answer as OpenAI's `ChatCompletion`. Sent at once; `options.signal` aborts. */
  completion(messages: ChatMessages, params?: ChatCompletionParams, options?: CallOptions): Promise<ChatCompletion> {
    return lastValueFrom(this.#chat.completion$(messages, params, options));
  }

  /**
   * The text of the answer as it arrives. Each iteration is one request, sent by the first `next()`; `break` aborts it. A slow
   * consumer slows the server down: the body is read only while a value is asked for.
   */
  streamCompletion(
    messages: ChatMessages,
    params?: ChatCompletionParams,
    options?: StreamCompletionOptions,
  ): ObservableIterable<string> {
    return pulled((gate) => this.#chat.stream$(messages, params, { ...options, gate }));
  }

  /** Everything that happens during a streamed answer, otherwise as {@link streamCompletion}. */
  streamEvents(
    messages: ChatMessages,
    params?: ChatCompletionParams,
    options?: StreamEventsOptions,
  ): ObservableIterable<CompletionEvent> {
    return pulled((gate) => this.#chat.events$(messages, params, { ...options, gate }));
  }

  /**
   * The answer as the value that a schema describes, validated. Sent at once, and streamed, so that the clocks see it grow;
   * `options.signal` aborts. Rejects as `json$` errors, the value as far as it came in `partial.value`.
   */
  generateJson<S extends StandardSchema>(
    messages: ChatMessages,
    params: JsonParams | undefined,
    options: GenerateJsonOptions<S>,
  ): Promise<InferOutput<S>>;
  generateJson<T = unknown>(
    messages: ChatMessages,
    params: JsonParams | undefined,
    options: GenerateJsonOptions<JsonSchema>,
  ): Promise<T>;
  generateJson(
    messages: ChatMessages,
    params: JsonParams | undefined,
    options: GenerateJsonOptions<StandardSchema | JsonSchema>,
  ): Promise<unknown> {
    const events$ = this.#chat.json$(messages, params, options as GenerateJsonOptions<StandardSchema>);
    return lastValueFrom(
      events$.pipe(
        filter((event) => event.type === 'final'),
        map(({ value }) => value),
      ),
    );
  }

  /**
   * The answer as a value that grows, `partial` values and last the `final` one, validated. Each iteration is one request, as in
   * {@link streamCompletion}.
   */
  streamJson<S extends StandardSchema>(
    messages: ChatMessages,
    params: JsonParams | undefined,
    options: GenerateJsonOptions<S>,
  ): ObservableIterable<JsonEvent<InferOutput<S>, InferInput<S>>>;
  streamJson<T = unknown>(
    messages: ChatMessages,
    params: JsonParams | undefined,
    options: GenerateJsonOptions<JsonSchema>,
  ): ObservableIterable<JsonEvent<T>>;
  streamJson(
    messages: ChatMessages,
    params: JsonParams | undefined,
    options: GenerateJsonOptions<StandardSchema | JsonSchema>,
  ): ObservableIterable<JsonEvent<unknown>> {
    return pulled((gate) =>
      this.#chat.json$(messages, params, { ...(options as GenerateJsonOptions<StandardSchema>), gate }),
    );
  }

  /**
   * A conversation in which the model may call tools, until it stops calling: the whole list of messages. Begun at once;
   * `options.signal` aborts the request and the tools that run. Rejects as `runTools$` errors, the conversation so far in
   * `partial.messages`.
   */
  runTools(
    messages: ChatMessages,
    params: ToolRunParams | undefined,
    options: RunToolsOptions,
  ): Promise<readonly ChatCompletionMessageParam[]> {
    const events$ = this.#chat.runTools$(messages, params, options);
    return lastValueFrom(
      events$.pipe(
        filter((event): event is MessagesEvent => event.type === 'messages'),
        map((event) => event.messages),
      ),
    );
  }

  /** Everything that happens in such a conversation. Each iteration is a run of its own, begun by the first `next()`; `break` aborts it. */
  streamTools(
    messages: ChatMessages,
    params: ToolRunParams | undefined,
    options: RunToolsOptions,
  ): ObservableIterable<ToolRunEvent> {
    // No gate holds back the progress of tools.
    const { maxBuffered } = ASYNC_ITERABLE_DEFAULTS;
    return iterableOf((gate) => this.#chat.runTools$(messages, params, { ...options, gate }), maxBuffered);
  }
}

/** The queue holds one read of the body at most: no limit of its own. */
function pulled<T>(source: GatedSource<T>): ObservableIterable<T> {
  return iterableOf(source, Number.POSITIVE_INFINITY);
}

/** By shape: a client of another copy of this package is none of our class. */
export function isReactive(
  chat: ChatCompletionOptions | ReactiveChatCompletion | undefined,
): chat is ReactiveChatCompletion {
  return typeof (chat as { events$?: (...args: never[]) => Observable<unknown> } | undefined)?.events$ === 'function';
}

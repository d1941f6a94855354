import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions';
import { catchError, defer, from, mergeMap, type Observable } from 'rxjs';
import { Call, type DroppedDefaults } from './call.ts';
import { resolveConfig, type ChatCompletionOptions, type Config } from './config.ts';
import type { CompletionEvent } from './events/event.ts';
import { isFields } from './fields.ts';
import type { InferInput, InferOutput, JsonSchema, StandardSchema } from './json/schema.ts';
import { IMPORTED, type LazyParts } from './lazy-parts.ts';
import { CHUNKS, COMPLETION, EVENTS, GENERATE_TEXT, checkMode, STREAM_TEXT, type Method } from './methods.ts';
import { abortedBy } from './operators/aborted-by.ts';
import type { JsonEvent } from './operators/growing-json.ts';
import { universalPlatform, type Platform } from './platform.ts';
import type { ToolRunEvent } from './tools/events.ts';
import type { ToolRunOptions, ToolRunParams } from './tools/run-options.ts';
import {
  buildRequest,
  checkChoice,
  checkOptions,
  copiedCall,
  type CallOptions,
  type ChatCompletionParams,
  type ChatMessages,
  type DroppableDefault,
  type EventsCallOptions,
  type GenerateTextOptions,
  type JsonOptions,
  type JsonParams,
  type StreamCallOptions,
  type StreamTextOptions,
} from './request.ts';

/**
 * A client for OpenAI-compatible chat completions. Every method returns a cold Observable: each subscription is one call of
 * its own, nothing is sent before, and unsubscribing aborts the HTTP request in the same tick.
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 *
 * const chat = new OpenAIChatCompletion(); // reads OPENAI_API_KEY
 * chat.stream$('Say this is a test!').subscribe({
 *   next: (text) => process.stdout.write(text),
 *   error: (error) => console.error(error.message),
 * });
 * ```
 *
 * Options are checked here: the constructor throws a `CompletionError` of kind `configuration`. What is wrong with messages
 * or parameters arrives on the error channel. Errors of requests are `CompletionError`s too.
 */
export class OpenAIChatCompletion {
  readonly #config: Config;
  readonly #dropped: DroppedDefaults = new Map();
  readonly #parts: LazyParts;

  constructor(options?: ChatCompletionOptions);
  /** @internal */
  constructor(options: ChatCompletionOptions | undefined, platform: Platform, parts?: LazyParts);
  constructor(
    options: ChatCompletionOptions = {},
    platform: Platform = universalPlatform,
    parts: LazyParts = IMPORTED,
  ) {
    this.#config = resolveConfig(options, platform);
    this.#parts = parts;
  }

  /** The model of calls that name none. */
  get model(): string {
    return this.#config.model;
  }

  /**
   * The text of the answer as it arrives, never `''`. Completes when the answer is known to be whole. Errors if it is not,
   * and, after the text before it, with what text cannot show: a refusal (kind `refusal`), a content-filter stop
   * (`content-filter`), tool calls (`tool`). An answer cut at the token limit completes, unless `onLength: 'error'`.
   * Unsubscribing aborts the request.
   *
   * ```
   * stream$('Say this is a test!')   ---This--is--a--test!--|
   * ```
   */
  stream$(messages: ChatMessages, params?: ChatCompletionParams, options?: StreamTextOptions): Observable<string> {
    return this.#call(STREAM_TEXT, messages, params, options);
  }

  /**
   * The whole text of the answer in one piece (`''` if it is empty), from a non-streaming request; then completes. Errors as
   * {@link stream$} does. Unsubscribing aborts the request.
   *
   * ```
   * generate$('Say this is a test!')   -----------(This is a test!|)
   * ```
   */
  generate$(messages: ChatMessages, params?: ChatCompletionParams, options?: GenerateTextOptions): Observable<string> {
    return this.#call(GENERATE_TEXT, messages, params, options);
  }

  /**
   * The answer as OpenAI's `ChatCompletion`, from a non-streaming request; then completes. Refusals, filters and tool calls are
   * data here. Unsubscribing aborts the request.
   */
  completion$(
    messages: ChatMessages,
    params?: ChatCompletionParams,
    options?: CallOptions,
  ): Observable<ChatCompletion> {
    return this.#call(COMPLETION, messages, params, options);
  }

  /**
   * Everything that happens during a streamed answer, typed, for all choices. Refusals, filters and tool calls are data here;
   * a tool call is emitted whole (`tool-call`) only when it is known to be. Completes when the answer is known to be whole,
   * errors otherwise with what had arrived in `partial`. Unsubscribing aborts the request. With `retry: { mode: 'restart' }` a
   * failure after output begins anew, announced by a `restart` event.
   *
   * ```
   * events$('Say this is a test!')   --start--text-delta--text-delta--(finish usage|)
   * ```
   */
  events$(
    messages: ChatMessages,
    params?: ChatCompletionParams,
    options?: EventsCallOptions,
  ): Observable<CompletionEvent> {
    return this.#call(EVENTS, messages, params, options);
  }

  /**
   * The chunks of a streamed answer as the server sent them: fields that OpenAI requires may be missing. Completes and errors
   * as {@link events$} does. Unsubscribing aborts the request.
   */
  chunks$(
    messages: ChatMessages,
    params?: ChatCompletionParams,
    options?: StreamCallOptions,
  ): Observable<ChatCompletionChunk> {
    return this.#call(CHUNKS, messages, params, options);
  }

  /**
   * The answer as the value that a schema describes, while the model writes it: `partial` values, ever more complete, once for each
   * network read that brought something; last, one `final` value, validated. Sends the schema as `response_format`, strict.
   *
   * Errors with kind `configuration` if strict mode cannot express the schema, naming the place; with `invalid-output` if the answer is
   * no JSON, has text behind it (a code fence is tolerated) or violates the schema, with the validator's `issues`; with `limit` if it was
   * cut at the token limit, with `content-filter`, `refusal` and `tool` as {@link stream$} does. `partial.value` of the error is the
   * value as far as it came. Unsubscribing aborts the request. The clocks end with the answer; a validator may take its time.
   *
   * ```
   * json$('Berlin', {}, { schema })   ---partial--partial--partial--(partial final|)
   * ```
   *
   * ```ts
   * import { OpenAIChatCompletion } from 'rxjs-openai';
   * import { z } from 'zod';
   *
   * const City = z.object({ name: z.string(), people: z.number() });
   * new OpenAIChatCompletion().json$('Tell me of Berlin', {}, { schema: City }).subscribe((event) => {
   *   if (event.type === 'partial') console.log('so far', event.value.name);
   *   else console.log(event.value.name, event.value.people);
   * });
   * ```
   *
   * The schema is any Standard Schema with its JSON Schema side, or a JSON Schema, whose type is then to be said: `json$<City>(…)`.
   */
  json$<S extends StandardSchema>(
    messages: ChatMessages,
    params: JsonParams | undefined,
    options: JsonOptions<S>,
  ): Observable<JsonEvent<InferOutput<S>, InferInput<S>>>;
  json$<T = unknown>(
    messages: ChatMessages,
    params: JsonParams | undefined,
    options: JsonOptions<JsonSchema>,
  ): Observable<JsonEvent<T>>;
  json$(
    messages: ChatMessages,
    params: JsonParams | undefined,
    options: JsonOptions<unknown>,
  ): Observable<JsonEvent<unknown>> {
    return defer(() => {
      const sent = copiedCall(messages, params);
      // What is no object is refused with the rest.
      const given = isFields(options) ? { ...options } : options;
      return from(this.#parts.json()).pipe(
        mergeMap(({ prepareJson }) => {
          const { method, params: asked } = prepareJson(sent.params, given);
          return this.#call(method, sent.messages, asked, given);
        }),
      );
    });
  }

  /**
   * A conversation in which the model may call tools, until it stops calling: emits what happens in every round (see
   * {@link ToolRunEvent}), last the whole list of messages. Calls of one round run side by side, their results go back in the order of
   * the calls. Arguments are validated first; a call that is cut off, unknown, or has an id twice is never executed. What goes wrong
   * in a tool is told to the model, unless `onToolError: 'fail'`.
   *
   * Errors as {@link events$} does; with kind `limit` when the model still calls after `maxRounds`, or when an answer with calls was cut
   * at the token limit; with `content-filter` when one was stopped. `partial.messages` is the conversation so far. Unsubscribing aborts
   * the request and, through their `signal`, the tools that run. A retry asks the model again, and never runs a tool twice; to
   * subscribe again is another run.
   *
   * A `tool_choice` that forces a call holds for the first round.
   *
   * ```
   * runTools$('…')   round-start--start--tool-call(a)--finish--tool-result(a)--round-start--start--text--(finish messages|)
   * ```
   *
   * ```ts
   * import { OpenAIChatCompletion, tool } from 'rxjs-openai';
   * import { z } from 'zod';
   *
   * const add = tool({
   *   name: 'add',
   *   parameters: z.object({ a: z.number(), b: z.number() }),
   *   execute: ({ a, b }) => a + b,
   * });
   * new OpenAIChatCompletion().runTools$('What is 1234 + 4321?', {}, { tools: [add] }).subscribe((event) => {
   *   if (event.type === 'text-delta') process.stdout.write(event.text);
   * });
   * ```
   */
  runTools$(
    messages: ChatMessages,
    params: ToolRunParams | undefined,
    options: ToolRunOptions,
  ): Observable<ToolRunEvent> {
    return defer(() => {
      const sent = copiedCall(messages, params);
      const settings = isFields(options)
        ? { ...options, scheduler: options.scheduler ?? this.#config.scheduler }
        : options;
      return from(this.#parts.tools()).pipe(
        mergeMap(({ runTools$ }) => runTools$(this, sent.messages, sent.params, settings)),
      );
    });
  }

  #call<T, R>(
    method: Method<T, R>,
    messages: ChatMessages,
    params: ChatCompletionParams | undefined,
    options: StreamTextOptions | EventsCallOptions = {},
  ): Observable<R> {
    return defer(() => {
      checkOptions(options, method.optionNames, method.name);
      const { signal, gate, choice, onLength } = options as StreamTextOptions;
      const droppedFor = (model: string): ReadonlySet<DroppableDefault> => this.#dropped.get(model) ?? NONE;
      const request = buildRequest(this.#config, droppedFor, method.stream, messages, params, options);
      checkChoice(request.body, choice);
      checkMode(options, method);
      const settings = { config: this.#config, dropped: this.#dropped, method, request, gate, choice: choice ?? 0 };
      const call = new Call<T>(settings);
      const answer$ = signal ? call.run().pipe(abortedBy<T>(signal)) : call.run();
      return method.project(answer$, { choice, onLength, signal }).pipe(
        catchError((error: unknown) => {
          throw call.informed(error);
        }),
      );
    });
  }
}

const NONE: ReadonlySet<DroppableDefault> = new Set();

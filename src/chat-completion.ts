import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions';
import { catchError, defer, type Observable } from 'rxjs';
import { Call, type DroppedDefaults } from './call.ts';
import { resolveConfig, type ChatCompletionOptions, type Config } from './config.ts';
import { configurationError } from './errors.ts';
import type { CompletionEvent } from './events/event.ts';
import { CHUNKS, COMPLETION, EVENTS, GENERATE_TEXT, STREAM_TEXT, type Method } from './methods.ts';
import { abortedBy } from './operators/abort.ts';
import { universalPlatform, type Platform } from './platform.ts';
import {
  buildRequest,
  checkChoice,
  checkOptions,
  type CallOptions,
  type ChatCompletionParams,
  type ChatMessages,
  type DroppableDefault,
  type EventsCallOptions,
  type GenerateTextOptions,
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

  constructor(options?: ChatCompletionOptions);
  /** @internal */
  constructor(options: ChatCompletionOptions | undefined, platform: Platform);
  constructor(options: ChatCompletionOptions = {}, platform: Platform = universalPlatform) {
    this.#config = resolveConfig(options, platform);
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
      return method.project(answer$, { choice, onLength }).pipe(
        catchError((error: unknown) => {
          throw call.informed(error);
        }),
      );
    });
  }
}

const NONE: ReadonlySet<DroppableDefault> = new Set();

/** What was emitted once cannot be taken back, but by an event. */
function checkMode(
  { retry }: EventsCallOptions,
  { restarts, name }: Pick<Method<unknown, unknown>, 'restarts' | 'name'>,
): void {
  if (restarts || typeof retry !== 'object' || retry.mode !== 'restart') return;
  throw configurationError(
    `retry.mode 'restart' has no effect in ${name}, which cannot take back what it has emitted; use events$`,
    'retry.mode',
  );
}

import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions';
import { catchError, defer, identity, reduce, type Observable } from 'rxjs';
import { resolveConfig, type ChatCompletionOptions, type Config } from './config.ts';
import { isCompletionError, withDetails } from './errors.ts';
import type { CompletionEvent } from './events/event.ts';
import { abortOn } from './operators/abort.ts';
import { text } from './operators/text.ts';
import { universalPlatform, type Platform } from './platform.ts';
import { redact } from './redact.ts';
import {
  buildRequest,
  checkChoice,
  checkOptions,
  COMPLETION_OPTION_NAMES,
  GENERATE_OPTION_NAMES,
  promptsOf,
  STREAM_OPTION_NAMES,
  STREAM_TEXT_OPTION_NAMES,
  withoutDefault,
  type CallOptions,
  type CallRequest,
  type ChatCompletionParams,
  type ChatMessages,
  type ChoiceOptions,
  type DroppableDefault,
  type GenerateTextOptions,
  type StreamCallOptions,
  type StreamTextOptions,
} from './request.ts';
import { attempt$ } from './transport/attempt.ts';
import {
  chunkDecoder,
  completionDecoder,
  completionEventDecoder,
  eventDecoder,
  type BodyDecoder,
  type BodyDecoderFactory,
} from './wire/body-decoder.ts';

/** A call that is under way. */
interface Call {
  request: CallRequest;
  attempt: number;
  /** Knows what has arrived of the attempt that runs. */
  decoder: BodyDecoder | undefined;
}

/** How a method makes its values: the request it sends, the body it expects, what it does with the choice. */
interface Method<T, R> {
  readonly name: string;
  readonly optionNames: readonly string[];
  readonly stream: boolean;
  readonly decoderFor: BodyDecoderFactory<T>;
  readonly project: (source: Observable<T>, options: ChoiceOptions) => Observable<R>;
}

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
  /** Defaults of ours that the server refused, by model. */
  readonly #dropped = new Map<string, Set<DroppableDefault>>();

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
   * errors otherwise with what had arrived in `partial`. Unsubscribing aborts the request.
   *
   * ```
   * events$('Say this is a test!')   --start--text-delta--text-delta--(finish usage|)
   * ```
   */
  events$(
    messages: ChatMessages,
    params?: ChatCompletionParams,
    options?: StreamCallOptions,
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
    options: StreamTextOptions = {},
  ): Observable<R> {
    return defer(() => {
      checkOptions(options, method.optionNames, method.name);
      const droppedFor = (model: string): ReadonlySet<DroppableDefault> => this.#dropped.get(model) ?? NONE;
      const request = buildRequest(this.#config, droppedFor, method.stream, messages, params, options);
      checkChoice(request.body, options.choice);
      const call: Call = { request, attempt: 1, decoder: undefined };
      const attempts$ = this.#attempt(call, method.decoderFor, options.gate);
      const abortable$ = options.signal ? attempts$.pipe(abortOn(options.signal)) : attempts$;
      return method.project(abortable$, options).pipe(
        catchError((error: unknown) => {
          throw informed(error, call, options.choice ?? 0);
        }),
      );
    });
  }

  #attempt<T>(call: Call, decoderFor: BodyDecoderFactory<T>, gate: StreamCallOptions['gate']): Observable<T> {
    const { request, attempt } = call;
    const { body, headers, model } = request;
    const secrets = (): readonly string[] => promptsOf(request);
    let emitted = false;
    const onBody = (decoder: BodyDecoder): void => {
      call.decoder = decoder;
    };
    const watched: BodyDecoderFactory<T> = (context) => {
      const emit = (value: T): void => {
        emitted = true;
        context.emit(value);
      };
      return decoderFor({ ...context, emit });
    };
    const settings = { ...this.#config, ...request.timeout, body, headers, model, attempt, gate, secrets, onBody };
    return attempt$(settings, watched).pipe(
      catchError((error: unknown) => {
        const refused = emitted ? undefined : refusedDefault(error, request);
        if (refused === undefined) throw error;
        this.#drop(refused, call, error);
        return this.#attempt(call, decoderFor, gate);
      }),
    );
  }

  /** Prepares the same call without a default of ours that the server refused, and remembers it for the next one. */
  #drop(name: DroppableDefault, call: Call, error: unknown): void {
    const { model } = call.request;
    const dropped = this.#dropped.get(model) ?? new Set();
    this.#dropped.set(model, dropped.add(name));
    this.#config.logger.warn(
      `rxjs-openai: ${redact(model, [], 100)} refuses the default ${name}; asking again without it`,
    );
    call.request = withoutDefault(call.request, name);
    call.attempt += 1;
    call.decoder = undefined;
    this.#config.hooks.onRetry?.({ attempt: call.attempt, error, delayMs: 0 });
  }
}

const NONE: ReadonlySet<DroppableDefault> = new Set();

const asText = (source: Observable<CompletionEvent>, { choice, onLength }: ChoiceOptions): Observable<string> =>
  source.pipe(text({ choice: choice ?? 0, onLength: onLength ?? 'complete' }));

const STREAM_TEXT: Method<CompletionEvent, string> = {
  name: 'stream$',
  optionNames: STREAM_TEXT_OPTION_NAMES,
  stream: true,
  decoderFor: eventDecoder,
  project: asText,
};

const GENERATE_TEXT: Method<CompletionEvent, string> = {
  name: 'generate$',
  optionNames: GENERATE_OPTION_NAMES,
  stream: false,
  decoderFor: completionEventDecoder,
  project: (source, options) => asText(source, options).pipe(reduce((whole, piece) => whole + piece, '')),
};

const COMPLETION: Method<ChatCompletion, ChatCompletion> = {
  name: 'completion$',
  optionNames: COMPLETION_OPTION_NAMES,
  stream: false,
  decoderFor: completionDecoder,
  project: identity,
};

const EVENTS: Method<CompletionEvent, CompletionEvent> = {
  name: 'events$',
  optionNames: STREAM_OPTION_NAMES,
  stream: true,
  decoderFor: eventDecoder,
  project: identity,
};

const CHUNKS: Method<ChatCompletionChunk, ChatCompletionChunk> = {
  name: 'chunks$',
  optionNames: STREAM_OPTION_NAMES,
  stream: true,
  decoderFor: chunkDecoder,
  project: identity,
};

/** The error with what the call knows: how often it was sent, and what had arrived. */
function informed(error: unknown, call: Call, choice: number): unknown {
  if (!isCompletionError(error)) return error;
  return withDetails(error, { attempts: call.attempt, partial: call.decoder?.partial?.(choice) ?? error.partial });
}

/** The default of ours that the server objects to, by name of the parameter or, where it names none, in its message. */
function refusedDefault(error: unknown, { defaults }: CallRequest): DroppableDefault | undefined {
  if (!isCompletionError(error) || error.kind !== 'bad-request') return undefined;
  const said = error.param ?? error.message;
  return [...defaults].find(
    (name) => said.includes(name) || (name === 'stream_options' && said.includes('include_usage')),
  );
}

/** Messages, parameters and call options → the body and headers of one call. */
import type {
  ChatCompletionCreateParamsBase,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions/completions';
import type { Config } from './config.ts';
import { configurationError } from './errors.ts';
import { isFields } from './fields.ts';
import { jsonCopy } from './json-copy.ts';
import { resolveRetryOption, type RetryOptions, type RetryPolicy } from './operators/retry.ts';
import { checkNames, mustBe, validChoice, validFunction, validModel, validNumber, validWord } from './option-checks.ts';
import { validTimeouts, type TimeoutOptions, type Timeouts } from './clock-options.ts';
import { validHeaders } from './request-checks.ts';

/** The conversation: OpenAI's message params, or a string that stands for one user message. */
export type ChatMessages = string | readonly ChatCompletionMessageParam[];

/** OpenAI's own parameters under OpenAI's own names. `model` may be left out: the client has one. */
export type ChatCompletionParams = Partial<Omit<ChatCompletionCreateParamsBase, 'messages' | 'stream'>>;

/** Options of one call. */
export interface CallOptions {
  /** Aborts the call with an error of kind `aborted`, the signal's reason as `cause`. */
  readonly signal?: AbortSignal | null | undefined;
  /** Headers of this call; they win over the client's. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Fields of the request body that OpenAI's types do not know; they win over `params`. */
  readonly extraBody?: Readonly<Record<string, unknown>> | undefined;
  /** The clocks of this call; what is left out comes from the client. `false`: none. */
  readonly timeout?: TimeoutOptions | false | undefined;
  /** The retries of this call; what is left out comes from the client. `false`: none. */
  readonly retry?: Omit<RetryOptions, 'mode'> | false | undefined;
}

/** Options of a call whose answer is streamed. */
export interface StreamCallOptions extends CallOptions {
  /**
   * Awaited before every read of the body: a consumer that pulls slows the server down with it. The time spent waiting
   * counts for no clock.
   */
  readonly gate?: (() => PromiseLike<void> | void) | undefined;
}

/** Options of `events$`. */
export interface EventsCallOptions extends Omit<StreamCallOptions, 'retry'> {
  /** The retries of this call; what is left out comes from the client. `false`: none. */
  readonly retry?: RetryOptions | false | undefined;
}

/** Options of a call that shows one choice. */
export interface ChoiceOptions {
  /** The choice to show, from 0 to `n - 1`. Default: 0. */
  readonly choice?: number | undefined;
  /** What an answer cut at the token limit is. Default: a completion; `'error'`: an error of kind `limit`. */
  readonly onLength?: 'complete' | 'error' | undefined;
}

/** Options of `stream$`. */
export interface StreamTextOptions extends StreamCallOptions, ChoiceOptions {}

/** Options of `json$`. `S`: the schema. */
export interface JsonOptions<S> extends StreamCallOptions, Pick<ChoiceOptions, 'choice'> {
  /** What the answer must satisfy: a Standard Schema with its JSON Schema side (zod, valibot, arktype …), or a JSON Schema. */
  readonly schema: S;
  /** What the server is told that the answer is: letters, digits, `_` and `-`, at most 64. Default: `output`. */
  readonly name?: string | undefined;
}

/** Parameters of `json$`, which sets the response format itself. */
export type JsonParams = Omit<ChatCompletionParams, 'response_format'>;

/** Options of `generate$`. */
export interface GenerateTextOptions extends CallOptions, ChoiceOptions {}

/** What one call sends, whatever its attempts are. */
export interface CallRequest {
  /** A deep copy: what the caller changes later reaches no attempt. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
  readonly timeout: Timeouts;
  readonly retry: RetryPolicy | undefined;
  /** The fields of `body` that are our defaults, so that a server that refuses one can be asked without. */
  readonly defaults: ReadonlySet<DroppableDefault>;
}

/** Defaults of ours that some server refuses. */
export type DroppableDefault = 'temperature' | 'stream_options';

const CALL_OPTION_NAMES = ['signal', 'headers', 'extraBody', 'timeout', 'retry'];
export const STREAM_OPTION_NAMES = [...CALL_OPTION_NAMES, 'gate'];
export const STREAM_TEXT_OPTION_NAMES = [...STREAM_OPTION_NAMES, 'choice', 'onLength'];
export const COMPLETION_OPTION_NAMES = CALL_OPTION_NAMES;
export const GENERATE_OPTION_NAMES = [...CALL_OPTION_NAMES, 'choice', 'onLength'];

const MESSAGES_OR_PARAMS = 'messages or params';

/** What is said elsewhere. */
const RESERVED = {
  messages: 'pass them as the first argument',
  stream: 'the method decides',
  signal: 'pass it in the options, the third argument',
} as const;

/** Checks and copies everything. Throws `configuration` errors, for the caller to put on the error channel. */
export function buildRequest(
  config: Config,
  dropped: (model: string) => ReadonlySet<DroppableDefault>,
  stream: boolean,
  messages: ChatMessages,
  params: ChatCompletionParams | undefined,
  options: CallOptions,
): CallRequest {
  const given = fields(params, 'params');
  const extra = fields(options.extraBody, 'extraBody');
  checkParams({ ...given, ...extra });
  const named = validModel(extra['model'] ?? given['model'] ?? config.model);
  const isAsked = (name: DroppableDefault): boolean => name === 'temperature' && !config.temperatureIsDefault;
  const ours = defaultsFor(config, named, stream, given, dropped(named));
  const body = jsonCopy<Record<string, unknown>>(
    {
      ...ours,
      ...sent(given),
      ...extra,
      model: named,
      messages: validMessages(messages),
      stream,
    },
    MESSAGES_OR_PARAMS,
  );
  return {
    body,
    headers: { ...config.headers, ...validHeaders(options.headers, 'headers') },
    model: named,
    timeout: options.timeout === undefined ? config.timeout : validTimeouts(options.timeout, config.timeout),
    retry: resolveRetryOption(options.retry, config.retry),
    defaults: new Set((Object.keys(ours) as DroppableDefault[]).filter((name) => !(name in extra || isAsked(name)))),
  };
}

/** The same request without one of our defaults. */
export function withoutDefault(request: CallRequest, name: DroppableDefault): CallRequest {
  const { [name]: _, ...body } = request.body;
  return { ...request, body, defaults: new Set([...request.defaults].filter((other) => other !== name)) };
}

/** Models that refuse any temperature but their own: the o-series and the gpt-5 family, also behind a vendor's prefix. */
const FIXED_TEMPERATURE = /(?:^|[/:])(?:o\d+|gpt-5(?:\.\d+)?)(?:$|[-.:@])/i;

function defaultsFor(
  config: Config,
  model: string,
  stream: boolean,
  given: Readonly<Record<string, unknown>>,
  dropped: ReadonlySet<DroppableDefault>,
): Partial<Record<DroppableDefault, unknown>> {
  const { temperature, temperatureIsDefault } = config;
  const refused = temperatureIsDefault && (dropped.has('temperature') || FIXED_TEMPERATURE.test(model));
  const defaults = {
    temperature: refused ? undefined : temperature,
    stream_options: stream && !dropped.has('stream_options') ? { include_usage: true } : undefined,
  };
  const isOurs = ([name, value]: readonly [string, unknown]): boolean =>
    value !== undefined && given[name] === undefined;
  return Object.fromEntries(Object.entries(defaults).filter(isOurs));
}

/** What is to be sent of the caller's params. `undefined` is left out, and `null` where it means "leave it to the server". */
function sent(params: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isSent = ([name, value]: readonly [string, unknown]): boolean =>
    value !== undefined && !(value === null && (name === 'temperature' || name === 'stream_options'));
  return Object.fromEntries(Object.entries(params).filter(isSent));
}

export function fields(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if (!isFields(value)) return mustBe(name, 'an object of request fields');
  for (const [reserved, remedy] of Object.entries(RESERVED)) {
    if (reserved in value) throw configurationError(`${name} must not hold ${reserved}: ${remedy}`, reserved);
  }
  return value;
}

function checkParams({ n, temperature }: Readonly<Record<string, unknown>>): void {
  validNumber('n', n ?? 1, 1, { min: 1, whole: true });
  if (!Number.isFinite(temperature ?? 0)) mustBe('temperature', 'a finite number');
}

function validMessages(messages: ChatMessages): readonly unknown[] {
  if (typeof messages !== 'string' && !Array.isArray(messages)) {
    return mustBe('messages', 'a string or an array of messages');
  }
  if (messages.length === 0) {
    throw configurationError('messages is empty; pass a prompt or at least one message', 'messages');
  }
  if (typeof messages === 'string') return [{ role: 'user', content: messages }];
  const list = messages as readonly unknown[];
  const wrong = list.findIndex((message) => !isFields(message));
  if (wrong === -1) return list;
  throw configurationError(`messages[${String(wrong)}] must be an object with role and content`, 'messages');
}

/** Messages and params as they are now, checked as far as a copy would hide what is wrong: for calls that begin a little later. */
export function copiedCall<P extends ChatCompletionParams>(
  messages: ChatMessages,
  params: P | undefined,
): { readonly messages: ChatMessages; readonly params?: P } {
  fields(params, 'params');
  validMessages(messages);
  return jsonCopy({ messages, ...(params === undefined ? undefined : { params }) }, MESSAGES_OR_PARAMS);
}

/** Call options by name, so that a misspelt one is no silence; and the shapes of those that are used later. */
export function checkOptions(options: unknown, names: readonly string[], method: string): void {
  checkNames(options, names, method);
  const { signal, gate, choice, onLength } = options as Record<string, unknown>;
  const isSignal = typeof (signal as AbortSignal | null | undefined)?.addEventListener === 'function';
  if (signal !== undefined && signal !== null && !isSignal) mustBe('signal', 'an AbortSignal');
  validFunction('gate', gate as StreamCallOptions['gate'], () => undefined);
  validChoice(choice);
  validWord('onLength', onLength as ChoiceOptions['onLength'], ['complete', 'error']);
}

/** A choice that was never asked for would be an empty answer. */
export function checkChoice(body: Readonly<Record<string, unknown>>, choice = 0): void {
  const n = typeof body['n'] === 'number' ? body['n'] : 1;
  if (choice >= n) {
    throw configurationError(
      `choice ${String(choice)} does not exist: the request asks for n = ${String(n)}`,
      'choice',
    );
  }
}

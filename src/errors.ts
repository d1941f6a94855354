import { OpenAIError } from 'openai/core/error';
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { redact } from './redact.ts';

/** Every kind a {@link CompletionError} can have. */
export const COMPLETION_ERROR_KINDS = [
  'configuration',
  'authentication',
  'permission',
  'not-found',
  'bad-request',
  'too-large',
  'rate-limit',
  'quota',
  'server',
  'timeout',
  'connection',
  'interrupted',
  'protocol',
  'limit',
  'redirect',
  'aborted',
  'refusal',
  'content-filter',
  'tool',
  'invalid-output',
] as const;

/**
 * What went wrong, in one word:
 *
 * - `configuration`: an option, message or parameter is wrong; nothing was sent
 * - `authentication` (401), `permission` (403), `not-found` (404), `bad-request` (other 4xx), `too-large` (413, or the
 *   context window is exceeded), `rate-limit` (429), `quota` (402, or 429 for want of credit), `server` (408, 409, 5xx)
 * - `timeout`: one of our clocks ran out, see `clock`
 * - `connection`: no response came; `interrupted`: a response began and ended too early
 * - `protocol`: the server answered with something that is no chat completion
 * - `limit`: a size limit was passed; `redirect`: the server wanted to send us elsewhere
 * - `aborted`: the caller's AbortSignal
 * - `refusal`, `content-filter`, `tool`: the turn holds something that a text method cannot show
 * - `invalid-output`: the model's output does not satisfy its schema
 */
export type CompletionErrorKind = (typeof COMPLETION_ERROR_KINDS)[number];

/** The clocks that can end a call, see the option `timeout`; `tool`: see `toolTimeoutMs` of `runTools$`. */
export type TimeoutClock = 'connect' | 'idle' | 'output' | 'total' | 'tool';

/** A tool call as far as it came. `arguments` may be cut anywhere: never execute it. */
export interface PartialToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** What is wrong with an output, as its schema's validator says it. */
export interface OutputIssue {
  readonly message: string;
  /** Where in the output; absent for the whole of it. */
  readonly path?: readonly (string | number)[];
}

/** What had arrived of one choice before the error. */
export interface PartialCompletion {
  readonly text: string;
  readonly reasoning: string;
  readonly refusal: string;
  readonly toolCalls: readonly PartialToolCall[];
  /** The JSON value as far as it came; only where one was read. */
  readonly value?: unknown;
  /** The conversation as far as it can be gone on with; only of `runTools$`. */
  readonly messages?: readonly ChatCompletionMessageParam[];
}

/** Everything a {@link CompletionError} may know besides its message. */
export interface CompletionErrorDetails {
  readonly kind: CompletionErrorKind;
  readonly retryable?: boolean;
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly type?: string | undefined;
  readonly param?: string | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly clock?: TimeoutClock | undefined;
  readonly attempts?: number | undefined;
  readonly previous?: readonly unknown[] | undefined;
  readonly issues?: readonly OutputIssue[] | undefined;
  readonly partial?: PartialCompletion | undefined;
  readonly cause?: unknown;
}

const BRAND = Symbol.for('rxjs-openai.CompletionError');

export const EMPTY_PARTIAL: PartialCompletion = Object.freeze({
  text: '',
  reasoning: '',
  refusal: '',
  toolCalls: Object.freeze([]),
});

/**
 * The one error class of this package. It extends the `openai` package's `OpenAIError`, so code that catches that keeps
 * working. Recognise it with {@link isCompletionError}, which also works across copies of the package and across realms.
 *
 * The message is one line without control characters, keys, headers or prompts. `partial` (the text so far) is not
 * enumerable, so that loggers which dump errors do not print what the model said.
 */
export class CompletionError extends OpenAIError {
  override readonly name = 'CompletionError';
  /** What went wrong. */
  readonly kind: CompletionErrorKind;
  /** Whether sending the same request again may help. */
  readonly retryable: boolean;
  /** The HTTP status, or the status an error inside a stream stands for. */
  declare readonly status?: number;
  /** The server's error code (`insufficient_quota`), or the runtime's (`ECONNREFUSED`). */
  declare readonly code?: string;
  /** The server's error type (`invalid_request_error`). */
  declare readonly type?: string;
  /** The parameter the server objects to. */
  declare readonly param?: string;
  /** The server's id for this request, from `x-request-id`. */
  declare readonly requestId?: string;
  /** How long the server asks to wait, in milliseconds, from `retry-after-ms` or `retry-after`. */
  declare readonly retryAfterMs?: number;
  /** Which clock ran out; only with kind `timeout`. */
  declare readonly clock?: TimeoutClock;
  /** How many requests had been sent for this call. */
  declare readonly attempts?: number;
  /** Failures before this one, of fallbacks or hedges. */
  declare readonly previous?: readonly unknown[];
  /** What the validator objects to; only with kind `invalid-output`. */
  declare readonly issues?: readonly OutputIssue[];
  /** What had arrived of the shown choice (choice 0, unless a text method shows another). Not enumerable. */
  declare readonly partial: PartialCompletion;

  constructor(message: string, details: CompletionErrorDetails) {
    super(redact(message), details.cause === undefined ? undefined : { cause: details.cause });
    Object.defineProperty(this, 'name', { enumerable: false });
    Object.defineProperty(this, BRAND, { value: true });
    this.kind = details.kind;
    this.retryable = details.retryable ?? false;
    for (const key of OPTIONAL_DETAILS) {
      const value = details[key];
      if (value !== undefined) Object.defineProperty(this, key, { value, enumerable: true });
    }
    Object.defineProperty(this, 'partial', { value: details.partial ?? EMPTY_PARTIAL });
  }

  /** For `JSON.stringify`: the message, which `Error` leaves out, and every enumerable field; never `partial` or `cause`. */
  toJSON(): Record<string, unknown> {
    return { name: this.name, message: this.message, ...(this as object) };
  }
}

const OPTIONAL_DETAILS = [
  'status',
  'code',
  'type',
  'param',
  'requestId',
  'retryAfterMs',
  'clock',
  'attempts',
  'previous',
  'issues',
] as const satisfies readonly (keyof CompletionErrorDetails)[];

/**
 * Whether `value` is a {@link CompletionError}, also one made by another copy of this package (ESM beside CommonJS) or
 * in another realm (jest), for which `instanceof` says no.
 */
export function isCompletionError(value: unknown): value is CompletionError {
  if (typeof value !== 'object' || value === null) return false;
  if (BRAND in value) return true;
  const { name, kind } = value as { name?: unknown; kind?: unknown };
  return name === 'CompletionError' && (COMPLETION_ERROR_KINDS as readonly unknown[]).includes(kind);
}

/** The same error with more known about it. The original stays as it was: it may have been seen already. */
export function withDetails(error: CompletionError, details: Partial<CompletionErrorDetails>): CompletionError {
  const known: CompletionErrorDetails = {
    ...(error as object),
    partial: error.partial,
    cause: error.cause,
    kind: error.kind,
  };
  const copy = new CompletionError(error.message, { ...known, ...details });
  if (error.stack !== undefined) Object.defineProperty(copy, 'stack', { value: error.stack, configurable: true });
  return copy;
}

/** An error of kind `configuration`. The message names the option and the remedy. */
export function configurationError(message: string, param?: string): CompletionError {
  return new CompletionError(message, { kind: 'configuration', param });
}

/**
 * A masked copy of a foreign error for `cause`: name, status, code and message. The original may carry request
 * headers and bodies (the SDK's does), so it is never passed on itself.
 */
export function maskedCause(error: unknown, secrets: readonly string[] = []): Error | undefined {
  if (error === undefined || error === null) return undefined;
  const { name, message, code, status } = describe(error);
  const copy = new Error(redact(message, secrets));
  Object.defineProperty(copy, 'name', { value: redact(name, secrets, 80), configurable: true });
  Object.defineProperty(copy, 'stack', { value: `${copy.name}: ${copy.message}`, configurable: true });
  const known = { code: code && redact(code, secrets, 80), status };
  return Object.assign(copy, Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)));
}

interface ErrorDescription {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly status: number | undefined;
}

/**
 * What a foreign error says of itself. Fetch hides the reason one or two causes deep (`TypeError: fetch failed` →
 * `ECONNREFUSED`), and a failed connection to several addresses is an AggregateError: the innermost code wins.
 */
export function describe(error: unknown): ErrorDescription {
  let name = 'Error';
  let message = typeof error === 'string' ? error : '';
  let code: string | undefined;
  let status: number | undefined;
  let current: unknown = error;
  for (let depth = 0; depth < 5 && typeof current === 'object' && current !== null; depth++) {
    const it = current as Record<string, unknown>;
    if (depth === 0 && typeof it['name'] === 'string') name = it['name'];
    if (typeof it['message'] === 'string' && it['message'] !== '') {
      message = message === '' || message === 'fetch failed' ? it['message'] : message;
    }
    if (typeof it['code'] === 'string') code = it['code'];
    if (typeof it['status'] === 'number') status ??= it['status'];
    const errors = it['errors'];
    current = it['cause'] ?? (Array.isArray(errors) ? (errors as unknown[])[0] : undefined);
  }
  return { name, message: message === '' ? (code ?? name) : message, code, status };
}

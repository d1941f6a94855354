/** What a scripted server does with one request: plain data, and functions that write it. */
import type { CompletionUsage } from 'openai/resources/completions';
import { configurationError } from '../errors.ts';
import type { FinishReason } from '../events/event.ts';
import { checkNames, unknownNames, validNumber } from '../option-checks.ts';
import { validHeaders } from '../request-checks.ts';

/** A tool call, or a piece of one. */
export interface FakeToolCall {
  /** Begins a call; left out, the piece goes on with the last call of the choice. */
  readonly name?: string | undefined;
  /** JSON text, whole or a piece of it. */
  readonly arguments?: string | undefined;
  /** Default: `call_1`, `call_2` … */
  readonly id?: string | undefined;
}

/** How an answer ends: `done` well, `close` in the middle, `reset` with a broken connection, `hang` never. */
export type FakeEnd = 'done' | 'close' | 'reset' | 'hang';

/** A moment of an answer. What it says is sent together; a step that says nothing is a pause. */
export interface FakeStep {
  /** How long after the step before, or after the headers, in milliseconds. Default: 0. */
  readonly afterMs?: number | undefined;
  /** The choice that speaks. Default: 0. */
  readonly choice?: number | undefined;
  /** A delta of text. `''` is sent too, as servers begin: `start` is emitted, and no output. */
  readonly text?: string | undefined;
  /** A delta of reasoning, sent as `reasoning_content`. */
  readonly reasoning?: string | undefined;
  readonly refusal?: string | undefined;
  readonly toolCall?: FakeToolCall | undefined;
  /** The finish reason of the choice. Without one a choice finishes at the end, as `stop` or `tool_calls`. */
  readonly finish?: FinishReason | undefined;
  /** Sent as OpenAI does: if the request asks for it, which the client does by default. */
  readonly usage?: CompletionUsage | undefined;
  /** Fields of a chunk of its own, over `id`, `model` and the like. */
  readonly chunk?: Readonly<Record<string, unknown>> | undefined;
  /** Sent as it is. An exchange that consists of these alone may be any body; others are for streaming requests only. */
  readonly bytes?: string | Uint8Array | undefined;
  /** The last step: how the answer ends. Default, after the last step: `done`. */
  readonly end?: FakeEnd | undefined;
}

/** An answer, whole or not. A request that is not to be streamed gets it as one document when its last step is due. */
export interface FakeAnswer {
  readonly type: 'answer';
  readonly steps: readonly (FakeStep | string)[];
  /** From the request to the headers, in milliseconds. Default: 0. */
  readonly headersAfterMs?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Default: `chatcmpl-1` for the first request, and so on. */
  readonly id?: string | undefined;
  /** Default: the model that is asked. */
  readonly model?: string | undefined;
  /** Unix time in seconds. Default: 0. */
  readonly created?: number | undefined;
}

/** An error status and its body. */
export interface FakeHttpError {
  readonly type: 'http-error';
  readonly status: number;
  /** Default: 0. */
  readonly afterMs?: number | undefined;
  /** Such as `retry-after`, `retry-after-ms`, `x-should-retry`, `x-request-id`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** OpenAI's report. Default: a message that names the status. */
  readonly error?: FakeErrorReport | undefined;
  /** Another body than OpenAI's, such as the page of a gateway. */
  readonly body?: string | undefined;
}

/** The `error` of OpenAI's error bodies. */
export interface FakeErrorReport {
  readonly message?: string | undefined;
  readonly type?: string | null | undefined;
  readonly code?: string | null | undefined;
  readonly param?: string | null | undefined;
}

/** No response at all. */
export interface FakeConnectionFailure {
  readonly type: 'connection-failure';
  /** As Node names it. Default: `ECONNREFUSED`; `ECONNRESET` breaks before the headers. */
  readonly code?: string | undefined;
  /** Default: 0. */
  readonly afterMs?: number | undefined;
}

/** Nothing ever: for clocks and for aborts. */
export interface FakeSilence {
  readonly type: 'silence';
}

/** What becomes of one request. */
export type FakeExchange = FakeAnswer | FakeHttpError | FakeConnectionFailure | FakeSilence;

/**
 * An answer made of pieces: texts, which come as soon as what is before them, and steps with times. It ends well, unless its
 * last step says otherwise. Options of the exchange are added to it: `{ ...answer('Hello'), headersAfterMs: 50 }`.
 *
 * ```ts
 * import { answer } from 'rxjs-openai/testing';
 *
 * answer('Hello', ' world');
 * answer({ afterMs: 20, text: 'Hel' }, { afterMs: 20, text: 'lo' }, { afterMs: 5, end: 'reset' });
 * answer({ toolCall: { name: 'now', arguments: '{}' } });
 * ```
 */
export function answer(...steps: readonly (FakeStep | string)[]): FakeAnswer {
  return { type: 'answer', steps };
}

/** An error status with OpenAI's report: `httpError(429, { headers: { 'retry-after': '2' } })`. */
export function httpError(status: number, options: Omit<FakeHttpError, 'type' | 'status'> = {}): FakeHttpError {
  return { ...options, type: 'http-error', status };
}

/** No response: `connectionFailure()` is refused, `connectionFailure({ code: 'ECONNRESET' })` breaks. */
export function connectionFailure(options: Omit<FakeConnectionFailure, 'type'> = {}): FakeConnectionFailure {
  return { ...options, type: 'connection-failure' };
}

/** A server that never answers. */
export function silence(): FakeSilence {
  return { type: 'silence' };
}

const STEP_NAMES = [
  'afterMs',
  'choice',
  'text',
  'reasoning',
  'refusal',
  'toolCall',
  'finish',
  'usage',
  'chunk',
  'bytes',
  'end',
] as const satisfies readonly (keyof FakeStep)[];

const EXCHANGE_NAMES: Readonly<Record<FakeExchange['type'], readonly string[]>> = {
  answer: ['type', 'steps', 'headersAfterMs', 'headers', 'id', 'model', 'created'],
  'http-error': ['type', 'status', 'afterMs', 'headers', 'error', 'body'],
  'connection-failure': ['type', 'code', 'afterMs'],
  silence: ['type'],
};

const ENDS: readonly unknown[] = ['done', 'close', 'reset', 'hang'] satisfies readonly FakeEnd[];

/** A script is written by hand: what it misspells must not become another answer. */
export function validExchange(exchange: FakeExchange, name: string): FakeExchange {
  const type: unknown = (exchange as FakeExchange | undefined)?.type;
  if (typeof type !== 'string' || !Object.hasOwn(EXCHANGE_NAMES, type)) {
    throw configurationError(`${name} must be an exchange: answer(…), httpError(…), connectionFailure() or silence()`);
  }
  unknownNames(exchange, EXCHANGE_NAMES[exchange.type], name);
  if ('headers' in exchange) validHeaders(exchange.headers, `${name}.headers`);
  if (exchange.type === 'answer') {
    validNumber(`${name}.headersAfterMs`, exchange.headersAfterMs, 0, { min: 0 });
    validSteps(exchange.steps, name);
  } else if (exchange.type !== 'silence') validNumber(`${name}.afterMs`, exchange.afterMs, 0, { min: 0 });
  if (exchange.type === 'http-error' && !(Number.isInteger(exchange.status) && isErrorStatus(exchange.status))) {
    throw configurationError(`${name}.status must be a status from 300 to 599; answer(…) is a success`, 'status');
  }
  return exchange;
}

const isErrorStatus = (status: number): boolean => status >= 300 && status <= 599;

function validSteps(steps: FakeAnswer['steps'], name: string): void {
  if (typeof (steps as FakeAnswer['steps'] | undefined)?.entries !== 'function') {
    throw configurationError(`${name}.steps must be a list of texts and steps`, 'steps');
  }
  for (const [place, step] of steps.entries()) {
    if (typeof step === 'string') continue;
    const of = `${name}.steps[${String(place)}]`;
    checkNames(step, STEP_NAMES, of);
    validNumber(`${of}.afterMs`, step.afterMs, 0, { min: 0 });
    validNumber(`${of}.choice`, step.choice, 0, { min: 0, whole: true });
    if (step.end === undefined) continue;
    if (!ENDS.includes(step.end)) {
      throw configurationError(`${of}.end must be 'done', 'close', 'reset' or 'hang'`, 'end');
    }
    if (place < steps.length - 1) throw configurationError(`${of} ends the answer: nothing may follow it`, 'end');
  }
}

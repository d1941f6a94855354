import type { ChatCompletionOptions, ChatCompletionParams, CompletionErrorKind } from '../../src/index.ts';
import type { Ending, Handler } from './fault-server.ts';

/** What of an error the tables state; what a row leaves out must be absent. */
export interface ExpectedError {
  readonly kind: CompletionErrorKind;
  readonly retryable: boolean;
  readonly status?: number;
  readonly code?: string;
  readonly type?: string;
  readonly param?: string;
  readonly requestId?: string;
  readonly retryAfterMs?: number;
  readonly clock?: string;
}

/** One way for a server to answer, what must come of it, and what the server must have seen. */
export interface Fault {
  readonly name: string;
  readonly answer: Handler;
  /** Answers to the requests after the first, the last one to all that follow. Default: the same again. */
  readonly then?: readonly Handler[];
  /** The text the caller sees, also if an error follows. */
  readonly text: string;
  readonly error?: ExpectedError;
  /** What the error's message must say, and what not. */
  readonly message?: RegExp;
  readonly never?: RegExp;
  /** The error's code is the runtime's own business. */
  readonly anyCode?: boolean;
  /** How many requests the call makes. Default: {@link attemptsOf}. */
  readonly attempts?: number;
  /** The pauses the server asks for before the retries, the last one for all that follow. Default: that of the error. */
  readonly pausesMs?: readonly number[];
  /** How the server saw each exchange end, the last one for all that follow. Default: finished. */
  readonly endings?: readonly Ending[];
  /** How the exchanges end depends on what lies in the sockets' buffers. */
  readonly anyEnding?: boolean;
  /** The answer lets time pass. */
  readonly timed?: boolean;
  readonly options?: ChatCompletionOptions;
  readonly params?: ChatCompletionParams;
}

/** A fault in few words. */
export function fault(
  name: string,
  answer: Handler,
  text: string,
  rest: Omit<Fault, 'name' | 'answer' | 'text'> = {},
): Fault {
  return { name, answer, text, ...rest };
}

/** The default of `maxRetries`. */
const RETRIES = 2;

/** The rule: what may help is asked for again, as often as the defaults allow, as long as nothing was shown. */
export function attemptsOf({ attempts, error, text }: Pick<Fault, 'attempts' | 'error' | 'text'>): number {
  return attempts ?? (error?.retryable === true && text === '' ? 1 + RETRIES : 1);
}

/** The answer was cut off. */
export const INTERRUPTED: ExpectedError = { kind: 'interrupted', retryable: true };
/** The answer is none, although its status says so. */
export const PROTOCOL: ExpectedError = { kind: 'protocol', retryable: false, status: 200 };

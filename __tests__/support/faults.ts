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

/** One way for a server to answer, and what must come of it. */
export interface Fault {
  readonly name: string;
  readonly answer: Handler;
  /** The text the caller sees, also if an error follows. */
  readonly text: string;
  readonly error?: ExpectedError;
  /** What the error's message must say, and what not. */
  readonly message?: RegExp;
  readonly never?: RegExp;
  /** The error's code is the runtime's own business. */
  readonly anyCode?: boolean;
  /** How the server saw the exchange end. */
  readonly ending?: Ending;
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

/** The answer was cut off. */
export const INTERRUPTED: ExpectedError = { kind: 'interrupted', retryable: true };
/** The answer is none, although its status says so. */
export const PROTOCOL: ExpectedError = { kind: 'protocol', retryable: false, status: 200 };

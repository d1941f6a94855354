import { isCompletionError } from '../errors.ts';

/** Signals of errors hold an `Error`, as Angular's do; of the rare other thing somebody threw it is the `cause`. */
export function toError(error: unknown): Error {
  return error instanceof Error || isCompletionError(error) ? error : new Error(String(error), { cause: error });
}

import { configurationError, isCompletionError } from './errors.ts';
import { redact } from './redact.ts';

/**
 * What JSON makes of a value, which is all that is ever sent: a copy that no later change of the caller's reaches. Throws an error of
 * kind `configuration` for what JSON cannot hold.
 *
 * @param of - what the value is, for the message
 */
export function jsonCopy<T extends object>(value: T, of: string, option?: string): T {
  try {
    return JSON.parse(JSON.stringify(value, finite)) as T;
  } catch (error) {
    if (isCompletionError(error)) throw error;
    throw configurationError(`${of} cannot be written as JSON: a cycle, a BigInt, or a toJSON that throws`, option);
  }
}

/** JSON has no NaN: it would be sent as null. */
function finite(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw configurationError(`${redact(key, [], 80)} must be a finite number`, redact(key, [], 80));
}

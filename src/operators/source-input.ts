import type { ObservableInput } from 'rxjs';
import { configurationError } from '../errors.ts';

/**
 * A source for later, checked now: its turn comes when another has failed, and a mistake found then would hide why. A promise has
 * begun already; that it may fail before anybody asks is nothing unhandled.
 */
export function validInput<T>(name: string, input: ObservableInput<T>): ObservableInput<T> {
  const isText = typeof input === 'string';
  if (!isText && (typeof input !== 'object' || (input as unknown) === null)) {
    throw configurationError(`${name} must be an Observable, or what RxJS makes one of: a promise, an array …`, name);
  }
  // Not what is merely thenable: a query begins when its then is called.
  if (Object.prototype.toString.call(input) === '[object Promise]') {
    void (input as Promise<T>).catch(() => undefined);
  }
  return input;
}

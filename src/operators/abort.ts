import { defer, tap, type MonoTypeOperatorFunction } from 'rxjs';
import { configurationError } from '../errors.ts';
import { PartialBuffer } from '../events/partial.ts';
import { abortedBy } from './aborted-by.ts';

/**
 * Ends the source with an error of kind `aborted` when `signal` aborts, the signal's reason as `cause` and, where the source emits
 * CompletionEvents, what had arrived in `partial`. The signal is looked at before the source is subscribed, so that an aborted one
 * sends nothing; the listener is removed on every ending. Unsubscribing unsubscribes from the source and removes the listener.
 *
 * ```
 * source:  --a--b--c--d|
 * signal:  -------x
 * result:  --a--b-#
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { abortOn } from 'rxjs-openai/operators';
 *
 * const controller = new AbortController();
 * new OpenAIChatCompletion().events$('Say this is a test!').pipe(abortOn(controller.signal)).subscribe(console.log);
 * ```
 *
 * The methods of the client take the same as their option `signal`.
 */
export function abortOn<T>(signal: AbortSignal): MonoTypeOperatorFunction<T> {
  if (typeof (signal as AbortSignal | undefined)?.addEventListener !== 'function') {
    throw configurationError('abortOn: signal must be an AbortSignal', 'signal');
  }
  return (source) =>
    defer(() => {
      const partial = new PartialBuffer();
      return source.pipe(
        tap((value) => {
          partial.add(value);
        }),
        abortedBy(signal, () => partial.toPartial()),
      );
    });
}

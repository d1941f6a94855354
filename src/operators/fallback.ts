import {
  defer,
  from,
  type MonoTypeOperatorFunction,
  type Observable,
  type ObservableInput,
  type ObservedValueOf,
  type OperatorFunction,
} from 'rxjs';
import { configurationError, isCompletionError } from '../errors.ts';
import type { CompletionEvent } from '../events/event.ts';
import { PartialBuffer } from '../events/partial.ts';
import { checkNames, validFunction, validWord } from '../option-checks.ts';
import { Attempts } from './attempts.ts';
import { validInput } from './source-input.ts';

/** Options of {@link fallbackTo}. */
export interface FallbackOptions {
  /** Whether an error may be answered by the next source. Default: every error but `aborted`, `refusal` and `configuration`. */
  readonly when?: ((error: unknown) => boolean) | undefined;
  /**
   * `never` (default): once output was emitted, its error is the end. `restart`: the next source begins anew, announced by a
   * `restart` event.
   */
  readonly afterOutput?: 'never' | 'restart' | undefined;
}

/** What another source would do no better, or must not do. */
const FINAL = new Set<unknown>(['aborted', 'refusal', 'configuration']);

/** Whether an error is worth another source. */
export function isReplaceable(error: unknown): boolean {
  return !(isCompletionError(error) && FINAL.has(error.kind));
}

export const FALLBACK_DEFAULTS = {
  when: isReplaceable,
  afterOutput: 'never',
} as const;

/**
 * The next source when one fails: another model, another provider, a canned answer. The others are subscribed only when their
 * turn comes; a promise among them has begun by itself.
 *
 * Emits what the source that is shown emits, with one `start`: what is no output is held back until the first output, so a source
 * that fails before leaves no trace. Once output was emitted, an error is the end, unless `afterOutput: 'restart'`. Errors with
 * the last error, the earlier ones in its `previous` if it is a `CompletionError`. Completes with the source that is shown.
 * Unsubscribing unsubscribes from the source that runs. Works on any Observable; where it carries no CompletionEvents, every
 * emission is output and `afterOutput: 'restart'` does not compile.
 *
 * ```
 * source:  --s--#
 * other:        --s--t-----f|      (s start, t text-delta, f finish)
 * result:  ----------(st)--f|
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { fallbackTo, text } from 'rxjs-openai/operators';
 *
 * const chat = new OpenAIChatCompletion();
 * chat
 *   .events$('Say this is a test!', { model: 'gpt-4o' })
 *   .pipe(fallbackTo([chat.events$('Say this is a test!', { model: 'gpt-4o-mini' })]), text())
 *   .subscribe(console.log);
 * ```
 *
 * @param others - tried in this order, each once
 */
export function fallbackTo<T>(
  others: readonly ObservableInput<NoInfer<T>>[],
  options?: FallbackOptions & { readonly afterOutput?: 'never' | undefined },
): MonoTypeOperatorFunction<T>;
export function fallbackTo<T, O extends ObservableInput<unknown>>(
  others: readonly O[],
  options?: FallbackOptions & { readonly afterOutput?: 'never' | undefined },
): OperatorFunction<T, T | ObservedValueOf<O>>;
export function fallbackTo(
  others: readonly ObservableInput<CompletionEvent>[],
  options: FallbackOptions,
): MonoTypeOperatorFunction<CompletionEvent>;
export function fallbackTo<T>(
  others: readonly ObservableInput<T>[],
  options: FallbackOptions = {},
): MonoTypeOperatorFunction<T> {
  if (!Array.isArray(others as unknown))
    throw configurationError('fallbackTo: others must be a list of sources', 'others');
  const sources = others.map((other, place) => validInput(`others[${String(place)}]`, other));
  checkNames(options, Object.keys(FALLBACK_DEFAULTS), 'fallbackTo');
  const when = validFunction('when', options.when, FALLBACK_DEFAULTS.when);
  const restarts = validWord('afterOutput', options.afterOutput, ['never', 'restart']) === 'restart';
  return (source) =>
    defer(() => {
      const previous: unknown[] = [];
      const attempts = new Attempts<T>({
        restarts,
        memory: () => new PartialBuffer(),
        details: (last) => ({ previous: [...previous, ...(last.previous ?? [])] }),
      });
      const next = (error: unknown): Observable<T> | undefined => {
        const other = sources[previous.length];
        if (other === undefined || !when(error)) return undefined;
        previous.push(error);
        return defer(() => attempts.begin(from(other), next));
      };
      return attempts.begin(source, next);
    });
}

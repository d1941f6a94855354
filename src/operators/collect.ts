import type { ChatCompletion } from 'openai/resources/chat/completions';
import { concat, defer, ignoreElements, of, tap, type OperatorFunction } from 'rxjs';
import { CompletionError } from '../errors.ts';
import { Collector } from '../events/collector.ts';
import type { CompletionEvent } from '../events/event.ts';

/**
 * The whole answer as OpenAI's `ChatCompletion`, all choices, once, when the source completes; just what a non-streaming request
 * would have given. A source that completes before every choice that began has its `finish` gives an error of kind `interrupted`,
 * never a short answer. Errors of the source are passed on. After a `restart` it begins anew. Unsubscribing unsubscribes from the
 * source. Time and memory are linear in the answer.
 *
 * ```
 * source:  start--text('a')--text('b')--finish--usage--|
 * result:  --------------------------------------------(completion|)
 * ```
 *
 * ```ts
 * import { share } from 'rxjs';
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { collect, text } from 'rxjs-openai/operators';
 *
 * const events$ = new OpenAIChatCompletion().events$('Say this is a test!').pipe(share());
 * events$.pipe(collect()).subscribe((completion) => console.log(completion.usage));
 * events$.pipe(text()).subscribe((piece) => process.stdout.write(piece));
 * ```
 */
export function collect(): OperatorFunction<CompletionEvent, ChatCompletion> {
  return (source) =>
    defer(() => {
      const collector = new Collector();
      const collecting$ = source.pipe(
        tap((event) => {
          collector.add(event);
        }),
        ignoreElements(),
      );
      return concat(
        collecting$,
        defer(() => {
          if (collector.whole) return of(collector.toCompletion());
          throw new CompletionError('The events ended before the completion did: a choice has no finish', {
            kind: 'interrupted',
            retryable: true,
            partial: collector.partial(),
          });
        }),
      );
    });
}

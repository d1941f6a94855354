import type { OperatorFunction } from 'rxjs';
import { configurationError } from '../errors.ts';
import { JsonText } from '../json/text.ts';
import { asInvalidOutput } from './json-output.ts';
import { operate } from './operate.ts';

/**
 * The elements of one list inside JSON that is being written, each once, when it is whole. Strictly linear, and nothing is kept: for
 * lists of any length. The list is named by the keys that lead to it (`'items'`, `'data.items'`); `''` is the JSON itself.
 *
 * Completes when the source does and the JSON is whole, also if there is no such list. Otherwise errors with kind `invalid-output`
 * after the elements before. Errors of the source are passed on. Unsubscribing unsubscribes from the source.
 *
 * ```
 * jsonElements('items')
 * source:  --'{"items":[1'--',2'--',{"a":3}'--']}'|
 * result:  ----------------1-----(2 {a:3})----|
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { jsonElements } from 'rxjs-openai/operators';
 *
 * new OpenAIChatCompletion()
 *   .stream$('A hundred cities as {"cities": [...]}', { response_format: { type: 'json_object' } })
 *   .pipe(jsonElements<string>('cities'))
 *   .subscribe(console.log);
 * ```
 */
export function jsonElements<T = unknown>(path: string): OperatorFunction<string, T> {
  if (typeof path !== 'string') throw configurationError("jsonElements: path must be a text such as 'items'", 'path');
  const keys = path === '' ? [] : path.split('.');
  return operate((subscriber) => {
    let elements: T[] = [];
    // Taking from the front of an array of thousands costs as much as copying it.
    let head = 0;
    const json = new JsonText((value, at) => {
      const isElement =
        at.length === keys.length + 1 && typeof at.at(-1) === 'number' && keys.every((key, depth) => at[depth] === key);
      if (!isElement) return;
      elements.push(value as T);
      json.builder.forget();
    });
    const read = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        show();
        throw asInvalidOutput(error, '', undefined);
      }
      show();
    };
    const show = (): void => {
      while (head < elements.length) subscriber.next(elements[head++] as T);
      elements = [];
      head = 0;
    };
    return {
      next: (piece) => {
        read(() => {
          json.push(piece);
        });
      },
      complete: () => {
        read(() => {
          json.end();
        });
        subscriber.complete();
      },
    };
  });
}

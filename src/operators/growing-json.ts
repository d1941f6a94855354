import { catchError, concat, defer, from, map, type Observable, type OperatorFunction } from 'rxjs';
import { isCompletionError, withDetails } from '../errors.ts';
import type { CompletionEvent } from '../events/event.ts';
import { isFields } from '../fields.ts';
import { TextBuffer } from '../events/text-buffer.ts';
import type { DeepPartial } from '../json/deep-partial.ts';
import type { Validate } from '../json/verdict.ts';
import { JsonText } from '../json/text.ts';
import { abortedBy } from './aborted-by.ts';
import { asInvalidOutput, validated } from './json-output.ts';
import { operate } from './operate.ts';
import { TextTurn } from './text.ts';

/** A value of `json$`, while the model writes it and at the end. */
export type JsonEvent<T, Written = T> =
  | {
      readonly type: 'partial';
      /** As far as it came. Never changed later; what has not changed since the last one is the same object. */
      readonly value: DeepPartial<Written>;
    }
  | {
      readonly type: 'final';
      /** Whole, and what the schema's validator made of it. */
      readonly value: T;
    };

/** Ends a run of events that are shown as one. */
interface Mark {
  readonly type: 'read-end';
}

/**
 * The events of a turn → the JSON that the text of one choice is, once for each run of events; at the end once more, validated.
 * Errors know the value as far as it came.
 */
export function growingJson<T, Written>(
  choice: number,
  validate: Validate,
  signal?: AbortSignal | null,
): OperatorFunction<CompletionEvent | Mark, JsonEvent<T, Written>> {
  return (source) =>
    defer(() => {
      const [json, text, turn] = [new JsonText(), new TextBuffer(), new TextTurn(choice, 'error')];
      const { builder } = json;
      const partial$ = source.pipe(
        operate<CompletionEvent | Mark, JsonEvent<T, Written>>((subscriber) => {
          let shown = 0;
          const show = (): void => {
            if (builder.version === shown) return;
            shown = builder.version;
            const value = builder.snapshot();
            // The root of a strict schema is an object: what else has come is wrong, and will be told at the end.
            if (isFields(value)) subscriber.next({ type: 'partial', value: value as DeepPartial<Written> });
          };
          const read = (work: () => void): void => {
            try {
              work();
            } catch (error) {
              show();
              throw asInvalidOutput(error, text.toString(), undefined);
            }
          };
          return {
            next: (event) => {
              if (event.type === 'read-end') {
                show();
                return;
              }
              read(() => {
                const piece = turn.textOf(event);
                if (piece === '') return;
                text.add(piece);
                json.push(piece);
              });
            },
            error: (error) => {
              show();
              subscriber.error(error);
            },
            complete: () => {
              read(() => {
                json.end();
              });
              show();
              subscriber.complete();
            },
          };
        }),
      );
      const final$ = defer(() =>
        from(validated(validate, builder.snapshot(), text.toString())).pipe(
          map((value): JsonEvent<T, Written> => ({ type: 'final', value: value as T })),
        ),
      );
      const informed = (error: unknown): Observable<never> => {
        if (!isCompletionError(error) || !builder.begun) throw error;
        throw withDetails(error, { partial: { ...error.partial, value: builder.snapshot() } });
      };
      // A validator may take as long as it likes.
      const settled$ = signal ? final$.pipe(abortedBy(signal)) : final$;
      return concat(partial$, settled$).pipe(catchError(informed));
    });
}

import type { StandardSchemaV1 } from '@standard-schema/spec';
import { defer, from, mergeMap, reduce, type OperatorFunction, type SchedulerLike, type Subscription } from 'rxjs';
import { configurationError } from '../errors.ts';
import { TextBuffer } from '../events/text-buffer.ts';
import { JsonText } from '../json/text.ts';
import { checkNames, validNumber } from '../option-checks.ts';
import { validScheduler } from './backoff.ts';
import { asInvalidOutput, readWhole, validated } from './json-output.ts';
import { operate } from './operate.ts';

/** A value that is still being written: anything may be missing, what is there is right. */
export type DeepPartial<T> = T extends (infer E)[]
  ? DeepPartial<E>[]
  : T extends readonly (infer E)[]
    ? readonly DeepPartial<E>[]
    : T extends object
      ? { [K in keyof T]?: DeepPartial<T[K]> }
      : T;

/** Options of {@link partialJson}. */
export interface PartialJsonOptions {
  /** Emits at most once in this time, in milliseconds, and the last value always. Default: 0, after each piece that changes it. */
  readonly sampleMs?: number | undefined;
  /** What the time runs on. Default: RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

export const PARTIAL_JSON_DEFAULTS = { sampleMs: 0 } as const;

/**
 * JSON that is being written, as the value it is so far: strings as far as they came, numbers, `true`, `false`, `null` and keys when
 * they are whole. A value emitted once never changes; what has not changed is the same object in the next one, so
 * `distinctUntilChanged` and OnPush see what did. A code fence around the JSON is tolerated.
 *
 * Completes when the source does and the JSON is whole; the last value is then the whole one. Otherwise errors with kind
 * `invalid-output` (no JSON, text before or behind it, an end in the middle), the value so far in `partial.value`. Errors of the
 * source are passed on. Unsubscribing unsubscribes from the source and ends the wait.
 *
 * Linear in the text, but for the copies of open containers, one per emission: long lists are for {@link jsonElements}, or for
 * `sampleMs`.
 *
 * ```
 * source:  --'{"a":"x'--'y","b"'--':12'--'}'|
 * result:  --{a:'x'}----{a:'xy'}----------({a:'xy',b:12}|)
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { partialJson } from 'rxjs-openai/operators';
 *
 * new OpenAIChatCompletion()
 *   .stream$('Three cities as JSON', { response_format: { type: 'json_object' } })
 *   .pipe(partialJson<{ cities: string[] }>())
 *   .subscribe(({ cities }) => console.log(cities));
 * ```
 *
 * @param options - `sampleMs`: default 0
 */
export function partialJson<T = unknown>(options: PartialJsonOptions = {}): OperatorFunction<string, DeepPartial<T>> {
  checkNames(options, [...Object.keys(PARTIAL_JSON_DEFAULTS), 'scheduler'], 'partialJson');
  const max = 0x7fffffff;
  const sampleMs = validNumber('sampleMs', options.sampleMs, PARTIAL_JSON_DEFAULTS.sampleMs, { min: 0, max });
  const scheduler = validScheduler(options.scheduler);
  return operate((subscriber) => {
    const [json, text] = [new JsonText(), new TextBuffer()];
    let shown = 0;
    let timer: Subscription | undefined;
    const show = (): void => {
      timer = undefined;
      if (json.builder.version === shown) return;
      shown = json.builder.version;
      subscriber.next(json.builder.snapshot() as DeepPartial<T>);
    };
    const guarded = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        throw asInvalidOutput(error, text.toString(), json.builder.snapshot());
      }
    };
    const stop = (): void => {
      timer?.unsubscribe();
    };
    subscriber.add(stop);
    return {
      next: (piece) => {
        text.add(piece);
        guarded(() => {
          json.push(piece);
        });
        if (sampleMs === 0) show();
        else if (json.builder.version !== shown) timer ??= scheduler.schedule(show, sampleMs);
      },
      error: (error) => {
        stop();
        show();
        subscriber.error(error);
      },
      complete: () => {
        stop();
        try {
          guarded(() => {
            json.end();
          });
        } finally {
          show();
        }
        subscriber.complete();
      },
    };
  });
}

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
    const elements: T[] = [];
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
      while (elements.length > 0) subscriber.next(elements.shift() as T);
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

/**
 * The whole of a text as the value of its JSON, once, when the source completes; with a schema, what its validator makes of it. The
 * schema is any Standard Schema (zod, valibot, arktype …). A code fence around the JSON is tolerated.
 *
 * Errors with kind `invalid-output`: no JSON, text before or behind it, an end in the middle, or a value that the schema refuses,
 * with the validator's `issues` and the value in `partial.value`. Errors of the source are passed on. Unsubscribing unsubscribes from
 * the source.
 *
 * ```
 * source:  --'{"a":'--'1}'--|
 * result:  -----------------({a:1}|)
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { parseJson } from 'rxjs-openai/operators';
 * import { z } from 'zod';
 *
 * const City = z.object({ name: z.string(), people: z.number() });
 * new OpenAIChatCompletion()
 *   .generate$('Berlin as JSON with name and people', { response_format: { type: 'json_object' } })
 *   .pipe(parseJson(City))
 *   .subscribe(({ name, people }) => console.log(name, people));
 * ```
 */
export function parseJson<T = unknown>(): OperatorFunction<string, T>;
export function parseJson<S extends StandardSchemaV1>(
  schema: S,
): OperatorFunction<string, StandardSchemaV1.InferOutput<S>>;
export function parseJson(schema?: StandardSchemaV1): OperatorFunction<string, unknown> {
  if (
    schema !== undefined &&
    typeof (schema as Partial<StandardSchemaV1> | null)?.['~standard']?.validate !== 'function'
  ) {
    throw configurationError('parseJson: schema must be a Standard Schema (zod, valibot, arktype …)', 'schema');
  }
  return (source) =>
    defer(() => {
      const whole$ = source.pipe(reduce((text, piece) => text.add(piece), new TextBuffer()));
      return whole$.pipe(
        mergeMap((text) => {
          const value = readWhole(text.toString());
          return schema === undefined ? [value] : from(validated(schema, value, text.toString()));
        }),
      );
    });
}

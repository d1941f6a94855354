import type { OperatorFunction, SchedulerLike, Subscription } from 'rxjs';
import { MAX_TIMER_MS } from '../deadline-clock.ts';
import { TextBuffer } from '../events/text-buffer.ts';
import type { DeepPartial } from '../json/deep-partial.ts';
import { JsonText } from '../json/text.ts';
import { checkNames, validNumber, validScheduler } from '../option-checks.ts';
import { asInvalidOutput } from './json-output.ts';
import { operate } from './operate.ts';

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
  const max = MAX_TIMER_MS;
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

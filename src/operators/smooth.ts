import type { MonoTypeOperatorFunction, SchedulerLike, Subscription } from 'rxjs';
import { MAX_TIMER_MS } from '../deadline-clock.ts';
import { checkNames, validNumber, validScheduler } from '../option-checks.ts';
import { operate } from './operate.ts';

/** Options of {@link smooth}, in milliseconds. */
export interface SmoothOptions {
  /** The longest that a piece of text is held back. Default: 250. */
  readonly maxLagMs?: number | undefined;
  /** How often something is emitted. Default: 16. */
  readonly frameMs?: number | undefined;
  /** What the frames run on. Default: RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

export const SMOOTH_DEFAULTS = { maxLagMs: 250, frameMs: 16 } as const;

/**
 * A text that comes in bursts, at an even pace: what waits is spread over `maxLagMs`, a little each frame, so the pace rises with the
 * backlog and nothing waits longer than that (and a frame). The first piece of a pause comes at once. What waits is emitted when the
 * source completes or errors, before that. Needs no animation frames, which stand still in hidden tabs. Never emits `''`, and never
 * cuts a surrogate pair. Unsubscribing unsubscribes from the source and stops the frames; no timer runs while nothing waits.
 *
 * ```
 * source:  --'abcdef'--------'gh'|
 * result:  --a-b-c-d-e-f-----g('h'|)
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { smooth } from 'rxjs-openai/operators';
 *
 * const written$ = new OpenAIChatCompletion().stream$('Tell me a story').pipe(smooth({ maxLagMs: 400 }));
 * written$.subscribe((text) => process.stdout.write(text));
 * ```
 *
 * @param options - `maxLagMs`: default 250; `frameMs`: default 16
 */
export function smooth(options: SmoothOptions = {}): MonoTypeOperatorFunction<string> {
  checkNames(options, [...Object.keys(SMOOTH_DEFAULTS), 'scheduler'], 'smooth');
  const maxLagMs = validNumber('maxLagMs', options.maxLagMs, SMOOTH_DEFAULTS.maxLagMs, { min: 0, max: MAX_TIMER_MS });
  const frameMs = validNumber('frameMs', options.frameMs, SMOOTH_DEFAULTS.frameMs, { min: 1 });
  const scheduler = validScheduler(options.scheduler);
  return operate((subscriber) => {
    const backlog = new Backlog(maxLagMs, frameMs);
    let timer: Subscription | undefined;
    const frame = (): void => {
      const shown = backlog.take(scheduler.now());
      timer = backlog.empty ? undefined : scheduler.schedule(frame, frameMs);
      // Last: the consumer may leave, and take the timer with it.
      if (shown !== '') subscriber.next(shown);
    };
    const flush = (): void => {
      timer?.unsubscribe();
      const rest = backlog.takeAll();
      if (rest !== '') subscriber.next(rest);
    };
    subscriber.add(() => timer?.unsubscribe());
    return {
      next: (piece) => {
        if (piece === '') return;
        backlog.add(piece, scheduler.now());
        if (timer === undefined) frame();
      },
      error: (error) => {
        flush();
        subscriber.error(error);
      },
      complete: () => {
        flush();
        subscriber.complete();
      },
    };
  });
}

/** Text that arrived at one moment, and must be shown by another. */
interface Portion {
  text: string;
  readonly dueAt: number;
}

/** What waits, oldest first. */
class Backlog {
  readonly #maxLagMs: number;
  readonly #frameMs: number;
  #portions: Portion[] = [];

  constructor(maxLagMs: number, frameMs: number) {
    this.#maxLagMs = maxLagMs;
    this.#frameMs = frameMs;
  }

  get empty(): boolean {
    return this.#portions.length === 0;
  }

  add(text: string, now: number): void {
    const dueAt = now + this.#maxLagMs;
    const last = this.#portions.at(-1);
    // Pieces of one frame are one: there are never more portions than frames in the lag.
    if (last !== undefined && dueAt - last.dueAt < this.#frameMs) last.text += text;
    else this.#portions.push({ text, dueAt });
  }

  /** As much as must be shown in this frame for every portion to be shown in time at an even pace. */
  take(now: number): string {
    let waiting = 0;
    let count = 0;
    for (const { text, dueAt } of this.#portions) {
      waiting += text.length;
      const frames = Math.max(1, Math.floor((dueAt - now) / this.#frameMs));
      count = Math.max(count, Math.ceil(waiting / frames));
    }
    return this.#takeChars(count);
  }

  takeAll(): string {
    const text = this.#portions.map((portion) => portion.text).join('');
    this.#portions = [];
    return text;
  }

  #takeChars(count: number): string {
    let taken = '';
    while (taken.length < count) {
      const first = this.#portions[0];
      if (first === undefined) break;
      const end = wholeEnd(first.text, count - taken.length);
      taken += first.text.slice(0, end);
      first.text = first.text.slice(end);
      if (first.text === '') this.#portions.shift();
    }
    return taken;
  }
}

/** The end of a piece of `length` that cuts no surrogate pair: one more rather than one less, so that something is always taken. */
function wholeEnd(text: string, length: number): number {
  const last = text.charCodeAt(length - 1);
  return last >= 0xd800 && last <= 0xdbff ? length + 1 : length;
}

import type { MonoTypeOperatorFunction } from 'rxjs';
import { configurationError } from '../errors.ts';
import { checkNames, validSwitch } from '../option-checks.ts';
import { operate } from './operate.ts';

/** Options of {@link stopWhen}. */
export interface StopWhenOptions {
  /** Whether the stop text itself is emitted. Default: false. */
  readonly include?: boolean | undefined;
}

export const STOP_WHEN_DEFAULTS = { include: false } as const;

/**
 * Ends a text the moment `text` appears in it, also across pieces: emits what stands before, completes, and unsubscribes from the
 * source, which aborts the request. Holds back only the end of a piece that may be the beginning of the stop text; what turns out
 * not to be is emitted, also before the completion or the error of the source. Never emits `''`. Linear in the text (Knuth, Morris
 * and Pratt, 1977).
 *
 * ```
 * stopWhen('END')
 * source:  --'a '--'E'--'NOT E'--'ND b'--
 * result:  --'a '-------'ENOT '--|
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { stopWhen } from 'rxjs-openai/operators';
 *
 * new OpenAIChatCompletion().stream$('Count to 100, one a line').pipe(stopWhen('11')).subscribe(console.log);
 * ```
 *
 * @param text - matched exactly
 * @param options - `include`: default false
 */
export function stopWhen(text: string, options: StopWhenOptions = {}): MonoTypeOperatorFunction<string> {
  if (typeof text !== 'string' || text === '') {
    throw configurationError('stopWhen: text must be the text to stop at, at least one character', 'text');
  }
  checkNames(options, Object.keys(STOP_WHEN_DEFAULTS), 'stopWhen');
  const include = validSwitch('include', options.include, STOP_WHEN_DEFAULTS.include);
  const borders = bordersOf(text);
  return operate((subscriber) => {
    /** So many characters of the stop text have been seen, and held back. */
    let matched = 0;
    let stopped = false;
    const flush = (): void => {
      const held = text.slice(0, matched);
      matched = 0;
      if (held !== '') subscriber.next(held);
    };
    /** The first `length` characters of what was held and the piece behind it. */
    const show = (held: number, piece: string, length: number): void => {
      const shown = text.slice(0, Math.min(held, length)) + piece.slice(0, Math.max(0, length - held));
      if (shown !== '') subscriber.next(shown);
    };
    return {
      next: (piece) => {
        // A consumer may make the source say more while it is told the last piece.
        if (stopped) return;
        const held = matched;
        for (let at = 0; at < piece.length; at++) {
          while (matched > 0 && text[matched] !== piece[at]) matched = borders[matched - 1] as number;
          if (text[matched] === piece[at]) matched += 1;
          if (matched < text.length) continue;
          matched = 0;
          stopped = true;
          show(held, piece, held + at + 1 - (include ? 0 : text.length));
          subscriber.complete();
          return;
        }
        show(held, piece, held + piece.length - matched);
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

/** For each beginning of the text, the length of its longest proper beginning that is also its end. */
function bordersOf(text: string): readonly number[] {
  const borders = [0];
  let length = 0;
  for (let at = 1; at < text.length; at++) {
    while (length > 0 && text[at] !== text[length]) length = borders[length - 1] as number;
    if (text[at] === text[length]) length += 1;
    borders.push(length);
  }
  return borders;
}

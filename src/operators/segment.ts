import type { MonoTypeOperatorFunction } from 'rxjs';
import { configurationError } from '../errors.ts';
import { checkNames, validNumber, validWord } from '../option-checks.ts';
import { operate } from './operate.ts';

/** Options of {@link segment}. */
export interface SegmentOptions {
  /** What a piece is. `line`: up to and with its line feed. The others as Unicode has them (UAX #29, `Intl.Segmenter`). */
  readonly by: 'grapheme' | 'word' | 'sentence' | 'line';
  /** The language whose rules hold. Default: the runtime's. No effect on lines. */
  readonly locale?: string | undefined;
  /** The longest piece, in UTF-16 units: what is longer is cut. Default: 4096. */
  readonly maxChars?: number | undefined;
}

export const SEGMENT_DEFAULTS = { locale: undefined, maxChars: 4096 } as const;

const UNITS = ['grapheme', 'word', 'sentence', 'line'] as const;

/**
 * A text in the pieces that people see: user-perceived characters, words (blanks and punctuation are pieces of their own),
 * sentences or lines, each emitted when what follows can no longer become part of it, and the rest at the end. Put together, the
 * pieces are the text, always. Completes with the source; before its error the rest is emitted. Unsubscribing unsubscribes from
 * the source.
 *
 * In languages without blanks (Chinese, Japanese, Thai …) where a word ends depends on what follows; there a boundary may differ
 * from that of the whole text. A piece of the source costs what is held back and itself, never the whole text.
 *
 * ```
 * segment({ by: 'sentence' })
 * source:  'Hi. I'   ' am'   ' here. Bye'     |
 * result:  'Hi. '            'I am here. '     'Bye' |
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { segment } from 'rxjs-openai/operators';
 *
 * new OpenAIChatCompletion().stream$('Tell me a story').pipe(segment({ by: 'sentence', locale: 'en' })).subscribe(console.log);
 * ```
 *
 * @param options - `by` has no default; `maxChars`: default 4096
 */
export function segment(options: SegmentOptions): MonoTypeOperatorFunction<string> {
  checkNames(options, ['by', ...Object.keys(SEGMENT_DEFAULTS)], 'segment');
  if (options.by === undefined) throw configurationError(`by must be one of ${UNITS.join(', ')}`, 'by');
  const by = validWord('by', options.by, UNITS);
  const maxChars = validNumber('maxChars', options.maxChars, SEGMENT_DEFAULTS.maxChars, { min: 2, whole: true });
  const split = by === 'line' ? linesOf : segmentsBy(by, options.locale);
  return operate((subscriber) => {
    /** What may still become part of a longer piece. */
    let rest = '';
    const queue: string[] = [];
    let emitting = false;
    let ended: (() => void) | undefined;
    /** In order, also what a consumer makes the source say from inside `next`. */
    const emit = (pieces: readonly string[]): void => {
      for (const piece of pieces) queue.push(piece);
      if (emitting) return;
      emitting = true;
      for (let at = 0; at < queue.length && !subscriber.closed; at++) subscriber.next(queue[at] as string);
      queue.length = 0;
      emitting = false;
      ended?.();
    };
    /** The rest, then the end: also where a consumer makes the source end from inside `next`. */
    const end = (tell: () => void): void => {
      ended = tell;
      emit(split(rest).flatMap((piece) => cut(piece, maxChars)));
    };
    return {
      next: (piece) => {
        const text = rest + piece;
        // Half of a surrogate pair is no character yet.
        const whole = endsInHalf(text) ? text.slice(0, -1) : text;
        const pieces = split(whole).flatMap((each) => cut(each, maxChars));
        const kept = keptOf(pieces, unsettledOf(by, pieces), maxChars);
        const settled = pieces.slice(0, pieces.length - kept);
        rest = pieces.slice(settled.length).join('') + text.slice(whole.length);
        emit(settled);
      },
      error: (error) => {
        end(() => {
          subscriber.error(error);
        });
      },
      complete: () => {
        end(() => {
          subscriber.complete();
        });
      },
    };
  });
}

/**
 * How many pieces at the end what follows may change: a grapheme grows; the apostrophe of `can'` joins `can` to what follows; and a small
 * letter behind `etc. 5` undoes the sentence before the 5, as long as no other letter has come.
 */
function unsettledOf(by: SegmentOptions['by'], pieces: readonly string[]): number {
  if (by === 'sentence') return /\p{L}/u.test(pieces.at(-1) ?? '') ? 1 : 2;
  return by === 'word' ? 2 : 1;
}

/** How many pieces at the end wait for what follows: what may change, but no more than `maxChars`, unless one alone is that long. */
function keptOf(pieces: readonly string[], unsettled: number, maxChars: number): number {
  let [kept, length] = [0, 0];
  while (kept < Math.min(unsettled, pieces.length)) {
    length += (pieces.at(-kept - 1) as string).length;
    if (kept > 0 && length > maxChars) break;
    kept += 1;
  }
  return kept;
}

function segmentsBy(
  granularity: Exclude<SegmentOptions['by'], 'line'>,
  locale: string | undefined,
): (text: string) => string[] {
  if (typeof Intl.Segmenter !== 'function') {
    throw configurationError("This runtime has no Intl.Segmenter; segment by 'line', or bring a polyfill", 'by');
  }
  const segmenter = segmenterOf(granularity, locale);
  return (text) => Array.from(segmenter.segment(text), ({ segment: piece }) => piece);
}

function segmenterOf(granularity: Exclude<SegmentOptions['by'], 'line'>, locale: string | undefined): Intl.Segmenter {
  try {
    if (locale === undefined || typeof locale === 'string') return new Intl.Segmenter(locale, { granularity });
    throw new TypeError();
  } catch {
    throw configurationError('locale must be a language tag such as en or pt-BR', 'locale');
  }
}

/** The last one is unfinished, and may be empty. */
function linesOf(text: string): string[] {
  const lines = text.match(/[^\n]*\n|[^\n]+/g) ?? [];
  return text.endsWith('\n') ? [...lines, ''] : lines;
}

/** A piece in parts of at most `maxChars`, none of which ends inside a surrogate pair. */
function cut(piece: string, maxChars: number): readonly string[] {
  if (piece.length <= maxChars) return [piece];
  const parts: string[] = [];
  for (let from = 0; from < piece.length;) {
    const part = piece.slice(from, from + maxChars);
    const whole = part.length === maxChars && endsInHalf(part) ? part.slice(0, -1) : part;
    parts.push(whole);
    from += whole.length;
  }
  return parts;
}

function endsInHalf(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}

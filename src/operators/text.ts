import { defer, filter, map, type OperatorFunction } from 'rxjs';
import { CompletionError } from '../errors.ts';
import type { CompletionEvent, FinishReason } from '../events/event.ts';

/** Options of `text()`. */
export interface TextOptions {
  /** The choice to show. Default: 0. */
  readonly choice?: number;
  /** What an answer that was cut at the token limit is: a completion (default), or an error of kind `limit`. */
  readonly onLength?: 'complete' | 'error';
}

export const TEXT_DEFAULTS = { choice: 0, onLength: 'complete' } as const satisfies Required<TextOptions>;

/**
 * The text of one choice, as it arrives, never `''`. What text cannot show is an error at the end of the turn, after the
 * text before it: a refusal (kind `refusal`), a content-filter stop (`content-filter`), tool calls (`tool`), a retry that
 * withdraws text already shown (`interrupted`).
 *
 * ```
 * source:  start--text('a')--text('b')--finish('stop')|
 * result:  -------a----------b----------|
 * ```
 */
export function text(options: TextOptions = {}): OperatorFunction<CompletionEvent, string> {
  const { choice, onLength } = { ...TEXT_DEFAULTS, ...options };
  return (source) =>
    defer(() => {
      const turn = new TextTurn(choice, onLength);
      return source.pipe(
        map((event) => turn.textOf(event)),
        filter((piece) => piece !== ''),
      );
    });
}

/** What has been seen of the shown choice. */
class TextTurn {
  readonly #choice: number;
  readonly #onLength: 'complete' | 'error';
  #shown = false;
  #refused = false;
  #called = false;

  constructor(choice: number, onLength: 'complete' | 'error') {
    this.#choice = choice;
    this.#onLength = onLength;
  }

  /** The text of an event, `''` if it has none; throws what ends the turn. */
  textOf(event: CompletionEvent): string {
    if (event.type === 'restart') {
      if (this.#shown) throw withdrawn(event.cause);
      this.#refused = this.#called = false;
    }
    if (!('choice' in event) || event.choice !== this.#choice) return '';
    switch (event.type) {
      case 'text-delta':
        this.#shown = true;
        return event.text;
      case 'refusal-delta':
        this.#refused = true;
        return '';
      case 'tool-call-start':
        this.#called = true;
        return '';
      case 'finish': {
        const end = { reason: event.reason, refused: this.#refused, called: this.#called, onLength: this.#onLength };
        const error = unshowable(end);
        if (error !== undefined) throw error;
        return '';
      }
      default:
        return '';
    }
  }
}

/** How a turn ended, for those who can show only its text. */
export interface TurnEnd {
  readonly reason: FinishReason;
  readonly refused: boolean;
  readonly called: boolean;
  readonly onLength: 'complete' | 'error';
}

/** Why a turn cannot be shown as text; `undefined` if it can. */
export function unshowable({ reason, refused, called, onLength }: TurnEnd): CompletionError | undefined {
  if (refused) return new CompletionError('The model refused to answer; see partial.refusal', { kind: 'refusal' });
  if (reason === 'content_filter') {
    return new CompletionError('The content filter stopped the answer (finish_reason "content_filter")', {
      kind: 'content-filter',
    });
  }
  if (called || reason === 'tool_calls' || reason === 'function_call') {
    return new CompletionError('The turn ends in tool calls, which text cannot show; use events$ or completion$', {
      kind: 'tool',
    });
  }
  if (reason === 'length' && onLength === 'error') {
    return new CompletionError(
      'The answer was cut at the token limit (finish_reason "length"); raise max_completion_tokens',
      {
        kind: 'limit',
        code: 'length',
      },
    );
  }
  return undefined;
}

function withdrawn(cause: unknown): CompletionError {
  return new CompletionError('A retry withdraws text that was already shown; use events$ to follow a restart', {
    kind: 'interrupted',
    cause,
  });
}

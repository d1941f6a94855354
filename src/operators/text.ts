import { defer, filter, map, type OperatorFunction } from 'rxjs';
import { CompletionError, isCompletionError, withDetails } from '../errors.ts';
import type { CompletionEvent, FinishReason, RestartEvent } from '../events/event.ts';
import { PartialBuffer } from '../events/partial.ts';
import { validWord } from '../option-checks.ts';
import { resolveChoice, type ChoiceOption } from './choice.ts';

/** Options of {@link text}. */
export interface TextOptions extends ChoiceOption {
  /** What an answer that was cut at the token limit is: a completion (default), or an error of kind `limit`. */
  readonly onLength?: 'complete' | 'error' | undefined;
}

export const TEXT_DEFAULTS = { choice: 0, onLength: 'complete' } as const;

/**
 * The text of one choice, as it arrives, never `''`. What text cannot show is an error at the end of the turn, after the
 * text before it: a refusal (kind `refusal`), a content-filter stop (`content-filter`), tool calls (`tool`), a retry that
 * withdraws text already shown (`interrupted`). What had arrived is in the error's `partial`. Completes with the source.
 * Unsubscribing unsubscribes from the source.
 *
 * ```
 * source:  start--text('a')--text('b')--finish('stop')|
 * result:  -------a----------b----------|
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { text } from 'rxjs-openai/operators';
 *
 * new OpenAIChatCompletion().events$('Say this is a test!').pipe(text()).subscribe((piece) => process.stdout.write(piece));
 * ```
 *
 * @param options - `choice`: default 0; `onLength`: default `complete`
 */
export function text(options: TextOptions = {}): OperatorFunction<CompletionEvent, string> {
  const choice = resolveChoice(options, 'text', Object.keys(TEXT_DEFAULTS));
  const onLength = validWord('onLength', options.onLength, ['complete', 'error']);
  return (source) => defer(() => source.pipe(shownText(choice, onLength, new PartialBuffer(choice))));
}

/** The same for events that somebody else remembers: without a memory its errors know no `partial`. */
export function shownText(
  choice: number,
  onLength: 'complete' | 'error',
  memory?: PartialBuffer,
): OperatorFunction<CompletionEvent, string> {
  return (source) =>
    defer(() => {
      const turn = new TextTurn(choice, onLength);
      return source.pipe(
        map((event) => {
          try {
            const piece = turn.textOf(event);
            memory?.add(event);
            return piece;
          } catch (error) {
            throw memory && isCompletionError(error) ? withDetails(error, { partial: memory.toPartial() }) : error;
          }
        }),
        filter((piece) => piece !== ''),
      );
    });
}

/** What has been seen of the shown choice. */
export class TextTurn {
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
      if (this.#shown) throw withdrawn('text', event);
      this.#refused = this.#called = false;
    }
    if (!('choice' in event) || event.choice !== this.#choice) return '';
    switch (event.type) {
      case 'text-delta':
        this.#shown ||= event.text !== '';
        return event.text;
      case 'refusal-delta':
        this.#refused = true;
        return '';
      case 'tool-call-start':
      case 'tool-call':
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
  if (isLength(reason) && onLength === 'error') {
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

/** Whether an answer was cut at the token limit; some servers have names of their own for it. */
export function isLength(reason: FinishReason): boolean {
  return reason === 'length' || reason === 'model_length' || reason === 'max_tokens';
}

/** For operators that cannot take back what they have emitted. */
export function withdrawn(what: string, { cause }: RestartEvent): CompletionError {
  return new CompletionError(
    `A retry withdraws ${what} already shown; use events$ or accumulate() to follow a restart`,
    {
      kind: 'interrupted',
      cause,
    },
  );
}

import { concat, defer, filter, ignoreElements, map, of, tap, type OperatorFunction } from 'rxjs';
import type { CompletionUsage } from 'openai/resources/completions';
import { withDetails } from '../errors.ts';
import type { CompletionEvent, ToolCallEvent } from '../events/event.ts';
import { PartialBuffer } from '../events/partial.ts';
import { resolveChoice, type ChoiceOption } from './choice.ts';
import { withdrawn } from './text.ts';

/**
 * The model's reasoning in one choice, as it arrives, never `''`. Completes with the source, whatever the turn ends in. A restart
 * after reasoning was shown is an error of kind `interrupted`. Unsubscribing unsubscribes from the source.
 *
 * ```
 * source:  start--reasoning('hm')--text('a')--finish|
 * result:  -------hm--------------------------|
 * ```
 *
 * @param options - `choice`: default 0
 */
export function reasoning(options: ChoiceOption = {}): OperatorFunction<CompletionEvent, string> {
  const choice = resolveChoice(options, 'reasoning');
  return shown('reasoning', choice, (event) => (event.type === 'reasoning-delta' ? orNothing(event.text) : undefined));
}

/**
 * The model's refusal in one choice, as it arrives, never `''`; nothing if it did not refuse. Completes with the source. A restart
 * after a refusal was shown is an error of kind `interrupted`. Unsubscribing unsubscribes from the source.
 *
 * ```
 * source:  start--refusal('no')--finish|
 * result:  -------no------------|
 * ```
 *
 * @param options - `choice`: default 0
 */
export function refusal(options: ChoiceOption = {}): OperatorFunction<CompletionEvent, string> {
  const choice = resolveChoice(options, 'refusal');
  return shown('a refusal', choice, (event) => (event.type === 'refusal-delta' ? orNothing(event.text) : undefined));
}

/**
 * The tool calls of one choice, each when it is known to be whole, which is at the end of the turn: a call that was cut off never
 * comes. Completes with the source. A restart after a call was shown is an error of kind `interrupted`, for it may have been
 * executed. Unsubscribing unsubscribes from the source.
 *
 * ```
 * source:  start--tool-call-start--tool-call-delta--(tool-call finish|)
 * result:  -----------------------------------------(tool-call|)
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { toolCalls } from 'rxjs-openai/operators';
 *
 * const tools = [{ type: 'function' as const, function: { name: 'now', parameters: { type: 'object', properties: {} } } }];
 * new OpenAIChatCompletion()
 *   .events$('What time is it?', { tools })
 *   .pipe(toolCalls())
 *   .subscribe((call) => console.log(call.name, JSON.parse(call.arguments)));
 * ```
 *
 * @param options - `choice`: default 0
 */
export function toolCalls(options: ChoiceOption = {}): OperatorFunction<CompletionEvent, ToolCallEvent> {
  const choice = resolveChoice(options, 'toolCalls');
  return shown('a tool call', choice, (event) => (event.type === 'tool-call' ? event : undefined));
}

/**
 * The token counts of the attempt that is shown, once, when the source completes; nothing if the server sent none. An error of
 * the source is passed on alone. Unsubscribing unsubscribes from the source.
 *
 * ```
 * source:  start--text--finish--usage--|
 * result:  ----------------------------(usage|)
 * ```
 *
 * @param options - `choice` is checked and has no effect: providers count all choices together
 */
export function usage(options: ChoiceOption = {}): OperatorFunction<CompletionEvent, CompletionUsage> {
  resolveChoice(options, 'usage');
  return (source) =>
    defer(() => {
      let counted: CompletionUsage | undefined;
      const counting$ = source.pipe(
        tap((event) => {
          if (event.type === 'usage') counted = event.usage;
          else if (event.type === 'restart') counted = undefined;
        }),
        ignoreElements(),
      );
      return concat(
        counting$,
        defer(() => (counted === undefined ? [] : of(counted))),
      );
    });
}

/** What `pick` finds in the events of one choice; once something was found, nothing can be withdrawn. */
function shown<T extends string | object>(
  what: string,
  choice: number,
  pick: (event: CompletionEvent) => T | undefined,
): OperatorFunction<CompletionEvent, T> {
  return (source) =>
    defer(() => {
      const partial = new PartialBuffer(choice);
      let any = false;
      return source.pipe(
        map((event) => {
          if (event.type === 'restart' && any) {
            throw withDetails(withdrawn(what, event), { partial: partial.toPartial() });
          }
          partial.add(event);
          const picked = 'choice' in event && event.choice === choice ? pick(event) : undefined;
          any ||= picked !== undefined;
          return picked;
        }),
        filter((picked) => picked !== undefined),
      );
    });
}

const orNothing = (text: string): string | undefined => (text === '' ? undefined : text);

import type { CompletionEvent, ExtraEvent } from './event.ts';
import { Gathered, type GatheredChoice } from './gathered.ts';
import { copyOf } from './merge.ts';
import type { Fields } from '../fields.ts';
import { isCompletionEvent } from './output.ts';

/** What a completion has said so far, as few events as say the same: one delta for each kind and choice. */
export class CompletionState extends Gathered {
  /** Events of types that are not known here cannot be put together. */
  #unknown: CompletionEvent[] = [];

  override add(event: CompletionEvent): void {
    if (event.type === 'restart') this.#unknown = [];
    if (!isCompletionEvent(event)) this.#unknown.push(event);
    super.add(event);
  }

  /** In the order of the grammar. Nothing of it is changed by what is added later. */
  events(): CompletionEvent[] {
    const choices = [...this.choices.values()];
    return [
      this.start,
      this.extra && extraEvent('completion', this.extra),
      ...choices.flatMap(outputOf),
      ...this.#unknown,
      ...choices.flatMap(({ whole, finish }) => [...whole, finish]),
      this.usage,
    ].filter((event) => event !== undefined);
  }
}

function outputOf(gathered: GatheredChoice): CompletionEvent[] {
  const { choice, field, tokens, refusalTokens } = gathered;
  const [text, reasoning, refusal] = [gathered.text, gathered.reasoning, gathered.refusal].map((it) => it?.toString());
  const events: CompletionEvent[] = [];
  if (reasoning !== undefined) events.push({ type: 'reasoning-delta', choice, text: reasoning, field });
  if (text !== undefined) events.push({ type: 'text-delta', choice, text });
  if (refusal !== undefined) events.push({ type: 'refusal-delta', choice, text: refusal });
  for (const { index, id, name, text: json, pieces } of gathered.calls.values()) {
    events.push({ type: 'tool-call-start', choice, index, id, name });
    if (pieces > 0) events.push({ type: 'tool-call-delta', choice, index, arguments: json.toString() });
  }
  if (tokens.length + refusalTokens.length > 0) {
    events.push({ type: 'logprobs', choice, tokens: [...tokens], refusalTokens: [...refusalTokens] });
  }
  for (const [scope, fields] of gathered.extras) events.push(extraEvent(scope, fields, choice));
  return events;
}

function extraEvent(scope: ExtraEvent['scope'], fields: Fields, choice?: number): ExtraEvent {
  const where = choice === undefined ? undefined : { choice };
  return { type: 'extra', ...where, scope, fields: copyOf(fields) };
}

import type { ChatCompletionTokenLogprob } from 'openai/resources/chat/completions';
import type {
  CompletionEvent,
  ExtraEvent,
  FinishEvent,
  ReasoningField,
  StartEvent,
  ToolCallEvent,
  UsageEvent,
} from './event.ts';
import { continueFields, copyOf, isFields, replaceFields, type Fields } from './merge.ts';
import { TextBuffer } from './text-buffer.ts';

interface CallState {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly text: TextBuffer;
  pieces: number;
}

interface ChoiceState {
  readonly choice: number;
  text: TextBuffer | undefined;
  reasoning: TextBuffer | undefined;
  refusal: TextBuffer | undefined;
  field: ReasoningField;
  readonly calls: Map<number, CallState>;
  readonly tokens: ChatCompletionTokenLogprob[];
  readonly refusalTokens: ChatCompletionTokenLogprob[];
  readonly extras: Map<ExtraEvent['scope'], Fields>;
  readonly whole: ToolCallEvent[];
  finish: FinishEvent | undefined;
}

/**
 * What a completion has said so far, as few events as say the same: one delta for each kind and choice. Grows with what was said,
 * not with the number of events it was said in.
 */
export class CompletionState {
  #start: StartEvent | undefined;
  #extra: Fields | undefined;
  #choices = new Map<number, ChoiceState>();
  #usage: UsageEvent | undefined;
  /** Events of types that are not known here cannot be put together. */
  #unknown: CompletionEvent[] = [];

  add(event: CompletionEvent): void {
    switch (event.type) {
      case 'restart':
        this.#start = this.#extra = this.#usage = undefined;
        this.#choices = new Map();
        this.#unknown = [];
        break;
      case 'start':
        this.#start = event;
        break;
      case 'usage':
        this.#usage = event;
        break;
      case 'extra':
        this.#addExtra(event);
        break;
      case 'text-delta':
      case 'reasoning-delta':
      case 'refusal-delta':
      case 'tool-call-start':
      case 'tool-call-delta':
      case 'tool-call':
      case 'logprobs':
      case 'finish':
        addToChoice(this.#at(event.choice), event);
        break;
      default:
        this.#unknown.push(event);
    }
  }

  /** In the order of the grammar. Nothing of it is changed by what is added later. */
  events(): CompletionEvent[] {
    const choices = [...this.#choices.values()];
    return [
      ...(this.#start === undefined ? [] : [this.#start]),
      ...(this.#extra === undefined ? [] : [extraEvent('completion', this.#extra)]),
      ...choices.flatMap(outputOf),
      ...this.#unknown,
      ...choices.flatMap(({ whole, finish }) => (finish === undefined ? whole : [...whole, finish])),
      ...(this.#usage === undefined ? [] : [this.#usage]),
    ];
  }

  #addExtra({ choice, scope, fields }: ExtraEvent): void {
    if (!isFields(fields)) return;
    if (choice === undefined) {
      replaceFields((this.#extra ??= {}), fields);
      return;
    }
    const { extras } = this.#at(choice);
    const before = extras.get(scope) ?? {};
    if (scope === 'message') continueFields(before, fields);
    else replaceFields(before, fields);
    extras.set(scope, before);
  }

  #at(choice: number): ChoiceState {
    let state = this.#choices.get(choice);
    if (state === undefined) {
      state = {
        choice,
        text: undefined,
        reasoning: undefined,
        refusal: undefined,
        field: 'reasoning_content',
        calls: new Map(),
        tokens: [],
        refusalTokens: [],
        extras: new Map(),
        whole: [],
        finish: undefined,
      };
      this.#choices.set(choice, state);
    }
    return state;
  }
}

type ChoiceEvent = Exclude<Extract<CompletionEvent, { readonly choice: number }>, ExtraEvent>;

function addToChoice(state: ChoiceState, event: ChoiceEvent): void {
  switch (event.type) {
    case 'text-delta':
      (state.text ??= new TextBuffer()).add(event.text);
      break;
    case 'reasoning-delta':
      state.field = event.field;
      (state.reasoning ??= new TextBuffer()).add(event.text);
      break;
    case 'refusal-delta':
      (state.refusal ??= new TextBuffer()).add(event.text);
      break;
    case 'tool-call-start': {
      const { index, id, name } = event;
      state.calls.set(index, { index, id, name, text: new TextBuffer(), pieces: 0 });
      break;
    }
    case 'tool-call-delta': {
      const call = state.calls.get(event.index);
      if (call === undefined) break;
      call.text.add(event.arguments);
      call.pieces += 1;
      break;
    }
    case 'tool-call':
      state.whole.push(event);
      break;
    case 'logprobs':
      for (const token of listOf(event.tokens)) state.tokens.push(token);
      for (const token of listOf(event.refusalTokens)) state.refusalTokens.push(token);
      break;
    case 'finish':
      state.finish = event;
  }
}

function outputOf(state: ChoiceState): CompletionEvent[] {
  const { choice, field } = state;
  const [text, reasoning, refusal] = [state.text, state.reasoning, state.refusal].map((buffer) => buffer?.toString());
  const events: CompletionEvent[] = [];
  if (reasoning !== undefined) events.push({ type: 'reasoning-delta', choice, text: reasoning, field });
  if (text !== undefined) events.push({ type: 'text-delta', choice, text });
  if (refusal !== undefined) events.push({ type: 'refusal-delta', choice, text: refusal });
  for (const { index, id, name, text: json, pieces } of state.calls.values()) {
    events.push({ type: 'tool-call-start', choice, index, id, name });
    if (pieces > 0) events.push({ type: 'tool-call-delta', choice, index, arguments: json.toString() });
  }
  if (state.tokens.length + state.refusalTokens.length > 0) {
    events.push({ type: 'logprobs', choice, tokens: [...state.tokens], refusalTokens: [...state.refusalTokens] });
  }
  for (const [scope, fields] of state.extras) events.push(extraEvent(scope, fields, choice));
  return events;
}

function extraEvent(scope: ExtraEvent['scope'], fields: Fields, choice?: number): ExtraEvent {
  const copy = copyOf(fields);
  return choice === undefined ? { type: 'extra', scope, fields: copy } : { type: 'extra', choice, scope, fields: copy };
}

/** Of made-up events; the assembler makes lists. */
function listOf<T>(list: readonly T[]): readonly T[] {
  const given: unknown = list;
  return Array.isArray(given) ? (given as readonly T[]) : [];
}

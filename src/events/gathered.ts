import type { ChatCompletionTokenLogprob } from 'openai/resources/chat/completions';
import { EMPTY_PARTIAL, type PartialCompletion } from '../errors.ts';
import type {
  CompletionEvent,
  ExtraEvent,
  FinishEvent,
  ReasoningField,
  StartEvent,
  ToolCallEvent,
  UsageEvent,
} from './event.ts';
import { continueFields, replaceFields } from './merge.ts';
import { isFields, type Fields } from '../fields.ts';
import { SAID_IN } from './said-in.ts';
import { isCompletionEvent } from './output.ts';
import { TextBuffer } from './text-buffer.ts';

interface GatheredCall {
  readonly index: number;
  readonly id: string;
  readonly name: string;
  readonly text: TextBuffer;
  pieces: number;
}

/** What has been said of one choice. */
export interface GatheredChoice {
  readonly choice: number;
  text: TextBuffer | undefined;
  reasoning: TextBuffer | undefined;
  refusal: TextBuffer | undefined;
  field: ReasoningField;
  readonly calls: Map<number, GatheredCall>;
  readonly tokens: ChatCompletionTokenLogprob[];
  readonly refusalTokens: ChatCompletionTokenLogprob[];
  readonly extras: Map<ExtraEvent['scope'], Fields>;
  readonly whole: ToolCallEvent[];
  finish: FinishEvent | undefined;
}

/**
 * What the events of a completion have said so far, put together: a `restart` begins anew. Grows with what was said, not with the
 * number of events it was said in. What is no event that is known here is ignored.
 */
export class Gathered {
  protected start: StartEvent | undefined;
  protected extra: Fields | undefined;
  protected usage: UsageEvent | undefined;
  protected choices = new Map<number, GatheredChoice>();

  add(event: unknown): void {
    if (!isCompletionEvent(event)) return;
    switch (event.type) {
      case 'restart':
        this.start = this.extra = this.usage = undefined;
        this.choices = new Map();
        break;
      case 'start':
        this.start = event;
        break;
      case 'usage':
        this.usage = event;
        break;
      case 'extra':
        this.#addExtra(event);
        break;
      default:
        addToChoice(this.#at(event.choice), event);
    }
  }

  /** What has arrived of a choice. */
  partial(index = 0): PartialCompletion {
    const choice = this.choices.get(index);
    if (choice === undefined) return EMPTY_PARTIAL;
    const { text, reasoning, refusal, calls, whole } = choice;
    const begun = [...calls.values()].map((call) => ({ ...call, arguments: call.text.toString() }));
    // The pieces of a whole call have come before, unless somebody made up the events.
    const others = whole.filter((call) => !calls.has(call.index));
    return {
      text: asText(text),
      reasoning: asText(reasoning),
      refusal: asText(refusal),
      toolCalls: [...begun, ...others].map(({ id, name, arguments: json }) => ({ id, name, arguments: json })),
    };
  }

  #addExtra({ choice, scope, fields }: ExtraEvent): void {
    if (!isFields(fields)) return;
    if (choice === undefined) {
      replaceFields((this.extra ??= {}), fields);
      return;
    }
    const { extras } = this.#at(choice);
    const before = extras.get(scope) ?? {};
    if (scope === 'message') continueFields(before, fields);
    else replaceFields(before, fields);
    extras.set(scope, before);
  }

  #at(choice: number): GatheredChoice {
    let gathered = this.choices.get(choice);
    if (gathered === undefined) {
      gathered = {
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
      this.choices.set(choice, gathered);
    }
    return gathered;
  }
}

type ChoiceEvent = Exclude<Extract<CompletionEvent, { readonly choice: number }>, ExtraEvent>;

function addToChoice(gathered: GatheredChoice, event: ChoiceEvent): void {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
    case 'refusal-delta':
      if (event.type === 'reasoning-delta') gathered.field = event.field;
      (gathered[SAID_IN[event.type]] ??= new TextBuffer()).add(event.text);
      break;
    case 'tool-call-start': {
      const { index, id, name } = event;
      gathered.calls.set(index, { index, id, name, text: new TextBuffer(), pieces: 0 });
      break;
    }
    case 'tool-call-delta': {
      const call = gathered.calls.get(event.index);
      if (call === undefined) break;
      call.text.add(event.arguments);
      call.pieces += 1;
      break;
    }
    case 'tool-call':
      gathered.whole.push(event);
      break;
    case 'logprobs':
      // One by one: spread as arguments, the tokens of a long answer that comes in one piece overflow the stack.
      for (const token of listOf(event.tokens)) gathered.tokens.push(token);
      for (const token of listOf(event.refusalTokens)) gathered.refusalTokens.push(token);
      break;
    case 'finish':
      gathered.finish = event;
  }
}

/** Of made-up events; the assembler makes lists. */
function listOf<T>(list: readonly T[]): readonly T[] {
  const given: unknown = list;
  return Array.isArray(given) ? (given as readonly T[]) : [];
}

function asText(buffer: TextBuffer | undefined): string {
  return buffer === undefined ? '' : buffer.toString();
}

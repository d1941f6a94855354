import { EMPTY_PARTIAL, type PartialCompletion } from '../errors.ts';
import type { Chunk, CompletionEvent, LogprobsEvent, ReasoningField, ResponseMeta, StartEvent } from './event.ts';
import { setOwn } from './merge.ts';
import { isFields, type Fields } from '../fields.ts';
import { TextBuffer } from './text-buffer.ts';
import { ToolCalls } from './tool-calls.ts';

type Emit = (event: CompletionEvent) => void;

interface Choice {
  readonly index: number;
  readonly text: TextBuffer;
  readonly reasoning: TextBuffer;
  readonly refusal: TextBuffer;
  reason: string | undefined;
  toolCalls: ToolCalls | undefined;
}

/**
 * Chunks → events, for one attempt. Takes what compatible servers really send (null or missing choices, content as parts,
 * usage anywhere, finish reasons more than once) and holds back what must come last: whole tool calls, `finish`, `usage`.
 */
export class Assembler {
  readonly #meta: ResponseMeta;
  readonly #choices = new Map<number, Choice>();
  #started = false;
  #id = '';
  #usage: Fields | undefined;
  /** Usage from elsewhere (`x_groq`, Moonshot's choices), where the completion has none. */
  #usageAside: Fields | undefined;
  /** Fields seen before `start` could be told (Azure's first chunk has filter results and an empty id). */
  #early: CompletionEvent[] = [];
  #shownTier: unknown;

  constructor(meta: ResponseMeta) {
    this.#meta = meta;
  }

  /** Emits the events of one chunk, each at once. */
  add(chunk: Chunk, emit: Emit): void {
    const fields = chunk as unknown as Fields;
    const choices: readonly unknown[] = Array.isArray(fields['choices']) ? (fields['choices'] as unknown[]) : [];
    if (!this.#started && (choices.length > 0 || (typeof fields['id'] === 'string' && fields['id'] !== ''))) {
      this.#start(fields, emit);
    }
    this.#addCompletionFields(fields, this.#started ? emit : (event) => this.#early.push(event));
    for (const choice of choices) {
      if (isFields(choice)) this.#addChoice(choice, emit);
    }
  }

  /** Emits what was held back. To be called when the stream has ended well, never after an error. */
  finish(emit: Emit): void {
    if (!this.#started) this.#start({}, emit);
    for (const choice of this.#choices.values()) {
      if (choice.reason !== 'length' && choice.reason !== 'content_filter') choice.toolCalls?.finish(emit);
      emit({ type: 'finish', choice: choice.index, reason: choice.reason ?? null });
    }
    const usage = this.#usage ?? this.#usageAside;
    if (usage !== undefined) emit({ type: 'usage', usage: usage as never });
  }

  /** What has arrived of a choice. */
  partial(index = 0): PartialCompletion {
    const choice = this.#choices.get(index);
    if (choice === undefined) return EMPTY_PARTIAL;
    const { text, reasoning, refusal, toolCalls } = choice;
    return {
      text: text.toString(),
      reasoning: reasoning.toString(),
      refusal: refusal.toString(),
      toolCalls: toolCalls?.partial() ?? [],
    };
  }

  #start(chunk: Fields, emit: Emit): void {
    this.#started = true;
    this.#id = typeof chunk['id'] === 'string' ? chunk['id'] : '';
    const fingerprint = chunk['system_fingerprint'];
    const event: StartEvent = {
      type: 'start',
      id: this.#id,
      model: typeof chunk['model'] === 'string' ? chunk['model'] : '',
      created: typeof chunk['created'] === 'number' ? chunk['created'] : 0,
      ...this.#meta,
      ...(typeof fingerprint === 'string' ? { systemFingerprint: fingerprint } : undefined),
    };
    emit(event);
    const early = this.#early;
    this.#early = [];
    early.forEach(emit);
  }

  #addCompletionFields(chunk: Fields, emit: Emit): void {
    let extra: Fields | undefined;
    for (const key in chunk) {
      const value = chunk[key];
      switch (key) {
        case 'id':
        case 'object':
        case 'created':
        case 'model':
        case 'choices':
        case 'system_fingerprint':
        case 'obfuscation': // Random padding against traffic analysis, no part of the completion.
          break;
        case 'usage':
          if (isFields(value)) this.#usage = value;
          break;
        case 'service_tier': // The same in every chunk: told when it changes.
          if (value !== null && value !== this.#shownTier) setOwn((extra ??= {}), key, (this.#shownTier = value));
          break;
        case 'x_groq':
          if (isFields(value) && isFields(value['usage'])) this.#usageAside = value['usage'];
          setOwn((extra ??= {}), key, value);
          break;
        default:
          if (value !== null && value !== undefined) setOwn((extra ??= {}), key, value);
      }
    }
    if (extra !== undefined) emit({ type: 'extra', scope: 'completion', fields: extra });
  }

  #addChoice(fields: Fields, emit: Emit): void {
    const choice = this.#choiceAt(choiceIndex(fields));
    let extra: Fields | undefined;
    for (const key in fields) {
      const value = fields[key];
      switch (key) {
        case 'index':
          break;
        case 'delta':
        case 'message': // Some servers send the whole message in a chunk.
          if (isFields(value)) this.#addDelta(choice, value, emit);
          break;
        case 'finish_reason':
          if (typeof value === 'string' && value !== '') choice.reason = laterReason(choice.reason, value);
          break;
        case 'logprobs':
          if (isFields(value)) emitLogprobs(choice.index, value, emit);
          break;
        case 'usage':
          if (!isFields(value)) break;
          this.#usageAside = value;
          setOwn((extra ??= {}), key, value);
          break;
        default:
          if (value !== null && value !== undefined) setOwn((extra ??= {}), key, value);
      }
    }
    if (extra !== undefined) emit({ type: 'extra', choice: choice.index, scope: 'choice', fields: extra });
  }

  #addDelta(choice: Choice, delta: Fields, emit: Emit): void {
    let extra: Fields | undefined;
    for (const key in delta) {
      const value = delta[key];
      if (value === null || value === undefined) continue;
      switch (key) {
        case 'role':
          break;
        case 'content':
          if (typeof value === 'string') addText(choice, value, emit);
          else extra = addParts(choice, value, emit, extra);
          break;
        case 'refusal':
          if (typeof value === 'string') addRefusal(choice, value, emit);
          break;
        case 'reasoning':
        case 'reasoning_content':
          if (typeof value !== 'string') setOwn((extra ??= {}), key, value);
          else addReasoning(choice, value, fieldOf(key, delta), emit);
          break;
        case 'tool_calls':
          if (!Array.isArray(value)) break;
          choice.toolCalls ??= new ToolCalls(choice.index, this.#id);
          for (const call of value as unknown[]) choice.toolCalls.add(call, emit);
          break;
        default:
          setOwn((extra ??= {}), key, value);
      }
    }
    if (extra !== undefined) emit({ type: 'extra', choice: choice.index, scope: 'message', fields: extra });
  }

  #choiceAt(index: number): Choice {
    let choice = this.#choices.get(index);
    if (choice === undefined) {
      const [text, reasoning, refusal] = [new TextBuffer(), new TextBuffer(), new TextBuffer()];
      choice = { index, text, reasoning, refusal, reason: undefined, toolCalls: undefined };
      this.#choices.set(index, choice);
    }
    return choice;
  }
}

/** Which choice a piece belongs to: the first, where a server does not say. */
export function choiceIndex(choice: Fields): number {
  const index = choice['index'];
  return Number.isInteger(index) ? (index as number) : 0;
}

/** Gemini says `stop` in every chunk, others say `stop` after `tool_calls`: the more telling reason stands. */
function laterReason(before: string | undefined, reason: string): string {
  return before === undefined || reason !== 'stop' ? reason : before;
}

function addText(choice: Choice, text: string, emit: Emit): void {
  if (text === '') return;
  choice.text.add(text);
  emit({ type: 'text-delta', choice: choice.index, text });
}

function addRefusal(choice: Choice, text: string, emit: Emit): void {
  if (text === '') return;
  choice.refusal.add(text);
  emit({ type: 'refusal-delta', choice: choice.index, text });
}

/** `field` undefined: the text is the twin of one already told. */
function addReasoning(choice: Choice, text: string, field: ReasoningField | undefined, emit: Emit): void {
  if (text === '' || field === undefined) return;
  choice.reasoning.add(text);
  emit({ type: 'reasoning-delta', choice: choice.index, text, field });
}

/** Servers in transition send the same text under both names; it is one piece of reasoning. */
function fieldOf(key: 'reasoning' | 'reasoning_content', delta: Fields): ReasoningField | undefined {
  if (delta['reasoning'] !== delta['reasoning_content']) return key;
  return key === 'reasoning' ? 'both' : undefined;
}

/** Content as a list of parts (Mistral: `thinking` beside `text`). What is no known part goes into `extra` unchanged. */
function addParts(choice: Choice, content: unknown, emit: Emit, extra: Fields | undefined): Fields | undefined {
  const unknown: unknown[] = [];
  for (const part of Array.isArray(content) ? (content as unknown[]) : [content]) {
    const { type, text, thinking, refusal } = (isFields(part) ? part : {}) as Record<string, unknown>;
    if (typeof part === 'string') addText(choice, part, emit);
    else if ((type === 'text' || type === 'output_text') && typeof text === 'string') addText(choice, text, emit);
    else if (type === 'refusal' && typeof refusal === 'string') addRefusal(choice, refusal, emit);
    else if (type === 'thinking') addReasoning(choice, plainText(thinking), 'reasoning', emit);
    else unknown.push(part);
  }
  if (unknown.length === 0) return extra;
  const fields = extra ?? {};
  setOwn(fields, 'content_parts', unknown);
  return fields;
}

function plainText(parts: unknown): string {
  if (typeof parts === 'string') return parts;
  if (!Array.isArray(parts)) return '';
  return (parts as unknown[])
    .map((part) => (isFields(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('');
}

function emitLogprobs(choice: number, logprobs: Fields, emit: Emit): void {
  const list = (value: unknown): LogprobsEvent['tokens'] =>
    Array.isArray(value) ? (value as LogprobsEvent['tokens']) : [];
  const tokens = list(logprobs['content']);
  const refusalTokens = list(logprobs['refusal']);
  if (tokens.length > 0 || refusalTokens.length > 0) emit({ type: 'logprobs', choice, tokens, refusalTokens });
}

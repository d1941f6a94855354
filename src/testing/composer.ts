import type { ChatCompletion } from 'openai/resources/chat/completions';
import { configurationError } from '../errors.ts';
import { Assembler } from '../events/assembler.ts';
import { Collector } from '../events/collector.ts';
import type { Chunk } from '../events/event.ts';
import { isFields, type Fields } from '../fields.ts';
import type { FakeStep, FakeToolCall } from './exchange.ts';

/** What every chunk of an answer repeats. */
export interface ChunkBase {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

interface ComposedChoice {
  calls: number;
  finished: boolean;
}

/** Steps → the chunks a server would send, for one answer. */
export class Composer {
  readonly #base: Fields;
  readonly #usageAsked: boolean;
  readonly #choices = new Map<number, ComposedChoice>();
  readonly #chunks: Fields[] = [];

  /** @param usageAsked - whether usage is sent at all */
  constructor(base: ChunkBase, usageAsked: boolean) {
    this.#base = { ...base, object: 'chat.completion.chunk' };
    this.#usageAsked = usageAsked;
  }

  /** The chunks of one step. */
  add(step: FakeStep): readonly Fields[] {
    const { choice: index = 0, text, reasoning, refusal, toolCall, finish, usage, chunk } = step;
    const chunks: Fields[] = [];
    const say = (delta: Fields): void => void chunks.push(this.#delta(index, delta));
    if (text !== undefined) say({ content: text });
    if (reasoning !== undefined) say({ reasoning_content: reasoning });
    if (refusal !== undefined) say({ refusal });
    if (toolCall !== undefined) say({ tool_calls: [this.#call(index, toolCall)] });
    if (chunk !== undefined) chunks.push(this.#own(chunk));
    if (finish !== undefined) chunks.push(this.#finish(index, finish));
    if (usage !== undefined && this.#usageAsked) chunks.push({ ...this.#base, choices: [], usage });
    this.#chunks.push(...chunks);
    return chunks;
  }

  /** The chunks that end the answer well: what has not finished does. */
  end(): readonly Fields[] {
    if (this.#choices.size === 0) this.#at(0);
    const open = [...this.#choices].filter(([, { finished }]) => !finished);
    const chunks = open.map(([index, { calls }]) => this.#finish(index, calls > 0 ? 'tool_calls' : 'stop'));
    this.#chunks.push(...chunks);
    return chunks;
  }

  /** What a request that is not streamed gets: the same, as our own assembler reads it. */
  toCompletion(): ChatCompletion {
    const assembler = new Assembler({ attempt: 1 });
    const collector = new Collector();
    const collect = collector.add.bind(collector);
    for (const chunk of this.#chunks) assembler.add(chunk as unknown as Chunk, collect);
    assembler.finish(collect);
    return collector.toCompletion();
  }

  #at(index: number): ComposedChoice {
    let choice = this.#choices.get(index);
    if (choice === undefined) this.#choices.set(index, (choice = { calls: 0, finished: false }));
    return choice;
  }

  #delta(index: number, delta: Fields): Fields {
    const role = this.#choices.has(index) ? undefined : { role: 'assistant' };
    this.#at(index);
    return { ...this.#base, choices: [{ index, delta: { ...role, ...delta }, logprobs: null, finish_reason: null }] };
  }

  #finish(index: number, reason: unknown): Fields {
    this.#at(index).finished = true;
    return { ...this.#base, choices: [{ index, delta: {}, logprobs: null, finish_reason: reason }] };
  }

  #call(choice: number, { name, arguments: json = '', id }: FakeToolCall): Fields {
    const state = this.#at(choice);
    if (name === undefined) {
      if (state.calls > 0) return { index: state.calls - 1, function: { arguments: json } };
      throw configurationError(
        'A toolCall without a name goes on with a call of its choice, and there is none',
        'toolCall',
      );
    }
    state.calls += 1;
    return {
      index: state.calls - 1,
      id: id ?? `call_${String(state.calls)}`,
      type: 'function',
      function: { name, arguments: json },
    };
  }

  /** A chunk of the script's own; what it says of choices counts as if we had said it. */
  #own(fields: Fields): Fields {
    const chunk: Fields = { ...this.#base, choices: [], ...fields };
    const choices = Array.isArray(chunk['choices']) ? (chunk['choices'] as unknown[]) : [];
    for (const choice of choices.filter(isFields)) {
      const { index, delta, finish_reason: reason } = choice;
      const state = this.#at(typeof index === 'number' ? index : 0);
      const calls = isFields(delta) && Array.isArray(delta['tool_calls']) ? (delta['tool_calls'] as unknown[]) : [];
      for (const call of calls.filter(isFields)) state.calls = Math.max(state.calls, Number(call['index'] ?? 0) + 1);
      if (typeof reason === 'string') state.finished = true;
    }
    return chunk;
  }
}

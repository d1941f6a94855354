import { Assembler } from '../../src/events/assembler.ts';
import type { Chunk, CompletionEvent } from '../../src/events/event.ts';

/** What a test gives of a chunk; servers send fields that OpenAI's types do not know. */
export type ChunkFields = Readonly<Record<string, unknown>>;

const BASE = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'gpt-test' };

/** A chunk with OpenAI's fields, unless `fields` says otherwise. */
export function chunk(fields: ChunkFields = {}): Chunk {
  return { ...BASE, choices: [], ...fields } as unknown as Chunk;
}

/** A chunk with one choice's delta; a string is its content. */
export function delta(given: string | ChunkFields, index = 0): Chunk {
  const fields = typeof given === 'string' ? { content: given } : given;
  return chunk({ choices: [{ index, delta: fields, finish_reason: null, logprobs: null }] });
}

/** The chunk that ends a choice. */
export function finished(reason: string | null = 'stop', index = 0): Chunk {
  return chunk({ choices: [{ index, delta: {}, finish_reason: reason, logprobs: null }] });
}

/** A chunk with pieces of tool calls. */
export function calls(...pieces: readonly unknown[]): Chunk {
  return delta({ tool_calls: pieces });
}

export const USAGE = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };

/** The events of a stream that ended well. */
export function eventsOf(chunks: readonly Chunk[]): CompletionEvent[] {
  const events: CompletionEvent[] = [];
  const assembler = new Assembler({ attempt: 1 });
  const emit = (event: CompletionEvent): void => {
    events.push(event);
  };
  for (const each of chunks) assembler.add(each, emit);
  assembler.finish(emit);
  return events;
}

/** The events of one type. */
export function only<T extends CompletionEvent['type']>(
  events: readonly CompletionEvent[],
  type: T,
): Extract<CompletionEvent, { readonly type: T }>[] {
  return events.filter((event): event is Extract<CompletionEvent, { readonly type: T }> => event.type === type);
}

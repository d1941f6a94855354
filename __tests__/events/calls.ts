import type { Chunk } from '../../src/events/event.ts';
import { eventsOf, only } from '../support/chunks.ts';

/** A piece of a call in OpenAI's own form; `undefined` leaves a field out. */
export function piece(index?: number, id?: string, name?: string, text?: unknown): Record<string, unknown> {
  const fields = { name, arguments: text };
  return { index, id, type: id === undefined ? undefined : 'function', function: fields };
}

/** The whole calls, as `[index, id, name, arguments]`. */
export function whole(...chunks: readonly Chunk[]): readonly (readonly [number, string, string, string])[] {
  return only(eventsOf(chunks), 'tool-call').map((call) => [call.index, call.id, call.name, call.arguments]);
}

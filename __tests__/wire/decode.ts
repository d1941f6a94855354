import { isCompletionError, type CompletionError } from '../../src/errors.ts';
import type { Chunk } from '../../src/events/event.ts';
import { StreamDecoder, type StreamDecoderOptions } from '../../src/wire/stream-decoder.ts';
import { utf8 } from '../support/sse.ts';

export interface Decoded {
  readonly chunks: readonly Chunk[];
  readonly done: boolean;
  /** Why the body is no whole completion; absent if it is one. */
  readonly error?: CompletionError;
}

/** What a subscriber would be told of a body that comes in these reads and then ends, or breaks for `cause`. */
export function decode(
  reads: string | readonly Uint8Array[],
  options: Partial<StreamDecoderOptions> = {},
  cause?: Error,
): Decoded {
  const chunks: Chunk[] = [];
  const onChunk = (chunk: Chunk): void => {
    chunks.push(chunk);
  };
  const decoder = new StreamDecoder({ onChunk, ...options });
  try {
    for (const read of typeof reads === 'string' ? [utf8(reads)] : reads) decoder.push(read);
    decoder.end(cause);
  } catch (error) {
    if (!isCompletionError(error)) throw error;
    return { chunks, done: decoder.done, error };
  }
  return { chunks, done: decoder.done };
}

/** The text of choice 0 in the chunks. */
export function contentOf(chunks: readonly Chunk[]): string {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
}

/** The error of a body that must have one. */
export function errorOf(body: string, options: Partial<StreamDecoderOptions> = {}): CompletionError {
  const { error } = decode(body, options);
  if (error === undefined) throw new Error(`no error for ${body}`);
  return error;
}

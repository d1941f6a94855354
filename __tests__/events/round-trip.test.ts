import fc from 'fast-check';
import type { ChatCompletion } from 'openai/resources/chat/completions';
import { Assembler } from '../../src/events/assembler.ts';
import { Collector } from '../../src/events/collector.ts';
import type { Chunk } from '../../src/events/event.ts';
import { chunkOfCompletion } from '../../src/wire/document.ts';
import { StreamDecoder } from '../../src/wire/stream-decoder.ts';
import { inReads, sse, utf8 } from '../support/sse.ts';
import { answers, ownFields } from './answers.ts';

/** One spelling for equal values: names sorted, `__proto__` an own name like any other (jest's equality passes over it). */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? ownFields(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

function collected(chunks: readonly Chunk[]): ChatCompletion {
  const assembler = new Assembler({ attempt: 1 });
  const collector = new Collector();
  for (const chunk of chunks)
    assembler.add(chunk, (event) => {
      collector.add(event);
    });
  assembler.finish((event) => {
    collector.add(event);
  });
  return collector.toCompletion();
}

describe('nothing is lost between the wire and the events', () => {
  it('the events of a stream, put together, are the completion that the non-streaming endpoint gives', () => {
    fc.assert(
      fc.property(answers, ({ whole, chunks }) => {
        expect(canonical(collected(chunks))).toBe(canonical(whole));
      }),
      { numRuns: 300 },
    );
  });

  it('so are those of the same stream as bytes, in reads of any size', () => {
    fc.assert(
      fc.property(answers, fc.integer({ min: 1, max: 200 }), ({ whole, chunks }, size) => {
        const decoded: Chunk[] = [];
        const decoder = new StreamDecoder({
          onChunk: (chunk) => {
            decoded.push(chunk);
          },
        });
        for (const read of inReads(utf8(sse([...chunks, '[DONE]'])), size)) decoder.push(read);
        decoder.end();
        expect(canonical(collected(decoded))).toBe(canonical(whole));
      }),
      { numRuns: 50 },
    );
  });

  it('and those of a completion that came in one piece', () => {
    fc.assert(
      fc.property(answers, ({ whole }) => {
        expect(canonical(collected([chunkOfCompletion(whole)]))).toBe(canonical(whole));
      }),
      { numRuns: 300 },
    );
  });
});

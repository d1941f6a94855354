import { StreamDecoder } from '../../src/wire/stream-decoder.ts';
import type { Chunk } from '../../src/events/event.ts';
import { delta, finished } from '../support/chunks.ts';
import { sse, utf8 } from '../support/sse.ts';

/** A decoder whose consumer has enough after `count` chunks. */
function closingAfter(count: number): { readonly decoder: StreamDecoder; readonly chunks: Chunk[] } {
  const chunks: Chunk[] = [];
  const decoder = new StreamDecoder({
    isClosed: () => chunks.length >= count,
    onChunk: (chunk) => {
      chunks.push(chunk);
    },
  });
  return { decoder, chunks };
}

describe('once the consumer has enough', () => {
  it.each([
    ['chunks', sse([delta('b'), finished()])],
    ['malformed JSON', sse(['{malformed'])],
    ['an error report', sse([{ error: { code: 429 } }])],
    ['an error event', 'event: error\ndata: {}\n\n'],
    ['[DONE]', sse(['[DONE]'])],
  ])('%s behind it in the same read are not looked at', (_name, behind) => {
    const { decoder, chunks } = closingAfter(1);
    decoder.push(utf8(sse([delta('a')]) + behind));
    expect(chunks).toHaveLength(1);
    expect(decoder.done).toBe(false);
  });

  it('later reads and the end of the body say nothing either', () => {
    const { decoder, chunks } = closingAfter(1);
    decoder.push(utf8(sse([delta('a')]) + 'data: {"choi'));
    decoder.push(utf8('malformed\n\n'));
    decoder.end();
    expect(chunks).toHaveLength(1);
  });

  it('the last event of a body that ends is not looked at', () => {
    const { decoder, chunks } = closingAfter(1);
    decoder.push(utf8(sse([delta('a')]) + `data: ${JSON.stringify(delta('b'))}`));
    decoder.end();
    expect(chunks).toHaveLength(1);
  });

  it('a document is not handed over', () => {
    const { decoder, chunks } = closingAfter(0);
    decoder.push(utf8(JSON.stringify({ choices: [{ message: { content: 'a' } }] })));
    decoder.end();
    expect(chunks).toHaveLength(0);
  });

  it('nothing of a burst of thousands is parsed', () => {
    const { decoder, chunks } = closingAfter(3);
    decoder.push(utf8(sse(Array.from({ length: 20_000 }, (_, at) => (at < 3 ? delta('a') : '{malformed')))));
    expect(chunks).toHaveLength(3);
  });
});

it('an error of the consumer is passed on as it is', () => {
  const mine = new Error('mine');
  const decoder = new StreamDecoder({
    onChunk: () => {
      throw mine;
    },
  });
  expect(() => {
    decoder.push(utf8(sse([delta('a'), delta('b')])));
  }).toThrow(mine);
});

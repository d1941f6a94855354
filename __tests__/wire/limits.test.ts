import { chunk, delta, finished } from '../support/chunks.ts';
import { inReads, sse, utf8 } from '../support/sse.ts';
import { contentOf, decode } from './decode.ts';

const LIMIT = { maxEventBytes: 1000 };
const WHOLE = sse([finished(), '[DONE]']);

describe('the limit of one event', () => {
  it.each([
    ['an event', sse([delta('x'.repeat(1000))])],
    ['a comment', `: ${'x'.repeat(1000)}`],
    ['an event of many lines', 'data: 1234567890\n'.repeat(100)],
    ['a JSON document', JSON.stringify(delta('x'.repeat(1000)))],
    ['an HTML page', `<html>${'x'.repeat(1000)}`],
    ['a JSON document behind its end', `{"choices":[]}${' '.repeat(1000)}`],
  ])('is kept for %s, in one read and in many', (_name, body) => {
    for (const size of [body.length, 100, 1]) {
      expect(decode(inReads(utf8(body), size), LIMIT).error).toMatchObject({ kind: 'limit', retryable: false });
    }
  });

  it('is no limit of the stream', () => {
    const events = Array.from({ length: 50 }, () => delta('x'.repeat(100)));
    const { chunks, error } = decode(sse(events) + WHOLE, LIMIT);
    expect({ error, length: contentOf(chunks).length }).toEqual({ error: undefined, length: 5000 });
  });

  it('is 8 MiB by default', () => {
    const megabyte = utf8('x'.repeat(1024 * 1024));
    const reads = (count: number): Uint8Array[] => [utf8(': '), ...Array.from({ length: count }, () => megabyte)];
    expect(decode(reads(7)).error).toMatchObject({ kind: 'interrupted' });
    expect(decode(reads(8)).error).toMatchObject({ kind: 'limit' });
    expect(decode([utf8('{'), ...reads(7)]).error).toMatchObject({ kind: 'interrupted' });
    expect(decode([utf8('{'), ...reads(8)]).error).toMatchObject({ kind: 'limit' });
  });
});

// Quadratic work would copy 32 GiB here, and no test run would see the end of it.
describe('a mebibyte in reads of 16 bytes', () => {
  const text = 'x'.repeat(1024 * 1024);

  it.each([
    ['as one event', sse([delta(text)]) + WHOLE],
    ['as one event with CRLF line ends', sse([delta(text), finished()], '\r\n')],
    ['as a JSON document', JSON.stringify({ choices: [{ message: { content: text }, finish_reason: 'stop' }] })],
  ])('is decoded %s', (_name, body) => {
    const { chunks, error } = decode(inReads(utf8(body), 16));
    expect({ error, length: contentOf(chunks).length }).toEqual({ error: undefined, length: text.length });
  });

  it.each(['\n', '\r', '\r\n', 'data\n', ': \n'])('is decoded as nothing but %j', (line) => {
    const body = utf8(line.repeat(Math.ceil(text.length / line.length)) + '\n\n' + WHOLE);
    expect(decode([body]).error).toBeUndefined();
    expect(decode(inReads(body, 16)).error).toBeUndefined();
  });
});

describe('nesting without end', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

  it.each([
    ['a chunk', (deep: string) => `data: {"choices":[{"delta":{"x":${deep}}}]}\n\n`, 'protocol'],
    ['a list', (deep: string) => `data: ${deep}\n\n`, 'protocol'],
    ['an error report', (deep: string) => `data: {"error":{"x":${deep}}}\n\n`, 'protocol'],
    ['an error event', (deep: string) => `event: error\ndata: ${deep}\n\n`, 'server'],
    ['a document', (deep: string) => `{"choices":[{"message":{"x":${deep}}}]}`, 'protocol'],
    ['a document that reports an error', (deep: string) => `{"error":${deep}}`, 'protocol'],
  ])('is a typed error: %s', (_name, body, kind) => {
    expect(decode(body(nested(100_000)) + WHOLE).error?.kind).toBe(kind);
  });

  it('does not concern brackets in strings, nor what models really nest', () => {
    const events = [delta('['.repeat(5000)), chunk({ x: JSON.parse(nested(400)) as unknown, pad: 'x'.repeat(2000) })];
    expect(decode(sse(events) + WHOLE)).toMatchObject({ chunks: { length: 3 } });
  });
});

import { everySplit } from '../support/sse.ts';
import { contentOf, decode } from './decode.ts';
import { FIXTURES } from './fixtures.ts';

describe.each(Object.entries(FIXTURES))('a stream with %s', (_name, { bytes, text, wholeAt }) => {
  const whole = decode([bytes]);

  it('is a whole completion with its text', () => {
    expect(whole.error).toBeUndefined();
    expect(contentOf(whole.chunks)).toBe(text);
  });

  it('is the same in two reads, cut at any byte, and byte by byte', () => {
    for (const reads of everySplit(bytes)) expect(decode(reads)).toEqual(whole);
  });

  it('is interrupted by an end at any byte before it is whole, and complete from there on', () => {
    for (let length = 0; length <= bytes.length; length++) {
      const { error, chunks } = decode([bytes.subarray(0, length)]);
      if (length < wholeAt) expect(error).toMatchObject({ kind: 'interrupted', retryable: true });
      else expect({ length, error }).toEqual({ length, error: undefined });
      expect(text.startsWith(contentOf(chunks))).toBe(true);
    }
  });

  it('is judged the same when the connection breaks there', () => {
    for (let length = 0; length <= bytes.length; length++) {
      const { error } = decode([bytes.subarray(0, length)], {}, new Error('terminated'));
      expect({ length, kind: error?.kind }).toEqual({ length, kind: length < wholeAt ? 'interrupted' : undefined });
    }
  });
});

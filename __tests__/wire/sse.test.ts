import { isCompletionError } from '../../src/errors.ts';
import { SseDecoder, type ServerSentEvent } from '../../src/wire/sse.ts';
import { inReads, utf8 } from '../support/sse.ts';

interface Listener {
  readonly decoder: SseDecoder;
  readonly data: string[];
  readonly events: ServerSentEvent[];
}

function listen(maxEventBytes?: number): Listener {
  const data: string[] = [];
  const events: ServerSentEvent[] = [];
  const decoder = new SseDecoder((event) => {
    events.push(event);
    data.push(event.data);
  }, maxEventBytes);
  return { decoder, data, events };
}

describe('an event is dispatched in the read that completes it', () => {
  it.each([
    ['LF', '\n\n'],
    ['CRLF', '\r\n\r\n'],
    ['CR', '\r\r'],
    ['CR, then LF', '\r\n\n'],
    ['LF, then CR', '\n\r'],
  ])('%s', (_name, end) => {
    const { decoder, data } = listen();
    decoder.push(utf8(`data: a${end}`));
    expect(data).toEqual(['a']);
    decoder.push(utf8(`data: b${end}data: c${end}`));
    expect(data).toEqual(['a', 'b', 'c']);
  });

  it('is not kept back for the LF that may follow its last CR', () => {
    const { decoder, data } = listen();
    decoder.push(utf8('data: a\r\n\r'));
    expect(data).toEqual(['a']);
    decoder.push(utf8('\ndata: b\r\n\r\n'));
    expect(data).toEqual(['a', 'b']);
  });

  it('counts a CR and a LF in two reads as one line end, and two CRs as two', () => {
    const { decoder, data } = listen();
    for (const read of ['data: a\r', '\ndata: b\r', '\r', '\ndata: c\r', 'data: d\r', '\r']) decoder.push(utf8(read));
    expect(data).toEqual(['a\nb', 'c\nd']);
  });

  it('remembers a CR over an empty read', () => {
    const { decoder, data } = listen();
    for (const read of ['data: a\r', '', '\ndata: b\r\n', '\r\n']) decoder.push(utf8(read));
    expect(data).toEqual(['a\nb']);
  });
});

describe('fields', () => {
  it('takes one space after the colon and no more, or none', () => {
    const { decoder, data } = listen();
    decoder.push(utf8('data:a\n\ndata: b\n\ndata:  c\n\ndata:\td\n\n'));
    expect(data).toEqual(['a', 'b', ' c', '\td']);
  });

  it('joins data lines with a line feed', () => {
    const { decoder, data } = listen();
    decoder.push(utf8('data: a\ndata\ndata:\ndata: b\n\n'));
    expect(data).toEqual(['a\n\n\nb']);
  });

  it('hands over the name of an event, for that event alone', () => {
    const { decoder, events } = listen();
    decoder.push(utf8('event: error\ndata: a\n\ndata: b\n\nevent: gone\n\ndata: c\n\nevent:\ndata: d\n\n'));
    expect(events.map(({ event, data }) => [event, data])).toEqual([
      ['error', 'a'],
      [undefined, 'b'],
      [undefined, 'c'],
      [undefined, 'd'],
    ]);
  });

  it('ignores comments, unknown fields, field names in other cases, and odd retry values', () => {
    const { decoder, data } = listen();
    decoder.push(utf8(': data: no\nDATA: no\n data: no\nretry: soon\nxyz\ndata: yes\n:\n\n: end\n\n'));
    expect(data).toEqual(['yes']);
  });

  it('dispatches nothing for an event without data', () => {
    const { decoder, data } = listen();
    decoder.push(utf8('\n\nevent: ping\n\nid: 7\n\n: comment\n\n'));
    decoder.end();
    expect(data).toEqual([]);
  });
});

describe('text', () => {
  it('strips a byte order mark at the very beginning and nowhere else', () => {
    const { decoder, data } = listen();
    for (const read of inReads(utf8('\ufeffdata: \ufeffa\n\n\ufeffdata: ignored\n\ndata: b\n\n'), 1))
      decoder.push(read);
    expect(data).toEqual(['\ufeffa', 'b']);
  });

  it.each(['é', '€', '😀'])('keeps %s together over reads of one byte', (character) => {
    const { decoder, data } = listen();
    for (const read of inReads(utf8(`data: ${character}${character}\n\n`), 1)) decoder.push(read);
    expect(data).toEqual([character + character]);
  });

  it('replaces bytes that are no UTF-8, and goes on', () => {
    const { decoder, data } = listen();
    const bytes = utf8('data: aX\n\ndata: b\n\n');
    bytes[bytes.indexOf(0x58)] = 0xff;
    decoder.push(bytes);
    decoder.push(Uint8Array.of(...utf8('data: '), 0xe2, 0x82, ...utf8('c\n\n')));
    expect(data).toEqual(['a\ufffd', 'b', '\ufffdc']);
  });

  it('dispatches a last event without its blank line, and one cut inside a code point', () => {
    const last = listen();
    last.decoder.push(utf8('data: a'));
    last.decoder.end();
    expect(last.data).toEqual(['a']);
    const cut = listen();
    cut.decoder.push(Uint8Array.of(...utf8('data: a'), 0xe2, 0x82));
    cut.decoder.end();
    expect(cut.data).toEqual(['a\ufffd']);
  });
});

describe('what the listener throws', () => {
  it('ends the push at once: nothing behind it is looked at', () => {
    const seen: string[] = [];
    const decoder = new SseDecoder(({ data }) => {
      seen.push(data);
      throw new Error('enough');
    });
    expect(() => {
      decoder.push(utf8('data: a\n\ndata: b\n\ndata: c\n\n'));
    }).toThrow('enough');
    expect(seen).toEqual(['a']);
  });
});

describe('limits', () => {
  const overflow = (reads: readonly string[], maxEventBytes: number): unknown => {
    const { decoder, data } = listen(maxEventBytes);
    try {
      for (const read of reads) decoder.push(utf8(read));
    } catch (error) {
      expect(data).toEqual([]);
      return isCompletionError(error) ? error.kind : error;
    }
    return data;
  };
  const line = (length: number): string => `data: ${'x'.repeat(length)}\n\n`;

  it('takes an event of exactly the limit, in one read', () => {
    expect(overflow([line(100)], 100)).toEqual(['x'.repeat(100)]);
  });

  it.each<[string, readonly string[]]>([
    ['an event in one read', [line(101)]],
    ['a line without an end, in one read', ['data: ' + 'x'.repeat(101)]],
    ['a line without an end, in many reads', Array.from({ length: 101 }, () => 'xx')],
    ['an event of many lines in many reads', Array.from({ length: 30 }, () => 'data: xxxx\n')],
    ['an event of many lines in one read', ['data: xxxx\n'.repeat(30) + '\n']],
    ['an endless comment', Array.from({ length: 30 }, () => ': xxxx')],
    ['an endless event name', ['event: ', ...Array.from({ length: 30 }, () => 'xxxx')]],
  ])('refuses %s past it', (_name, reads) => {
    expect(overflow(reads, 100)).toBe('limit');
  });

  it('does not count what was dispatched: a stream may be of any length', () => {
    expect(overflow([line(60), line(60), line(60)], 100)).toHaveLength(3);
    expect(overflow([`: ${'x'.repeat(90)}\n`.repeat(50)], 100)).toEqual([]);
  });

  it('names the limit and the option', () => {
    const { decoder } = listen(100);
    expect(() => {
      decoder.push(utf8(line(101)));
    }).toThrow(/more than 100 bytes.*maxEventBytes/);
  });
});

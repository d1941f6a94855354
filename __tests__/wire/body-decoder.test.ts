import type { CompletionEvent } from '../../src/events/event.ts';
import {
  chunkDecoder,
  completionDecoder,
  completionEventDecoder,
  eventDecoder,
  type BodyContext,
  type BodyDecoder,
  type BodyDecoderFactory,
} from '../../src/wire/body-decoder.ts';
import { calls, chunk, delta, finished, USAGE } from '../support/chunks.ts';
import { sse, utf8 } from '../support/sse.ts';

interface Running<T> {
  readonly decoder: BodyDecoder;
  readonly values: T[];
}

function start<T>(factory: BodyDecoderFactory<T>, context: Partial<BodyContext<T>> = {}): Running<T> {
  const values: T[] = [];
  const emit = (value: T): void => {
    values.push(value);
  };
  const facts = { status: 200, requestId: 'req_1' };
  const defaults = { emit, isClosed: () => false, meta: { attempt: 2, requestId: 'req_1' }, facts, secrets: () => [] };
  return { decoder: factory({ ...defaults, ...context }), values };
}

const CHUNKS = [delta('a'), delta('b'), finished(), chunk({ usage: USAGE })];
const COMPLETION = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-test',
  choices: [{ index: 0, message: { role: 'assistant', content: 'ab' }, finish_reason: 'stop' }],
  usage: USAGE,
};

describe('the decoder of chunks', () => {
  it('emits them as the wire had them, each in its read, and knows what had arrived', () => {
    const { decoder, values } = start(chunkDecoder);
    decoder.push(utf8(sse(CHUNKS.slice(0, 2))));
    expect(values).toEqual(CHUNKS.slice(0, 2));
    expect(decoder.partial?.(0)).toMatchObject({ text: 'ab' });
    decoder.push(utf8(sse([...CHUNKS.slice(2), '[DONE]'])));
    decoder.finish?.();
    expect(values).toEqual(CHUNKS);
    expect(decoder).toMatchObject({ done: true, complete: true });
  });

  it('has the text of a chunk in its partial by the time the chunk is emitted', () => {
    const seen: string[] = [];
    const { decoder } = start(chunkDecoder, { emit: () => seen.push(decoder.partial?.(0).text ?? '') });
    decoder.push(utf8(sse(CHUNKS.slice(0, 2))));
    expect(seen).toEqual(['a', 'ab']);
  });
});

describe('the decoder of events', () => {
  it('emits deltas in their read and holds back the end until it is told of it', () => {
    const { decoder, values } = start(eventDecoder);
    decoder.push(utf8(sse(CHUNKS)));
    expect(values.map(({ type }) => type)).toEqual(['start', 'text-delta', 'text-delta']);
    expect(values[0]).toMatchObject({ attempt: 2, requestId: 'req_1' });
    expect(decoder).toMatchObject({ done: false, complete: true });
    decoder.end();
    decoder.finish?.();
    expect(values.slice(3)).toEqual([
      { type: 'finish', choice: 0, reason: 'stop' },
      { type: 'usage', usage: USAGE },
    ]);
  });

  it('takes a body that breaks when everything was said, and no other', () => {
    const whole = start(eventDecoder);
    whole.decoder.push(utf8(sse(CHUNKS)));
    expect(() => {
      whole.decoder.end(new Error('terminated'));
    }).not.toThrow();
    const cut = start(eventDecoder);
    cut.decoder.push(utf8(sse([delta('a'), calls({ id: 'x', function: { name: 'f', arguments: '{"a' } })])));
    expect(() => {
      cut.decoder.end(new Error('terminated'));
    }).toThrow(expect.objectContaining({ kind: 'interrupted', cause: expect.any(Error) as Error }) as Error);
    expect(cut.decoder.partial?.(0)).toEqual({
      text: 'a',
      reasoning: '',
      refusal: '',
      toolCalls: [{ id: 'x', name: 'f', arguments: '{"a' }],
    });
    expect(cut.decoder.partial?.(1)).toMatchObject({ text: '' });
  });

  it('looks whether anyone listens before each event, and at the limit', () => {
    const values: CompletionEvent[] = [];
    const emit = (event: CompletionEvent): void => {
      values.push(event);
    };
    const { decoder } = start(eventDecoder, { emit, isClosed: () => values.length > 0 });
    decoder.push(utf8(sse([delta('a'), '{malformed'])));
    expect(values.map(({ type }) => type)).toEqual(['start', 'text-delta']);
    const small = start(eventDecoder, { maxEventBytes: 10 });
    expect(() => {
      small.decoder.push(utf8(sse(CHUNKS)));
    }).toThrow(expect.objectContaining({ kind: 'limit' }) as Error);
  });
});

describe.each([
  ['the decoder of a completion', completionDecoder as BodyDecoderFactory<unknown>],
  ['the decoder of a completion as events', completionEventDecoder as BodyDecoderFactory<unknown>],
])('%s', (_name, factory) => {
  const failure = (body: string, cause?: Error, context: Partial<BodyContext<unknown>> = {}): unknown => {
    const { decoder, values } = start(factory, context);
    try {
      if (body !== '') decoder.push(utf8(body));
      decoder.end(cause);
    } catch (error) {
      expect(values).toEqual([]);
      return error;
    }
    return values;
  };

  it.each(['', ' \n', '{}', 'null', '[]', '""', '{"choices":[]}', '{"choices":null}', '<html><p>Hi</p></html>'])(
    'refuses %j as no completion, with status and request id',
    (body) => {
      const expected = { kind: 'protocol', retryable: false, status: 200, requestId: 'req_1' };
      expect(failure(body)).toMatchObject(expected);
    },
  );

  it('names an empty body, and shows what is none', () => {
    expect(failure('')).toMatchObject({ message: 'The server answered 200 with an empty body' });
    expect(failure('<html><p>Hi</p></html>')).toMatchObject({ message: expect.stringMatching(/: Hi$/) as string });
    expect(failure('null', undefined, { facts: { status: 204 } })).toMatchObject({ status: 204 });
  });

  it('takes a body that ends or breaks too early for interrupted', () => {
    const json = JSON.stringify(COMPLETION);
    const expected = { kind: 'interrupted', retryable: true, requestId: 'req_1' };
    for (const end of [1, 20, json.length - 3, json.length - 1]) {
      expect(failure(json.slice(0, end))).toMatchObject(expected);
    }
    const cause = new Error('terminated');
    expect(failure(json, cause)).toMatchObject({ ...expected, cause });
  });

  it('takes an error report in a 200 for the error it is', () => {
    expect(failure('{"error":{"code":"insufficient_quota"}}')).toMatchObject({ kind: 'quota', requestId: 'req_1' });
    expect(failure('[{"error":{"code":503,"status":"UNAVAILABLE"}}]')).toMatchObject({ kind: 'server', status: 503 });
  });

  it('is bounded, and is never done before the body is', () => {
    expect(failure(JSON.stringify(COMPLETION), undefined, { maxEventBytes: 50 })).toMatchObject({ kind: 'limit' });
    const { decoder } = start(factory);
    decoder.push(utf8(JSON.stringify(COMPLETION)));
    expect(decoder).toMatchObject({ done: false, complete: false });
  });
});

describe('a whole completion', () => {
  const read = <T>(factory: BodyDecoderFactory<T>, body: string): Running<T> => {
    const running = start(factory);
    for (const byte of utf8(body)) running.decoder.push(Uint8Array.of(byte));
    running.decoder.end();
    running.decoder.finish?.();
    return running;
  };

  it('is emitted as it is, whatever fields it has', () => {
    const given = { ...COMPLETION, provider: { note: 'ü€😀' }, service_tier: null };
    expect(read(completionDecoder, `\ufeff${JSON.stringify(given)}\n`).values).toEqual([given]);
  });

  it('is emitted as the events it stands for', () => {
    const { decoder, values } = read(completionEventDecoder, JSON.stringify(COMPLETION));
    expect(values).toEqual([
      { type: 'start', id: 'chatcmpl-1', model: 'gpt-test', created: 1, attempt: 2, requestId: 'req_1' },
      { type: 'text-delta', choice: 0, text: 'ab' },
      { type: 'finish', choice: 0, reason: 'stop' },
      { type: 'usage', usage: USAGE },
    ]);
    expect(decoder.partial?.(0)).toMatchObject({ text: 'ab' });
  });

  it('keeps tool calls apart by their place', () => {
    const call = { type: 'function', function: { name: 'f', arguments: '{}' } };
    const message = { role: 'assistant', content: null, tool_calls: [call, { ...call, id: 'b' }, null, call] };
    const { values } = read(completionEventDecoder, JSON.stringify({ choices: [{ message, finish_reason: 'stop' }] }));
    const whole = values.filter((event) => event.type === 'tool-call');
    expect(whole.map(({ index, name, arguments: text }) => [index, name, text])).toEqual([
      [0, 'f', '{}'],
      [1, 'f', '{}'],
      [2, 'f', '{}'],
    ]);
  });

  it('numbers choices that have no index by their place, and takes a delta for a message', () => {
    const choices = [
      { message: { content: 'a' } },
      { delta: { content: 'b' } },
      { index: 7, message: { content: 'c' } },
    ];
    const { values } = read(completionEventDecoder, JSON.stringify({ choices }));
    const texts = values.filter((event) => event.type === 'text-delta');
    expect(texts.map(({ choice, text }) => [choice, text])).toEqual([
      [0, 'a'],
      [1, 'b'],
      [7, 'c'],
    ]);
  });
});

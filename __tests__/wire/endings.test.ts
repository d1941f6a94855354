import { CompletionError } from '../../src/errors.ts';
import { chunk, delta, finished, USAGE } from '../support/chunks.ts';
import { sse, utf8 } from '../support/sse.ts';
import { contentOf, decode, errorOf } from './decode.ts';

const HI = delta('hi');
const CUT = { kind: 'interrupted', retryable: true };

describe('a stream is whole', () => {
  it.each([
    ['at [DONE]', [HI, finished(), '[DONE]']],
    ['without [DONE], once its choice has finished', [HI, finished()]],
    ['at [DONE] without a finish reason', [HI, '[DONE]']],
    ['at [DONE] without anything before it', ['[DONE]']],
    ['at [DONE] with blanks around it', [HI, '[DONE] ']],
    ['once every choice has finished', [HI, delta('ho', 1), finished('stop', 1), finished()]],
    ['with usage after the finish reason', [HI, finished(), chunk({ usage: USAGE })]],
    ['with choice fields after the finish reason', [HI, finished(), delta({}), delta('late')]],
    ['with a choice that has no index', [chunk({ choices: [{ delta: { content: 'hi' } }] }), finished()]],
    ['with an index that is no number', [chunk({ choices: [{ index: '0', delta: { content: 'hi' } }] }), finished()]],
    ['with choices that are none', [chunk({ choices: null }), chunk({ choices: [null, 1] }), HI, finished()]],
  ])('%s', (_name, values) => {
    expect(decode(sse(values)).error).toBeUndefined();
  });

  it.each([
    ['end', undefined],
    ['broken connection', new Error('terminated')],
  ])('whatever ends its body: %s', (_name, cause) => {
    expect(decode(sse([HI, finished()]), {}, cause).error).toBeUndefined();
    expect(decode(sse([HI, '[DONE]']), {}, cause).error).toBeUndefined();
    expect(decode(sse([HI]) + `data: ${JSON.stringify(finished())}`, {}, cause).error).toBeUndefined();
  });
});

describe('a stream is cut off', () => {
  it.each([
    ['an empty body', ''],
    ['blank lines', '\n\n\r\n'],
    ['comments', ': ping\n\n: ping\n\n'],
    ['foreign events', 'event: ping\ndata: {}\n\n'],
    ['usage alone', sse([chunk({ usage: USAGE })])],
    ['no finish reason', sse([HI])],
    ["finish reasons that are ''", sse([HI, finished('')])],
    ['finish reasons that are null', sse([HI, finished(null)])],
    ['one choice of two unfinished', sse([HI, delta('ho', 1), finished('stop', 1)])],
    ['a choice that begins after the other has finished', sse([HI, finished(), delta('ho', 1)])],
    ['an end inside an event', sse([HI]) + 'data: {"choices":[{"finish_reason":"stop"'],
    ['an end inside [DONE]', sse([HI]) + 'data: [DON'],
    ['an end inside an error report', 'event: error\ndata: {"error":{"message":"Overl'],
    ['text that is no event stream', 'upstream connect error'],
  ])('by %s', (_name, body) => {
    expect(errorOf(body)).toMatchObject(CUT);
  });

  it('by an end inside a code point', () => {
    const bytes = utf8(sse([HI]) + 'data: {"choices":[{"delta":{"content":"€');
    expect(decode([bytes.subarray(0, -1)]).error).toMatchObject(CUT);
  });

  it('with the chunks before it, the request id, and the masked reason of the broken connection', () => {
    const cause = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
    const { chunks, error } = decode(sse([HI]), { facts: { status: 200, requestId: 'req_1' } }, cause);
    expect(contentOf(chunks)).toBe('hi');
    expect(error).toMatchObject({ ...CUT, requestId: 'req_1', code: 'UND_ERR_SOCKET', cause });
  });
});

describe('a body that is no event stream', () => {
  const COMPLETION = {
    id: 'chatcmpl-2',
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: 'whole' }, finish_reason: 'stop' }],
  };

  it.each([
    ['at once', ''],
    ['after blank lines', '\r\n\n  '],
    ['after a byte order mark', '\ufeff'],
  ])('is understood if it is a completion: %s', (_name, before) => {
    const { chunks, done, error } = decode(before + JSON.stringify(COMPLETION, null, 2));
    expect({ done, error }).toEqual({ done: true, error: undefined });
    expect(contentOf(chunks)).toBe('whole');
  });

  it('is understood in reads of any size', () => {
    const bytes = utf8(`\ufeff\n ${JSON.stringify(COMPLETION)}`);
    for (let at = 0; at <= bytes.length; at++) {
      const { chunks, error } = decode([bytes.subarray(0, at), bytes.subarray(at)]);
      expect({ at, error, text: contentOf(chunks) }).toEqual({ at, error: undefined, text: 'whole' });
    }
  });

  it('is cut off at any byte before its last, not malformed', () => {
    const json = JSON.stringify({ ...COMPLETION, note: 'a "quoted" } and \\ in it', list: [[1], {}] });
    for (let length = 0; length < json.length; length++) {
      expect({ length, error: errorOf(json.slice(0, length)) }).toMatchObject({ length, error: CUT });
    }
  });

  it('is cut off when the connection breaks, whatever had come', () => {
    const { error, chunks } = decode(JSON.stringify(COMPLETION), {}, new Error('terminated'));
    expect(error).toMatchObject(CUT);
    expect(chunks).toEqual([]);
  });

  it.each([
    [
      'an HTML page',
      '<!doctype html><html><head><style>p{}</style></head><body><h1>It works!</h1></body>',
      'It works!',
    ],
    ['an HTML page after blank lines', '\n\n<html><body>Sign in</body></html>', 'Sign in'],
    ['{}', '{}', '{}'],
    ['a list', '[]', '[]'],
    ['no choices', '{"choices":[]}', '{"choices":[]}'],
    ['choices that are null', '{"choices":null}', '{"choices":null}'],
    ['a JSON string', '"hello"', '"hello"'],
    ['JSON with an error in it', "{'choices': []}", "{'choices': []}"],
    ['JSON lines', '{"message":1}\n{"message":2}', '{"message":1}'],
  ])('is kind protocol with status and excerpt if it is %s', (_name, body, excerpt) => {
    const error = errorOf(body, { facts: { status: 200, requestId: 'req_1' } });
    expect(error).toMatchObject({ kind: 'protocol', retryable: false, status: 200, requestId: 'req_1' });
    expect(error.message).toContain(excerpt);
    expect(error.message).not.toMatch(/<\w|p\{\}/);
  });

  it('is the error it reports', () => {
    const body = '{"error":{"message":"Slow down","code":429}}';
    expect(errorOf(body, { facts: { status: 200, retryAfterMs: 1500 } })).toMatchObject({
      kind: 'rate-limit',
      status: 429,
      retryAfterMs: 1500,
      message: expect.stringContaining('Slow down') as string,
    });
  });
});

describe('an event that is no chunk', () => {
  it.each([
    ['malformed JSON', '{"choices":[{]}'],
    ['text', 'Internal Server Error'],
    ['a number', '42'],
    ['a JSON string', '"text"'],
    ['a list', '[1]'],
    ['text that begins like [DONE]', '[DONE]!'],
  ])('is kind protocol with an excerpt: %s', (_name, data) => {
    const { error, chunks } = decode(sse([HI, data, finished()]), { facts: { status: 200, requestId: 'req_1' } });
    expect(error).toBeInstanceOf(CompletionError);
    expect(error).toMatchObject({ kind: 'protocol', retryable: false, status: 200, requestId: 'req_1' });
    expect(error?.message).toContain(data);
    expect(contentOf(chunks)).toBe('hi');
  });

  it('is shown masked and short', () => {
    const error = errorOf(sse([`{"key":"topsecret-key" ${'x'.repeat(100_000)}`]), { secrets: () => ['topsecret-key'] });
    expect(error.message).not.toContain('topsecret');
    expect(error.message.length).toBeLessThan(250);
  });

  it('is ignored where the body was cut inside it', () => {
    expect(decode(sse([HI, finished()]) + 'data: {"usage":').error).toBeUndefined();
  });
});

it('reads nothing after [DONE]', () => {
  const { chunks, done, error } = decode([utf8(sse([HI, '[DONE]'])), utf8('data: {bad\n\n'), utf8(sse([delta('x')]))]);
  expect({ done, error, text: contentOf(chunks) }).toEqual({ done: true, error: undefined, text: 'hi' });
});

import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { ASKED, MESSAGES, MODEL, post, PROMPT, refused, relayTo, URL } from './setting.ts';
import type { RelayOptions } from '../../src/relay/index.ts';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

/** Asks, and expects that nothing of it went upstream. */
async function refusedLocally(request: Request, options: Partial<RelayOptions> = {}): ReturnType<typeof refused> {
  const answer = await refused(relayTo(server, options).relay(request));
  expect(server.requests).toEqual([]);
  return answer;
}

describe('a request the relay does not take', () => {
  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])('%s is 405 and told what is allowed', async (method) => {
    const response = await relayTo(server).relay(new Request(URL, { method }));
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['text/plain', 'text/plain;charset=UTF-8'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['a type that begins like JSON', 'application/jsonp'],
    ['JSON behind another type', 'text/plain, application/json'],
    ['JSON as a parameter', 'text/plain; application/json'],
    ['another encoding', 'application/json; charset=utf-16'],
    ['no type', ''],
  ])('of type %s is 415', async (_, type) => {
    const { status, error } = await refusedLocally(post(ASKED, { 'content-type': type }));
    expect([status, error.code]).toEqual([415, 'unsupported_content_type']);
  });

  it('that is compressed is 415: a small body may be a large one', async () => {
    const { status, error } = await refusedLocally(post(ASKED, { 'content-encoding': 'gzip' }));
    expect([status, error.code]).toEqual([415, 'unsupported_content_encoding']);
  });

  it('of JSON with a charset is taken', async () => {
    const { relay } = relayTo(server);
    expect((await relay(post(ASKED, { 'content-type': 'Application/JSON ; charset="UTF-8"' }))).status).toBe(200);
  });

  it.each([
    ['empty', '', 'The body is empty'],
    ['blank', ' \n', 'The body is empty'],
    ['cut', '{"messages":[', 'The body is no valid JSON'],
    ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'The body is no valid JSON'],
    ['too deep', '['.repeat(100_000) + ']'.repeat(100_000), 'The body is no valid JSON'],
    ['a list', '[]', 'The body must be a JSON object'],
    ['null', 'null', 'The body must be a JSON object'],
    ['a string', '"{}"', 'The body must be a JSON object'],
  ])('whose body is %s is 400', async (_, body, message) => {
    const { status, error } = await refusedLocally(post('', {}, { body }));
    expect([status, error]).toEqual([
      400,
      { message, type: 'invalid_request_error', param: null, code: 'invalid_json' },
    ]);
  });
});

describe('a body beyond the limit', () => {
  const options = { maxBodyBytes: 1000 };

  it('that says so is 413 and is not read', async () => {
    let read = 0;
    const body = new ReadableStream({ pull: () => void (read += 1) }, { highWaterMark: 0 });
    const { status, error } = await refusedLocally(post(body, { 'content-length': '1001' }), options);
    expect([status, error.code]).toEqual([413, 'request_too_large']);
    expect(read).toBe(0);
  });

  it.each([
    ['says nothing', {}],
    ['lies', { 'content-length': '10' }],
    ['talks nonsense', { 'content-length': 'many' }],
  ])('that %s is 413 as soon as it is', async (_, headers: Record<string, string>) => {
    let given = 0;
    const piece = new Uint8Array(300).fill(0x20);
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          given += 1;
          controller.enqueue(piece);
        },
      },
      { highWaterMark: 0 },
    );
    const { status } = await refusedLocally(post(body, headers), options);
    expect(status).toBe(413);
    expect(given).toBe(4);
  });

  it('is one byte more, not one byte less', async () => {
    const text = JSON.stringify(ASKED);
    const fits = { maxBodyBytes: text.length };
    expect((await relayTo(server, fits).relay(post(text))).status).toBe(200);
    server.clear();
    expect((await refusedLocally(post(`${text} `), fits)).status).toBe(413);
  });
});

describe('a field', () => {
  it.each([
    'base_url',
    'api_base',
    'api_key',
    'extra_headers',
    'user',
    'store',
    'metadata',
    'service_tier',
    'constructor',
    'toString',
  ])('%s is refused by name', async (name) => {
    const { status, error } = await refusedLocally(post({ ...ASKED, [name]: 'http://evil.test' }));
    expect(status).toBe(400);
    expect(error).toEqual({
      message: `The relay does not allow the field ${name}`,
      type: 'invalid_request_error',
      param: name,
      code: 'unknown_parameter',
    });
  });

  it.each([
    ['at the top', '{"__proto__":{"stream":true},"messages":[{"role":"user","content":"Hi"}]}'],
    ['in a message', '{"messages":[{"role":"user","content":"Hi","__proto__":{"role":"system"}}]}'],
    [
      'deep in a tool',
      '{"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"x":[{"__proto__":1}]}}]}',
    ],
    ['spelt with an escape', '{"messages":[{"role":"user","content":"Hi","__pro\\u0074o__":{}}]}'],
  ])('__proto__ %s is refused', async (_, body) => {
    const { error } = await refusedLocally(post(body));
    expect(error).toMatchObject({ code: 'unknown_parameter', param: '__proto__' });
  });

  it('with a hostile name is quoted without its controls, and not at length', async () => {
    const { error } = await refusedLocally(post({ ...ASKED, [`\u001b[31m\n${'x'.repeat(10_000)}`]: 1 }));
    expect(String(error.param)).toMatch(/^x{59}…$/);
    expect(error.message.length).toBeLessThan(150);
  });

  it.each([
    [{ max_tokens: 4097 }, 'max_tokens must be at most 4096'],
    [{ max_completion_tokens: 1e9 }, 'max_completion_tokens must be at most 4096'],
    [{ max_tokens: '99999' }, 'max_tokens must be of type integer'],
    [{ max_tokens: 1.5 }, 'max_tokens must be of type integer'],
    [{ max_tokens: [1] }, 'max_tokens must be of type integer'],
    [{ max_tokens: -1 }, 'max_tokens must be at least 1'],
    [{ n: 2 }, 'n must be at most 1'],
    [{ temperature: 2.1 }, 'temperature must be at most 2'],
    [{ temperature: true }, 'temperature must be of type number'],
    [{ stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop must have at most 4 entries'],
    [{ stop: 1 }, 'stop must be of type string or list'],
    [{ tools: [{ type: 'web_search' }] }, 'tools must be of type function or custom'],
    [{ tools: [null] }, 'tools must be of type function or custom'],
    [{ response_format: 'json' }, 'response_format must be of type object'],
    [{ logprobs: 1 }, 'logprobs must be of type boolean'],
  ])('%j is out of bounds', async (fields, message) => {
    const { status, error } = await refusedLocally(post({ ...ASKED, ...fields }));
    expect(status).toBe(400);
    expect(error).toMatchObject({ message, code: 'invalid_value', param: Object.keys(fields)[0] });
  });

  it('of 1e999 is out of bounds, not infinite', async () => {
    const rules = { params: { temperature: {}, top_p: { type: 'number' as const } } };
    const body = `{"messages":[{"role":"user","content":"Hi"}],"top_p":1e999}`;
    expect((await refusedLocally(post(body), rules)).error.param).toBe('top_p');
  });

  it.each([
    [{ stream: 'true' }, 'stream'],
    [{ stream: 1 }, 'stream'],
    [{ stream_options: true }, 'stream_options'],
    [{ stream_options: { include_usage: 1 } }, 'stream_options.include_usage'],
    [{ stream_options: { include_obfuscation: false } }, 'stream_options.include_obfuscation'],
  ])('%j is refused', async (fields, param) => {
    expect((await refusedLocally(post({ ...ASKED, ...fields }))).error.param).toBe(param);
  });

  it.each([
    [{ model: 'gpt-5-pro' }],
    [{ model: '' }],
    [{ model: ['gpt-4o-mini'] }],
    [{ model: { toString: 'gpt-4o-mini' } }],
    [{ model: 0 }],
    [{ model: false }],
  ])('%j is no model of the relay', async (fields) => {
    const { status, error } = await refusedLocally(post({ messages: MESSAGES, ...fields }));
    expect(status).toBe(400);
    expect(error).toMatchObject({
      message: 'The relay offers gpt-4o-mini, other-model',
      code: 'model_not_found',
      param: 'model',
    });
  });
});

describe('messages', () => {
  it.each([
    ['are missing', undefined, 'messages'],
    ['are null', null, 'messages'],
    ['are none', [], 'messages'],
    ['are a string', PROMPT, 'messages'],
    ['hold a string', [PROMPT], 'messages[0]'],
    ['hold null', [...MESSAGES, null], 'messages[1]'],
    ['have an unknown role', [{ role: 'root', content: PROMPT }], 'messages[0].role'],
    ['have a role that is no string', [{ role: ['user'], content: PROMPT }], 'messages[0].role'],
    ['have content that is a number', [{ role: 'user', content: 1 }], 'messages[0].content'],
    ['have parts that are strings', [{ role: 'user', content: [PROMPT] }], 'messages[0].content'],
    ['are too many', Array<unknown>(257).fill(MESSAGES[0]), 'messages'],
  ])('that %s are refused', async (_, messages, param) => {
    const { status, error } = await refusedLocally(post({ model: MODEL, messages }));
    expect([status, error.param]).toEqual([400, param]);
    expect(error.message).not.toContain(PROMPT);
  });

  it('that name a file of the account are refused; those that bring it along are not', async () => {
    const asking = (file: object): Request => post({ messages: [{ role: 'user', content: [{ type: 'file', file }] }] });
    const { error } = await refusedLocally(asking({ file_id: 'file-1' }));
    expect(error).toMatchObject({ code: 'invalid_value', param: 'messages' });
    expect((await relayTo(server).relay(asking({ file_data: 'data:,' }))).status).toBe(200);
    server.clear();
  });

  it('that a check of the operator chokes on are not quoted in the log', async () => {
    const check = (value: unknown): string => {
      throw new Error(`cannot check ${JSON.stringify(value)}`);
    };
    const { relay, logger } = relayTo(server, { params: { messages: { check } } });
    expect((await refused(relay(post()))).error.message).toBe('The relay failed');
    expect(logger.lines.join()).not.toContain(PROMPT);
  });

  it('are refused where the operator says what else is wrong with them', async () => {
    const check = (value: unknown): string | undefined =>
      JSON.stringify(value).includes('image_url') ? 'images are not for this relay' : undefined;
    const messages = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'http://10.0.0.1/' } }] }];
    const options = { params: { messages: { type: 'list' as const, check } } };
    const { error } = await refusedLocally(post({ messages }), options);
    expect(error.message).toBe('images are not for this relay');
  });
});

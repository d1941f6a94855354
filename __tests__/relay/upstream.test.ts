import { API_KEY } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { inTurn, json, completion, stream, text, finish, chunk, DONE, USAGE } from '../support/faults-steps.ts';
import { events, MESSAGES, MODEL, post, refused, relayTo, STREAMED } from './setting.ts';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

describe('what goes upstream', () => {
  it('is what was asked, the highest limit of tokens, and nothing else', async () => {
    await relayTo(server).relay(post({ messages: MESSAGES }));
    expect(server.requests[0]?.json).toEqual({
      model: MODEL,
      messages: MESSAGES,
      max_completion_tokens: 4096,
      stream: false,
    });
  });

  it('is every field that is allowed, as it came', async () => {
    const fields = {
      model: 'other-model',
      temperature: 0.2,
      top_p: 1,
      max_tokens: 5,
      n: 1,
      stop: 'END',
      seed: 7,
      response_format: { type: 'json_object' },
      tools: [{ type: 'function', function: { name: 'f', parameters: { constructor: 1 } } }],
      tool_choice: 'auto',
    };
    await relayTo(server).relay(post({ messages: MESSAGES, ...fields }));
    expect(server.requests[0]?.json).toEqual({ messages: MESSAGES, ...fields, stream: false });
  });

  it('is no field that is null: that is how one is left out', async () => {
    await relayTo(server).relay(
      post({ messages: MESSAGES, max_tokens: null, temperature: null, stream: null, n: null }),
    );
    expect(server.requests[0]?.json).toEqual({
      model: MODEL,
      messages: MESSAGES,
      max_completion_tokens: 4096,
      stream: false,
    });
  });

  it('is no header, query or path of the client', async () => {
    const request = new Request('http://evil.test/v1/../admin?api-version=2&base_url=http://evil.test', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer sk-of-the-client-0123456789',
        'api-key': 'key-of-the-client',
        'openai-organization': 'org-of-the-client',
        'x-forwarded-for': '1.2.3.4',
        'x-request-id': 'id-of-the-client',
        cookie: 'session=of-the-client',
        host: 'evil.test',
      },
      body: JSON.stringify({ messages: MESSAGES }),
    });
    expect((await relayTo(server).relay(request)).status).toBe(200);
    const [seen] = server.requests;
    expect(seen?.url).toBe('/whole/chat/completions');
    expect(seen?.headers.authorization).toBe(`Bearer ${API_KEY}`);
    expect(JSON.stringify(seen)).not.toMatch(/of-the-client|evil|1\.2\.3\.4|admin/);
  });

  it('is the model that a request gets which names none: the first', async () => {
    await relayTo(server, { models: ['other-model', MODEL] }).relay(post({ messages: MESSAGES }));
    expect(server.requests[0]?.json['model']).toBe('other-model');
  });

  it.each([
    ['another bound', { max_tokens: { max: 10 } }, { max_tokens: 10 }, 200],
    ['beyond another bound', { max_tokens: { max: 10 } }, { max_tokens: 11 }, 400],
    ['a bound on a list of numbers', { max_tokens: { max: 10 } }, { max_tokens: [9] }, 400],
    ['a bound on an unknown list', { ids: { max: 2 } }, { ids: [1, 2, 3] }, 400],
    ['a bound on what is no number', { max_tokens: { max: 10 } }, { max_tokens: '9' }, 400],
    ['a field of another server', { top_k: { type: 'integer' } as const }, { top_k: 40 }, 200],
    ['anything in a field', { user: {} }, { user: { id: 1 } }, 200],
    ['a default taken out', { tools: false } as const, { tools: [] }, 400],
  ])('follows params: %s', async (_, params, fields, status) => {
    const response = await relayTo(server, { params }).relay(post({ messages: MESSAGES, ...fields }));
    expect(response.status).toBe(status);
    expect(server.requests.map(({ json: sent }) => sent)).toEqual(
      status === 200 ? [expect.objectContaining(fields)] : [],
    );
  });

  it.each([
    [{ max_completion_tokens: false } as const, { max_tokens: 4096 }],
    [{ max_completion_tokens: {}, max_tokens: { max: 10 } }, { max_tokens: 10 }],
    [{ max_completion_tokens: {}, max_tokens: {} }, {}],
  ])('has the limit of tokens that %j leaves', async (params, limits) => {
    await relayTo(server, { params }).relay(post({ messages: MESSAGES }));
    const { model: _, messages: __, stream: ___, ...rest } = server.requests[0]!.json;
    expect(rest).toEqual(limits);
  });

  it('is no temperature of our own where the relay makes its client', async () => {
    const { origin } = server;
    server.route('v1', json(200, completion('yes')));
    const { relay } = relayTo(server, { completion: { apiKey: API_KEY, baseURL: `${origin}/v1` } });
    expect((await relay(post())).status).toBe(200);
    expect(server.requests[0]?.json).not.toHaveProperty('temperature');
  });
});

describe('what comes back', () => {
  const HEADERS = {
    'set-cookie': 'upstream=1',
    'openai-organization': 'org-upstream',
    'x-request-id': 'req-upstream',
    'access-control-allow-origin': '*',
    'x-ratelimit-remaining-tokens': '17',
    server: 'upstream',
    'cache-control': 'max-age=3600',
  };

  it('is the whole completion, and no header of the server', async () => {
    server.route('headers', json(200, completion('yes'), HEADERS));
    const response = await relayTo(server, { route: 'headers', headers: { 'X-Team': 'a' } }).relay(post());
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store, no-transform',
      'content-type': 'application/json; charset=utf-8',
      vary: 'Origin',
      'x-content-type-options': 'nosniff',
      'x-team': 'a',
    });
    expect(await response.json()).toEqual(completion('yes'));
  });

  it('is the stream as the wire had it, its end included, and no header of the server', async () => {
    const pieces = [chunk({ choices: [{ index: 0, delta: { content: 'a' } }], x_new: { a: [1] } }), finish()];
    const usage = chunk({ choices: [], usage: USAGE });
    server.route('headers', ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', ...HEADERS }).end(pieces.join('') + usage + DONE);
    });
    const response = await relayTo(server, { route: 'headers' }).relay(
      post({ ...STREAMED, stream_options: { include_usage: true } }),
    );
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store, no-transform',
      'content-type': 'text/event-stream; charset=utf-8',
      vary: 'Origin',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    expect(await response.text()).toBe(pieces.join('') + usage + DONE);
    expect(server.requests[0]?.json).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  it('has no usage that was not asked for, though the relay asks for it', async () => {
    const filter = chunk({ choices: [], prompt_filter_results: [] });
    const first = chunk({ choices: [{ index: 0, delta: { content: 'a' } }], usage: null });
    const last = chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: USAGE });
    server.route('usage', stream(filter, first, last, chunk({ choices: [], usage: USAGE }), DONE));
    const response = await relayTo(server, { route: 'usage' }).relay(post(STREAMED));
    const shown = (await events(response)).map((event) => event.slice('data: '.length));
    expect(shown.pop()).toBe('[DONE]');
    const chunks = shown.map((data) => JSON.parse(data) as Record<string, unknown>);
    expect(chunks.map(({ choices }) => (choices as unknown[]).length)).toEqual([0, 1, 1]);
    expect(chunks.filter((each) => 'usage' in each)).toEqual([]);
    expect(server.requests[0]?.json).toMatchObject({ stream_options: { include_usage: true } });
  });

  it('is the answer of a retry: the client of the relay asks again, its client does not notice', async () => {
    server.route('retry', inTurn(json(503, {}), stream(text('yes'), finish(), DONE)));
    const retry = { baseDelayMs: 0, maxDelayMs: 0 };
    const response = await relayTo(server, { route: 'retry', client: { retry } }).relay(post(STREAMED));
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(text('yes') + finish() + DONE);
    expect(server.requests).toHaveLength(2);
  });

  it('is never a page', async () => {
    server.route('page', ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<script>alert(1)</script>');
    });
    for (const body of [{ messages: MESSAGES }, STREAMED]) {
      const { status, error } = await refused(relayTo(server, { route: 'page' }).relay(post(body)));
      expect([status, error.code]).toEqual([502, 'protocol']);
      expect(error.message).toBe('The upstream server gave no usable answer');
    }
  });
});

import { getEventListeners } from 'node:events';
import { createLimiter, type Limiter } from '../../src/operators/limiter.ts';
import type { RelayCallInfo, RelayOptions } from '../../src/relay/index.ts';
import { HandClock, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { chunk, hang, head, json, say, script, sentence, stream, text, USAGE } from '../support/faults-steps.ts';
import { events, MESSAGES, MODEL, post, refused, relayTo, STREAMED, URL } from './setting.ts';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({
    hang,
    talking: script(head(), say(text('so far')), hang),
    failing: stream(text('so far')),
    refusing: json(500, {}),
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

const TOKEN = 'token-of-the-user-0123456789';

describe('authorize', () => {
  it.each([undefined, null, false, ''])('that says %j is 401, and the body is not read', async (user) => {
    const { relay } = relayTo(server, { authorize: async () => user as undefined });
    const request = post();
    const { status, error } = await refused(relay(request));
    expect([status, error]).toEqual([
      401,
      { message: 'Not authorized', type: 'authentication_error', param: null, code: 'unauthorized' },
    ]);
    expect(request.bodyUsed).toBe(false);
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['throws', (): never => throwing()],
    ['rejects', async (): Promise<never> => throwing()],
  ])('that %s is 500, without its message, which is for the log alone', async (_, authorize) => {
    const { relay, logger } = relayTo(server, { authorize });
    const { status, error } = await refused(relay(post(undefined, { authorization: `Bearer ${TOKEN}` })));
    expect([status, error.message]).toEqual([500, 'The relay failed']);
    expect(logger.lines).toEqual(['error rxjs-openai: relay: JwtError: cannot read ***']);
    expect(server.requests).toEqual([]);
  });

  const throwing = (): never => {
    throw Object.assign(new Error(`cannot read ${TOKEN}`), { name: 'JwtError' });
  };

  it('that answers with the Response of another library has denied it', async () => {
    const foreign = { status: 403, statusText: 'Forbidden', headers: new Headers({ 'x-own': '1' }), body: null };
    const response = await relayTo<object>(server, { authorize: () => foreign }).relay(post());
    expect([response.status, response.headers.get('x-own')]).toEqual([403, '1']);
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['a cookie', { cookie: 'a=1; session=s3cr3t-0123' }, ''],
    ['the query', {}, '?token=s3cr3t-0123'],
    ['a header of its own', { 'x-session': 's3cr3t-0123' }, ''],
  ])(
    'that quotes %s in an error leaves nothing of it in the log',
    async (_, headers: Record<string, string>, query) => {
      const authorize = (): never => {
        throw new Error('unknown session s3cr3t-0123');
      };
      const { relay, logger } = relayTo(server, { authorize });
      const request = new Request(`${URL}${query}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
      });
      await relay(request);
      expect(logger.lines).toEqual(['error rxjs-openai: relay: Error: unknown session ***']);
    },
  );

  it('that has read the body is 500, not an empty request', async () => {
    const authorize = async (request: Request): Promise<string> => request.text();
    const { relay, logger } = relayTo(server, { authorize });
    expect((await refused(relay(post()))).status).toBe(500);
    expect(logger.lines).toContainEqual(expect.stringContaining('authorize'));
  });

  it('gets the request as it came', async () => {
    const authorize = jest.fn<true, [Request]>(() => true);
    const request = post(undefined, { authorization: `Bearer ${TOKEN}` });
    await relayTo(server, { authorize }).relay(request);
    expect(authorize.mock.calls).toEqual([[request]]);
  });

  it('is not asked for longer than the client is there', async () => {
    const leave = new AbortController();
    const authorize = async (): Promise<true> => {
      leave.abort();
      return true;
    };
    const { status } = await relayTo(server, { authorize }).relay(post(undefined, {}, { signal: leave.signal }));
    await turn();
    expect(status).toBeGreaterThanOrEqual(400);
    expect(server.requests).toEqual([]);
  });
});

describe('a limiter', () => {
  it('that refuses is 429, with the time until it takes more', async () => {
    const scheduler = new HandClock();
    const limiter = createLimiter({ requestsPerMinute: 1, maxQueued: 0, scheduler });
    const { relay } = relayTo(server, { limiter, scheduler });
    expect((await relay(post())).status).toBe(200);
    scheduler.advance(20_000);
    for (const body of [undefined, STREAMED]) {
      const { status, error, headers } = await refused(relay(post(body)));
      expect([status, error.code]).toEqual([429, 'rate_limit_exceeded']);
      expect(headers.get('retry-after')).toBe('40');
    }
    expect(server.requests).toHaveLength(1);
    scheduler.advance(40_000);
    expect((await relay(post())).status).toBe(200);
  });

  it('that does not know when it takes more says a second', async () => {
    const limiter = createLimiter({ concurrency: 1, maxQueued: 0 });
    const { relay } = relayTo(server, { route: 'talking', limiter });
    const first = await relay(post(STREAMED));
    const { status, headers } = await refused(relay(post(STREAMED)));
    expect([status, headers.get('retry-after')]).toEqual([429, '1']);
    await first.body?.cancel();
  });

  it('is found for each user', async () => {
    const limiters = new Map<string, Limiter>();
    const { relay } = relayTo<string>(server, {
      authorize: (request) => request.headers.get('x-user') ?? undefined,
      limiter: (user) => {
        const limiter = limiters.get(user) ?? createLimiter({ requestsPerMinute: 1, maxQueued: 0 });
        if (user !== 'root') limiters.set(user, limiter);
        return user === 'root' ? undefined : limiter;
      },
    });
    const statuses = [];
    for (const user of ['a', 'a', 'b', 'root', 'root', 'b']) {
      statuses.push((await relay(post(undefined, { 'x-user': user }))).status);
    }
    expect(statuses).toEqual([200, 429, 200, 200, 200, 429]);
  });

  it.each([
    ['whole', async (response: Response): Promise<unknown> => response.text()],
    ['failing', async (response: Response): Promise<unknown> => response.body?.cancel()],
    ['talking', async (response: Response): Promise<unknown> => response.body?.cancel()],
    ['refusing', async (response: Response): Promise<unknown> => response.text()],
  ])('has its place back after an answer that is %s', async (route, use) => {
    const limiter = createLimiter({ concurrency: 1, maxQueued: 0 });
    const options = route === 'whole' ? {} : { route };
    const { relay } = relayTo(server, { limiter, ...options });
    await use(await relay(post(STREAMED)));
    await turn();
    const state: unknown[] = [];
    limiter.state$.subscribe(({ active, queued }) => state.push([active, queued])).unsubscribe();
    expect(state).toEqual([[0, 0]]);
  });

  it('has its queue left by clients that leave', async () => {
    const limiter = createLimiter({ concurrency: 1 });
    const { relay } = relayTo(server, { route: 'hang', limiter });
    const first = new AbortController();
    const second = new AbortController();
    const answers = [first, second].map(({ signal }) => relay(post(undefined, {}, { signal })));
    await server.request(0);
    second.abort();
    expect((await answers[1])?.status).toBe(499);
    first.abort();
    expect((await answers[0])?.status).toBe(499);
    expect(await server.closed(0)).toBe('aborted');
    expect(server.requests).toHaveLength(1);
  });

  it('counts the tokens that were used, not those that were expected', async () => {
    const limiter = createLimiter({ tokensPerMinute: 5000, maxQueued: 0 });
    const { relay } = relayTo(server, { limiter });
    // 4096 are expected of each answer, 8 are used.
    for (const body of [STREAMED, undefined, STREAMED]) {
      const response = await relay(post(body));
      expect(response.status).toBe(200);
      await response.text();
    }
  });
});

describe('onUsage', () => {
  type Told = [unknown, RelayCallInfo<string>];
  const asking = (
    options: Partial<RelayOptions<string>> & { route?: string } = {},
  ): { relay: (request: Request) => Promise<Response>; told: Told[]; lines: readonly string[] } => {
    const told: Told[] = [];
    const { relay, logger } = relayTo<string>(server, {
      authorize: () => 'ada',
      onUsage: (...args) => told.push(args),
      ...options,
    });
    return { relay, told, lines: logger.lines };
  };
  const info = { user: 'ada', model: MODEL, durationMs: expect.any(Number) as number };

  it('is told once of an answer in one piece, and once of a stream', async () => {
    const { relay, told } = asking();
    await relay(post());
    await events(await relay(post(STREAMED)));
    expect(told).toEqual([
      [USAGE, { ...info, stream: false, outcome: 'completed', characters: 6 }],
      [USAGE, { ...info, stream: true, outcome: 'completed', characters: 6 }],
    ]);
  });

  it('is told of what came when the client leaves, reasoning and tool calls included', async () => {
    const delta = { role: 'assistant', reasoning: 'hm', reasoning_content: 'hm' };
    const call = { tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":1}' } }] };
    const said = [delta, call].map((each) => chunk({ choices: [{ index: 0, delta: each }] }));
    server.route('reasoning', script(head(), say(...said, text('so far')), hang));
    const { relay, told } = asking({ route: 'reasoning' });
    const reader = (await relay(post(STREAMED))).body!.getReader();
    let read = '';
    while (!read.includes('so far')) read += new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
    expect(told).toEqual([[undefined, { ...info, stream: true, outcome: 'left', characters: 2 + 7 + 6 }]]);
  });

  it('is told of a failure, and not of a refusal of the relay itself', async () => {
    const { relay, told } = asking({ route: 'refusing' });
    await relay(post());
    await relay(post({ messages: MESSAGES, nonsense: 1 }));
    expect(told).toEqual([[undefined, { ...info, stream: false, outcome: 'failed', characters: 0 }]]);
  });

  it.each([
    ['throws', (): never => throwing()],
    ['rejects', async (): Promise<never> => throwing()],
  ])('may be one that %s: it is logged, and the answer is whole', async (_, onUsage) => {
    const { relay, lines } = asking({ onUsage });
    expect(await (await relay(post(STREAMED))).text()).toBe(
      sentence('one', 'two').replace(chunk({ choices: [], usage: USAGE }), ''),
    );
    await turn();
    expect(lines).toContain('error rxjs-openai: relay: Error: the books are closed');
  });

  const throwing = (): never => {
    throw new Error('the books are closed');
  };
});

it('nothing listens to a request that has been answered', async () => {
  const leave = new AbortController();
  const { signal } = leave;
  for (const [route, body] of [
    ['whole', undefined],
    ['whole', STREAMED],
    ['refusing', undefined],
    ['refusing', STREAMED],
    ['whole', { nonsense: 1 }],
  ] as const) {
    const request = post(body, {}, { signal });
    const { relay } = relayTo(server, route === 'whole' ? {} : { route });
    await (await relay(request)).text();
    expect(getEventListeners(request.signal, 'abort')).toHaveLength(0);
  }
});

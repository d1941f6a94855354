import OpenAI from 'openai';
import type { APIError } from 'openai';
import { fetchTransport, OpenAIChatCompletion, type CompletionErrorKind } from '../../src/index.ts';
import { API_KEY, errorOf, HandClock, recordingLogger, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import { cut, event, head, json, reset, say, script, stream, text } from '../support/faults-steps.ts';
import { MESSAGES, post, PROMPT, refused, relayTo, STREAMED, type Relay } from './setting.ts';

interface Failure {
  readonly answer: Handler;
  readonly status: number;
  readonly code: string | null;
  readonly kind: CompletionErrorKind;
  readonly message?: string;
}

const SECRET = `no, ${API_KEY} of org-Ab12Cd34Ef56 at https://10.1.2.3/v1 (root@upstream.test) said "${PROMPT}"`;
const error = (fields: object): object => ({ error: { message: SECRET, ...fields } });

/** What the server does, and what is made of it, before anything of an answer has come. */
const FAILURES: Readonly<Record<string, Failure>> = {
  'refuses the key': {
    answer: json(401, error({ code: 'invalid_api_key' })),
    status: 502,
    code: 'authentication',
    kind: 'server',
  },
  'forbids it': { answer: json(403, error({})), status: 502, code: 'permission', kind: 'server' },
  'knows no such address': { answer: json(404, error({})), status: 502, code: 'not-found', kind: 'server' },
  'sends elsewhere': {
    answer: ({ response }) => void response.writeHead(307, { location: 'http://127.0.0.1:9/evil' }).end(),
    status: 502,
    code: 'redirect',
    kind: 'server',
  },
  'objects to a parameter': {
    answer: json(400, error({ code: 'bad_seed', param: 'seed', type: 'invalid_request_error' })),
    status: 400,
    code: 'bad_seed',
    kind: 'bad-request',
    message: 'no, *** of *** at *** (***) said "***"',
  },
  'finds it too long': {
    answer: json(400, error({ code: 'context_length_exceeded' })),
    status: 400,
    code: 'context_length_exceeded',
    kind: 'too-large',
  },
  'finds it too large': { answer: json(413, error({})), status: 413, code: null, kind: 'too-large' },
  'is busy': { answer: json(429, error({})), status: 429, code: 'rate_limit_exceeded', kind: 'rate-limit' },
  'wants money': {
    answer: json(429, error({ code: 'insufficient_quota' })),
    status: 429,
    code: 'insufficient_quota',
    kind: 'quota',
  },
  fails: { answer: json(500, error({})), status: 502, code: 'server', kind: 'server' },
  'is down': { answer: json(503, error({})), status: 503, code: 'server', kind: 'server' },
  'hangs up': { answer: script(reset), status: 502, code: 'connection', kind: 'server' },
  'shows a page': {
    answer: ({ response }) => void response.writeHead(502, { 'content-type': 'text/html' }).end(`<p>${SECRET}</p>`),
    status: 502,
    code: 'server',
    kind: 'server',
  },
  'fails with a 200': {
    answer: json(200, error({ code: 'rate_limit_exceeded' })),
    status: 429,
    code: 'rate_limit_exceeded',
    kind: 'rate-limit',
  },
};

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
  for (const [name, { answer }] of Object.entries(FAILURES)) server.route(name, answer);
});
afterAll(() => server.close());

const through =
  (relay: Relay): ((input: string | URL | Request, init?: RequestInit) => Promise<Response>) =>
  (input, init) =>
    relay(new Request(input, init));

/** Both kinds of clients that may point at a relay. */
const ours = (relay: Relay): OpenAIChatCompletion =>
  new OpenAIChatCompletion({
    transport: fetchTransport({ baseURL: 'http://relay.test/api', fetch: through(relay) }),
    temperature: null,
    retry: false,
    logLevel: 'off',
  });
const sdk = (relay: Relay): OpenAI =>
  new OpenAI({
    apiKey: 'none',
    baseURL: 'http://relay.test/api',
    fetch: through(relay),
    maxRetries: 0,
    dangerouslyAllowBrowser: true,
  });

describe.each(Object.entries(FAILURES))('a server that %s', (route, { status, code, kind, message }) => {
  it.each([
    ['in one piece', { messages: MESSAGES }],
    ['as a stream', STREAMED],
  ])('is told with a status of its own, %s, and without what is not for clients', async (_, body) => {
    const { relay, logger } = relayTo(server, { route });
    const told = await refused(relay(post(body)));
    expect([told.status, told.error.code]).toEqual([status, code]);
    const all = JSON.stringify(told.error) + logger.lines.join('\n');
    for (const secret of [API_KEY, PROMPT]) expect(all).not.toContain(secret);
    expect(JSON.stringify(told.error)).not.toMatch(/org-|10\.1\.2\.3|127\.0\.0\.1|root@|<p>|evil/);
    if (message !== undefined) expect(told.error.message).toBe(message);
    expect(logger.lines.some((line) => /^(?:warn|error) rxjs-openai: relay: /.test(line))).toBe(true);
  });

  it('has the right kind for our client, streamed or not', async () => {
    const { relay } = relayTo(server, { route });
    expect((await errorOf(ours(relay).stream$(MESSAGES))).kind).toBe(kind);
    expect((await errorOf(ours(relay).generate$(MESSAGES))).kind).toBe(kind);
  });

  it('has the right status for the SDK', async () => {
    const { relay } = relayTo(server, { route });
    const failure = await sdk(relay)
      .chat.completions.create({ model: 'gpt-4o-mini', messages: MESSAGES })
      .catch((reason: unknown) => reason);
    expect(failure).toMatchObject({ status, code } satisfies Partial<APIError>);
  });
});

describe('a refusal', () => {
  it.each([
    [{ 'retry-after': '7' }, '7', '7000'],
    [{ 'retry-after-ms': '1200' }, '2', '1200'],
    [{}, null, null],
  ])('for too many requests passes on %j', async (headers, seconds, ms) => {
    server.route('wait', json(429, {}, headers));
    const told = await refused(relayTo(server, { route: 'wait' }).relay(post()));
    expect([told.headers.get('retry-after'), told.headers.get('retry-after-ms')]).toEqual([seconds, ms]);
    expect(told.headers.get('x-should-retry')).toBeNull();
  });

  it.each(['refuses the key', 'objects to a parameter', 'wants money', 'sends elsewhere'])(
    'of a server that %s tells clients not to ask again',
    async (route) => {
      const told = await refused(relayTo(server, { route }).relay(post()));
      expect(told.headers.get('x-should-retry')).toBe('false');
    },
  );

  it.each(['fails', 'hangs up', 'is busy'])('of a server that %s does not', async (route) => {
    const told = await refused(relayTo(server, { route }).relay(post()));
    expect(told.headers.get('x-should-retry')).toBeNull();
  });

  it('is an error in the log where the operator can do something about it', async () => {
    const { relay, logger } = relayTo(server, { route: 'refuses the key' });
    await relay(post());
    expect(logger.lines).toContainEqual(
      expect.stringMatching(/^error rxjs-openai: relay: authentication: 401 no, \*\*\*/),
    );
  });

  it("for the operator's own mistake says nothing of it", async () => {
    const chunks$ = (): never => {
      throw new Error(`a bug, with ${API_KEY}\u001b[31m and ${PROMPT}`);
    };
    const { relay, logger } = relayTo(server, { completion: { chunks$, completion$: chunks$ } });
    const told = await refused(relay(post(STREAMED)));
    expect([told.status, told.error]).toEqual([
      500,
      { message: 'The relay failed', type: 'relay_error', param: null, code: null },
    ]);
    expect(logger.lines).toContain('error rxjs-openai: relay: Error: a bug, with *** and ***');
  });
});

describe('an answer that breaks after it has begun', () => {
  const FIRST = text('so far');
  const BREAKS: Readonly<Record<string, readonly [Handler, number, string, CompletionErrorKind]>> = {
    'is cut off': [script(head(), say(FIRST), cut), 502, 'interrupted', 'server'],
    'is reset': [script(head(), say(FIRST), async ({ shown }) => shown, reset), 502, 'interrupted', 'server'],
    'ends too early': [stream(FIRST), 502, 'interrupted', 'server'],
    'reports an error': [stream(FIRST, event(error({ type: 'server_error' }))), 502, 'server', 'server'],
    'reports that it is busy': [stream(FIRST, event(error({ code: 429 }))), 429, 'rate_limit_exceeded', 'rate-limit'],
    'holds garbage': [stream(FIRST, event('{"choices":')), 502, 'protocol', 'server'],
  };

  it.each(Object.keys(BREAKS))('because it %s, ends with an event that says so, and torn', async (name) => {
    const [answer, status, code, kind] = BREAKS[name]!;
    server.route(name, answer);
    const scheduler = new HandClock();
    const { relay, logger } = relayTo(server, { route: name, scheduler });
    const { body, status: sent } = await relay(post(STREAMED));
    expect(sent).toBe(200);
    const reader = body!.getReader();
    const read = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);
    expect(await read()).toBe(FIRST);
    server.show();
    const last = await read();
    const told = (JSON.parse(last.slice('data: '.length)) as { error: object }).error;
    expect(told).toMatchObject({ status, code });
    expect(last).not.toContain(API_KEY);
    const next = reader.read();
    await turn();
    scheduler.advance(1000);
    await expect(next).rejects.toMatchObject({ name: 'CompletionError', kind: 'interrupted' });
    expect(logger.lines.some((line) => line.startsWith('warn rxjs-openai: relay: '))).toBe(true);

    if (name === 'is reset') return;
    const failure = await errorOf(ours(relay).stream$(MESSAGES));
    expect(failure).toMatchObject({ kind, status });
    expect(failure.partial.text).toBe('so far');
    const texts: unknown[] = [];
    const ofSdk = (async () => {
      for await (const each of await sdk(relay).chat.completions.create({ ...STREAMED, stream: true })) {
        texts.push(each.choices[0]?.delta.content);
      }
    })();
    await expect(ofSdk).rejects.toMatchObject({ code });
    expect(texts).toEqual(['so far']);
  });
});

it('both clients get a whole answer through the relay', async () => {
  const { relay } = relayTo(server);
  const chunks = [];
  for await (const each of await sdk(relay).chat.completions.create({ ...STREAMED, stream: true })) chunks.push(each);
  expect(chunks.map(({ choices }) => choices[0]?.delta.content)).toEqual(['one', 'two', undefined]);
  const whole = await sdk(relay).chat.completions.create({ model: 'gpt-4o-mini', messages: MESSAGES });
  expect(whole.choices[0]?.message.content).toBe('onetwo');
  const logger = recordingLogger();
  const events: string[] = [];
  await new Promise<void>((resolve, reject) => {
    ours(relay)
      .events$(MESSAGES)
      .subscribe({ next: ({ type }) => events.push(type), error: reject, complete: resolve });
  });
  expect(events).toEqual(['start', 'text-delta', 'text-delta', 'finish', 'usage']);
  expect(logger.lines).toEqual([]);
});

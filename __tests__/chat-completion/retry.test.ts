import { CLIENTS, errorOf, outcomeOf } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import {
  answer,
  cut,
  event,
  head,
  inTurn,
  json,
  reset,
  say,
  script,
  stream,
  text,
  whole,
} from '../support/faults-steps.ts';
import { ALL, PROMPT, STREAMING } from '../support/faults-ways.ts';
import { patient } from './patient.ts';

const BUSY = json(503, { error: { message: 'overloaded' } });
const TOO_MANY = json(429, { error: { message: 'slow down' } }, { 'retry-after-ms': '700' });

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

/** The failures of a request before any output, whatever was asked for. */
const FAILURES: readonly (readonly [name: string, failure: Handler])[] = [
  ['503', BUSY],
  ['429', TOO_MANY],
  ['408', json(408, {})],
  ['409', json(409, {})],
  ['a page of a proxy', answer(502, 'text/html', '<h1>Bad Gateway</h1>')],
  ['a request to try again', json(400, { error: { message: 'no' } }, { 'x-should-retry': 'true' })],
  ['a reset connection', script(reset)],
  ['an answer that is cut off before its first byte', script(head(), cut)],
  ['an error inside a 200', json(200, { error: { message: 'overloaded', code: 503 } })],
];

/** Failures of a streamed answer before output. */
const STREAM_FAILURES: readonly (readonly [name: string, failure: Handler])[] = [
  ['an error as first event', stream(event({ error: { message: 'overloaded', type: 'overloaded_error' } }))],
  ['a stream that ends after a role', stream(text(''))],
  ['a stream that is cut off after a role', script(head(), say(text('')), cut)],
  ['a stream that ends before its first event', stream(': hello\n\n')],
];

async function expectRecovery(ask: (typeof ALL)[number]['ask'], failure: Handler): Promise<void> {
  const { clock, told, options } = patient();
  const url = server.route('failing', inTurn(failure, failure, whole('Hello', ' you')));
  const outcome = await ask({ url, params: { temperature: 0.3 }, options, onShown: () => undefined });
  expect(outcome.error).toBeUndefined();
  expect(outcome.completed).toBe(true);
  expect(outcome.values.join('')).toBe('Hello you');
  expect(server.requests).toHaveLength(3);
  expect(told.map(({ attempt }) => attempt)).toEqual([2, 3]);
  for (const request of server.requests) {
    expect(request.body).toBe(server.requests[0]?.body);
    expect(request.headers.authorization).toBe(server.requests[0]?.headers.authorization);
    expect(request.url).toBe(server.requests[0]?.url);
  }
  expect(server.requests[0]?.json).toMatchObject({ temperature: 0.3 });
  await clock.untilPending(0);
}

describe.each(ALL)('$name by default asks again, with the same request, and gives the text once', ({ ask }) => {
  it.each(FAILURES)('after %s', async (_name, failure) => {
    await expectRecovery(ask, failure);
  });
});

describe.each(STREAMING)('$name by default asks again before output', ({ ask }) => {
  it.each(STREAM_FAILURES)('after %s', async (_name, failure) => {
    await expectRecovery(ask, failure);
  });

  it.each<[string, Handler]>([
    ['is cut off', script(head(), say(text('Hello')), cut)],
    ['ends early', stream(text('Hello'))],
    ['turns into an error', stream(text('Hello') + event({ error: { message: 'overloaded', code: 503 } }))],
  ])('but never after it: an answer that %s', async (_name, failure) => {
    const { told, options } = patient();
    const url = server.route('failing', inTurn(failure, whole('Hello', ' you')));
    const outcome = await ask({ url, params: {}, options, onShown: () => undefined });
    expect(outcome).toMatchObject({ completed: false, error: { retryable: true, attempts: 1 } });
    expect(outcome.values.join('')).toBe('Hello');
    expect(outcome.error).toHaveProperty('partial.text', 'Hello');
    expect(server.requests).toHaveLength(1);
    expect(told).toEqual([]);
  });
});

describe.each(CLIENTS)('retries over the $name transport', ({ client }) => {
  it('end after two of them, with the last error and the number of requests', async () => {
    const { clock, told, options } = patient();
    const url = server.route('failing', inTurn(script(reset), TOO_MANY, BUSY));
    const error = await errorOf(client(url, options).stream$(PROMPT));
    expect(error).toMatchObject({ kind: 'server', status: 503, attempts: 3 });
    expect(server.requests).toHaveLength(3);
    expect(told.map(({ error: cause }) => (cause as { kind: string }).kind)).toEqual(['connection', 'rate-limit']);
    expect(clock.pending).toBe(0);
  });

  it.each<[string, Handler, object]>([
    ['a bad request', json(400, {}), { kind: 'bad-request' }],
    ['a wrong key', json(401, {}), { kind: 'authentication' }],
    ['a refusal', json(403, {}), { kind: 'permission' }],
    ['a missing model', json(404, {}), { kind: 'not-found' }],
    ['a lack of credit', json(429, { error: { code: 'insufficient_quota', message: 'no' } }), { kind: 'quota' }],
    ['a server that forbids it', json(503, {}, { 'x-should-retry': 'false' }), { kind: 'server', retryable: false }],
    [
      'a Retry-After that is too long',
      json(503, {}, { 'retry-after': '61' }),
      { kind: 'server', retryAfterMs: 61_000 },
    ],
    ['an answer that is none', answer(200, 'text/html', '<html>'), { kind: 'protocol' }],
    ['a redirect', json(302, {}, { location: '/elsewhere' }), { kind: 'redirect' }],
  ])('do not follow %s', async (_name, failure, expected) => {
    const { told, options } = patient();
    const chat = client(server.baseURL('failing'), options);
    for (const call$ of [chat.stream$(PROMPT), chat.generate$(PROMPT, { temperature: 0.3 })]) {
      server.clear();
      server.route('failing', inTurn(failure, whole('Hello')));
      expect(await errorOf(call$)).toMatchObject({ ...expected, attempts: 1 });
      expect(server.requests).toHaveLength(1);
    }
    expect(told).toEqual([]);
  });

  it.each([
    ['false', false, 1],
    ['maxRetries 0', { maxRetries: 0 }, 1],
    ['maxRetries 1', { maxRetries: 1 }, 2],
    ['maxRetries 4', { maxRetries: 4 }, 5],
    ['when() saying no', { when: () => false }, 1],
    ['nothing', undefined, 3],
    ['an empty object', {}, 3],
  ] as const)('are what the client or the call wants: %s', async (_name, retry, requests) => {
    const url = server.route('failing', BUSY);
    const { options } = patient({ retry });
    expect(await errorOf(client(url, options).generate$(PROMPT))).toMatchObject({ attempts: requests });
    expect(server.requests).toHaveLength(requests);
    server.clear();
    const byDefault = client(url, patient({ retry: undefined }).options);
    expect(await errorOf(byDefault.events$(PROMPT, {}, { retry }))).toMatchObject({ attempts: requests });
    expect(server.requests).toHaveLength(requests);
  });

  it('take from the client what the call leaves out, and may be turned on for a call alone', async () => {
    const url = server.route('failing', BUSY);
    const { told, options } = patient({ retry: { maxRetries: 1, jitter: 0, baseDelayMs: 7 } });
    await errorOf(client(url, options).stream$(PROMPT, {}, { retry: { maxRetries: 2 } }));
    expect(told.map(({ delayMs }) => delayMs)).toEqual([7, 14]);
    const off = patient({ retry: false });
    await errorOf(client(url, off.options).stream$(PROMPT, {}, { retry: { jitter: 0 } }));
    expect(off.told.map(({ delayMs }) => delayMs)).toEqual([500, 1000]);
  });

  it('may follow what only when() takes for worth it', async () => {
    const { options } = patient({ retry: { when: (error) => (error as { status?: number }).status === 404 } });
    const url = server.route('failing', inTurn(json(404, {}), whole('Hello')));
    expect(await outcomeOf(client(url, options).stream$(PROMPT))).toEqual({ values: ['Hello'], completed: true });
  });

  it('belong to a subscription: two of them do not share their number', async () => {
    const { options } = patient();
    const call$ = client(server.route('failing', BUSY), options).stream$(PROMPT);
    expect(await errorOf(call$)).toMatchObject({ attempts: 3 });
    expect(await errorOf(call$)).toMatchObject({ attempts: 3 });
    expect(server.requests).toHaveLength(6);
  });

  it('show one start, of the attempt that is shown', async () => {
    const { options } = patient();
    const held = script(head(), say(text('')), cut);
    const url = server.route('failing', inTurn(held, BUSY, whole('Hello')));
    const { values } = await outcomeOf(client(url, options).events$(PROMPT));
    expect(values.map(({ type }) => type)).toEqual(['start', 'text-delta', 'finish', 'usage']);
    expect(values[0]).toMatchObject({ attempt: 3 });
  });

  it('show of the last attempt what it said before its error', async () => {
    const { options } = patient();
    const url = server.route('failing', script(head(), say(text('')), cut));
    const { values, error } = await outcomeOf(client(url, options).events$(PROMPT));
    expect(values).toMatchObject([{ type: 'start', attempt: 3 }]);
    expect(error).toMatchObject({ kind: 'interrupted', attempts: 3 });
  });

  it('are no more for a sound than for text', async () => {
    const sound = event({ choices: [{ index: 0, delta: { audio: { id: 'a', data: 'UklGRg==' } } }] });
    const { options } = patient();
    const chat = client(server.baseURL('failing'), options);
    for (const call$ of [chat.events$(PROMPT), chat.chunks$(PROMPT)]) {
      server.clear();
      server.route('failing', inTurn(script(head(), say(sound), cut), whole('Hello')));
      expect(await errorOf(call$)).toMatchObject({ kind: 'interrupted', attempts: 1 });
      expect(server.requests).toHaveLength(1);
    }
  });
});

import { Subject, takeUntil, type Observable } from 'rxjs';
import type { ChatCompletionParams, OpenAIChatCompletion } from '../../src/index.ts';
import { IDLE, stateOf } from '../operators/limiting.ts';
import { CLIENTS, errorOf, outcomeOf, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import {
  chunk,
  completion,
  DONE,
  finish,
  inTurn,
  json,
  sentence,
  stream,
  text,
  whole,
} from '../support/faults-steps.ts';
import { shared, until } from './limited.ts';

const PROMPT = 'Say this is a test!';
const BUSY = json(503, { error: { message: 'overloaded' } });
const TOO_MANY = json(429, { error: { message: 'slow down' } }, { 'retry-after-ms': '700' });
const REFUSED = json(400, { error: { message: 'Unsupported value', param: 'temperature' } });

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({ whole: whole('Hello') });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

const routes = (): readonly string[] => server.requests.map(({ route }) => route);

describe.each(CLIENTS)('retries below a limiter, over the $name transport', ({ client }) => {
  it('hold no place while they wait, and ask for one again', async () => {
    const { clock, limiter, options } = shared({ concurrency: 1 });
    const busy = client(server.route('busy', inTurn(BUSY, BUSY, whole('at last'))), options);
    const events = outcomeOf(busy.events$(PROMPT));
    await until(() => clock.pending === 1);
    expect(stateOf(limiter)).toEqual(IDLE);
    expect(await outcomeOf(client(server.baseURL('whole'), options).stream$(PROMPT))).toMatchObject({
      values: ['Hello'],
    });
    clock.advance(500);
    await until(() => clock.pending === 1);
    expect(routes()).toEqual(['busy', 'whole', 'busy']);
    clock.advance(1000);
    const { values, completed } = await events;
    expect(completed).toBe(true);
    expect(values[0]).toMatchObject({ type: 'start', attempt: 3 });
    expect(routes()).toEqual(['busy', 'whole', 'busy', 'busy']);
    expect(stateOf(limiter)).toEqual(IDLE);
    // What follows [DONE] is still read.
    await until(() => clock.pending === 0);
  });

  it('wait for their turn behind who came before', async () => {
    const { clock, limiter, options } = shared({ concurrency: 1 });
    const busy = client(server.route('busy', inTurn(BUSY, whole('at last'))), options);
    const first = outcomeOf(busy.generate$(PROMPT));
    await until(() => clock.pending === 1);
    const running = new Subject<never>();
    running.pipe(limiter.limit()).subscribe();
    const second = outcomeOf(client(server.baseURL('whole'), options).generate$(PROMPT));
    clock.advance(500);
    expect(stateOf(limiter)).toEqual({ ...IDLE, active: 1, queued: 2 });
    running.complete();
    expect(await first).toMatchObject({ values: ['at last'] });
    expect(await second).toMatchObject({ values: ['Hello'] });
    expect(routes()).toEqual(['busy', 'whole', 'busy']);
  });

  it('end with the error of a full queue, and count what was sent', async () => {
    const { clock, limiter, options } = shared({ concurrency: 1, maxQueued: 0 });
    const error = errorOf(client(server.route('busy', BUSY), options).generate$(PROMPT));
    await until(() => clock.pending === 1);
    new Subject<never>().pipe(limiter.limit()).subscribe();
    clock.advance(500);
    expect(await error).toMatchObject({ kind: 'limit', attempts: 1 });
    expect([clock.pending, stateOf(limiter)]).toEqual([0, { ...IDLE, active: 1 }]);
  });

  it.each([
    ['with retries', { jitter: 0 }, 2],
    ['without', false, 1],
  ] as const)('let Retry-After of one hold back all others (%s)', async (_name, retry, attempts) => {
    const { clock, limiter, options } = shared({});
    const limited = client(server.route('limited', inTurn(TOO_MANY, whole('at last'))), { ...options, retry });
    const first = outcomeOf(limited.generate$(PROMPT));
    await until(() => stateOf(limiter).active === 0);
    const other = outcomeOf(client(server.baseURL('whole'), options).generate$(PROMPT));
    await until(() => clock.pending === attempts);
    clock.advance(699);
    await outcomeOf(client(server.baseURL('whole')).generate$('probe'));
    expect(routes()).toEqual(['limited', 'whole']);
    expect(stateOf(limiter)).toEqual({ active: 0, queued: 1, nextFreeAt: 700 });
    clock.advance(1);
    expect(await other).toMatchObject({ values: ['Hello'] });
    expect((await first).completed).toBe(attempts === 2);
    expect(server.requests).toHaveLength(attempts + 2);
    expect([clock.pending, stateOf(limiter)]).toEqual([0, IDLE]);
  });
});

describe.each(CLIENTS)('what responses say to a limiter, over the $name transport', ({ client }) => {
  it.each([
    ['of an answer', 200],
    ['of a refusal', 400],
  ])('of its requests is kept to: headers %s', async (_name, status) => {
    const { clock, limiter, options } = shared({});
    const headers = { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '20ms' };
    const body = status === 200 ? completion('yes') : { error: { message: 'no' } };
    await outcomeOf(client(server.route('limited', json(status, body, headers)), options).completion$(PROMPT));
    const next = outcomeOf(client(server.baseURL('whole'), options).generate$(PROMPT));
    expect(stateOf(limiter)).toEqual({ active: 0, queued: 1, nextFreeAt: 20 });
    clock.advance(20);
    expect(await next).toMatchObject({ values: ['Hello'] });
  });

  it('of its requests and their limit is taken as an even refill', async () => {
    const { clock, limiter, options } = shared({});
    const headers = {
      'x-ratelimit-limit-requests': '10',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '10s',
    };
    await outcomeOf(client(server.route('limited', json(200, completion('yes'), headers)), options).generate$(PROMPT));
    const next = outcomeOf(client(server.baseURL('whole'), options).generate$(PROMPT));
    expect(stateOf(limiter)).toEqual({ active: 0, queued: 1, nextFreeAt: 1000 });
    clock.advance(1000);
    expect(await next).toMatchObject({ values: ['Hello'] });
  });

  it('of its tokens is kept to, by what the next one is expected to use', async () => {
    const { clock, limiter, options } = shared({});
    const headers = { 'x-ratelimit-remaining-tokens': '100', 'x-ratelimit-reset-tokens': '1m30s' };
    await outcomeOf(client(server.route('limited', json(200, completion('yes'), headers)), options).generate$(PROMPT));
    const chat = client(server.baseURL('whole'), options);
    expect(await outcomeOf(chat.generate$(PROMPT, { max_tokens: 80 }))).toMatchObject({ completed: true });
    const next = outcomeOf(chat.generate$(PROMPT, { max_tokens: 80 }));
    expect(stateOf(limiter)).toEqual({ active: 0, queued: 1, nextFreeAt: 90_000 });
    clock.advance(90_000);
    expect(await next).toMatchObject({ completed: true });
  });

  type Ask = (chat: OpenAIChatCompletion, params: ChatCompletionParams) => Observable<unknown>;
  it.each<[string, Ask]>([
    ['events$', (chat, params) => chat.events$(PROMPT, params)],
    ['chunks$', (chat, params) => chat.chunks$(PROMPT, params)],
    ['stream$', (chat, params) => chat.stream$(PROMPT, params)],
    ['completion$', (chat, params) => chat.completion$(PROMPT, params)],
    ['generate$', (chat, params) => chat.generate$(PROMPT, params)],
  ])('of the tokens that were used corrects what was expected: %s', async (_name, ask) => {
    const { limiter, options } = shared({ tokensPerMinute: 1000 });
    const params = { max_tokens: 900 };
    expect((await outcomeOf(ask(client(server.baseURL('whole'), options), params))).completed).toBe(true);
    // 8 were used.
    const much = limiter.acquire(993).subscribe();
    expect(stateOf(limiter)).toMatchObject({ active: 0, queued: 1 });
    much.unsubscribe();
    limiter.acquire(992).subscribe();
    expect(stateOf(limiter)).toMatchObject({ active: 1, queued: 0 });
  });

  it.each<[string, string]>([
    ['says nothing of them', text('Hello') + finish() + DONE],
    ['says null', chunk({ choices: [], usage: null }) + text('Hello') + finish() + DONE],
    ['says no number', text('Hello') + finish() + chunk({ choices: [], usage: { total_tokens: '8' } }) + DONE],
  ])('of the tokens that were used is what was expected where a server %s', async (_name, body) => {
    const { limiter, options } = shared({ tokensPerMinute: 1000 });
    await outcomeOf(client(server.route('silent', stream(body)), options).chunks$(PROMPT, { max_tokens: 900 }));
    // 13 for the prompt.
    const much = limiter.acquire(88).subscribe();
    expect(stateOf(limiter)).toMatchObject({ active: 0, queued: 1 });
    much.unsubscribe();
    limiter.acquire(87).subscribe();
    expect(stateOf(limiter)).toMatchObject({ active: 1, queued: 0 });
  });
});

describe.each(CLIENTS)('asking again without a refused default, over the $name transport', ({ client }) => {
  it('waits for its turn, and takes one place', async () => {
    const { limiter, options } = shared({ concurrency: 1 });
    const strict = client(server.route('strict', inTurn(REFUSED, stream(sentence('yes')))), options);
    const events = outcomeOf(strict.events$(PROMPT));
    const other = outcomeOf(client(server.baseURL('whole'), options).generate$(PROMPT));
    expect(stateOf(limiter)).toEqual({ ...IDLE, active: 1, queued: 1 });
    const { values, completed } = await events;
    expect(completed).toBe(true);
    expect(values[0]).toMatchObject({ type: 'start', attempt: 2 });
    expect(await other).toMatchObject({ values: ['Hello'] });
    expect(routes()).toEqual(['strict', 'whole', 'strict']);
    expect(server.requests.map(({ json }) => 'temperature' in json)).toEqual([true, true, false]);
    expect(stateOf(limiter)).toEqual(IDLE);
  });

  it('needs no queue of its own', async () => {
    const { limiter, options } = shared({ concurrency: 1, maxQueued: 0 });
    const strict = client(server.route('strict', inTurn(REFUSED, whole('yes'))), options);
    expect(await outcomeOf(strict.generate$(PROMPT))).toEqual({ values: ['yes'], completed: true });
    expect(stateOf(limiter)).toEqual(IDLE);
  });

  it('takes no place where its consumer has left', async () => {
    const { clock, limiter, options } = shared({ concurrency: 1 });
    const left = new Subject<void>();
    const hooks = {
      onRetry: () => {
        left.next();
      },
    };
    const strict = client(server.route('strict', inTurn(REFUSED, whole('yes'))), { ...options, hooks });
    expect(await outcomeOf(strict.generate$(PROMPT).pipe(takeUntil(left)))).toEqual({ values: [], completed: true });
    await turn();
    expect([clock.pending, stateOf(limiter)]).toEqual([0, IDLE]);
    expect(routes()).toEqual(['strict']);
  });
});

describe.each(CLIENTS)('one call after the other over the $name transport', ({ client }) => {
  it.each(['complete', 'error'] as const)('needs no queue, also from inside %s', async (end) => {
    const { limiter, options } = shared({ concurrency: 1, maxQueued: 0 });
    const first = end === 'complete' ? server.baseURL('whole') : server.route('refusing', json(400, {}));
    const second = new Promise((resolve) => {
      const follow = (): void => {
        resolve(outcomeOf(client(server.baseURL('whole'), options).stream$(PROMPT)));
      };
      client(first, options)
        .stream$(PROMPT)
        .subscribe({ error: () => undefined, [end]: follow });
    });
    expect(await second).toEqual({ values: ['Hello'], completed: true });
    expect(stateOf(limiter)).toEqual(IDLE);
  });
});

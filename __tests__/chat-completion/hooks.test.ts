import { inspect } from 'node:util';
import type { RequestInfo, ResponseInfo, RetryInfo } from '../../src/index.ts';
import { API_KEY, CLIENTS, errorOf, HandClock, outcomeOf, recordedFetch, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { completion, json, sentence, stream } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({
    stream: stream(sentence('one')),
    refused: json(401, { error: { message: 'no' } }),
    busy: json(503, { error: { message: 'no' } }, { 'x-request-id': 'req_1' }),
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

describe.each(CLIENTS)('hooks over the $name transport', ({ client }) => {
  it('are told what is sent and what came back, of whatever status', async () => {
    const told: (RequestInfo | ResponseInfo)[] = [];
    const scheduler = new HandClock();
    const hooks = {
      onRequest: (request: RequestInfo) => {
        told.push(request);
        scheduler.advance(5);
      },
      onResponse: (response: ResponseInfo) => void told.push(response),
    };
    await outcomeOf(client(server.baseURL('stream'), { hooks, scheduler }).stream$(PROMPT));
    await outcomeOf(client(server.baseURL('busy'), { hooks, scheduler }).generate$(PROMPT, { model: 'm' }));
    const streamed = {
      url: `${server.baseURL('stream')}/chat/completions`,
      model: 'gpt-4o-mini',
      stream: true,
      attempt: 1,
    };
    const refused = { url: `${server.baseURL('busy')}/chat/completions`, model: 'm', stream: false, attempt: 1 };
    expect(told).toEqual([
      streamed,
      { ...streamed, status: 200, durationMs: 0 },
      refused,
      { ...refused, status: 503, durationMs: 0, requestId: 'req_1' },
    ]);
  });

  it('are told of each request of a call which attempt it is, and of each retry why and after what pause', async () => {
    const told: string[] = [];
    const retries: RetryInfo[] = [];
    const scheduler = new HandClock();
    const hooks = {
      onRequest: ({ attempt }: RequestInfo) => void told.push(`request ${attempt}`),
      onResponse: ({ attempt, status }: ResponseInfo) => void told.push(`response ${attempt}: ${status}`),
      onRetry: (retry: RetryInfo) => {
        told.push(`retry ${retry.attempt}`);
        retries.push(retry);
        void turn().then(() => {
          scheduler.advance(retry.delayMs);
        });
      },
    };
    const retry = { baseDelayMs: 100, jitter: 0.5, random: () => 0.5, maxRetries: 2 };
    const chat = client(server.baseURL('busy'), { hooks, scheduler, retry });
    const error = await errorOf(chat.stream$(PROMPT));
    expect(error).toMatchObject({ kind: 'server', status: 503, attempts: 3 });
    expect(told).toEqual([
      ...['request 1', 'response 1: 503', 'retry 2', 'request 2', 'response 2: 503', 'retry 3'],
      ...['request 3', 'response 3: 503'],
    ]);
    const cause = { kind: 'server', status: 503, requestId: 'req_1' };
    expect(retries).toMatchObject([
      { attempt: 2, delayMs: 75, error: cause },
      { attempt: 3, delayMs: 150, error: cause },
    ]);
    const shown = inspect(retries, { depth: Infinity, showHidden: true });
    for (const secret of [PROMPT, API_KEY]) expect(shown).not.toContain(secret);
    expect(scheduler.pending).toBe(0);
  });

  it('onRetry is not called where there is no retry: after the last attempt, or an error that is final', async () => {
    const retries: RetryInfo[] = [];
    const hooks = { onRetry: (retry: RetryInfo) => void retries.push(retry) };
    await errorOf(client(server.baseURL('busy'), { hooks, retry: { maxRetries: 0 } }).stream$(PROMPT));
    await errorOf(client(server.baseURL('refused'), { hooks, retry: {} }).stream$(PROMPT));
    await outcomeOf(client(server.baseURL('stream'), { hooks, retry: {} }).stream$(PROMPT));
    expect(retries).toEqual([]);
    expect(server.requests).toHaveLength(3);
  });

  it('onRetry that unsubscribes ends the call: no pause is left, and nothing more is sent', async () => {
    const scheduler = new HandClock();
    const fetch = recordedFetch(() => Response.json({}, { status: 503 }));
    const told: unknown[] = [];
    await new Promise<void>((resolve) => {
      const onRetry = (): void => {
        subscription.unsubscribe();
        resolve();
      };
      const chat = client('http://127.0.0.1:9', { fetch, scheduler, hooks: { onRetry }, retry: {} });
      const subscription = chat.stream$(PROMPT).subscribe({ error: (error: unknown) => told.push(error) });
    });
    await turn();
    expect(scheduler.pending).toBe(0);
    scheduler.advance(60_000);
    await turn();
    expect(fetch.calls).toHaveLength(1);
    expect(told).toEqual([]);
  });

  it('onRequest adds headers, and its own win', async () => {
    const hooks = { onRequest: () => ({ traceparent: '00-1-2-01', 'X-A': 'hook' }) };
    await outcomeOf(
      client(server.baseURL('stream'), { hooks, headers: { 'x-a': 'client', 'x-b': 'client' } }).stream$(PROMPT),
    );
    expect(server.requests[0]?.headers).toMatchObject({ traceparent: '00-1-2-01', 'x-a': 'hook', 'x-b': 'client' });
  });

  it('onRequest is not shown the query of the address: gateways take keys there', async () => {
    const urls: string[] = [];
    const hooks = { onRequest: ({ url }: RequestInfo) => void urls.push(url) };
    const chat = client('http://127.0.0.1:9', {
      hooks,
      transport: ({ bound, signal }) =>
        bound(() => Promise.resolve(Response.json(completion('yes'))))(new URL('http://gateway.test/v1?key=secret#x'), {
          signal,
        }),
      baseURL: undefined,
    });
    await outcomeOf(chat.generate$(PROMPT));
    expect(urls).toEqual(['http://gateway.test/v1']);
  });

  it.each(['onRequest', 'onResponse'] as const)('that unsubscribe leave nothing behind (%s)', async (hook) => {
    const scheduler = new HandClock();
    const fetch = recordedFetch(() => new Response(new ReadableStream(), { status: 500 }));
    const told: unknown[] = [];
    const left = new Promise<void>((resolve) => {
      const hooks = {
        [hook]: () => {
          // Plain fetch is called, and its hook with it, before subscribe has returned.
          void Promise.resolve().then(() => {
            subscription.unsubscribe();
            resolve();
          });
        },
      };
      const chat = client('http://127.0.0.1:9', { fetch, scheduler, hooks });
      const subscription = chat.stream$(PROMPT).subscribe({ error: (error: unknown) => told.push(error) });
    });
    await left;
    await turn();
    expect(scheduler.pending).toBe(0);
    expect(fetch.calls.every(({ signal }) => signal.aborted)).toBe(true);
    expect(told).toEqual([]);
  });

  it('onResponse that unsubscribes at once leaves nothing behind', async () => {
    const scheduler = new HandClock();
    let cancelled = false;
    const body = new ReadableStream({ cancel: () => void (cancelled = true) });
    const fetch = recordedFetch(() => new Response(body, { status: 500 }));
    const told: unknown[] = [];
    await new Promise<void>((resolve) => {
      const onResponse = (): void => {
        subscription.unsubscribe();
        resolve();
      };
      const chat = client('http://127.0.0.1:9', { fetch, scheduler, hooks: { onResponse } });
      const subscription = chat.stream$(PROMPT).subscribe({ error: (error: unknown) => told.push(error) });
    });
    await turn();
    expect(scheduler.pending).toBe(0);
    expect(cancelled).toBe(true);
    expect(told).toEqual([]);
  });
});

describe.each(CLIENTS)('callbacks over the $name transport', ({ client }) => {
  const reason = new RangeError('mine');
  const failing = (): never => {
    throw reason;
  };

  it.each(['onRequest', 'onResponse'] as const)('what %s throws ends the call unchanged', async (hook) => {
    const fetch = recordedFetch(() => Response.json(completion('no')));
    const chat = client('http://127.0.0.1:9', { fetch, hooks: { [hook]: failing } });
    const outcome = await new Promise((resolve) => chat.generate$('hi').subscribe({ error: resolve }));
    expect(outcome).toBe(reason);
    expect(fetch.calls).toHaveLength(hook === 'onRequest' ? 0 : 1);
  });

  it('what onRetry throws ends the call unchanged', async () => {
    const scheduler = new HandClock();
    const fetch = recordedFetch(() => Response.json({}, { status: 503 }));
    const chat = client('http://127.0.0.1:9', { fetch, scheduler, hooks: { onRetry: failing }, retry: {} });
    expect(await new Promise((resolve) => chat.generate$('hi').subscribe({ error: resolve }))).toBe(reason);
    expect(fetch.calls).toHaveLength(1);
    expect(scheduler.pending).toBe(0);
  });

  it('what a gate throws ends the call unchanged, and aborts it', async () => {
    const fetch = recordedFetch(() => new Response(new ReadableStream()));
    const chat = client('http://127.0.0.1:9', { fetch });
    const call$ = chat.stream$('hi', {}, { gate: () => Promise.reject(reason) });
    expect(await new Promise((resolve) => call$.subscribe({ error: resolve }))).toBe(reason);
    expect(fetch.calls[0]?.signal.aborted).toBe(true);
  });

  it('headers of onRequest that cannot be sent are named, not quoted', async () => {
    const fetch = recordedFetch(() => Response.json(completion('no')));
    const hooks = { onRequest: () => ({ 'x-trace': 'a\nsecret' }) };
    const error = await errorOf(client('http://127.0.0.1:9', { fetch, hooks }).generate$('hi'));
    expect(error).toMatchObject({ kind: 'configuration', param: 'hooks.onRequest' });
    expect(error.message).toContain('x-trace');
    expect(error.stack).not.toContain('secret');
    expect(fetch.calls).toEqual([]);
  });
});

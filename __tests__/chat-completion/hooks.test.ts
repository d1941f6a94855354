import type { RequestInfo, ResponseInfo } from '../../src/index.ts';
import { CLIENTS, errorOf, HandClock, outcomeOf, recordedFetch, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { completion, json, sentence, stream } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({
    stream: stream(sentence('one')),
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

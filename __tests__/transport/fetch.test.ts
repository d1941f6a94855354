import { firstValueFrom } from 'rxjs';
import { fetchTransport, OpenAIChatCompletion, type FetchTransportOptions } from '../../src/index.ts';
import { errorOf, recordedFetch, thrownBy, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { completion, json } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';
const SECRET = 'relay-token-4f7Qm2Zx9L';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({ complete: json(200, completion('yes')) });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

const answering = () => recordedFetch(() => Response.json(completion('yes')));

function clientOf(options: FetchTransportOptions, headers?: Record<string, string>): OpenAIChatCompletion {
  return new OpenAIChatCompletion({ transport: fetchTransport(options), ...(headers ? { headers } : undefined) });
}

describe('fetchTransport', () => {
  it("sends one POST with the JSON body, over the runtime's own fetch", async () => {
    await firstValueFrom(clientOf({ baseURL: server.baseURL('complete') }).generate$(PROMPT, { model: 'm' }));
    const [seen] = server.requests;
    expect(seen).toMatchObject({ method: 'POST', url: '/complete/chat/completions' });
    expect(seen?.headers).toMatchObject({
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    });
    expect(seen?.headers.authorization).toBeUndefined();
    expect(seen?.json).toMatchObject({ model: 'm', messages: [{ role: 'user', content: PROMPT }], stream: false });
  });

  it.each([
    ['/api/chat', '/api/chat/chat/completions'],
    ['/api/chat//', '/api/chat/chat/completions'],
    [' https://example.test/v1/ ', 'https://example.test/v1/chat/completions'],
    ['api', 'api/chat/completions'],
  ])('baseURL %p gives %p: relative ones are left to fetch', async (baseURL, url) => {
    const fetch = answering();
    await firstValueFrom(clientOf({ baseURL, fetch }).generate$(PROMPT));
    expect(fetch.calls.map((call) => call.url)).toEqual([url]);
  });

  it('passes credentials on, and none by default', async () => {
    const fetch = answering();
    await firstValueFrom(clientOf({ baseURL: '/api', fetch, credentials: 'include' }).generate$(PROMPT));
    await firstValueFrom(clientOf({ baseURL: '/api', fetch }).generate$(PROMPT));
    expect(fetch.calls.map(({ init }) => init.credentials)).toEqual(['include', undefined]);
  });

  it('sends its headers; those of the client and of the call win', async () => {
    const chat = clientOf(
      { baseURL: server.baseURL('complete'), headers: { 'X-A': 'transport', 'X-B': 'transport', 'X-C': 'transport' } },
      { 'x-b': 'client', 'x-c': 'client' },
    );
    await firstValueFrom(chat.generate$(PROMPT, {}, { headers: { 'X-C': 'call' } }));
    expect(server.requests[0]?.headers).toMatchObject({ 'x-a': 'transport', 'x-b': 'client', 'x-c': 'call' });
  });

  it('asks for headers anew for each request, also in time', async () => {
    let count = 0;
    const headers = async (): Promise<Record<string, string>> => {
      await turn();
      count += 1;
      return { authorization: `Bearer token-${String(count)}` };
    };
    const chat = clientOf({ baseURL: server.baseURL('complete'), headers });
    expect(count).toBe(0);
    await firstValueFrom(chat.generate$(PROMPT));
    await firstValueFrom(chat.generate$(PROMPT));
    expect(server.requests.map((seen) => seen.headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it('sends nothing and calls no hook for a subscriber who leaves while headers are awaited', async () => {
    const fetch = answering();
    const asked: string[] = [];
    let give: (headers: Record<string, string>) => void = () => undefined;
    const chat = new OpenAIChatCompletion({
      transport: fetchTransport({
        baseURL: '/api',
        fetch,
        headers: () =>
          new Promise((resolve) => {
            give = resolve;
          }),
      }),
      hooks: { onRequest: ({ url }) => void asked.push(url) },
    });
    const subscription = chat.generate$(PROMPT).subscribe();
    subscription.unsubscribe();
    give({});
    await turn();
    expect(fetch.calls).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('passes on unchanged what the headers function throws', async () => {
    const reason = new RangeError('not signed in');
    const failing = clientOf({ baseURL: '/api', fetch: answering(), headers: () => Promise.reject(reason) });
    await expect(firstValueFrom(failing.generate$(PROMPT))).rejects.toBe(reason);
    const throwing = clientOf({
      baseURL: '/api',
      fetch: answering(),
      headers: () => {
        throw reason;
      },
    });
    await expect(firstValueFrom(throwing.generate$(PROMPT))).rejects.toBe(reason);
  });

  it.each(['', '  '])('refuses a missing baseURL (%p)', (baseURL) => {
    expect(thrownBy(() => fetchTransport({ baseURL }))).toMatchObject({ kind: 'configuration', param: 'baseURL' });
  });

  it.each([`http://me:${SECRET}@host.test/v1`, `/api?key=${SECRET}`, `/api#${SECRET}`, 'ftp://host.test', 'http://'])(
    'refuses a baseURL that fetch would refuse or quote: %s',
    (baseURL) => {
      const error = thrownBy(() => fetchTransport({ baseURL }));
      expect(error).toMatchObject({ kind: 'configuration', param: 'baseURL' });
      expect(error.stack).not.toContain(SECRET);
    },
  );

  it.each([
    ['a line break in a value', { 'x-key': `${SECRET}\n${SECRET}` }],
    ['a character outside Latin-1', { 'x-key': `${SECRET}✓` }],
    ['a name with a blank', { 'x key': SECRET }],
  ])('refuses headers that cannot be sent, and quotes no value: %s', async (_, headers) => {
    const fetch = answering();
    const thrown = thrownBy(() => fetchTransport({ baseURL: '/api', headers }));
    const emitted = await errorOf(clientOf({ baseURL: '/api', fetch, headers: () => headers }).generate$(PROMPT));
    for (const error of [thrown, emitted]) {
      expect(error).toMatchObject({ kind: 'configuration', retryable: false });
      expect(error.message).toContain('fetchTransport');
      expect(error.stack).not.toContain(SECRET);
    }
    expect(fetch.calls).toEqual([]);
  });

  it('masks its own headers where the server quotes them', async () => {
    const echo = recordedFetch((init) =>
      Response.json(
        { error: { message: `unknown token ${new Headers(init.headers).get('x-token') ?? ''}` } },
        { status: 401 },
      ),
    );
    for (const headers of [{ 'x-token': SECRET }, () => ({ 'x-token': SECRET })]) {
      const error = await errorOf(clientOf({ baseURL: '/api', fetch: echo, headers }).generate$(PROMPT));
      expect(error.message).toBe('401 unknown token ***');
    }
  });
});

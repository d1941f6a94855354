import { AzureOpenAI, OpenAI } from 'openai';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { OpenAIChatCompletion } from '../../src/index.ts';
import { sdkTransport, type OpenAIClientLike } from '../../src/node/index.ts';
import { errorOf, recordedFetch, thrownBy } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { completion, hang, inTurn, json, sentence, stream } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';
const KEY = 'azure-0123456789abcdef0123456789';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({
    stream: stream(sentence('one', 'two')),
    complete: json(200, completion('yes')),
    openai: stream(sentence('from', ' Azure')),
    failing: json(500, { error: { message: 'no' } }),
    hanging: hang,
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

function clientOf(client: Parameters<typeof sdkTransport>[0], model?: string): OpenAIChatCompletion {
  return new OpenAIChatCompletion({
    transport: sdkTransport(client),
    retry: false,
    ...(model === undefined ? undefined : { model }),
  });
}

function openai(route: string, options: ConstructorParameters<typeof OpenAI>[0] = {}): OpenAI {
  return new OpenAI({ apiKey: KEY, baseURL: server.baseURL(route), ...options });
}

describe('sdkTransport', () => {
  it('sends as a ready OpenAI client would: its URL, key, organization and headers', async () => {
    const chat = clientOf(
      openai('stream', { organization: 'org-1', project: 'proj-1', defaultHeaders: { 'x-a': 'client' } }),
    );
    expect(await lastValueFrom(chat.stream$(PROMPT).pipe(toArray()))).toEqual(['one', 'two']);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({ method: 'POST', url: '/stream/chat/completions' });
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      'openai-organization': 'org-1',
      'openai-project': 'proj-1',
      'x-a': 'client',
    });
  });

  it('sends as a ready AzureOpenAI client would: the deployment in the path, the key in api-key', async () => {
    const azure = new AzureOpenAI({ endpoint: server.origin, apiKey: KEY, apiVersion: '2024-10-21' });
    const chat = clientOf(azure, 'my-deployment');
    expect(await lastValueFrom(chat.stream$(PROMPT).pipe(toArray()))).toEqual(['from', ' Azure']);
    const [seen] = server.requests;
    expect(seen?.url).toBe('/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21');
    expect(seen?.headers['api-key']).toBe(KEY);
    expect(seen?.headers.authorization).toBeUndefined();
    expect(seen?.json['model']).toBe('my-deployment');
  });

  it('keeps what else an AzureOpenAI client knows: its token provider, its deployment', async () => {
    const azure = { endpoint: server.origin, apiVersion: '1' };
    const azureADTokenProvider = (): Promise<string> => Promise.resolve('token-of-entra');
    await lastValueFrom(clientOf(new AzureOpenAI({ ...azure, azureADTokenProvider }), 'a').stream$(PROMPT));
    await lastValueFrom(clientOf(new AzureOpenAI({ ...azure, apiKey: KEY, deployment: 'fixed' }), 'a').stream$(PROMPT));
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/openai/deployments/a/chat/completions?api-version=1',
      '/openai/deployments/fixed/chat/completions?api-version=1',
    ]);
    expect(server.requests[0]?.headers.authorization).toBe('Bearer token-of-entra');
  });

  it('makes an OpenAI client of options, with the key of a function too', async () => {
    const chat = clientOf({ baseURL: server.baseURL('complete'), apiKey: () => Promise.resolve(KEY) });
    expect(await firstValueFrom(chat.generate$(PROMPT))).toBe('yes');
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  it('sends through the fetch the client was made with', async () => {
    const fetch = recordedFetch(() => Response.json(completion('mine')));
    expect(await firstValueFrom(clientOf(openai('complete', { fetch })).generate$(PROMPT))).toBe('mine');
    expect(fetch.calls).toHaveLength(1);
    expect(server.requests).toHaveLength(0);
  });

  it('sends headers of the client and of the call over those of the SDK', async () => {
    const transport = sdkTransport(
      openai('complete', { defaultHeaders: { 'x-a': 'sdk', 'x-b': 'sdk', 'x-c': 'sdk' } }),
    );
    const chat = new OpenAIChatCompletion({ transport, headers: { 'x-b': 'client', 'x-c': 'client' } });
    await firstValueFrom(chat.generate$(PROMPT, {}, { headers: { 'x-c': 'call' } }));
    expect(server.requests[0]?.headers).toMatchObject({ 'x-a': 'sdk', 'x-b': 'client', 'x-c': 'call' });
  });

  it("leaves retries to us: the SDK's own are off", async () => {
    const error = await errorOf(clientOf(openai('failing', { maxRetries: 5 })).generate$(PROMPT));
    expect(error).toMatchObject({ kind: 'server', status: 500, attempts: 1 });
    expect(server.requests).toHaveLength(1);
  });

  it('retries a ready client as often as we are told, not as often as it is', async () => {
    const transport = sdkTransport(openai('failing', { maxRetries: 5 }));
    const chat = new OpenAIChatCompletion({ transport, logLevel: 'off', retry: { maxRetries: 1, baseDelayMs: 0 } });
    expect(await errorOf(chat.generate$(PROMPT))).toMatchObject({ kind: 'server', status: 500, attempts: 2 });
    expect(server.requests).toHaveLength(2);
  });

  it("leaves clocks to us: the SDK's own timeout is not the first", async () => {
    const answer = inTurn(hang);
    const chat = clientOf(openai('slow', { timeout: 1 }));
    server.route('slow', answer);
    const told: unknown[] = [];
    const subscription = chat.generate$(PROMPT).subscribe({ error: (error: unknown) => told.push(error) });
    await server.request(0);
    await firstValueFrom(clientOf(openai('complete')).generate$(PROMPT));
    expect(told).toEqual([]);
    subscription.unsubscribe();
    expect(await server.closed(0)).toBe('aborted');
  });

  it('leaves the client itself as it was', async () => {
    const client = openai('failing', { maxRetries: 3 });
    const { fetch } = client as unknown as { fetch: unknown };
    await errorOf(clientOf(client).generate$(PROMPT));
    expect(client.maxRetries).toBe(3);
    expect((client as unknown as { fetch: unknown }).fetch).toBe(fetch);
  });

  it('takes a client of another copy of the package, by shape', async () => {
    const foreign: OpenAIClientLike = {
      withOptions: () => foreign,
      chat: {
        completions: { create: () => ({ asResponse: () => Promise.resolve(Response.json(completion('foreign'))) }) },
      },
    };
    expect(await firstValueFrom(clientOf(foreign).generate$(PROMPT))).toBe('foreign');
  });

  it.each([null, undefined, 'sk-key', 7])('refuses %p', (client) => {
    expect(thrownBy(() => sdkTransport(client as never))).toMatchObject({ kind: 'configuration', param: 'client' });
  });

  describe('what the SDK refuses before it sends', () => {
    it.each([
      ['a key with a line break', () => openai('complete', { apiKey: `${KEY}\n${KEY}` })],
      ['a header with a line break', () => openai('complete', { defaultHeaders: { 'x-key': `${KEY}\n${KEY}` } })],
      [
        'a key function that fails',
        () => openai('complete', { apiKey: () => Promise.reject(new Error('vault is shut')) }),
      ],
      ['options without a key', () => ({ apiKey: '', adminAPIKey: null, baseURL: server.origin })],
    ])('is an error of ours that quotes nothing: %s', async (_, client) => {
      const error = await errorOf(clientOf(client()).generate$(PROMPT));
      expect(error).toMatchObject({ kind: 'configuration', retryable: false, attempts: 1 });
      expect(error.message).toMatch(/^The SDK could not send the request: ./);
      expect(error.stack).not.toContain(KEY.slice(0, 10));
      expect(error.cause).toBeUndefined();
      expect(server.requests).toHaveLength(0);
    });
  });

  it('masks the key of the client where the server quotes it', async () => {
    const fetch = recordedFetch(({ headers }) => {
      const said = new Headers(headers).get('api-key') ?? '';
      return Response.json({ error: { message: `${said} is no key` } }, { status: 401 });
    });
    const azure = new AzureOpenAI({ endpoint: server.origin, apiKey: KEY, apiVersion: '1', fetch });
    const error = await errorOf(clientOf(azure, 'd').stream$(PROMPT));
    expect(error.message).toBe('401 *** is no key');
  });
});

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createEnvironmentInjector, EnvironmentInjector, inject, InjectionToken } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { lastValueFrom, type Observable } from 'rxjs';
import type { ChatCompletionConfig } from '../../src/angular/config.ts';
import { CHAT_COMPLETION, injectChatCompletion, provideChatCompletion } from '../../src/angular/provide.ts';
import { fakeCompletion } from '../../src/testing/fake-completion.ts';
import type { Fetch } from '../../src/transport/transport.ts';

const CHUNK = { id: 'c', object: 'chat.completion.chunk', created: 0, model: 'm' };
const BODY = [{ delta: { content: 'Hello' } }, { delta: {}, finish_reason: 'stop' }]
  .map((choice) => `data: ${JSON.stringify({ ...CHUNK, choices: [{ index: 0, ...choice }] })}\n\n`)
  .join('');

interface Asked {
  readonly url: string;
  readonly init: RequestInit;
}

/** A fetch that answers everything, and what it was asked. */
function recording(): { readonly fetch: Fetch; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const fetch: Fetch = async (url, init = {}) => {
    asked.push({ url: String(url), init });
    return new Response(`${BODY}data: [DONE]\n\n`, { headers: { 'content-type': 'text/event-stream' } });
  };
  return { fetch, asked };
}

const text = (answer$: Observable<string>): Promise<string> => lastValueFrom(answer$);
const provided = (): ReturnType<typeof injectChatCompletion> => TestBed.runInInjectionContext(injectChatCompletion);

describe('provideChatCompletion', () => {
  it('sends to the relay at /api/chat, with no key and no word of one', async () => {
    const { fetch, asked } = recording();
    TestBed.configureTestingModule({ providers: [provideChatCompletion({ fetch })] });
    expect(await text(provided().stream$('Hi', { temperature: 0 }))).toBe('Hello');
    expect(asked).toMatchObject([{ url: '/api/chat', init: { method: 'POST' } }]);
    expect(new Headers(asked[0]?.init.headers).has('authorization')).toBe(false);
    expect(JSON.parse(asked[0]?.init.body as string)).toMatchObject({ model: 'gpt-4o-mini', temperature: 0 });
  });

  it('makes its options in the injection context', async () => {
    const WHERE = new InjectionToken<string>('WHERE');
    const { fetch, asked } = recording();
    const config = (): ChatCompletionConfig => ({ url: inject(WHERE), model: 'm', fetch });
    TestBed.configureTestingModule({
      providers: [{ provide: WHERE, useValue: 'https://relay.example/chat' }, provideChatCompletion(config)],
    });
    await text(provided().stream$('Hi'));
    expect(asked.map(({ url }) => url)).toEqual(['https://relay.example/chat']);
  });

  it('in the providers of a route gives that route a client of its own', async () => {
    const [root, route] = [recording(), recording()];
    TestBed.configureTestingModule({ providers: [provideChatCompletion({ fetch: root.fetch })] });
    const injector = createEnvironmentInjector(
      [provideChatCompletion({ url: '/api/other', fetch: route.fetch })],
      TestBed.inject(EnvironmentInjector),
    );
    await text(injector.get(CHAT_COMPLETION).stream$('Hi'));
    await text(provided().stream$('Hi'));
    expect([root.asked, route.asked].map(([first]) => first?.url)).toEqual(['/api/chat', '/api/other']);
  });

  it('has all methods of the client', async () => {
    const { fetch } = recording();
    TestBed.configureTestingModule({ providers: [provideChatCompletion({ fetch })] });
    const chat = provided();
    expect(await lastValueFrom(chat.events$('Hi'))).toMatchObject({ type: 'finish', reason: 'stop' });
    expect(await lastValueFrom(chat.chunks$('Hi'))).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
    const kinds = ['completion$', 'generate$'] as const;
    for (const name of kinds) {
      await expect(lastValueFrom(chat[name]('Hi') as Observable<unknown>)).rejects.toMatchObject({ kind: 'protocol' });
    }
    await expect(lastValueFrom(chat.json$('Hi', {}, { schema: {} }))).rejects.toMatchObject({ kind: 'configuration' });
    await expect(lastValueFrom(chat.runTools$('Hi', {}, { tools: [] }))).rejects.toMatchObject({ param: 'tools' });
  });

  it.each([
    [{ temprature: 1 }, 'temprature'],
    [{ url: 'ftp://relay' }, 'url'],
    [{ url: '/a', transport: () => Promise.reject(new Error('never')) }, 'url'],
    [{ fetch: () => Promise.reject(new Error('never')), transport: () => Promise.reject(new Error('never')) }, 'fetch'],
    [{ server: 'yes', url: 'https://a.b' }, 'server'],
  ])('%j is an error of each call', async (config, param) => {
    TestBed.configureTestingModule({ providers: [provideChatCompletion(config as never)] });
    const chat = provided();
    for (let i = 0; i < 2; i++) {
      await expect(text(chat.stream$('Hi'))).rejects.toMatchObject({ kind: 'configuration', param });
    }
  });
});

it('takes one feature', () => {
  const feature = { client: () => fakeCompletion('a|') };
  TestBed.configureTestingModule({ providers: [provideChatCompletion({}, feature, feature)] });
  expect(provided).toThrow('one feature');
});

describe('over a network', () => {
  let server: Server;
  let url: string;
  const requests: IncomingMessage[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      requests.push(request);
      response.writeHead(200, { 'content-type': 'text/event-stream', 'access-control-allow-origin': '*' });
      response.write(BODY.slice(0, BODY.indexOf('\n\n') + 2));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/api/chat`;
  });

  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('unsubscribing aborts the request', async () => {
    TestBed.configureTestingModule({ providers: [provideChatCompletion({ url })] });
    const first = await new Promise<string>((resolve) => {
      const subscription = provided()
        .stream$('Hi')
        .subscribe((piece) => {
          resolve(piece);
          subscription.unsubscribe();
        });
    });
    expect(first).toBe('Hello');
    const [request] = requests;
    expect(request?.method).toBe('POST');
    expect(request?.url).toBe('/api/chat');
    if (request?.socket.destroyed === false) await new Promise((resolve) => request.socket.once('close', resolve));
  });
});

describe('injectChatCompletion', () => {
  it('says what is missing', () => {
    TestBed.configureTestingModule({ providers: [] });
    let thrown: unknown;
    try {
      provided();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('provideChatCompletion()') as unknown,
    });
  });

  it('needs an injection context', () => {
    expect(() => injectChatCompletion()).toThrow('NG0203');
  });
});

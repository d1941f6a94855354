import { createEnvironmentInjector, EnvironmentInjector, inject, InjectionToken, PLATFORM_ID } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { lastValueFrom } from 'rxjs';
import type { ChatCompletionConfig, ChatCompletionFeature } from '../../src/angular/config.ts';
import { CHAT_COMPLETION, injectChatCompletion, provideChatCompletion } from '../../src/angular/provide.ts';
import { fakeCompletion } from '../../src/testing/fake-completion.ts';
import { fakeTransport } from '../../src/testing/fake-transport.ts';
import { answer } from '../../src/testing/exchange.ts';
import { recordedFetch, thrownBy } from '../support/client.ts';
import { turn } from './support/chat.ts';
import { delta, END, HttpServer, whole } from './support/http-server.ts';

const refused = recordedFetch(() => Promise.reject(new TypeError('no network here')));
const ROOT = (): EnvironmentInjector => TestBed.inject(EnvironmentInjector);
const provided = (injector = ROOT()): ReturnType<typeof injectChatCompletion> =>
  injector.runInContext(injectChatCompletion);

function route(...args: Parameters<typeof provideChatCompletion>): EnvironmentInjector {
  return createEnvironmentInjector([provideChatCompletion(...args)], ROOT());
}

describe('where it is provided', () => {
  it('is one client, for whoever injects it', () => {
    let made = 0;
    const config = (): ChatCompletionConfig => {
      made += 1;
      return {};
    };
    TestBed.configureTestingModule({ providers: [provideChatCompletion(config)] });
    expect(made).toBe(0);
    expect(provided()).toBe(TestBed.inject(CHAT_COMPLETION));
    expect(provided(createEnvironmentInjector([], ROOT()))).toBe(provided());
    expect(made).toBe(1);
  });

  it('in a route alone is nowhere else', () => {
    const injector = route({ fetch: refused });
    expect(provided(injector)).toBe(injector.get(CHAT_COMPLETION));
    expect(thrownBy(() => provided())).toMatchObject({ kind: 'configuration' });
  });

  it('makes options of a route with what that route provides', async () => {
    const TENANT = new InjectionToken<string>('TENANT');
    const fetch = recordedFetch(() => new Response(delta('Hello') + END, { headers: EVENTS }));
    const config = (): ChatCompletionConfig => ({ url: `/api/${inject(TENANT)}/chat`, fetch });
    const ofRoute = { provide: TENANT, useValue: 'route' };
    TestBed.configureTestingModule({
      providers: [{ provide: TENANT, useValue: 'root' }, provideChatCompletion(config)],
    });
    const injector = createEnvironmentInjector([ofRoute, provideChatCompletion(config)], ROOT());
    await lastValueFrom(provided(injector).stream$('Hi'));
    await lastValueFrom(provided().stream$('Hi'));
    expect(fetch.calls.map(({ url }) => url)).toEqual(['/api/route/chat', '/api/root/chat']);
  });

  it('throws what making its options threw', () => {
    const config = (): never => {
      throw new Error('no settings yet');
    };
    TestBed.configureTestingModule({ providers: [provideChatCompletion(config)] });
    expect(() => provided()).toThrow('no settings yet');
  });
});

const EVENTS = { 'content-type': 'text/event-stream' };

describe('a feature', () => {
  it('makes the client, once, with the options and in their injection context', () => {
    const WHERE = new InjectionToken<string>('WHERE');
    const asked: unknown[] = [];
    const fake = fakeCompletion('a|');
    const feature: ChatCompletionFeature = {
      client: (config) => {
        asked.push([config, inject(WHERE)]);
        return fake;
      },
    };
    const config = { url: '/chat' };
    TestBed.configureTestingModule({
      providers: [{ provide: WHERE, useValue: 'here' }, provideChatCompletion(config, feature)],
    });
    expect([provided(), provided()]).toEqual([fake, fake]);
    expect(asked).toEqual([[config, 'here']]);
  });

  it('is not asked on a server, unless that is wanted', () => {
    let asked = 0;
    const feature: ChatCompletionFeature = {
      client: () => {
        asked += 1;
        return fakeCompletion('a|');
      },
    };
    TestBed.configureTestingModule({ providers: [{ provide: PLATFORM_ID, useValue: 'server' }] });
    provided(route({}, feature));
    provided(route({ server: false }, feature));
    expect(asked).toBe(0);
    provided(route({ server: true, url: 'http://relay.example/chat' }, feature));
    expect(asked).toBe(1);
  });
});

describe('on a server', () => {
  beforeEach(() => {
    TestBed.configureTestingModule({ providers: [{ provide: PLATFORM_ID, useValue: 'server' }] });
  });

  it.each([
    ['without an address', {}],
    ['with a relative one', { url: '/api/chat' }],
    ['with one without a scheme', { url: '//relay.example/chat' }],
    ['with one of another scheme', { url: 'file:///chat' }],
  ])('is refused %s', (_, config) => {
    const injector = route({ server: true, ...config });
    expect(thrownBy(() => provided(injector))).toMatchObject({ kind: 'configuration', param: 'url' });
  });

  it('needs no address beside a transport', async () => {
    const transport = fakeTransport([answer('Hello')]);
    const injector = route({ server: true, transport, retry: false });
    expect(await lastValueFrom(provided(injector).stream$('Hi'))).toBe('Hello');
  });

  it('never ends and never emits, for whatever is asked', async () => {
    const chat = provided(route({ fetch: refused }));
    const heard: string[] = [];
    const observer = {
      next: (): unknown => heard.push('value'),
      error: (): unknown => heard.push('error'),
      complete: (): unknown => heard.push('end'),
    };
    chat.chunks$('Hi').subscribe(observer);
    chat.completion$('Hi').subscribe(observer);
    chat.json$('Hi', {}, { schema: {} }).subscribe(observer);
    // Also what would be refused elsewhere.
    chat.stream$('').subscribe(observer);
    await turn();
    expect([heard, refused.calls]).toEqual([[], []]);
  });
});

describe('over a network', () => {
  const server = new HttpServer();
  let origin: string;

  beforeAll(async () => {
    origin = await server.start();
  });
  afterAll(() => server.stop());

  it('posts to exactly the address, with what the options and the call say', async () => {
    server.answer(whole('Hello'));
    const chat = provided(route({ url: `${origin}/relay/of/mine`, model: 'gpt-5', headers: { 'x-mine': 'yes' } }));
    expect(await lastValueFrom(chat.stream$('Hi', { max_tokens: 5 }, { headers: { 'x-call': 'too' } }))).toBe('Hello');
    const [request] = server.served.filter(({ method }) => method !== 'OPTIONS');
    expect(request).toMatchObject({
      method: 'POST',
      url: '/relay/of/mine',
      headers: { 'content-type': 'application/json', 'x-mine': 'yes', 'x-call': 'too' },
    });
    expect(request?.headers.authorization).toBeUndefined();
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      model: 'gpt-5',
      max_tokens: 5,
      stream: true,
      messages: [{ role: 'user', content: 'Hi' }],
    });
  });

  it('sends nothing before somebody subscribes', async () => {
    server.answer(whole('Hello'));
    void provided(route({ url: origin })).stream$('Hi');
    await turn();
    expect(server.served).toEqual([]);
  });
});

import { createEnvironmentInjector, EnvironmentInjector, Injector } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { NEVER } from 'rxjs';
import type { Chat, ChatOptions } from '../../src/angular/chat-types.ts';
import { provideChatCompletion } from '../../src/angular/provide.ts';
import { answer } from '../../src/testing/exchange.ts';
import type { FakeTransport } from '../../src/testing/fake-transport.ts';
import { call, last, said, statuses, toolOf, turn, untilSent } from './support/chat.ts';
import { delta, HttpServer } from './support/http-server.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

describe('the end of its injector', () => {
  const opened = async (options: ChatOptions): Promise<[Chat, FakeTransport, EnvironmentInjector]> => {
    const transport = stage.scripted([answer('One', call('c1')), answer('late')]);
    const route = createEnvironmentInjector([], TestBed.inject(EnvironmentInjector));
    const chat = stage.chat({ injector: route.get(Injector), ...options });
    chat.send('Hi');
    await untilSent(stage, transport, 1);
    return [chat, transport, route];
  };

  it('aborts the tool that runs, and nothing is written afterwards', async () => {
    const heard: string[] = [];
    const execute: Parameters<typeof toolOf>[0] = (_args, { signal }) => {
      signal.addEventListener('abort', () => heard.push('aborted'));
      return NEVER;
    };
    const [chat, transport, route] = await opened({ tools: [toolOf(execute)] });
    route.destroy();
    expect([heard, chat.isLoading(), statuses(chat)]).toEqual([['aborted'], false, ['stopped']]);
    const before = chat.messages();
    chat.stop();
    stage.pass(50);
    expect(chat.messages()).toBe(before);
    expect([transport.requests.length, stage.clock.pending]).toEqual([1, 0]);
  });

  it('leaves nothing to approve', async () => {
    let runs = 0;
    const [chat, transport, route] = await opened({ tools: [toolOf(() => (runs += 1))], approve: 'ask' });
    route.destroy();
    chat.approve('c1');
    stage.pass(50);
    expect([runs, transport.requests.length, statuses(chat)]).toEqual([0, 1, ['stopped']]);
  });

  it('ends each way to ask', async () => {
    const [chat, transport, route] = await opened({ tools: [toolOf(() => NEVER)] });
    route.destroy();
    const before = chat.messages();
    chat.send('And?');
    chat.edit(0, 'Ho');
    chat.regenerate();
    for (let turns = 0; turns < 5; turns++) await turn();
    stage.pass(50);
    expect(chat.messages()).toBe(before);
    expect(transport.requests).toHaveLength(1);
  });

  it('is the end also before anything was asked', () => {
    const transport = stage.scripted([]);
    const route = createEnvironmentInjector([], TestBed.inject(EnvironmentInjector));
    const chat = stage.chat({ injector: route.get(Injector) });
    route.destroy();
    chat.send('Hi');
    expect([chat.messages(), transport.requests]).toEqual([[], []]);
  });
});

describe('over a real server', () => {
  const server = new HttpServer();
  let url = '';
  beforeAll(async () => {
    url = await server.start();
  });
  afterAll(() => server.stop());

  it.each<[string, (chat: Chat, route: EnvironmentInjector) => void, string]>([
    [
      'stop()',
      (chat) => {
        chat.stop();
      },
      'stopped: One',
    ],
    [
      'the end of its injector',
      (_chat, route) => {
        route.destroy();
      },
      'stopped: One',
    ],
  ])('%s closes the connection, of a question that was heard as a whole', async (_, leave, left) => {
    server.answer(({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(delta('One'));
    });
    stage.provide(provideChatCompletion({ url, model: 'm' }));
    const route = createEnvironmentInjector([], TestBed.inject(EnvironmentInjector));
    const chat = stage.chat({ injector: route.get(Injector), system: 'Be brief.' });
    const asked = server.next();
    chat.send('Hi');
    const served = await asked;
    while (last(chat).text === '') {
      await turn();
      stage.pass(20);
    }
    leave(chat, route);
    await served.closed;
    expect([said(chat), chat.error()]).toEqual([['Hi', left], undefined]);
    expect(JSON.parse(served.body)).toMatchObject({
      stream: true,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
    });
  });
});

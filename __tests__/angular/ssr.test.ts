import { ApplicationRef, PLATFORM_ID } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { TestBed } from '@angular/core/testing';
import type { Observable } from 'rxjs';
import type { ChatMessage } from '../../src/angular/chat-message.ts';
import type { ChatCompletionConfig } from '../../src/angular/config.ts';
import { CHAT_COMPLETION, injectChatCompletion, provideChatCompletion } from '../../src/angular/provide.ts';
import type { Fetch } from '../../src/transport/transport.ts';
import { Stage } from './support/stage.ts';

const ON_A_SERVER = { provide: PLATFORM_ID, useValue: 'server' };

let stage: Stage;
const asked: string[] = [];
const fetch: Fetch = (url) => {
  asked.push(String(url));
  return Promise.reject(new TypeError('no network here'));
};

beforeEach(() => {
  stage = new Stage();
  asked.length = 0;
});

function render(config: ChatCompletionConfig = {}): void {
  stage.provide(ON_A_SERVER, provideChatCompletion({ fetch, retry: false, ...config }));
}

const stable = (): Promise<void> => TestBed.inject(ApplicationRef).whenStable();

it('a resource is loading, as it is in the browser at first, and sends nothing', async () => {
  render();
  const resource = stage.resource({ messages: () => 'Hi' });
  stage.pass(50);
  await stable();
  expect([resource.phase(), resource.status(), resource.text()]).toEqual(['connecting', 'loading', '']);
  expect(asked).toEqual([]);
});

it('a chat takes no question', async () => {
  render();
  const chat = stage.chat();
  chat.send('Hi');
  chat.regenerate();
  await stable();
  expect([chat.messages(), chat.status(), asked]).toEqual([[], 'ready', []]);
});

it('the methods of the client emit nothing, and hold nothing back', async () => {
  render();
  const text = TestBed.runInInjectionContext(() =>
    toSignal(injectChatCompletion().stream$('Hi'), { initialValue: 'none' }),
  );
  const heard: string[] = [];
  const chat = TestBed.inject(CHAT_COMPLETION);
  const answers: Observable<unknown>[] = [
    chat.generate$('Hi'),
    chat.events$('Hi'),
    chat.runTools$('Hi', {}, { tools: [] }),
  ];
  for (const answer$ of answers) {
    answer$.subscribe({
      next: () => heard.push('value'),
      error: () => heard.push('error'),
      complete: () => heard.push('end'),
    });
  }
  await stable();
  expect([text(), heard, asked]).toEqual(['none', [], []]);
});

it('starts where that is asked for, at an absolute address', async () => {
  render({ server: true, url: 'https://relay.example/chat' });
  await new Promise<void>((resolve) => {
    TestBed.inject(CHAT_COMPLETION)
      .stream$('Hi')
      .subscribe({ error: () => resolve() });
  });
  expect(asked).toEqual(['https://relay.example/chat']);
});

describe('a chat with an earlier conversation', () => {
  const MESSAGES: readonly ChatMessage[] = [{ id: '1', role: 'user', text: 'Hi', content: 'Hi' }];

  it('shows it, and asks nothing, whatever the client is', async () => {
    stage.provide(ON_A_SERVER);
    const fake = stage.fake('a|');
    const chat = stage.chat({ messages: MESSAGES });
    chat.send('And?');
    chat.regenerate();
    chat.edit(0, 'Ho');
    chat.stop();
    chat.approve('c');
    chat.deny('c');
    stage.pass(50);
    await stable();
    expect([chat.messages(), chat.status(), chat.error()]).toEqual([MESSAGES, 'ready', undefined]);
    expect([fake.calls, stage.clock.pending]).toEqual([[], 0]);
  });

  it('tells of a wrong index there too', () => {
    stage.provide(ON_A_SERVER);
    stage.fake('a|');
    const chat = stage.chat({ messages: MESSAGES });
    expect(() => {
      chat.edit(1, 'Ho');
    }).toThrow('edit: message 1 is not one of the user');
  });
});

it('a resource asks nothing, whatever the client is, also when it is asked again', async () => {
  stage.provide(ON_A_SERVER);
  const fake = stage.fake('a|');
  const resource = stage.resource({ messages: () => 'Hi' });
  stage.pass(50);
  expect(resource.reload()).toBe(false);
  resource.stop();
  stage.pass(50);
  resource.reload();
  stage.pass(50);
  await stable();
  expect([fake.calls, resource.error()]).toEqual([[], undefined]);
});

it('a page that is rendered is stable with all of them, and leaves nothing that runs', async () => {
  render();
  const resource = stage.resource({ messages: () => 'Hi' });
  const chat = stage.chat();
  chat.send('Hi');
  const subscription = TestBed.inject(CHAT_COMPLETION).stream$('Hi').subscribe();
  TestBed.tick();
  await stable();
  expect(stage.clock.pending).toBe(0);
  TestBed.resetTestingModule();
  subscription.unsubscribe();
  expect([resource.text(), chat.messages(), asked]).toEqual(['', [], []]);
});

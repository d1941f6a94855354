import { ApplicationRef, PLATFORM_ID } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { TestBed } from '@angular/core/testing';
import type { Observable } from 'rxjs';
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

it('says that an address on a server is absolute, and lets a page have a relative one', () => {
  render({ server: true });
  let thrown: unknown;
  try {
    TestBed.inject(CHAT_COMPLETION);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ kind: 'configuration', param: 'url' });
  TestBed.resetTestingModule();
  stage.provide(provideChatCompletion({ fetch, server: true }));
  expect(TestBed.inject(CHAT_COMPLETION)).toBeDefined();
});

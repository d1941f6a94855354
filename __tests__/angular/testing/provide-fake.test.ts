import { AsyncPipe } from '@angular/common';
import {
  ChangeDetectionStrategy,
  Component,
  createEnvironmentInjector,
  effect,
  EnvironmentInjector,
} from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { TestBed } from '@angular/core/testing';
import { scan } from 'rxjs';
import { chatResource } from '../../../src/angular/chat-resource.ts';
import { injectChat } from '../../../src/angular/chat.ts';
import { CHAT_COMPLETION, injectChatCompletion, provideChatCompletion } from '../../../src/angular/provide.ts';
import { provideFakeChatCompletion } from '../../../src/angular/testing/index.ts';
import { fakeCompletion } from '../../../src/testing/fake-completion.ts';
import { OpenAIChatCompletion } from '../../../src/chat-completion.ts';
import { answer, httpError } from '../../../src/testing/exchange.ts';
import { fakeTransport } from '../../../src/testing/fake-transport.ts';
import { HandClock, thrownBy } from '../../support/client.ts';

const clock = new HandClock();
const whole = scan((text: string, piece: string) => text + piece, '');

@Component({
  selector: 'app-page',
  imports: [AsyncPipe],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <p>{{ answer.text() }}|{{ answer.status() }}</p>
    <p>{{ signal() }}</p>
    <p>{{ text$ | async }}</p>
    @for (message of chat.messages(); track message.id) {
      <p>{{ message.role }}: {{ message.text }}</p>
    }
  `,
})
class Page {
  readonly answer = chatResource({ messages: () => 'resource', scheduler: clock });
  readonly chat = injectChat({ scheduler: clock });
  readonly #client = injectChatCompletion();
  readonly signal = toSignal(this.#client.stream$('signal').pipe(whole), { initialValue: '' });
  readonly text$ = this.#client.stream$('pipe').pipe(whole);
}

const paragraphs = (element: HTMLElement): readonly string[] =>
  [...element.querySelectorAll('p')].map(({ textContent }) => textContent);

it('answers a component in every way it can ask, and all of that ends with the component', () => {
  const fake = fakeCompletion('-a 50ms b 50ms |', { a: 'Hello', b: ' world' }, undefined, { scheduler: clock });
  TestBed.configureTestingModule({ providers: [provideFakeChatCompletion(fake)] });
  const fixture = TestBed.createComponent(Page);
  fixture.componentInstance.chat.send('chat');
  TestBed.tick();
  clock.advance(30);
  TestBed.tick();
  expect(paragraphs(fixture.nativeElement as HTMLElement)).toEqual([
    'Hello|loading',
    'Hello',
    'Hello',
    'user: chat',
    'assistant: Hello',
  ]);
  expect(fake.calls.map(({ messages, outcome }) => [JSON.stringify(messages), outcome]).sort()).toEqual([
    ['"pipe"', 'running'],
    ['"resource"', 'running'],
    ['"signal"', 'running'],
    ['[{"role":"user","content":"chat"}]', 'running'],
  ]);
  fixture.destroy();
  expect(fake.calls.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 4 }, () => 'unsubscribed'));
  expect(clock.pending).toBe(0);
});

it('is made of a diagram', async () => {
  TestBed.configureTestingModule({ providers: [provideFakeChatCompletion('a#', { a: 'Half' }, new Error('broken'))] });
  const heard = await new Promise((resolve) => {
    const pieces: unknown[] = [];
    TestBed.runInInjectionContext(injectChatCompletion)
      .stream$('Hi')
      .subscribe({ next: (piece) => pieces.push(piece), error: (error: unknown) => resolve([...pieces, error]) });
  });
  expect(heard).toEqual(['Half', new Error('broken')]);
});

@Component({
  selector: 'app-talk',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    @for (message of chat.messages(); track message.id) {
      <p>{{ message.role }}: {{ message.text }}</p>
    }
    <button [disabled]="chat.isLoading()" (click)="chat.send('Hi')">Ask</button>
    @if (chat.error(); as error) {
      <p role="alert">{{ error.message }}</p>
    }
  `,
})
class Talk {
  readonly chat = injectChat({ system: 'Be brief.', params: { temperature: 0 } });
}

/** The page after a click, when the answer has come: with the clocks and frames of a page. */
async function clicked(): Promise<HTMLElement> {
  const fixture = TestBed.createComponent(Talk);
  const element = fixture.nativeElement as HTMLElement;
  const { chat } = fixture.componentInstance;
  await fixture.whenStable();
  const button = element.querySelector('button')!;
  button.click();
  await fixture.whenStable();
  expect(button.disabled).toBe(true);
  await new Promise<void>((resolve) => {
    TestBed.runInInjectionContext(() =>
      effect(() => {
        if (!chat.isLoading()) resolve();
      }),
    );
  });
  await fixture.whenStable();
  expect(button.disabled).toBe(false);
  return element;
}

describe('a test that waits', () => {
  it('sees the answer, and what was asked', async () => {
    const fake = fakeCompletion('-a-b-|', { a: 'Hello', b: ' world' });
    TestBed.configureTestingModule({ providers: [provideFakeChatCompletion(fake)] });
    expect(paragraphs(await clicked())).toEqual(['user: Hi', 'assistant: Hello world']);
    expect(fake.calls).toMatchObject([
      {
        method: 'events$',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi' },
        ],
        params: { temperature: 0 },
        outcome: 'completed',
      },
    ]);
  });

  it('sees an error of the diagram, beside what had arrived', async () => {
    TestBed.configureTestingModule({
      providers: [provideFakeChatCompletion('-a-#', { a: 'Half' }, new Error('broken'))],
    });
    expect(paragraphs(await clicked())).toEqual(['user: Hi', 'assistant: Half', 'broken']);
  });

  it('sees the default error of a diagram', async () => {
    TestBed.configureTestingModule({ providers: [provideFakeChatCompletion('a#')] });
    const [, half, error] = paragraphs(await clicked());
    expect([half, error]).toEqual(['assistant: a', expect.any(String)]);
    expect(error).not.toBe('');
  });

  it('sees the real client over a script, with its retries', async () => {
    const transport = fakeTransport([httpError(503), answer('Hello')]);
    const client = new OpenAIChatCompletion({ transport, retry: { baseDelayMs: 0 } });
    TestBed.configureTestingModule({ providers: [provideFakeChatCompletion(client)] });
    expect(paragraphs(await clicked())).toEqual(['user: Hi', 'assistant: Hello']);
    transport.verify();
  });
});

it('stands in for a client that is provided before it, and is made once for an injector', () => {
  let made = 0;
  const real = provideChatCompletion(() => {
    made += 1;
    return {};
  });
  TestBed.configureTestingModule({ providers: [real, provideFakeChatCompletion('a|')] });
  const client = TestBed.inject(CHAT_COMPLETION);
  expect(TestBed.runInInjectionContext(injectChatCompletion)).toBe(client);
  const route = createEnvironmentInjector([provideFakeChatCompletion('b|')], TestBed.inject(EnvironmentInjector));
  expect(route.runInContext(injectChatCompletion)).not.toBe(client);
  expect(made).toBe(0);
});

it('tells of a wrong diagram where the client is injected', () => {
  TestBed.configureTestingModule({ providers: [provideFakeChatCompletion('a|b')] });
  expect(thrownBy(() => TestBed.inject(CHAT_COMPLETION)).kind).toBe('configuration');
});

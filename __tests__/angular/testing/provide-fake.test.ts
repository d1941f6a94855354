import { AsyncPipe } from '@angular/common';
import { ChangeDetectionStrategy, Component } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { TestBed } from '@angular/core/testing';
import { scan } from 'rxjs';
import { chatResource } from '../../../src/angular/chat-resource.ts';
import { injectChat } from '../../../src/angular/chat.ts';
import { injectChatCompletion } from '../../../src/angular/provide.ts';
import { provideFakeChatCompletion } from '../../../src/angular/testing/index.ts';
import { fakeCompletion } from '../../../src/testing/fake-completion.ts';
import { HandClock } from '../../support/client.ts';

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

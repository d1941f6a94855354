import type { ElementRef } from '@angular/core';
import { Component, computed, DOCUMENT, inject, signal, viewChild } from '@angular/core';
import { injectChat, type ChatMessage } from 'rxjs-openai/angular';
import { Follow } from '../shared/follow';
import { Online } from '../shared/online';
import { AssistantMessage } from './assistant-message';
import { Composer, MODELS } from './composer';
import { PaceMeter } from './pace';
import { weather } from './tools';
import { UserMessage } from './user-message';

const SUGGESTIONS = [
  { ask: 'What does switchMap do?', shows: 'Markdown, code and a table' },
  { ask: 'What is the weather in Oslo?', shows: 'A tool that asks before it runs' },
  { ask: 'Write something long', shows: 'Thousands of chunks: stop it any time' },
  { ask: 'Break off in the middle', shows: 'An error that keeps the text' },
  { ask: 'Hit the rate limit', shows: 'An error before the first word' },
  { ask: 'Who are you?', shows: 'What this page is made of' },
];

@Component({
  selector: 'app-chat-page',
  imports: [AssistantMessage, Composer, Follow, UserMessage],
  templateUrl: './chat-page.html',
  // From wherever the keyboard is.
  host: { class: 'chat', '(document:keydown.escape)': 'stop()' },
})
export class ChatPage {
  protected readonly online = inject(Online);
  readonly #document = inject(DOCUMENT);
  protected readonly suggestions = SUGGESTIONS;
  protected readonly model = signal<string>(MODELS[0]);
  protected readonly paces = new PaceMeter();
  private readonly composer = viewChild.required(Composer);
  private readonly follow = viewChild.required(Follow);
  private readonly log = viewChild.required<ElementRef<HTMLElement>>('log');

  protected readonly chat = injectChat({
    system: 'You are a helpful assistant. Answer in Markdown.',
    params: () => ({ model: this.model() }),
    tools: [weather],
    approve: 'ask',
    pipe: this.paces.measuring(() => this.chat.messages().at(-1)),
  });

  /** What a screen reader is told: that something happens, and the answer when it is there, not each token. */
  protected readonly announcement = computed(() => {
    const last = this.chat.messages().at(-1);
    if (last?.role !== 'assistant') return '';
    if (last.status === 'connecting' || last.status === 'streaming') {
      return isWaitingForApproval(last) ? 'A tool waits for your approval' : 'The answer is coming';
    }
    return last.status === 'done' ? `Answer: ${last.text}` : 'The answer has ended early';
  });

  protected ask(text: string): void {
    this.chat.send(text);
    this.follow().toEnd();
    this.composer().focus();
  }

  protected stop(): void {
    if (!this.chat.isLoading()) return;
    this.chat.stop();
    this.keepFocus();
  }

  protected begin(): void {
    this.chat.clear();
    this.composer().focus();
  }

  /** A button that vanishes when it is pressed would send the keyboard back to the top of the page. */
  protected keepFocus(): void {
    const { activeElement } = this.#document;
    if (activeElement?.id !== 'question') this.log().nativeElement.focus({ preventScroll: true });
  }
}

function isWaitingForApproval(message: ChatMessage): boolean {
  return (
    message.role === 'assistant' && message.parts.some((part) => part.type === 'tool' && part.status === 'approval')
  );
}

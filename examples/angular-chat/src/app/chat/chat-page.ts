import { Component, computed, inject, signal, viewChild } from '@angular/core';
import { injectChat, type ChatMessage } from 'rxjs-openai/angular';
import { Follow } from '../shared/follow';
import { Online } from '../shared/online';
import { AssistantMessage } from './assistant-message';
import { Composer, MODELS } from './composer';
import { PaceMeter } from './pace';
import { weather } from './tools';
import { UserMessage } from './user-message';

const SUGGESTIONS = [
  'What does switchMap do?',
  'What is the weather in Oslo?',
  'Break off in the middle',
  'Write something long',
];

@Component({
  selector: 'app-chat-page',
  imports: [AssistantMessage, Composer, Follow, UserMessage],
  templateUrl: './chat-page.html',
  host: { class: 'chat' },
})
export class ChatPage {
  protected readonly online = inject(Online);
  protected readonly suggestions = SUGGESTIONS;
  protected readonly model = signal<string>(MODELS[0]);
  protected readonly paces = new PaceMeter();
  private readonly composer = viewChild.required(Composer);

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
    this.composer().focus();
  }
}

function isWaitingForApproval(message: ChatMessage): boolean {
  return (
    message.role === 'assistant' && message.parts.some((part) => part.type === 'tool' && part.status === 'approval')
  );
}

import { assertInInjectionContext, runInInjectionContext } from '@angular/core';
import { checkNames, validFunction } from '../option-checks.ts';
import type { Chat, ChatOptions } from './chat-types.ts';
import { Conversation } from './conversation.ts';

const OPTION_NAMES = [
  'system',
  'params',
  'tools',
  'approve',
  'options',
  'pipe',
  'messages',
  'injector',
  'scheduler',
] as const satisfies readonly (keyof ChatOptions)[];

/**
 * A conversation as signals: the messages, a question, an answer that grows. Must be called in an injection context, or be given an
 * `injector`, whose end aborts what is under way. Renders are coalesced: many deltas are one write of signals a frame, and the last one is
 * never lost; messages and parts that have not changed are the same objects.
 *
 * Nothing is thrown at a question: what goes wrong is the `error` of its answer, which keeps the text that had arrived. While a server
 * renders the page nothing is asked. With zone.js everything, tools included, runs outside of the Angular zone; signals alone schedule
 * change detection.
 *
 * Wrong options are `configuration` errors, thrown at once.
 *
 * ```ts
 * import { Component } from '@angular/core';
 * import { injectChat } from 'rxjs-openai/angular';
 *
 * @Component({
 *   selector: 'app-chat',
 *   template: `
 *     @for (message of chat.messages(); track message.id) {
 *       <p [class]="message.role">{{ message.text }}</p>
 *     }
 *     <input #question (keydown.enter)="chat.send(question.value); question.value = ''" />
 *     @if (chat.isLoading()) {
 *       <button (click)="chat.stop()">Stop</button>
 *     } @else if (chat.error(); as error) {
 *       <p role="alert">{{ error.message }} <button (click)="chat.regenerate()">Try again</button></p>
 *     }
 *   `,
 * })
 * export class ChatPage {
 *   readonly chat = injectChat({ system: 'Answer briefly.' });
 * }
 * ```
 */
export function injectChat(options: ChatOptions = {}): Chat {
  checkNames(options, OPTION_NAMES, 'injectChat');
  const { approve } = options;
  if (approve !== undefined && approve !== 'ask') validFunction('approve', approve, approve);
  if (options.injector !== undefined) return runInInjectionContext(options.injector, () => new Conversation(options));
  assertInInjectionContext(injectChat);
  return new Conversation(options);
}

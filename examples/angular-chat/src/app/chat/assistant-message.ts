import { DecimalPipe } from '@angular/common';
import { Component, computed, inject, input, output } from '@angular/core';
import type { ChatAssistantMessage } from 'rxjs-openai/angular';
import { Markdown } from '../shared/markdown';
import { Online } from '../shared/online';
import type { Pace } from './pace';
import { ToolCall } from './tool-call';

/** An answer: its parts in order, how it ended, how fast it came. */
@Component({
  selector: 'app-assistant-message',
  imports: [DecimalPipe, Markdown, ToolCall],
  template: `
    @for (part of message().parts; track $index) {
      @switch (part.type) {
        @case ('text') {
          <app-markdown [text]="part.text" />
        }
        @case ('tool') {
          <app-tool-call [call]="part" (approve)="approve.emit(part.toolCallId)" (deny)="deny.emit(part.toolCallId)" />
        }
        @case ('reasoning') {
          <details>
            <summary>Reasoning</summary>
            <app-markdown [text]="part.text" />
          </details>
        }
        @case ('refusal') {
          <p class="refusal">{{ part.text }}</p>
        }
      }
    }
    @if (isWaiting()) {
      <p class="waiting"><span class="hidden">Waiting for the answer</span><i></i><i></i><i></i></p>
    }
    @if (message().error; as error) {
      <div class="error" role="alert">
        <p>
          <strong>{{ message().text === '' ? 'No answer.' : 'The answer broke off.' }}</strong> {{ error.message }}
        </p>
        @if (isLast()) {
          <button type="button" class="primary" [disabled]="!online.isOnline()" (click)="again.emit()">
            Try again
          </button>
        }
      </div>
    }
    <p class="foot">
      @if (message().status === 'stopped') {
        <span>Stopped</span>
      }
      @if (pace(); as pace) {
        <span>first token after {{ pace.firstOutputMs | number: '1.0-0' }} ms</span>
        @if (pace.perSecond; as perSecond) {
          <span>{{ perSecond | number: '1.0-0' }} {{ pace.unit }}/s</span>
        }
      }
      @if (message().usage; as usage) {
        <span>{{ usage.total_tokens }} tokens</span>
      }
      @if (isLast() && (message().status === 'done' || message().status === 'stopped')) {
        <button type="button" class="quiet" [disabled]="!online.isOnline()" (click)="again.emit()">Regenerate</button>
      }
    </p>
  `,
})
export class AssistantMessage {
  readonly message = input.required<ChatAssistantMessage>();
  readonly isLast = input.required<boolean>();
  readonly pace = input<Pace>();
  protected readonly online = inject(Online);
  readonly again = output();
  readonly approve = output<string>();
  readonly deny = output<string>();

  /** For the first words, or for those after a tool. */
  protected readonly isWaiting = computed(() => {
    const { status, parts } = this.message();
    const last = parts.at(-1);
    const isToolDone = last?.type === 'tool' && ['done', 'error', 'denied'].includes(last.status);
    return status === 'connecting' || (status === 'streaming' && (last === undefined || isToolDone));
  });
}

import { Component, computed, input, output } from '@angular/core';
import type { ChatToolPart } from 'rxjs-openai/angular';

const WORDS: Readonly<Record<ChatToolPart['status'], string>> = {
  calling: 'is being called',
  called: 'was called',
  approval: 'wants to run',
  running: 'runs',
  done: 'has run',
  error: 'has failed',
  denied: 'was refused',
  stopped: 'was stopped',
};

/** A call of a tool: what it is asked, whether it may, what came of it. */
@Component({
  selector: 'app-tool-call',
  template: `
    <div class="tool" [class]="call().status">
      <p>
        <strong>{{ call().name }}</strong> {{ words() }}
        <code>{{ call().arguments }}</code>
      </p>
      @if (call().status === 'approval') {
        <p class="actions">
          <button type="button" class="primary" (click)="approve.emit()">Allow</button>
          <button type="button" (click)="deny.emit()">Refuse</button>
        </p>
      } @else if (result(); as text) {
        <p class="result">{{ text }}</p>
      }
    </div>
  `,
})
export class ToolCall {
  readonly call = input.required<ChatToolPart>();
  readonly approve = output();
  readonly deny = output();

  protected readonly words = computed(() => WORDS[this.call().status]);
  protected readonly result = computed(() => {
    const { value, error, reason } = this.call();
    if (error !== undefined) return error instanceof Error ? error.message : String(error);
    return typeof value === 'string' ? value : (reason ?? '');
  });
}

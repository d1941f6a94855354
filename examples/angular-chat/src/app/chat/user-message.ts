import { Component, ElementRef, input, output, signal, viewChild, afterRenderEffect } from '@angular/core';
import type { ChatUserMessage } from 'rxjs-openai/angular';

/** A question, which can be put otherwise. */
@Component({
  selector: 'app-user-message',
  template: `
    @if (isEditing()) {
      <form (submit)="save($event)">
        <label class="hidden" [for]="'edit-' + message().id">Your question, edited</label>
        <textarea
          #editor
          rows="3"
          [id]="'edit-' + message().id"
          [value]="message().text"
          (keydown.escape)="isEditing.set(false)"
        ></textarea>
        <p class="actions">
          <button type="submit" class="primary">Ask again</button>
          <button type="button" (click)="isEditing.set(false)">Cancel</button>
        </p>
      </form>
    } @else {
      <p class="said">{{ message().text }}</p>
      <button type="button" class="quiet" (click)="isEditing.set(true)">
        Edit<span class="hidden"> the question: {{ message().text }}</span>
      </button>
    }
  `,
})
export class UserMessage {
  readonly message = input.required<ChatUserMessage>();
  readonly edited = output<string>();
  protected readonly isEditing = signal(false);
  private readonly editor = viewChild<ElementRef<HTMLTextAreaElement>>('editor');

  constructor() {
    afterRenderEffect(() => {
      this.editor()?.nativeElement.focus();
    });
  }

  protected save(event: Event): void {
    event.preventDefault();
    const text = this.editor()?.nativeElement.value.trim() ?? '';
    this.isEditing.set(false);
    if (text !== '') this.edited.emit(text);
  }
}

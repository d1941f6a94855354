import type { ElementRef } from '@angular/core';
import {
  afterNextRender,
  afterRenderEffect,
  Component,
  inject,
  Injector,
  input,
  output,
  signal,
  viewChild,
} from '@angular/core';
import type { ChatUserMessage } from 'rxjs-openai/angular';
import { Online } from '../shared/online';

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
          (keydown.escape)="cancel(); $event.stopPropagation()"
        ></textarea>
        <p class="actions">
          <button type="submit" class="primary" [disabled]="!online.isOnline()">Ask again</button>
          <button type="button" (click)="cancel()">Cancel</button>
        </p>
      </form>
    } @else {
      <p class="said">{{ message().text }}</p>
      <button #edit type="button" class="quiet" (click)="isEditing.set(true)">
        Edit<span class="hidden"> the question: {{ message().text }}</span>
      </button>
    }
  `,
})
export class UserMessage {
  readonly message = input.required<ChatUserMessage>();
  readonly edited = output<string>();
  protected readonly online = inject(Online);
  protected readonly isEditing = signal(false);
  private readonly editor = viewChild<ElementRef<HTMLTextAreaElement>>('editor');

  private readonly edit = viewChild<ElementRef<HTMLButtonElement>>('edit');
  readonly #injector = inject(Injector);

  constructor() {
    afterRenderEffect(() => {
      this.editor()?.nativeElement.focus();
    });
  }

  /** Leaves the question as it is, and the keyboard where it was. */
  protected cancel(): void {
    this.isEditing.set(false);
    afterNextRender(() => this.edit()?.nativeElement.focus(), { injector: this.#injector });
  }

  protected save(event: Event): void {
    event.preventDefault();
    const text = this.editor()?.nativeElement.value.trim() ?? '';
    this.isEditing.set(false);
    if (text !== '') this.edited.emit(text);
  }
}

import type { ElementRef } from '@angular/core';
import { Component, input, model, output, viewChild } from '@angular/core';

export const MODELS = ['gpt-4o-mini', 'gpt-4o'] as const;

/** Where questions are written: Enter sends, Shift+Enter breaks the line. */
@Component({
  selector: 'app-composer',
  template: `
    <form (submit)="submit($event)">
      <label class="hidden" for="question">Your question</label>
      <textarea
        #question
        id="question"
        rows="1"
        placeholder="Ask something …"
        aria-describedby="keys"
        (keydown.enter)="onEnter($event)"
      ></textarea>
      <div class="row">
        <label class="model">
          <span>Model</span>
          <select [value]="model()" (change)="choose($event)">
            @for (name of models; track name) {
              <option [value]="name" [selected]="name === model()">{{ name }}</option>
            }
          </select>
        </label>
        @if (canClear()) {
          <button type="button" class="quiet" (click)="clear.emit()">New chat</button>
        }
        <p id="keys" class="hint">Enter sends, Shift+Enter breaks the line, Escape stops</p>
        @if (isLoading()) {
          <button type="button" class="stop" (click)="stop.emit()">Stop</button>
        } @else {
          <button type="submit" class="primary" [disabled]="!isOnline()">Send</button>
        }
      </div>
    </form>
  `,
})
export class Composer {
  readonly isLoading = input.required<boolean>();
  readonly isOnline = input.required<boolean>();
  readonly canClear = input.required<boolean>();
  readonly model = model.required<string>();
  readonly asked = output<string>();
  readonly stop = output();
  readonly clear = output();

  protected readonly models = MODELS;
  private readonly question = viewChild.required<ElementRef<HTMLTextAreaElement>>('question');

  focus(): void {
    this.question().nativeElement.focus();
  }

  protected choose(event: Event): void {
    this.model.set((event.target as HTMLSelectElement).value);
  }

  protected onEnter(event: Event): void {
    const { shiftKey, isComposing } = event as KeyboardEvent;
    if (!shiftKey && !isComposing) this.submit(event);
  }

  protected submit(event: Event): void {
    event.preventDefault();
    const { nativeElement } = this.question();
    const text = nativeElement.value.trim();
    if (text === '' || !this.isOnline()) return;
    nativeElement.value = '';
    this.asked.emit(text);
  }
}

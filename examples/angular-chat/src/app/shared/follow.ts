import { afterRenderEffect, Directive, ElementRef, inject, input, signal } from '@angular/core';

/** How far from the end a reader counts as being at it, in pixels. */
const SLACK_PX = 80;

/** Keeps the end of what grows in view, unless the reader has gone up to read. */
@Directive({ selector: '[appFollow]', exportAs: 'follow', host: { '(scroll)': 'onScroll()' } })
export class Follow {
  /** Whatever changes when there is more to see; `undefined` while there is nothing to follow. */
  readonly appFollow = input.required<unknown>();
  readonly #element = inject<ElementRef<HTMLElement>>(ElementRef).nativeElement;
  readonly #isAtEnd = signal(true);
  readonly isAtEnd = this.#isAtEnd.asReadonly();
  /** Where we have scrolled to last. */
  #top = 0;

  constructor() {
    afterRenderEffect(() => {
      if (this.appFollow() === undefined) {
        this.toEnd();
        return;
      }
      // The event of a scroll comes a frame after it.
      if (this.#element.scrollTop < this.#top - SLACK_PX) this.#isAtEnd.set(false);
      if (!this.isAtEnd()) return;
      this.#element.scrollTop = this.#element.scrollHeight;
      this.#top = this.#element.scrollTop;
    });
  }

  /** Back to the end, and to following it. */
  toEnd(): void {
    this.#top = 0;
    this.#isAtEnd.set(true);
  }

  protected onScroll(): void {
    if (this.appFollow() === undefined) return;
    const { scrollHeight, scrollTop, clientHeight } = this.#element;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < SLACK_PX;
    if (isAtEnd) this.#top = scrollTop;
    this.#isAtEnd.set(isAtEnd);
  }
}

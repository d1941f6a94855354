import { afterRenderEffect, Directive, ElementRef, inject, input } from '@angular/core';

/** How far from the end a reader counts as being at it, in pixels. */
const SLACK_PX = 80;

/** Keeps the end of what grows in view, unless the reader has gone up to read. */
@Directive({ selector: '[appFollow]', host: { '(scroll)': 'onScroll()' } })
export class Follow {
  /** Whatever changes when there is more to see. */
  readonly appFollow = input.required<unknown>();
  readonly #element = inject<ElementRef<HTMLElement>>(ElementRef).nativeElement;
  #isAtEnd = true;
  /** Where we have scrolled to last. */
  #top = 0;

  constructor() {
    afterRenderEffect(() => {
      this.appFollow();
      // The event of a scroll comes a frame after it.
      if (this.#element.scrollTop < this.#top - SLACK_PX) this.#isAtEnd = false;
      if (!this.#isAtEnd) return;
      this.#element.scrollTop = this.#element.scrollHeight;
      this.#top = this.#element.scrollTop;
    });
  }

  protected onScroll(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#element;
    this.#isAtEnd = scrollHeight - scrollTop - clientHeight < SLACK_PX;
    if (this.#isAtEnd) this.#top = scrollTop;
  }
}

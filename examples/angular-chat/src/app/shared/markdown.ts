import { Component, computed, input } from '@angular/core';
import { MarkdownBlocks } from './markdown-blocks';

/** Markdown while it is written. Angular's sanitizer has the last word on the HTML. */
@Component({
  selector: 'app-markdown',
  template: `
    @for (block of blocks(); track $index) {
      <div [innerHTML]="block.html"></div>
    }
  `,
})
export class Markdown {
  readonly text = input.required<string>();
  readonly #markdown = new MarkdownBlocks();
  protected readonly blocks = computed(() => this.#markdown.blocks(this.text()));
}

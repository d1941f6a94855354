import { Marked, type Token } from 'marked';

/** One block of a text, as HTML. */
export interface Block {
  readonly html: string;
}

const markdown = new Marked({
  gfm: true,
  renderer: {
    // HTML of the model is shown, not obeyed; pictures would load what the model says from wherever it says.
    html: ({ text }) => escaped(text),
    image: ({ text, href }) => `<span>${escaped(text === '' ? href : text)}</span>`,
    // Reached by the keyboard, for it may be wider than the page.
    code: ({ text, lang }) => {
      const language = /^[\w+#.-]+/.exec(lang ?? '')?.[0] ?? 'code';
      return `<div class="code"><p>${escaped(language)}</p><pre tabindex="0"><code>${escaped(text)}\n</code></pre></div>`;
    },
    link({ href, tokens }) {
      return `<a href="${escaped(href)}" target="_blank" rel="noopener noreferrer">${this.parser.parseInline(tokens)}</a>`;
    },
    table({ header, rows }) {
      const cells = (row: typeof header, tag: string): string =>
        `<tr>${row.map(({ tokens }) => `<${tag}>${this.parser.parseInline(tokens)}</${tag}>`).join('')}</tr>`;
      const body = rows.map((row) => cells(row, 'td')).join('');
      return `<div class="wide" tabindex="0"><table><thead>${cells(header, 'th')}</thead><tbody>${body}</tbody></table></div>`;
    },
  },
});

/**
 * A text that grows, as blocks of HTML. Blocks that are done are made once and stay the same objects; only what comes after them is read
 * again, so a long answer costs no more at its end than at its beginning.
 */
export class MarkdownBlocks {
  #done: readonly Block[] = [];
  /** Where in the text the blocks that are done end. */
  #at = 0;
  #text = '';

  blocks(text: string): readonly Block[] {
    if (!text.startsWith(this.#text.slice(0, this.#at))) this.#begin();
    this.#text = text;
    const tokens = markdown.lexer(text.slice(this.#at));
    // The last block may still grow, and a list also after the blank line that follows it.
    const settled = tokens.slice(0, -2);
    if (settled.length > 0) {
      this.#done = [...this.#done, ...settled.flatMap(blockOf)];
      this.#at += settled.reduce((length, { raw }) => length + raw.length, 0);
    }
    return [...this.#done, ...tokens.slice(-2).flatMap(blockOf)];
  }

  /** Another text. */
  #begin(): void {
    this.#done = [];
    this.#at = 0;
  }
}

function blockOf(token: Token): readonly Block[] {
  const html = markdown.parser([token]);
  return html === '' ? [] : [{ html }];
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

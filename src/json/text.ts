import { JsonBuilder, JsonSyntaxError, type OnValue } from './builder.ts';

const FENCE = '```';
/** ` ```json ` and the like; what is longer is no fence. */
const MAX_FENCE_LINE = 100;

/**
 * JSON as models write it: alone, or, as is common, in a code fence. Nothing else may stand before it or behind it. Splits its
 * input so that the builder sees the JSON alone.
 */
export class JsonText {
  readonly builder: JsonBuilder;
  #state: 'before' | 'inside' | 'behind' = 'before';
  /** What stands before the JSON, as far as it came. */
  #lead = '';
  #fenced = false;
  #trail = '';

  constructor(onValue?: OnValue) {
    this.builder = new JsonBuilder(onValue);
  }

  push(text: string): void {
    if (this.#state === 'before') this.#before(text);
    else if (this.#state === 'inside') this.#inside(text);
    else this.#behind(text);
  }

  end(): void {
    if (this.#state === 'before') this.#startInside(this.#lead);
    this.builder.end();
    const trail = this.#trail.replace(/[ \t\r\n]+$/, '');
    if (trail !== '' && !(this.#fenced && trail === FENCE)) throw new JsonSyntaxError('text follows the JSON');
  }

  #before(text: string): void {
    this.#lead = (this.#lead + text).trimStart();
    if (this.#lead === '') return;
    if (!this.#lead.startsWith(FENCE.slice(0, this.#lead.length))) this.#startInside(this.#lead);
    else if (this.#lead.startsWith(FENCE)) {
      const lineEnd = this.#lead.indexOf('\n');
      if (lineEnd !== -1 && lineEnd <= MAX_FENCE_LINE) {
        this.#fenced = true;
        this.#startInside(this.#lead.slice(lineEnd + 1));
      } else if (this.#lead.length > MAX_FENCE_LINE) throw new JsonSyntaxError('it is no valid JSON');
    }
  }

  #startInside(text: string): void {
    this.#state = 'inside';
    this.#lead = '';
    this.#inside(text);
  }

  /** A backtick may begin the closing fence, or stand in a string: the builder knows which. */
  #inside(text: string): void {
    for (let from = 0; from < text.length;) {
      if (this.builder.whole) {
        this.#state = 'behind';
        this.#behind(text.slice(from));
        return;
      }
      const backtick = text.indexOf('`', from + 1);
      const to = backtick === -1 ? text.length : backtick;
      if (this.#fenced && text[from] === '`') this.builder.endNumber();
      if (this.builder.whole) continue;
      this.builder.push(text.slice(from, to));
      from = to;
    }
  }

  #behind(text: string): void {
    this.#trail = (this.#trail + text).replace(/^[ \t\r\n]+/, '').replace(/^(```\s)\s+/, '$1');
    if (this.#trail.length > MAX_FENCE_LINE) throw new JsonSyntaxError('text follows the JSON');
  }
}

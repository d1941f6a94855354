/**
 * Follows the brackets of JSON text that comes in pieces, at the cost of one look at each character: parsing it again
 * after each piece would make a piece cost as much as all before it.
 */
export class JsonBrackets {
  #depth = 0;
  #deepest = 0;
  #inString = false;
  #escaped = false;

  add(text: string): this {
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.#escaped) this.#escaped = false;
      else if (this.#inString) {
        if (code === BACKSLASH) this.#escaped = true;
        else if (code === QUOTE) this.#inString = false;
      } else if (code === QUOTE) this.#inString = true;
      else if (code === OPEN_BRACE || code === OPEN_BRACKET) this.#deepest = Math.max(this.#deepest, ++this.#depth);
      else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) this.#depth -= 1;
    }
    return this;
  }

  /** Something began that has not ended: JSON text that was cut is always open. */
  get open(): boolean {
    return this.#depth > 0 || this.#inString;
  }

  /** Everything that began has ended, and a list or an object did begin. */
  get closed(): boolean {
    return this.#deepest > 0 && this.#depth <= 0 && !this.#inString;
  }

  /** How many lists and objects stood in one another at most. */
  get deepest(): number {
    return this.#deepest;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

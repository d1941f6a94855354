// Not from the package's index, whose types do not compile under exactOptionalPropertyTypes.
import Tokenizer from '@streamparser/json/tokenizer.js';
import TokenType from '@streamparser/json/utils/types/tokenType.js';

export { TokenType };

/** Told each token; of a string that is cut, what has come of it, again and again. */
export type OnToken = (token: TokenType, value: unknown, partial: boolean) => void;

/**
 * JSON text that comes in pieces → tokens. Holds back what is no character yet: half an escape, half a surrogate pair. Throws at
 * what is no token.
 *
 * The tokenizer below decodes each piece of a string by itself, and a decoder drops a byte order mark (U+FEFF) with which a text
 * begins: one inside a string would be lost, escaped or not. So for it a string ends where a mark stands, and another begins that is
 * joined to the one before.
 */
export class JsonTokenizer {
  readonly #tokenizer = new Tokenizer({ emitPartialTokens: true });
  readonly #onToken: OnToken;
  #held = '';
  /** A string has begun and not ended. */
  #inString = false;
  /** What of it stood before its last mark. */
  #prefix = '';
  /** It ends for the tokenizer alone. */
  #isJoining = false;

  constructor(onToken: OnToken) {
    this.#onToken = onToken;
    this.#tokenizer.onToken = ({ token, value, partial }) => {
      if (token === TokenType.STRING) this.#string(value as string, partial === true);
      else onToken(token, value, partial === true);
    };
  }

  /** More has to come before what came last is anything. */
  get isHolding(): boolean {
    return this.#held !== '';
  }

  push(text: string): void {
    const all = this.#held + text;
    this.#held = CUT_ESCAPE.exec(all)?.[1] ?? CUT_PAIR.exec(all)?.[0] ?? '';
    const ready = all.slice(0, all.length - this.#held.length);
    if (!MARK.test(ready)) this.#write(ready);
    else {
      partsOf(ready).forEach((part, index) => {
        if (index > 0) this.#mark();
        this.#write(part);
      });
    }
  }

  end(): void {
    this.#tokenizer.end();
  }

  #write(text: string): void {
    if (text !== '') this.#tokenizer.write(text);
  }

  #mark(): void {
    if (!this.#inString) throw new Error('A byte order mark is no token');
    this.#isJoining = true;
    this.#write('"');
    this.#isJoining = false;
    this.#write('"');
  }

  #string(text: string, partial: boolean): void {
    if (this.#isJoining) {
      this.#prefix += `${text}\ufeff`;
      return;
    }
    this.#inString = partial;
    const whole = this.#prefix + text;
    if (!partial) this.#prefix = '';
    this.#onToken(TokenType.STRING, whole, partial);
  }
}

const CUT_ESCAPE = /(?<!\\)(?:\\\\)*(\\(?:u[0-9a-fA-F]{0,3})?)$/;
const CUT_PAIR = /[\ud800-\udbff]$/;
const MARK = /\ufeff|\\ufeff/i;

/** Escapes are read whole, so that `\\ufeff` (a backslash, then letters) stays what it is. */
const MARK_OR_ESCAPE = /\ufeff|\\ufeff|\\[^]/gi;

/** What stands between the marks. */
function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(MARK_OR_ESCAPE)) {
    if (found.length === 2) continue;
    parts.push(text.slice(from, index));
    from = index + found.length;
  }
  return [...parts, text.slice(from)];
}

import { setOwn } from '../events/merge.ts';
import type { Fields } from '../fields.ts';
import { JsonTokenizer, TokenType } from './tokenizer.ts';

/** Text that is no JSON; says what is wrong with it. */
export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
}

/** A list or an object that has begun and not ended. */
interface Frame {
  /** Replaced by a copy before it is changed, once it was shown. */
  container: unknown[] | Fields;
  /** Where in it the value stands that is being read. */
  key: string | number;
  shown: boolean;
}

/** What may come next. */
type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'nothing';

/** Told each value that is whole, and the keys that lead to it. */
export type OnValue = (value: unknown, path: readonly (string | number)[]) => void;

/** No answer is nested this deeply; a hostile one could be. */
const MAX_DEPTH = 500;

/**
 * JSON text that comes in pieces → the value as far as it came. A value shown once is never changed: containers that are still open
 * are copied before their next change, what has ended is shared. Strings are shown as far as they came; numbers, `true`,
 * `false`, `null` and keys only when they are whole, for half of them would be others. All work is linear in the text, but for the
 * copies of open containers.
 */
export class JsonBuilder {
  readonly #tokenizer: JsonTokenizer;
  readonly #onValue: OnValue | undefined;
  readonly #frames: Frame[] = [];
  #root: unknown;
  #begun = false;
  #expected: Expected = 'value';
  #version = 0;
  #string: string | undefined;

  constructor(onValue?: OnValue) {
    this.#onValue = onValue;
    this.#tokenizer = new JsonTokenizer((token, value, partial) => {
      this.#add(token, value, partial);
    });
  }

  /** Something of the value can be shown. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Grows with each change of the value. */
  get version(): number {
    return this.#version;
  }

  /** The value has ended: what follows is no part of it. */
  get whole(): boolean {
    return this.#expected === 'nothing';
  }

  push(text: string): void {
    this.#guarded(() => {
      this.#tokenizer.push(text);
    });
  }

  /** Ends a number that is the whole value. */
  endNumber(): void {
    if (this.#frames.length === 0 && this.#string === undefined && !this.#tokenizer.isHolding) this.push(' ');
  }

  /** The text has ended. Throws if the value has not. */
  end(): void {
    if (this.#frames.length > 0) throw new JsonSyntaxError('the JSON ends in the middle');
    if (this.#tokenizer.isHolding)
      throw new JsonSyntaxError(this.whole ? 'text follows the JSON' : 'the JSON ends in the middle');
    try {
      this.#tokenizer.end();
    } catch (error) {
      throw error instanceof JsonSyntaxError ? error : new JsonSyntaxError('the JSON ends in the middle');
    }
    if (!this.whole) throw new JsonSyntaxError(this.#begun ? 'the JSON ends in the middle' : 'there is no JSON');
  }

  /** The value as far as it came; never changed later. */
  snapshot(): unknown {
    for (const frame of this.#frames) frame.shown = true;
    return this.#root;
  }

  /** Forgets what is in the innermost list, whose elements somebody has taken. */
  forget(): void {
    const frame = this.#frames.at(-1);
    if (frame !== undefined && Array.isArray(frame.container)) frame.container.length = 0;
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof JsonSyntaxError) throw error;
      throw new JsonSyntaxError(this.whole ? 'text follows the JSON' : 'it is no valid JSON');
    }
  }

  #add(token: TokenType, value: unknown, partial: boolean): void {
    if (this.whole) throw new JsonSyntaxError('text follows the JSON');
    switch (token) {
      case TokenType.LEFT_BRACE:
        this.#open({}, 'key or end', '');
        break;
      case TokenType.LEFT_BRACKET:
        this.#open([], 'value or end', 0);
        break;
      case TokenType.RIGHT_BRACE:
        this.#close(false, 'key or end');
        break;
      case TokenType.RIGHT_BRACKET:
        this.#close(true, 'value or end');
        break;
      case TokenType.COLON:
        this.#expect(this.#expected === 'colon');
        this.#expected = 'value';
        break;
      case TokenType.COMMA:
        this.#onComma();
        break;
      case TokenType.STRING:
        this.#onString(value as string, partial);
        break;
      default:
        if (!partial) this.#onWhole(value);
        else this.#expectValue();
    }
  }

  #onString(text: string, partial: boolean): void {
    if (this.#expected === 'key' || this.#expected === 'key or end') {
      if (partial) return;
      (this.#frames.at(-1) as Frame).key = text;
      this.#expected = 'colon';
    } else if (partial) {
      this.#expectValue();
      if (text !== this.#string) this.#set(text);
      this.#string = text;
    } else {
      this.#expectValue();
      if (text !== this.#string) this.#set(text);
      this.#string = undefined;
      this.#settle(text);
    }
  }

  #onWhole(value: unknown): void {
    this.#expectValue();
    this.#set(value);
    this.#settle(value);
  }

  #open(container: unknown[] | Fields, next: Expected, key: string | number): void {
    this.#expectValue();
    if (this.#frames.length >= MAX_DEPTH) throw new JsonSyntaxError('the JSON is nested too deeply');
    this.#set(container);
    this.#frames.push({ container, key, shown: false });
    this.#expected = next;
  }

  #close(list: boolean, empty: Expected): void {
    const frame = this.#frames.at(-1);
    const fits = frame !== undefined && Array.isArray(frame.container) === list;
    this.#expect(fits && (this.#expected === 'comma or end' || this.#expected === empty));
    this.#frames.pop();
    this.#settle(frame?.container);
  }

  #onComma(): void {
    const frame = this.#frames.at(-1);
    this.#expect(frame !== undefined && this.#expected === 'comma or end');
    if (frame === undefined) return;
    if (typeof frame.key === 'number') frame.key += 1;
    this.#expected = Array.isArray(frame.container) ? 'value' : 'key';
  }

  /** A value has ended. */
  #settle(value: unknown): void {
    this.#expected = this.#frames.length === 0 ? 'nothing' : 'comma or end';
    this.#onValue?.(
      value,
      this.#frames.map(({ key }) => key),
    );
  }

  /** Puts the value where it belongs, in containers that nobody has seen. */
  #set(value: unknown): void {
    this.#version += 1;
    this.#begun = true;
    if (this.#frames.length === 0) {
      this.#root = value;
      return;
    }
    this.#frames.forEach((frame, depth) => {
      if (!frame.shown) return;
      // A spread keeps an own `__proto__` what it is.
      frame.container = Array.isArray(frame.container) ? [...frame.container] : { ...frame.container };
      frame.shown = false;
      const parent = this.#frames[depth - 1];
      if (parent === undefined) this.#root = frame.container;
      else put(parent, frame.container);
    });
    put(this.#frames.at(-1) as Frame, value);
  }

  #expectValue(): void {
    this.#expect(this.#expected === 'value' || this.#expected === 'value or end');
  }

  #expect(allowed: boolean): void {
    if (!allowed) throw new JsonSyntaxError('it is no valid JSON');
  }
}

function put({ container, key }: Frame, value: unknown): void {
  if (Array.isArray(container)) {
    // After `forget` the places of the elements that were taken are gone.
    const at = Math.min(key as number, container.length);
    container[at] = value;
  } else setOwn(container, key as string, value);
}

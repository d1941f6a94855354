import { EMPTY_PARTIAL, type PartialCompletion } from '../errors.ts';
import { isCompletionEvent } from './output.ts';
import { TextBuffer } from './text-buffer.ts';

interface PartialCall {
  readonly id: string;
  readonly name: string;
  readonly text: TextBuffer;
}

/** What has been emitted of one choice, for the `partial` of an error. Values that are no CompletionEvents are ignored. */
export class PartialBuffer {
  readonly #choice: number;
  #text = new TextBuffer();
  #reasoning = new TextBuffer();
  #refusal = new TextBuffer();
  #calls = new Map<number, PartialCall>();
  #empty = true;

  constructor(choice = 0) {
    this.#choice = choice;
  }

  add(event: unknown): void {
    if (!isCompletionEvent(event)) return;
    if (event.type === 'restart') this.#clear();
    if (!('choice' in event) || event.choice !== this.#choice) return;
    this.#empty = false;
    switch (event.type) {
      case 'text-delta':
        this.#text.add(event.text);
        break;
      case 'reasoning-delta':
        this.#reasoning.add(event.text);
        break;
      case 'refusal-delta':
        this.#refusal.add(event.text);
        break;
      case 'tool-call-start':
        this.#calls.set(event.index, { id: event.id, name: event.name, text: new TextBuffer() });
        break;
      case 'tool-call-delta':
        this.#calls.get(event.index)?.text.add(event.arguments);
        break;
      case 'tool-call':
        // Its pieces have come before, unless somebody made up the events.
        if (!this.#calls.has(event.index)) {
          const { id, name } = event;
          this.#calls.set(event.index, { id, name, text: new TextBuffer().add(event.arguments) });
        }
        break;
      default: // Nothing that would be shown.
    }
  }

  toPartial(): PartialCompletion {
    if (this.#empty) return EMPTY_PARTIAL;
    return {
      text: this.#text.toString(),
      reasoning: this.#reasoning.toString(),
      refusal: this.#refusal.toString(),
      toolCalls: [...this.#calls.values()].map(({ id, name, text }) => ({ id, name, arguments: text.toString() })),
    };
  }

  #clear(): void {
    this.#text = new TextBuffer();
    this.#reasoning = new TextBuffer();
    this.#refusal = new TextBuffer();
    this.#calls = new Map();
    this.#empty = true;
  }
}

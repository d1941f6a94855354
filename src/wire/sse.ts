import { CompletionError } from '../errors.ts';

/** One server-sent event, as the WHATWG standard dispatches it. */
export interface ServerSentEvent {
  readonly event?: string | undefined;
  readonly data: string;
}

/** Default of the option `maxEventBytes`: 8 MiB. */
export const DEFAULT_MAX_EVENT_BYTES = 8 * 1024 * 1024;

/**
 * Bytes → server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream),
 * each handed over in the very `push` that completes it. Bounded: an event, or a line, of more than `maxEventBytes` UTF-16
 * units is an error of kind `limit`. What `onEvent` throws ends the push at once: nothing behind it is looked at.
 */
export class SseDecoder {
  readonly #utf8 = new TextDecoder();
  readonly #onEvent: (event: ServerSentEvent) => void;
  readonly #maxEventBytes: number;
  /** The last read ended in CR: a LF that begins the next one belongs to it. */
  #skipLineFeed = false;
  /** A line whose end has not come. */
  #begun = '';
  #event: string | undefined;
  /** `undefined`: the event has had no data, and is none. */
  #data: string | undefined;

  constructor(onEvent: (event: ServerSentEvent) => void, maxEventBytes = DEFAULT_MAX_EVENT_BYTES) {
    this.#onEvent = onEvent;
    this.#maxEventBytes = maxEventBytes;
  }

  push(bytes: Uint8Array): void {
    this.#feed(this.#utf8.decode(bytes, { stream: true }));
  }

  /** The body has ended. An event without its blank line is dispatched: servers forget it, and only the caller can tell. */
  end(): void {
    this.#feed(this.#utf8.decode());
    this.#feed('\n\n');
  }

  #feed(text: string): void {
    if (text === '') return;
    let lines = this.#skipLineFeed && text.startsWith('\n') ? text.slice(1) : text;
    this.#skipLineFeed = lines.endsWith('\r');
    // All of them, at once: a trailing CR that waited to see whether a LF follows would keep its event back, maybe for minutes.
    if (lines.includes('\r')) lines = lines.replace(/\r\n?/g, '\n');
    let start = 0;
    for (let end = lines.indexOf('\n'); end >= 0; end = lines.indexOf('\n', start)) {
      this.#readLine(this.#begun + lines.slice(start, end));
      this.#begun = '';
      start = end + 1;
    }
    this.#begun += lines.slice(start);
    this.#checkLength(this.#begun.length + (this.#data?.length ?? 0));
  }

  #readLine(line: string): void {
    if (line === '') {
      this.#dispatch();
      return;
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    if (name !== 'data' && name !== 'event') return;
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'event') this.#event = value || undefined;
    else this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
  }

  #dispatch(): void {
    const [event, data] = [this.#event, this.#data];
    this.#event = this.#data = undefined;
    if (data === undefined) return;
    this.#checkLength(data.length);
    this.#onEvent({ event, data });
  }

  #checkLength(length: number): void {
    if (length > this.#maxEventBytes) throw tooLarge(this.#maxEventBytes);
  }
}

/** Passing the size limit of one event, line or body. */
export function tooLarge(maxEventBytes: number): CompletionError {
  return new CompletionError(
    `The server sent a single event or body of more than ${String(maxEventBytes)} bytes; raise maxEventBytes if it is legitimate`,
    { kind: 'limit' },
  );
}

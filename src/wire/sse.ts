import { createParser, type EventSourceParser } from 'eventsource-parser';
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
  readonly #parser: EventSourceParser;
  /** The last read ended in CR: a LF that begins the next one belongs to it. */
  #skipLineFeed = false;

  constructor(onEvent: (event: ServerSentEvent) => void, maxEventBytes = DEFAULT_MAX_EVENT_BYTES) {
    this.#parser = createParser({
      maxBufferSize: maxEventBytes,
      onEvent: (event) => {
        // The parser looks at its buffer after a read; an event that came in one read never stood in it.
        if (event.data.length > maxEventBytes) throw tooLarge(maxEventBytes);
        onEvent(event);
      },
      onError: (error) => {
        // Unknown fields and odd `retry:` values are to be ignored.
        if (error.type === 'max-buffer-size-exceeded') throw tooLarge(maxEventBytes);
      },
    });
  }

  push(bytes: Uint8Array): void {
    this.#feed(this.#utf8.decode(bytes, { stream: true }));
  }

  /** The body has ended. An event without its blank line is dispatched: servers forget it, and only the caller can tell. */
  end(): void {
    this.#feed(this.#utf8.decode());
    this.#parser.feed('\n\n');
  }

  #feed(text: string): void {
    if (text === '') return;
    const lines = this.#skipLineFeed && text.startsWith('\n') ? text.slice(1) : text;
    this.#skipLineFeed = lines.endsWith('\r');
    // The parser keeps a trailing CR to see whether a LF follows, and the event with it, maybe for minutes. All of them
    // are replaced, not the last alone: behind another CR the LF put in its place would read as CRLF, one line end for two.
    this.#parser.feed(lines.includes('\r') ? lines.replace(/\r\n?/g, '\n') : lines);
  }
}

/** Passing the size limit of one event, line or body. */
export function tooLarge(maxEventBytes: number): CompletionError {
  return new CompletionError(
    `The server sent a single event or body of more than ${String(maxEventBytes)} bytes; raise maxEventBytes if it is legitimate`,
    { kind: 'limit' },
  );
}

import { CompletionError } from '../errors.ts';
import { errorFromBody, excerpt, type ResponseFacts } from '../error-response.ts';
import type { Chunk } from '../events/event.ts';
import { isFields, type Fields } from '../fields.ts';
import { Completeness } from './completeness.ts';
import {
  chunkOfCompletion,
  DocumentBuffer,
  embeddedError,
  interrupted,
  parseCompletion,
  readJson,
  type Secrets,
} from './document.ts';
import { DEFAULT_MAX_EVENT_BYTES, SseDecoder, type ServerSentEvent } from './sse.ts';

export interface StreamDecoderOptions {
  readonly onChunk: (chunk: Chunk) => void;
  /** Asked before each event: once true, nothing more is parsed. */
  readonly isClosed?: () => boolean;
  readonly maxEventBytes?: number;
  readonly facts?: ResponseFacts;
  readonly secrets?: Secrets;
}

/** Thrown out of the SSE parser to make it stop in the middle of a read; never leaves this file. */
const STOP = Symbol('stop');

/**
 * The body of a streaming request → chunks, and the verdict whether it is whole. Pure: no clock, no I/O. `push` and `end`
 * throw a CompletionError for whatever is not a completion.
 */
export class StreamDecoder {
  readonly #options: StreamDecoderOptions;
  readonly #facts: ResponseFacts;
  readonly #secrets: Secrets;
  readonly #sse: SseDecoder;
  readonly #completeness = new Completeness();
  #document: DocumentBuffer | undefined;
  #sniffed = false;
  #ended = false;
  #done = false;

  constructor(options: StreamDecoderOptions) {
    this.#options = options;
    this.#facts = options.facts ?? {};
    this.#secrets = options.secrets ?? (() => []);
    this.#sse = new SseDecoder((event) => {
      this.#onEvent(event);
    }, options.maxEventBytes);
  }

  /** `[DONE]` was seen: complete, whatever follows. */
  get done(): boolean {
    return this.#done;
  }

  /** The body may end here, in any way. */
  get complete(): boolean {
    return this.#done || this.#completeness.complete;
  }

  push(bytes: Uint8Array): void {
    if (this.#done) return;
    const body = this.#sniffed ? bytes : this.#sniff(bytes);
    if (this.#document !== undefined) this.#document.push(body);
    else {
      this.#untilStopped(() => {
        this.#sse.push(body);
      });
    }
  }

  /** The body ended (or broke: then `cause` is why). Returns if the completion is whole, throws `interrupted` if not. */
  end(cause?: Error): void {
    if (this.#document !== undefined && cause === undefined) {
      this.#endDocument(this.#document.toString());
      return;
    }
    this.#ended = true;
    if (!this.#done && this.#document === undefined) {
      this.#untilStopped(() => {
        this.#sse.end();
      });
    }
    if (!this.complete && this.#options.isClosed?.() !== true) throw interrupted(this.#facts, cause);
  }

  /** No line of an event stream begins like this; a JSON document or an HTML page does, whatever Content-Type says. */
  #sniff(bytes: Uint8Array): Uint8Array {
    const start = bytes.findIndex((byte) => !BLANK.has(byte));
    const first = bytes[start];
    if (first === undefined) return bytes;
    this.#sniffed = true;
    if (!DOCUMENT_START.has(first)) return bytes;
    this.#document = new DocumentBuffer(this.#options.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES);
    // What stands before may be half of a byte order mark, the other half of which came in the read before.
    return bytes.subarray(start);
  }

  #untilStopped(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error !== STOP) throw error;
    }
  }

  #onEvent({ event, data }: ServerSentEvent): void {
    if (this.#done || this.#options.isClosed?.() === true) throw STOP;
    const start = data.charCodeAt(0);
    // `data: : keep-alive` is a comment that a gateway has wrapped once more.
    if (data === '' || start === COLON) return;
    if (start === BRACKET && data.trim() === '[DONE]') {
      this.#done = true;
      throw STOP;
    }
    const parsed = readJson(data);
    const error = embeddedError(parsed);
    if (error !== undefined) throw errorFromBody(error, this.#facts, this.#secrets());
    if (event === 'error') this.#onErrorEvent(parsed, data);
    else if (isFields(parsed)) this.#onObject(parsed, event);
    else this.#onOther(parsed, event, data);
  }

  #onErrorEvent(parsed: unknown, data: string): void {
    // A report that was cut off by the end of the body says less than that it was cut off.
    if (this.#ended && parsed === undefined) return;
    throw errorFromBody(parsed ?? data, this.#facts, this.#secrets());
  }

  #onObject(fields: Fields, event: string | undefined): void {
    const foreign = event !== undefined && event !== 'message';
    if (foreign && fields['choices'] === undefined && fields['usage'] === undefined) return;
    this.#completeness.add(fields['choices']);
    this.#options.onChunk(fields as unknown as Chunk);
  }

  #onOther(parsed: unknown, event: string | undefined, data: string): void {
    const foreign = event !== undefined && event !== 'message';
    if (foreign || this.#ended || parsed === null || data.trim() === '') return;
    throw new CompletionError(
      `The server sent an event that is no chat completion chunk: ${excerpt(data, this.#secrets())}`,
      {
        kind: 'protocol',
        status: this.#facts.status,
        requestId: this.#facts.requestId,
      },
    );
  }

  #endDocument(body: string): void {
    const completion = parseCompletion(body, this.#facts, this.#secrets);
    this.#done = true;
    if (this.#options.isClosed?.() !== true) this.#options.onChunk(chunkOfCompletion(completion));
  }
}

const COLON = 0x3a;
const BRACKET = 0x5b;
/** Whitespace and the bytes of a byte order mark. */
const BLANK = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);
/** `{`, `[`, `<`, `"` */
const DOCUMENT_START = new Set([0x7b, 0x5b, 0x3c, 0x22]);

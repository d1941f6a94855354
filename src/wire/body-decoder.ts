import type { ChatCompletion } from 'openai/resources/chat/completions';
import type { PartialCompletion } from '../errors.ts';
import type { ResponseFacts } from '../error-response.ts';
import { Assembler } from '../events/assembler.ts';
import type { Chunk, CompletionEvent, ResponseMeta } from '../events/event.ts';
import { isOutput } from '../events/output.ts';
import { chunkOfCompletion, DocumentBuffer, interrupted, parseCompletion, type Secrets } from './document.ts';
import { DEFAULT_MAX_EVENT_BYTES } from './sse.ts';
import { StreamDecoder } from './stream-decoder.ts';

/** What is known when the body begins, and where its values go. */
export interface BodyContext<T> {
  readonly emit: (value: T) => void;
  readonly isClosed: () => boolean;
  readonly meta: ResponseMeta;
  readonly facts: ResponseFacts;
  readonly secrets: Secrets;
  readonly maxEventBytes?: number;
}

/** The body of one response, turned into values as it is pushed in. `push`, `end` and `finish` throw typed errors. */
export interface BodyDecoder {
  push(bytes: Uint8Array): void;
  /** The body ended, or broke for `cause`. Returns only if what came is whole. */
  end(cause?: Error): void;
  /** Emits what must come last. */
  finish?(): void;
  /** Nothing after this point of the body matters. */
  readonly done: boolean;
  /** The body may end here, in whatever way. */
  readonly complete: boolean;
  /** How much output has come: only ever grows. */
  readonly outputs: number;
  partial?(choice: number): PartialCompletion;
}

export type BodyDecoderFactory<T> = (context: BodyContext<T>) => BodyDecoder;

/** Chunks as the wire had them. The assembler runs beside for the sake of `partial` and `outputs`. */
export const chunkDecoder: BodyDecoderFactory<Chunk> = (context) => {
  const assembled = new Assembled(context.meta, ignore);
  const onChunk = (chunk: Chunk): void => {
    assembled.add(chunk);
    context.emit(chunk);
  };
  return bodyDecoder(new StreamDecoder({ ...context, onChunk }), assembled);
};

/** Chunks assembled to events. */
export const eventDecoder: BodyDecoderFactory<CompletionEvent> = (context) => {
  const assembled = new Assembled(context.meta, context.emit);
  const onChunk = (chunk: Chunk): void => {
    assembled.add(chunk);
  };
  return bodyDecoder(new StreamDecoder({ ...context, onChunk }), assembled, () => {
    assembled.finish();
  });
};

/** The end of a read that brought output. */
export interface ReadEnd {
  readonly type: 'read-end';
}

const READ_END: ReadEnd = { type: 'read-end' };

/** The same, and a mark behind each read, for what is too dear to be made for each event. */
export const readDecoder: BodyDecoderFactory<CompletionEvent | ReadEnd> = (context) => {
  const decoder = eventDecoder(context);
  let outputs = 0;
  const push = (bytes: Uint8Array): void => {
    decoder.push(bytes);
    if (decoder.outputs === outputs) return;
    outputs = decoder.outputs;
    context.emit(READ_END);
  };
  // Not a spread: what the decoder knows changes.
  return Object.assign(Object.create(decoder) as BodyDecoder, { push });
};

/** An assembler whose output is counted. */
class Assembled {
  readonly #assembler: Assembler;
  readonly #emit: (event: CompletionEvent) => void;
  outputs = 0;

  constructor(meta: ResponseMeta, emit: (event: CompletionEvent) => void) {
    this.#assembler = new Assembler(meta);
    this.#emit = (event) => {
      if (isOutput(event)) this.outputs += 1;
      emit(event);
    };
  }

  add(chunk: Chunk): void {
    this.#assembler.add(chunk, this.#emit);
  }

  finish(): void {
    this.#assembler.finish(this.#emit);
  }

  partial(choice: number): PartialCompletion {
    return this.#assembler.partial(choice);
  }
}

function bodyDecoder(decoder: StreamDecoder, assembled: Assembled, finish?: () => void): BodyDecoder {
  return {
    push: (bytes) => {
      decoder.push(bytes);
    },
    end: (cause) => {
      decoder.end(cause);
    },
    get done() {
      return decoder.done;
    },
    get complete() {
      return decoder.complete;
    },
    get outputs() {
      return assembled.outputs;
    },
    partial: (choice) => assembled.partial(choice),
    ...(finish === undefined ? undefined : { finish }),
  };
}

/** One JSON document, validated. */
export const completionDecoder: BodyDecoderFactory<ChatCompletion> = (context) => {
  const document = new DocumentBuffer(context.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES);
  return {
    done: false,
    complete: false,
    outputs: 0,
    push: (bytes) => {
      document.push(bytes);
    },
    end: (cause) => {
      if (cause !== undefined) throw interrupted(context.facts, cause);
      context.emit(parseCompletion(document.toString(), context.facts, context.secrets));
    },
  };
};

/** One JSON document as the events it stands for. */
export const completionEventDecoder: BodyDecoderFactory<CompletionEvent> = (context) => {
  const assembler = new Assembler(context.meta);
  const emit = (completion: ChatCompletion): void => {
    assembler.add(chunkOfCompletion(completion), context.emit);
    assembler.finish(context.emit);
  };
  return { ...completionDecoder({ ...context, emit }), partial: (choice) => assembler.partial(choice) };
};

const ignore = (): void => undefined;

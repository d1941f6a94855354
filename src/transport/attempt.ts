import { Observable, type Subscriber } from 'rxjs';
import { describe, isCompletionError, maskedCause } from '../errors.ts';
import type { ResponseFacts } from '../error-response.ts';
import type { RateLimit } from '../events/event.ts';
import type { Logger } from '../logger.ts';
import { redact } from '../redact.ts';
import { awaited, walk, type Steps } from '../steps.ts';
import type { BodyDecoder, BodyDecoderFactory } from '../wire/body-decoder.ts';
import { AttemptClocks, isSuccess, timeoutError, type AttemptTimes } from './attempt-clocks.ts';
import { accepted, boundedFetch, discard, headerSecrets, type FetchBounds } from './bounded-fetch.ts';
import { drain } from './drain.ts';
import { metaOf, rateLimitOf } from './response-headers.ts';
import type { ClientHooks, Transport, TransportRequest } from './transport.ts';

/** One HTTP request and everything it is held to. */
export interface AttemptRequest extends AttemptTimes {
  readonly transport: Transport;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
  readonly attempt: number;
  /** How long the body of a failure is awaited that another attempt will follow; `undefined`: none will. */
  readonly discardMs: ((facts: ResponseFacts) => number | undefined) | undefined;
  readonly maxEventBytes: number;
  /** Awaited before each read of the body. */
  readonly gate: (() => PromiseLike<void> | void) | undefined;
  readonly hooks: ClientHooks;
  readonly logger: Logger;
  /** Values to mask in errors, besides those of headers; asked for only when one is made. */
  readonly secrets: () => readonly string[];
  /** Told what the headers of each response say of the limits of the server; `Retry-After` counts beside a failure alone. */
  readonly onLimits?: ((said: ServerLimits) => void) | undefined;
  /** Told when the body begins: the decoder knows what had arrived when something else ends the call. */
  readonly onBody: (decoder: BodyDecoder, endIfWhole: EndIfWhole) => void;
}

/** Completes the attempt if everything was said and the server only forgot to end; says whether it did. */
export type EndIfWhole = () => boolean;

/** A piece of the body, or how it ended. */
type BodyRead =
  { readonly done: false; readonly value: Uint8Array } | { readonly done: true; readonly error?: unknown };

/** What a server says of how much more it takes. */
export interface ServerLimits {
  readonly rateLimit: RateLimit | undefined;
  readonly retryAfterMs: number | undefined;
}

/**
 * One request as a cold Observable: subscribing sends it, unsubscribing aborts it in the same tick. Emits what the decoder
 * makes of the body, as it arrives, on no scheduler. Completes when the answer is whole, errors otherwise.
 */
export function attempt$<T>(request: AttemptRequest, decoderFor: BodyDecoderFactory<T>): Observable<T> {
  return new Observable<T>((subscriber) => {
    const attempt = new Attempt(request, decoderFor, subscriber);
    subscriber.add(() => {
      attempt.close('unsubscribed');
    });
    // What fails after the failure was handled is a bug, and is heard of as one.
    walk(attempt.run(), ignore, (bug) => void Promise.reject(bug as Error));
  });
}

class Attempt<T> {
  readonly #request: AttemptRequest;
  readonly #decoderFor: BodyDecoderFactory<T>;
  readonly #subscriber: Subscriber<T>;
  readonly #controller = new AbortController();
  readonly #clocks: AttemptClocks;
  readonly #startedAt: number;
  #sent: Headers | undefined;
  #facts: ResponseFacts = {};
  #headers: Headers | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #decoder: BodyDecoder | undefined;
  #reported: { readonly error: unknown } | undefined;
  #closed = false;
  #bodyEnded = false;

  constructor(request: AttemptRequest, decoderFor: BodyDecoderFactory<T>, subscriber: Subscriber<T>) {
    this.#request = request;
    this.#decoderFor = decoderFor;
    this.#subscriber = subscriber;
    this.#startedAt = request.scheduler.now();
    this.#clocks = new AttemptClocks(request, (clock, afterMs) => {
      if (!this.#endIfWhole()) this.#fail(timeoutError(clock, afterMs, this.#facts));
    });
  }

  *run(): Steps<void> {
    // A hook that unsubscribes between two attempts: RxJS subscribes the closed subscriber to the second one all the same.
    if (this.#closed) return;
    try {
      const response = yield* this.#open();
      if (this.#closed) discard(response);
      else yield* this.#read(response);
    } catch (error) {
      this.#fail(this.#reported === undefined ? error : this.#reported.error);
    }
  }

  /** Stops everything. The request is aborted, unless its body has ended: the socket is good for the next one. */
  close(outcome: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#clocks.stop();
    if (!this.#bodyEnded) {
      this.#controller.abort();
      // A transport of the user's own may not have tied the body to the signal.
      void this.#reader?.cancel().catch(ignore);
    }
    this.#log(outcome);
  }

  *#open(): Steps<Response> {
    const { transport, body, headers, model, attempt } = this.#request;
    const signal = this.#controller.signal;
    const bounds: FetchBounds = {
      ...this.#request,
      request: { model, attempt, stream: body['stream'] === true },
      signal,
      clock: this.#clocks.response,
      secrets: this.#secrets,
      onSend: (headers) => {
        // A transport may send again (after a 401, with another token): the headers of that response are waited for anew.
        if (this.#sent !== undefined) this.#clocks.connect();
        this.#sent = headers;
      },
      onFacts: (facts, headers) => {
        const { requestId, status } = facts;
        // Beside an answer the header means nothing.
        const retryAfterMs = status !== undefined && isSuccess(status) ? undefined : facts.retryAfterMs;
        // A response that came through the bounded fetch is looked at twice.
        if (headers !== this.#headers) this.#request.onLimits?.({ rateLimit: rateLimitOf(headers), retryAfterMs });
        this.#headers = headers;
        this.#facts = { ...facts, requestId: requestId && redact(requestId, this.#secrets(), 100) };
      },
      report: (error) => {
        this.#reported = { error };
      },
    };
    this.#clocks.connect();
    const bound: TransportRequest['bound'] = (fetch, promise) => boundedFetch(fetch, { ...bounds, promise });
    const response = yield* awaited(transport({ body, headers, signal, bound }));
    this.#reported = undefined;
    // A transport that does not send through the bounded fetch may return anything.
    return this.#closed ? response : yield* accepted(response, bounds);
  }

  *#read(response: Response): Steps<void> {
    const { gate } = this.#request;
    const decoder = (this.#decoder = this.#decoderOf(response));
    const reader = (this.#reader = response.body?.getReader());
    let cause: Error | undefined;
    while (reader !== undefined) {
      if (gate !== undefined) {
        this.#clocks.suspend();
        yield* awaited(gate());
        if (this.#closed) return;
      }
      this.#clocks.resume(decoder.outputs);
      let read: BodyRead;
      try {
        read = yield* awaited(reader.read());
      } catch (error) {
        read = { done: true, error };
      }
      if (this.#closed) return;
      this.#clocks.suspend();
      if (read.done) {
        this.#bodyEnded = true;
        if ('error' in read) {
          if (isCompletionError(read.error) && !decoder.complete) throw read.error;
          cause = maskedCause(read.error, this.#secrets());
        }
        break;
      }
      decoder.push(read.value);
      if (this.#closed) return;
      if (decoder.done) {
        this.#bodyEnded = true;
        this.#complete(decoder);
        yield* drain(reader, this.#request.scheduler, () => {
          this.#controller.abort();
        });
        return;
      }
    }
    decoder.end(cause);
    if (!this.#closed) this.#complete(decoder);
  }

  #decoderOf(response: Response): BodyDecoder {
    const { attempt, maxEventBytes, onBody } = this.#request;
    const decoder = this.#decoderFor({
      emit: (value) => {
        this.#subscriber.next(value);
      },
      isClosed: () => this.#closed,
      meta: metaOf(response.headers, attempt),
      facts: this.#facts,
      secrets: this.#secrets,
      maxEventBytes,
    });
    onBody(decoder, this.#endIfWhole);
    return decoder;
  }

  #complete(decoder: BodyDecoder): void {
    decoder.finish?.();
    if (this.#closed) return;
    this.close('completed');
    this.#subscriber.complete();
  }

  /** Silence is as good an end of a whole answer as any other. */
  readonly #endIfWhole: EndIfWhole = () => {
    const decoder = this.#decoder;
    if (this.#closed || decoder?.complete !== true) return false;
    try {
      this.#complete(decoder);
    } catch (error) {
      this.#fail(error);
    }
    return true;
  };

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.close(
      isCompletionError(error) ? error.kind : `failed: ${redact(describe(error).message, this.#secrets(), 120)}`,
    );
    this.#subscriber.error(error);
  }

  readonly #secrets = (): readonly string[] => [...this.#headerSecrets(), ...this.#request.secrets()];

  #headerSecrets(): readonly string[] {
    return [...headerSecrets(this.#request.headers), ...headerSecrets(this.#sent)];
  }

  #log(outcome: string): void {
    const { logger, scheduler, model, attempt } = this.#request;
    const id = this.#facts.requestId === undefined ? '' : ` requestId=${this.#facts.requestId}`;
    const durationMs = String(Math.round(scheduler.now() - this.#startedAt));
    logger.info(
      `rxjs-openai: chat completion model=${redact(model, [], 100)} attempt=${String(attempt)}${id} durationMs=${durationMs} outcome=${outcome}`,
    );
  }
}

const ignore = (): void => undefined;

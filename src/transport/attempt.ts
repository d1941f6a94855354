import { Observable, type SchedulerLike, type Subscriber } from 'rxjs';
import { CompletionError, describe, isCompletionError, maskedCause, type TimeoutClock } from '../errors.ts';
import { classify, type ResponseFacts } from '../error-response.ts';
import type { RateLimit } from '../events/event.ts';
import type { Logger } from '../logger.ts';
import { redact } from '../redact.ts';
import type { BodyDecoder, BodyDecoderFactory } from '../wire/body-decoder.ts';
import { accepted, boundedFetch, discard, headerSecrets, type FetchBounds } from './bounded-fetch.ts';
import { DeadlineClock } from '../deadline-clock.ts';
import { metaOf, rateLimitOf } from './response-headers.ts';
import type { ClientHooks, Transport } from './transport.ts';

/** After `[DONE]` the rest of the body is awaited this long, so that the socket can be used again. */
const DRAIN_MS = 100;
/** What follows `[DONE]` is the end of the body. More than this is another stream, not worth reading. */
const DRAIN_BYTES = 64 * 1024;

/** One HTTP request and everything it is held to. Times in milliseconds, `undefined`: no limit. */
export interface AttemptRequest {
  readonly transport: Transport;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
  readonly attempt: number;
  readonly connectMs: number | undefined;
  readonly idleMs: number | undefined;
  /** Streaming only. */
  readonly outputMs: number | undefined;
  /** How long the body of a failure is awaited that another attempt will follow; `undefined`: none will. */
  readonly discardMs: ((facts: ResponseFacts) => number | undefined) | undefined;
  /** The clock of the whole call, which stands still while the consumer is slow. */
  readonly total: DeadlineClock | undefined;
  readonly maxEventBytes: number;
  /** Awaited before each read of the body. */
  readonly gate: (() => PromiseLike<void> | void) | undefined;
  readonly scheduler: SchedulerLike;
  readonly hooks: ClientHooks;
  readonly logger: Logger;
  /** Values to mask in errors, besides those of headers; asked for only when one is made. */
  readonly secrets: () => readonly string[];
  /** Told what the headers say of the server's limits, of whatever status. */
  readonly onLimits?: ((said: ServerLimits) => void) | undefined;
  /** Told when the body begins: the decoder knows what had arrived when something else ends the call. */
  readonly onBody: (decoder: BodyDecoder, endIfWhole: EndIfWhole) => void;
}

/** Completes the attempt if everything was said and the server only forgot to end; says whether it did. */
export type EndIfWhole = () => boolean;

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
    void attempt.run();
  });
}

class Attempt<T> {
  readonly #request: AttemptRequest;
  readonly #decoderFor: BodyDecoderFactory<T>;
  readonly #subscriber: Subscriber<T>;
  readonly #controller = new AbortController();
  readonly #clock: DeadlineClock;
  readonly #outputClock: DeadlineClock;
  readonly #startedAt: number;
  #sent: Headers | undefined;
  #facts: ResponseFacts = {};
  #headers: Headers | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #decoder: BodyDecoder | undefined;
  #reported: { readonly error: unknown } | undefined;
  #closed = false;
  #bodyEnded = false;
  #outputs = 0;

  constructor(request: AttemptRequest, decoderFor: BodyDecoderFactory<T>, subscriber: Subscriber<T>) {
    this.#request = request;
    this.#decoderFor = decoderFor;
    this.#subscriber = subscriber;
    this.#startedAt = request.scheduler.now();
    const expire = (clock: TimeoutClock, afterMs: number): void => {
      this.#expire(clock, afterMs);
    };
    this.#clock = new DeadlineClock(request.scheduler, expire);
    this.#outputClock = new DeadlineClock(request.scheduler, expire);
  }

  async run(): Promise<void> {
    // A hook that unsubscribes between two attempts: RxJS subscribes the closed subscriber to the second one all the same.
    if (this.#closed) return;
    this.#outputClock.watch('output', this.#request.outputMs);
    try {
      const response = await this.#open();
      if (this.#closed) discard(response);
      else await this.#read(response);
    } catch (error) {
      this.#fail(this.#reported === undefined ? error : this.#reported.error);
    }
  }

  /** Stops everything. The request is aborted, unless its body has ended: the socket is good for the next one. */
  close(outcome: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#clock.stop();
    this.#outputClock.stop();
    this.#request.total?.resume();
    if (!this.#bodyEnded) {
      this.#controller.abort();
      // A transport of the user's own may not have tied the body to the signal.
      void this.#reader?.cancel().catch(ignore);
    }
    this.#log(outcome);
  }

  async #open(): Promise<Response> {
    const { transport, body, headers, connectMs, model, attempt } = this.#request;
    const signal = this.#controller.signal;
    const bounds: FetchBounds = {
      ...this.#request,
      request: { model, attempt, stream: body['stream'] === true },
      signal,
      clock: this.#clock,
      secrets: this.#secrets,
      onSend: (headers) => {
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
    this.#clock.watch('connect', connectMs);
    const response = await transport({ body, headers, signal, bound: (fetch) => boundedFetch(fetch, bounds) });
    this.#reported = undefined;
    // A transport that does not send through the bounded fetch may return anything.
    return this.#closed ? response : accepted(response, bounds);
  }

  async #read(response: Response): Promise<void> {
    const { gate } = this.#request;
    const decoder = (this.#decoder = this.#decoderOf(response));
    const reader = (this.#reader = response.body?.getReader());
    let cause: Error | undefined;
    while (reader !== undefined) {
      if (gate !== undefined) {
        this.#stopClocks();
        await gate();
        if (this.#closed) return;
      }
      this.#startClocks(decoder);
      const read = await reader.read().catch((error: unknown) => ({ done: true as const, value: undefined, error }));
      if (this.#closed) return;
      // Time in the subscriber is not the server's silence.
      this.#stopClocks();
      if (read.done) {
        this.#bodyEnded = true;
        if ('error' in read) cause = maskedCause(read.error, this.#secrets());
        break;
      }
      decoder.push(read.value);
      if (this.#closed) return;
      if (decoder.done) {
        this.#bodyEnded = true;
        this.#complete(decoder);
        await this.#drain(reader);
        return;
      }
    }
    decoder.end(cause);
    if (!this.#closed) this.#complete(decoder);
  }

  #startClocks({ outputs }: BodyDecoder): void {
    const { idleMs, outputMs, total, scheduler } = this.#request;
    const now = scheduler.now();
    this.#clock.watch('idle', idleMs, now);
    if (outputs === this.#outputs) this.#outputClock.resume(now);
    else this.#outputClock.watch('output', outputMs, now);
    this.#outputs = outputs;
    total?.resume(now);
  }

  #stopClocks(): void {
    const { total, scheduler } = this.#request;
    const now = scheduler.now();
    this.#clock.pause();
    this.#outputClock.suspend(now);
    total?.suspend(now);
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

  async #drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const timer = this.#request.scheduler.schedule(() => {
      this.#controller.abort();
    }, DRAIN_MS);
    try {
      for (let left = DRAIN_BYTES; left > 0;) {
        const { done, value } = await reader.read();
        if (done) return;
        left -= value.byteLength;
      }
      this.#controller.abort();
    } catch {
      // The completion is whole; how the body ends is of no interest.
    } finally {
      timer.unsubscribe();
    }
  }

  #complete(decoder: BodyDecoder): void {
    decoder.finish?.();
    if (this.#closed) return;
    this.close('completed');
    this.#subscriber.complete();
  }

  #expire(clock: TimeoutClock, afterMs: number): void {
    if (!this.#endIfWhole()) this.#fail(timeoutError(clock, afterMs, this.#facts));
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

function timeoutError(clock: TimeoutClock, afterMs: number, facts: ResponseFacts): CompletionError {
  const { status, requestId, retryAfterMs, shouldRetry } = facts;
  const message =
    status !== undefined && !isSuccess(status)
      ? `The server answered ${String(status)}, and no explanation came within ${String(afterMs)} ms`
      : `The server sent ${MISSED[clock]} for ${String(afterMs)} ms (timeout.${clock}Ms)`;
  return new CompletionError(message, {
    kind: 'timeout',
    clock,
    // A refusal whose explanation hangs is still a refusal.
    retryable: status === undefined || isSuccess(status) || (shouldRetry ?? classify({ status }).retryable),
    status: status !== undefined && isSuccess(status) ? undefined : status,
    requestId,
    retryAfterMs,
  });
}

const MISSED: Readonly<Record<TimeoutClock, string>> = {
  connect: 'no response headers',
  idle: 'no byte of the body',
  output: 'no output',
  total: 'no whole answer',
};

const isSuccess = (status: number): boolean => status < 300;

const ignore = (): void => undefined;

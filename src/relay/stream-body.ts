import type { SchedulerLike, Subscription } from 'rxjs';
import { DeadlineClock } from '../deadline-clock.ts';
import { CompletionError } from '../errors.ts';

/** What the body of a streamed answer is held to, in milliseconds; `undefined`: no limit. */
export interface StreamBodyOptions {
  readonly keepAliveMs: number | undefined;
  readonly stallMs: number | undefined;
  readonly scheduler: SchedulerLike;
  /** Aborts when the client leaves, if the server says so; the body is cancelled, if the server does that. Either will do. */
  readonly signal: AbortSignal;
  /** The client has left, or has taken nothing for too long. */
  readonly onLeave: () => void;
}

/** How long the last event of a stream that failed has to reach its reader before the connection is torn. */
const TEAR_MS = 1000;

/** Comments are bytes for every proxy on the way, and nothing for every reader of events. */
const KEEP_ALIVE = ': keep-alive\n\n';

/**
 * The body of a streamed answer. It asks for more (`gate`) only while its reader does, so that a slow reader slows the
 * upstream server down. It ends in one of two ways: by `end` after everything was said, or torn, after `fail`, so that no proxy and no
 * reader takes it for whole.
 */
export class StreamBody {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #options: StreamBodyOptions;
  readonly #utf8 = new TextEncoder();
  readonly #keepAlive: DeadlineClock;
  readonly #stall: DeadlineClock;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** The status waits for the first event, which is asked for before there is a reader. */
  #wanted = true;
  #openGate: (() => void) | undefined;
  #ended = false;
  #failed = false;
  #tearing: Subscription | undefined;

  constructor(options: StreamBodyOptions) {
    this.#options = options;
    const { scheduler } = options;
    this.#keepAlive = new DeadlineClock(scheduler, () => {
      this.#onSilence();
    });
    this.#stall = new DeadlineClock(scheduler, () => {
      this.#onStall();
    });
    options.signal.addEventListener('abort', this.#onAbort);
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          this.#onPull();
        },
        cancel: () => {
          this.#close();
          options.onLeave();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Resolves while the reader wants more. */
  readonly gate = (): Promise<void> | undefined => {
    if (this.#wanted || this.#ended) return undefined;
    return new Promise((resolve) => {
      this.#openGate = resolve;
    });
  };

  /** The headers have been sent: from here on silence is filled. */
  begin(): void {
    if (!this.#ended) this.#keepAlive.watch('idle', this.#options.keepAliveMs);
  }

  write(text: string): void {
    if (this.#ended) return;
    const now = this.#options.scheduler.now();
    // Before the piece is handed over: whoever takes it may ask for the next one at once.
    this.#wanted = false;
    this.#keepAlive.watch('idle', this.#options.keepAliveMs, now);
    this.#stall.watch('idle', this.#options.stallMs, now);
    this.#controller?.enqueue(this.#utf8.encode(text));
  }

  /** Everything was said. */
  end(): void {
    if (this.#ended) return;
    this.#close();
    this.#controller?.close();
  }

  /** Says the last words, and tears the connection when they have been taken. */
  fail(lastWords: string): void {
    if (this.#ended) return;
    this.write(lastWords);
    this.#failed = true;
    this.#keepAlive.stop();
    if (this.#wanted) this.#tearSoon();
  }

  /** There is no reader, and there will be none. */
  discard(): void {
    this.#close();
  }

  readonly #onAbort = (): void => {
    this.#keepAlive.stop();
    this.#stall.stop();
    // Not at once: most servers that tell of it cancel the body too, and would log an error.
    this.#tearSoon();
    this.#options.onLeave();
  };

  #onPull(): void {
    this.#wanted = true;
    this.#stall.pause();
    if (this.#failed) this.#tearSoon();
    this.#open();
  }

  #onSilence(): void {
    // Who has not taken the last piece needs no other to stay awake.
    if (this.#wanted) this.write(KEEP_ALIVE);
    else this.begin();
  }

  #onStall(): void {
    this.#tear('The client takes no more of the answer');
    this.#options.onLeave();
  }

  /** What is still in the buffers of a socket is lost when it is torn: a reader that has seen the error leaves by itself. */
  #tearSoon(): void {
    this.#tearing ??= this.#options.scheduler.schedule(() => {
      this.#tear('The answer ended before it was whole');
    }, TEAR_MS);
  }

  #tear(message: string): void {
    this.#close();
    this.#controller?.error(new CompletionError(message, { kind: 'interrupted' }));
  }

  #close(): void {
    this.#ended = true;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#keepAlive.stop();
    this.#stall.stop();
    this.#tearing?.unsubscribe();
    this.#open();
  }

  #open(): void {
    this.#openGate?.();
    this.#openGate = undefined;
  }
}

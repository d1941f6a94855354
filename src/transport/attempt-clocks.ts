import type { SchedulerLike } from 'rxjs';
import { DeadlineClock, type CallClock } from '../deadline-clock.ts';
import { CompletionError } from '../errors.ts';
import { mayHelp, type ResponseFacts } from '../error-response.ts';

/** The times one attempt is held to, in milliseconds; `undefined`: no limit. */
export interface AttemptTimes {
  readonly connectMs: number | undefined;
  readonly idleMs: number | undefined;
  /** Streaming only. */
  readonly outputMs: number | undefined;
  /** The clock of the whole call, which stands still while the consumer is slow. */
  readonly total: DeadlineClock | undefined;
  readonly scheduler: SchedulerLike;
}

/** The clocks of one attempt: one for what the server sends, one for its output, and that of the whole call. */
export class AttemptClocks {
  /** Of the headers first, then of the bytes of the body. */
  readonly response: DeadlineClock;
  readonly #output: DeadlineClock;
  readonly #times: AttemptTimes;
  #outputs = 0;

  constructor(times: AttemptTimes, onExpire: (clock: CallClock, afterMs: number) => void) {
    this.#times = times;
    this.response = new DeadlineClock(times.scheduler, onExpire);
    this.#output = new DeadlineClock(times.scheduler, onExpire);
  }

  /** The request is about to be sent. */
  connect(): void {
    this.#output.watch('output', this.#times.outputMs);
    this.response.watch('connect', this.#times.connectMs);
  }

  /** The next bytes are awaited; so much output has come so far. */
  resume(outputs: number): void {
    const { idleMs, outputMs, total, scheduler } = this.#times;
    const now = scheduler.now();
    this.response.watch('idle', idleMs, now);
    if (outputs === this.#outputs) this.#output.resume(now);
    else this.#output.watch('output', outputMs, now);
    this.#outputs = outputs;
    total?.resume(now);
  }

  /** Time of the consumer, which is not the server's silence. */
  suspend(): void {
    const { total, scheduler } = this.#times;
    const now = scheduler.now();
    this.response.pause();
    this.#output.suspend(now);
    total?.suspend(now);
  }

  /** For good; the whole call goes on. */
  stop(): void {
    this.response.stop();
    this.#output.stop();
    this.#times.total?.resume();
  }
}

export function timeoutError(clock: CallClock, afterMs: number, facts: ResponseFacts): CompletionError {
  const { requestId, retryAfterMs } = facts;
  // A refusal whose explanation hangs is still a refusal.
  const refused = facts.status !== undefined && !isSuccess(facts.status) ? facts.status : undefined;
  const message =
    refused === undefined
      ? `The server sent ${MISSED[clock]} for ${String(afterMs)} ms (timeout.${clock}Ms)`
      : `The server answered ${String(refused)}, and no explanation came within ${String(afterMs)} ms`;
  return new CompletionError(message, {
    kind: 'timeout',
    clock,
    retryable: refused === undefined || mayHelp(facts),
    status: refused,
    requestId,
    retryAfterMs,
  });
}

const MISSED: Readonly<Record<CallClock, string>> = {
  connect: 'no response headers',
  idle: 'no byte of the body',
  output: 'no output',
  total: 'no whole answer',
};

/** An answer, not a redirect and not an error. */
export function isSuccess(status: number): boolean {
  return status < 300;
}

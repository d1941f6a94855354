import { BehaviorSubject, Observable, type SchedulerLike, type Subscription } from 'rxjs';
import { MAX_TIMER_MS } from '../deadline-clock.ts';
import { CompletionError } from '../errors.ts';
import type { RateLimit } from '../events/event.ts';
import { Fifo } from './fifo.ts';
import { ServerLimits } from './server-limits.ts';
import type { WindowStore } from './window.ts';

/** What a limiter is doing. */
export interface LimiterState {
  readonly active: number;
  readonly queued: number;
  /**
   * When the first who waits may begin, in the scheduler's milliseconds; `undefined` if nobody waits, or if it depends on the end of
   * one that runs.
   */
  readonly nextFreeAt: number | undefined;
}

/** The permission to run, held until `release`. */
export interface LimiterLease {
  /** Tells what a server said of its own limits. */
  readonly response: (said: LimiterFeedback) => void;
  /** Tells how many tokens were really used. */
  readonly usage: (totalTokens: number) => void;
  /** Gives the place to the next one. */
  readonly release: () => void;
}

/** What the headers of a response say. */
export interface LimiterFeedback {
  readonly rateLimit?: RateLimit | undefined;
  readonly retryAfterMs?: number | undefined;
}

export interface LimiterQueueOptions {
  readonly concurrency: number;
  readonly maxQueued: number;
  readonly store: WindowStore;
  readonly scheduler: SchedulerLike;
}

/** One who waits. */
interface Ticket {
  readonly tokens: number;
  readonly begin: (lease: LimiterLease) => void;
  readonly refuse: (error: unknown) => void;
}

/** A server that wants to be left alone for longer than this is not waited for: who would have to is told at once. */
const MAX_CLOSED_MS = 60_000;

/**
 * Who may begin, one after the other. Three things can hold up the first in the queue: places that are taken, windows that are
 * full, and what a server has said of itself.
 */
export class LimiterQueue {
  readonly #options: LimiterQueueOptions;
  readonly #waiting = new Fifo<Ticket>();
  /** Who has come since the queue was last looked at: the ones to be refused if it is too long. */
  #arrived: Ticket[] = [];
  readonly #state$ = new BehaviorSubject<LimiterState>({ active: 0, queued: 0, nextFreeAt: undefined });
  readonly state$ = this.#state$.asObservable();
  #active = 0;
  readonly #server = new ServerLimits();
  #closedUntil = Number.NEGATIVE_INFINITY;
  #timer: Subscription | undefined;
  #nextFreeAt: number | undefined;
  #pumping = false;
  #pumpAgain = false;

  constructor(options: LimiterQueueOptions) {
    this.#options = options;
  }

  acquire(tokens: number): Observable<LimiterLease> {
    return new Observable((subscriber) => {
      // RxJS subscribes subscribers that have left already, and nobody would give their place back.
      if (subscriber.closed) return;
      const ticket: Ticket = {
        tokens,
        begin: (lease) => {
          // Whoever was told the state may have made this one leave.
          if (subscriber.closed) lease.release();
          subscriber.next(lease);
          subscriber.complete();
        },
        refuse: (error) => {
          subscriber.error(error);
        },
      };
      subscriber.add(() => {
        if (this.#waiting.remove(ticket)) this.#pump();
      });
      this.#waiting.push(ticket);
      this.#arrived.push(ticket);
      this.#pump();
    });
  }

  /** Whoever can begin, begins; who is too many is refused. */
  #pump(): void {
    this.#pumpAgain = true;
    // Who begins, or is refused, may end or come again at once.
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#pumpAgain) {
        this.#pumpAgain = false;
        this.#begin();
        this.#refuse();
      }
    } finally {
      this.#pumping = false;
    }
    this.#tell();
  }

  #begin(): void {
    for (;;) {
      const ticket = this.#waiting.first;
      const now = this.#options.scheduler.now();
      const waitMs = ticket === undefined ? undefined : this.#waitFor(ticket, now);
      this.#watch(waitMs);
      if (ticket === undefined || waitMs !== 0) return;
      this.#waiting.remove(ticket);
      this.#active += 1;
      this.#tell();
      ticket.begin(this.#lease(ticket.tokens, now));
    }
  }

  #refuse(): void {
    const { maxQueued, scheduler } = this.#options;
    const arrived = this.#arrived;
    this.#arrived = [];
    const closedMs = this.#closedUntil - scheduler.now();
    if (closedMs > MAX_CLOSED_MS) {
      for (let ticket = this.#waiting.first; ticket !== undefined; ticket = this.#waiting.first) {
        this.#waiting.remove(ticket);
        ticket.refuse(closed(closedMs));
      }
    }
    // Known as long as somebody waits; those who are refused are told.
    const freeMs = this.#nextFreeAt === undefined ? undefined : this.#nextFreeAt - scheduler.now();
    while (this.#waiting.size > maxQueued) {
      const last = arrived.pop();
      if (last === undefined) break;
      if (this.#waiting.remove(last)) last.refuse(queueFull(maxQueued, freeMs));
    }
    if (this.#waiting.size === 0) this.#watch(undefined);
  }

  /** After how many milliseconds the first in the queue may begin; `undefined`: when another has ended. */
  #waitFor({ tokens }: Ticket, now: number): number | undefined {
    const { concurrency, store } = this.#options;
    if (this.#active >= concurrency) return undefined;
    if (now < this.#closedUntil) return this.#closedUntil - now;
    const serverMs = this.#server.waitFor(tokens, now);
    if (serverMs > 0) return serverMs;
    const requestMs = store.consume('requests', 1, now);
    if (requestMs > 0) return requestMs;
    const tokenMs = store.consume('tokens', tokens, now);
    if (tokenMs > 0) store.correct('requests', -1, now);
    else this.#server.spend(tokens);
    return tokenMs;
  }

  #lease(tokens: number, takenAt: number): LimiterLease {
    const { store } = this.#options;
    let counted = tokens;
    let held = true;
    return {
      response: (said) => {
        this.#learn(said);
      },
      usage: (totalTokens) => {
        if (!Number.isFinite(totalTokens)) return;
        store.correct('tokens', totalTokens - counted, takenAt);
        counted = totalTokens;
        this.#pump();
      },
      release: () => {
        if (!held) return;
        held = false;
        this.#active -= 1;
        this.#pump();
      },
    };
  }

  #learn({ rateLimit, retryAfterMs }: LimiterFeedback): void {
    const at = this.#options.scheduler.now();
    // Not by Math.max: a foreign error may say NaN.
    if (retryAfterMs !== undefined && at + retryAfterMs > this.#closedUntil) this.#closedUntil = at + retryAfterMs;
    this.#server.note(rateLimit ?? {}, at);
    this.#pump();
  }

  #watch(waitMs: number | undefined): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
    this.#nextFreeAt = undefined;
    if (waitMs === undefined || waitMs === 0) return;
    const { scheduler } = this.#options;
    this.#nextFreeAt = scheduler.now() + waitMs;
    this.#timer = scheduler.schedule(
      () => {
        this.#pump();
      },
      Math.min(waitMs, MAX_TIMER_MS),
    );
  }

  #tell(): void {
    const before = this.#state$.value;
    const state = { active: this.#active, queued: this.#waiting.size, nextFreeAt: this.#nextFreeAt };
    const same =
      state.active === before.active && state.queued === before.queued && state.nextFreeAt === before.nextFreeAt;
    if (!same) this.#state$.next(state);
  }
}

function queueFull(maxQueued: number, retryAfterMs: number | undefined): CompletionError {
  return new CompletionError(
    `${String(maxQueued)} calls wait for the limiter, and no more may: send less, or raise maxQueued`,
    { kind: 'limit', retryAfterMs: retryAfterMs === undefined ? undefined : Math.ceil(retryAfterMs) },
  );
}

function closed(retryAfterMs: number): CompletionError {
  return new CompletionError(
    `The server has asked for no request within ${String(Math.ceil(retryAfterMs))} ms (Retry-After); nothing was sent`,
    { kind: 'rate-limit', retryable: true, retryAfterMs: Math.ceil(retryAfterMs) },
  );
}

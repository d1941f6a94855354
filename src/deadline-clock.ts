import type { SchedulerLike, Subscription } from 'rxjs';
import type { TimeoutClock } from './errors.ts';

/** The clocks of a request and of a call. */
export type CallClock = Exclude<TimeoutClock, 'tool'>;

/** The longest timer: setTimeout takes 31 bits and fires at once beyond them. */
export const MAX_TIMER_MS = 0x7fffffff;

/** A timer this late means that nothing could run in the meantime, our reads included. */
const LATE_MS = 50;

/**
 * A deadline that can be renewed and stopped for a while, on one timer that is set again only when it fires: renewing the deadline for each of fifty
 * thousand reads costs a look at the time, not a timer.
 */
export class DeadlineClock {
  readonly #scheduler: SchedulerLike;
  readonly #onExpire: (clock: CallClock, afterMs: number) => void;
  #timer: Subscription | undefined;
  #firesAt = 0;
  #clock: CallClock = 'connect';
  #periodMs = 0;
  #deadline: number | undefined;
  /** What was left when the clock was suspended. */
  #leftMs: number | undefined;
  #secondLook = false;
  #stopped = false;

  constructor(scheduler: SchedulerLike, onExpire: (clock: CallClock, afterMs: number) => void) {
    this.#scheduler = scheduler;
    this.#onExpire = onExpire;
  }

  /**
   * Something must happen within `periodMs` from now; renews or replaces what was set. `undefined`: no limit. Who has looked at
   * the time already passes it on.
   */
  watch(clock: CallClock, periodMs: number | undefined, now = this.#scheduler.now()): void {
    this.pause();
    if (periodMs === undefined || this.#stopped) return;
    this.#clock = clock;
    this.#periodMs = periodMs;
    this.#expect(periodMs, now);
  }

  /** Nothing is owed until the next `watch`. */
  pause(): void {
    this.#deadline = undefined;
    this.#leftMs = undefined;
  }

  /** The time until `resume` does not count. */
  suspend(now = this.#scheduler.now()): void {
    if (this.#deadline === undefined) return;
    this.#leftMs = Math.max(0, this.#deadline - now);
    this.#deadline = undefined;
  }

  /** Goes on with what was left at `suspend`; without one, does nothing. */
  resume(now = this.#scheduler.now()): void {
    const leftMs = this.#leftMs;
    if (leftMs === undefined) return;
    this.#leftMs = undefined;
    this.#expect(leftMs, now);
  }

  /** How much time is left; `undefined` without a deadline. */
  get leftMs(): number | undefined {
    return this.#deadline === undefined ? this.#leftMs : this.#deadline - this.#scheduler.now();
  }

  /** For good: who watches afterwards comes too late. */
  stop(): void {
    this.#stopped = true;
    this.pause();
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }

  #expect(withinMs: number, now: number): void {
    this.#secondLook = false;
    this.#deadline = now + withinMs;
    if (this.#timer === undefined || this.#firesAt > this.#deadline) this.#setTimer(withinMs);
  }

  #setTimer(delayMs: number): void {
    this.#timer?.unsubscribe();
    const wait = Math.min(delayMs, MAX_TIMER_MS);
    this.#firesAt = this.#scheduler.now() + wait;
    this.#timer = this.#scheduler.schedule(() => {
      this.#onTimer();
    }, wait);
  }

  #onTimer(): void {
    this.#timer = undefined;
    if (this.#deadline === undefined) return;
    const left = this.#deadline - this.#scheduler.now();
    if (left > 0) {
      this.#setTimer(left);
    } else if (!this.#secondLook && this.#scheduler.now() - this.#firesAt > LATE_MS) {
      // After a blocked event loop or a suspended machine, timers run before the data that has long arrived is read.
      this.#secondLook = true;
      this.#setTimer(1);
    } else {
      this.#deadline = undefined;
      this.#onExpire(this.#clock, this.#periodMs);
    }
  }
}

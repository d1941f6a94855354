import type { SchedulerLike, Subscription } from 'rxjs';
import type { TimeoutClock } from './errors.ts';

/** A timer this late means that nothing could run in the meantime, our reads included. */
const LATE_MS = 50;

/**
 * The deadline of an attempt, on one timer that is set again only when it fires: renewing the deadline for each of fifty
 * thousand reads costs a look at the time, not a timer.
 */
export class DeadlineClock {
  readonly #scheduler: SchedulerLike;
  readonly #onExpire: (clock: TimeoutClock, afterMs: number) => void;
  #timer: Subscription | undefined;
  #firesAt = 0;
  #clock: TimeoutClock = 'connect';
  #periodMs = 0;
  #deadline: number | undefined;
  #secondLook = false;
  #stopped = false;

  constructor(scheduler: SchedulerLike, onExpire: (clock: TimeoutClock, afterMs: number) => void) {
    this.#scheduler = scheduler;
    this.#onExpire = onExpire;
  }

  /** Something must happen within `periodMs` from now; renews or replaces what was set. `undefined`: no limit. */
  watch(clock: TimeoutClock, periodMs: number | undefined): void {
    if (periodMs === undefined || this.#stopped) {
      this.pause();
      return;
    }
    this.#clock = clock;
    this.#periodMs = periodMs;
    this.#secondLook = false;
    this.#deadline = this.#scheduler.now() + periodMs;
    if (this.#timer === undefined || this.#firesAt > this.#deadline) this.#setTimer(periodMs);
  }

  /** Nothing is owed until the next `watch`. */
  pause(): void {
    this.#deadline = undefined;
  }

  /** For good: who watches afterwards comes too late. */
  stop(): void {
    this.#stopped = true;
    this.pause();
    this.#timer?.unsubscribe();
    this.#timer = undefined;
  }

  #setTimer(delayMs: number): void {
    this.#timer?.unsubscribe();
    // setTimeout takes 31 bits and fires at once beyond them.
    const wait = Math.min(delayMs, 0x7fffffff);
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

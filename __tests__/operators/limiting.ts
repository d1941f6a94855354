import type { Subscription } from 'rxjs';
import type { LimiterLease, LimiterState } from '../../src/operators/limiter-queue.ts';
import { createLimiter, type Limiter, type LimiterOptions } from '../../src/operators/limiter.ts';
import { HandClock } from '../support/client.ts';

/** What came of asking for a place. */
export interface Asked {
  /** When it was given. */
  readonly at: number | undefined;
  /** Fails the test if there is none. */
  readonly lease: LimiterLease;
  readonly error: unknown;
  readonly subscription: Subscription;
}

/** A limiter on a clock of the test's own. */
export interface Limiting {
  readonly clock: HandClock;
  readonly limiter: Limiter;
  readonly ask: (tokens?: number) => Asked;
  readonly state: () => LimiterState;
}

export function limiting(options: LimiterOptions = {}): Limiting {
  const clock = new HandClock();
  const limiter = createLimiter({ scheduler: clock, ...options });
  const ask = (tokens = 0): Asked => {
    let at: number | undefined;
    let lease: LimiterLease | undefined;
    let error: unknown;
    const subscription = limiter.acquire(tokens).subscribe({
      next: (given) => {
        at = clock.now();
        lease = given;
      },
      error: (caught: unknown) => (error = caught),
    });
    return {
      get at() {
        return at;
      },
      get lease() {
        if (lease === undefined) throw new Error('no place was given yet');
        return lease;
      },
      get error() {
        return error;
      },
      subscription,
    };
  };
  return { clock, limiter, ask, state: () => stateOf(limiter) };
}

/** The state now. */
export function stateOf({ state$ }: Limiter): LimiterState {
  const seen: LimiterState[] = [];
  state$.subscribe((state) => seen.push(state)).unsubscribe();
  if (seen[0] === undefined) throw new Error('state$ said nothing');
  return seen[0];
}

export const IDLE: LimiterState = { active: 0, queued: 0, nextFreeAt: undefined };

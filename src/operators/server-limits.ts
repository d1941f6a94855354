import type { RateLimit } from '../events/event.ts';

type Key = 'requests' | 'tokens';

/** What a server said is left, less what has begun since, and more as it refills. */
interface Remaining {
  left: number;
  at: number;
  readonly limit: number;
  /** 0 where the server did not say its limit: then all comes back at once, at `wholeAt`. */
  readonly perMs: number;
  readonly wholeAt: number;
}

/** Sums of parts leave a rest in the arithmetic. */
const NEARLY = 1e-6;

/**
 * What a server says of its own limits (`x-ratelimit-*`), until it says something else or all of it has come back. Servers refill
 * evenly: from what is left to the whole limit within the time of the reset.
 */
export class ServerLimits {
  readonly #remaining: Partial<Record<Key, Remaining>> = {};

  note(said: RateLimit, now: number): void {
    this.#note('requests', now, said.limitRequests, said.remainingRequests, said.resetRequestsMs);
    this.#note('tokens', now, said.limitTokens, said.remainingTokens, said.resetTokensMs);
  }

  /** After how many milliseconds one more request with so many tokens is welcome; 0: now. */
  waitFor(tokens: number, now: number): number {
    return Math.max(this.#waitFor('requests', 1, now), this.#waitFor('tokens', tokens, now));
  }

  spend(tokens: number): void {
    const { requests, tokens: ofTokens } = this.#remaining;
    if (requests !== undefined) requests.left -= 1;
    if (ofTokens !== undefined) ofTokens.left -= tokens;
  }

  #note(key: Key, at: number, limit = 0, left: number | undefined, resetMs: number | undefined): void {
    if (left === undefined || resetMs === undefined) return;
    const perMs = limit > left && resetMs > 0 ? (limit - left) / resetMs : 0;
    this.#remaining[key] = { left, at, limit, perMs, wholeAt: at + resetMs };
  }

  #waitFor(key: Key, points: number, now: number): number {
    const remaining = this.#remaining[key];
    if (remaining === undefined || now >= remaining.wholeAt) return 0;
    const { limit, perMs, wholeAt, at } = remaining;
    if (perMs === 0) return remaining.left >= points ? 0 : wholeAt - now;
    remaining.left = Math.min(limit, remaining.left + (now - at) * perMs);
    remaining.at = now;
    const missing = Math.min(points, limit) - remaining.left;
    return missing < NEARLY ? 0 : Math.ceil(missing / perMs - NEARLY);
  }
}

import type { ChatCompletionOptions } from '../../src/index.ts';
import { createLimiter, type Limiter, type LimiterOptions } from '../../src/operators/limiter.ts';
import { HandClock, turn } from '../support/client.ts';

/** A limiter and the options of clients that share it, on one clock: pauses are 500 and 1000 ms. */
export function shared(options: LimiterOptions = {}): {
  readonly clock: HandClock;
  readonly limiter: Limiter;
  readonly options: ChatCompletionOptions;
} {
  const clock = new HandClock();
  const limiter = createLimiter({ scheduler: clock, ...options });
  return { clock, limiter, options: { limiter, scheduler: clock, timeout: false, retry: { jitter: 0 } } };
}

/** Lets the event loop turn until it holds. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; turns < 10_000 && !holds(); turns++) await turn();
  expect(holds()).toBe(true);
}

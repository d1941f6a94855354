import type { ChatCompletionOptions, RetryInfo } from '../../src/index.ts';
import { HandClock } from '../support/client.ts';

/** The default retries without chance, on a clock of the test's own, and what was told of them. */
export interface Retrying {
  readonly clock: HandClock;
  readonly told: readonly RetryInfo[];
  readonly options: ChatCompletionOptions;
  /** Resolves when the first pause has begun. */
  readonly paused: Promise<void>;
}

/** Pauses end when the test says so; no other clock runs then. */
export function retrying(options: ChatCompletionOptions = {}): Retrying {
  return watched(options, () => undefined);
}

/** Pauses are over as soon as they begin. */
export function patient(options: ChatCompletionOptions = {}): Retrying {
  return watched(options, (clock, delayMs) => {
    clock.advance(delayMs);
  });
}

function watched(options: ChatCompletionOptions, onPause: (clock: HandClock, delayMs: number) => void): Retrying {
  const clock = new HandClock();
  const told: RetryInfo[] = [];
  let pause: () => void = () => undefined;
  const paused = new Promise<void>((resolve) => {
    pause = resolve;
  });
  const onRetry = (retry: RetryInfo): void => {
    told.push(retry);
    // The pause begins when the hook has returned.
    queueMicrotask(() => {
      pause();
      onPause(clock, retry.delayMs);
    });
  };
  const byDefault = { retry: { jitter: 0 }, timeout: false, scheduler: clock, hooks: { onRetry } } as const;
  return { clock, told, paused, options: { ...byDefault, ...options } };
}

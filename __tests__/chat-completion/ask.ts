import type { ChatCompletionOptions, OpenAIChatCompletion } from '../../src/index.ts';
import { HandClock, recordedFetch, turn, type ClientCase } from '../support/client.ts';
import { respond, type Reply } from './random-replies.ts';

export const PROMPT = 'Say this is a test!';

/** What came of a call, and what it took. */
interface Asked<T> {
  readonly result: T;
  /** The bodies of the requests, in their order. */
  readonly bodies: readonly string[];
  /** The pauses between them. */
  readonly delays: readonly number[];
  /** How many requests did not wait for the end of their pause. */
  readonly early: number;
  /** Timers that were left, a moment after the end. */
  readonly timers: number;
}

/** Runs a call whose requests are given these replies in turn; its pauses are over at once. */
export async function ask<T>(
  { client }: ClientCase,
  replies: readonly Reply[],
  call: (chat: OpenAIChatCompletion) => Promise<T>,
): Promise<Asked<T>> {
  const clock = new HandClock();
  const delays: number[] = [];
  let early = 0;
  const fetch = recordedFetch((_, count) => {
    const reply = replies[count - 1];
    if (reply === undefined) throw new Error(`request ${String(count)} has no reply`);
    return respond(reply);
  });
  const hooks: ChatCompletionOptions['hooks'] = {
    onRetry: ({ delayMs }) => {
      delays.push(delayMs);
      // The pause has begun by then.
      queueMicrotask(() => {
        clock.advance(delayMs - 1);
        if (clock.pending !== 1) early += 1;
        clock.advance(1);
      });
    },
  };
  const chat = client('http://127.0.0.1:9/v1', { fetch, scheduler: clock, hooks, logLevel: 'off', retry: {} });
  const result = await call(chat);
  // What follows [DONE] is still read.
  await turn();
  const bodies = fetch.calls.map(({ init }) => String(init.body));
  return { result, bodies, delays, early, timers: clock.pending };
}

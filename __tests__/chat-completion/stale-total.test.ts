import type { Observable } from 'rxjs';
import type { OpenAIChatCompletion } from '../../src/index.ts';
import { createLimiter } from '../../src/operators/limiter.ts';
import { stateOf } from '../operators/limiting.ts';
import { CLIENTS } from '../support/client.ts';
import { event, finish, text } from '../support/faults-steps.ts';
import { expectTimeout, PROMPT, start, whole, type ExpectedError } from './clocked-call.ts';

const TOTAL_MS = 1000;
const PAUSE_MS = 100;
const FAILED = finish() + event({ error: { message: 'overloaded', code: 503, type: 'server_error' } });

interface Case {
  readonly name: string;
  readonly ask: (chat: OpenAIChatCompletion) => Observable<unknown>;
  readonly answer: string;
  /** What the consumer has seen before. */
  readonly told: readonly unknown[];
  readonly error: ExpectedError;
}

describe.each(CLIENTS)('totalMs over the $name transport', (client) => {
  it.each<Case>([
    {
      name: 'stream$, before output',
      ask: (chat) => chat.stream$(PROMPT),
      answer: FAILED,
      told: [],
      error: { partial: { text: '' } },
    },
    {
      name: 'events$, before output',
      ask: (chat) => chat.events$(PROMPT),
      answer: FAILED,
      told: [],
      error: { partial: { text: '' } },
    },
    {
      name: 'events$, after output that a restart would withdraw',
      ask: (chat) => chat.events$(PROMPT, {}, { retry: { mode: 'restart' } }),
      answer: text('so far') + FAILED,
      told: [{ type: 'start' }, { type: 'text-delta', text: 'so far' }],
      error: { partial: { text: 'so far' } },
    },
  ])('runs out while a retry waits for its turn, though all had ended before it failed: $name', async (row) => {
    const limiter = createLimiter({ concurrency: 1 });
    const call = await start(client, {
      ask: row.ask,
      answers: [whole(row.answer)],
      options: { limiter, timeout: { totalMs: TOTAL_MS }, retry: { baseDelayMs: PAUSE_MS, jitter: 0 } },
    });
    expect(call.told).toMatchObject(row.told);
    expect(call.told).toHaveLength(row.told.length);
    const other = limiter.acquire(0).subscribe();
    call.clock.advance(PAUSE_MS);
    expect(stateOf(limiter)).toMatchObject({ active: 1, queued: 1 });
    expect(call.signal()?.aborted).toBe(true);
    const before = call.told.length;
    call.clock.advance(TOTAL_MS - PAUSE_MS - 1);
    expect(call.told).toHaveLength(before);
    call.clock.advance(1);
    expect(call.told.slice(before)).toMatchObject([
      { kind: 'timeout', clock: 'total', retryable: false, attempts: 1, ...row.error },
    ]);
    expect([call.requests(), call.clock.pending]).toEqual([1, 0]);
    // It has left the queue.
    expect(stateOf(limiter)).toMatchObject({ active: 1, queued: 0 });
    other.unsubscribe();
  });

  it('still runs out for a retry that has waited for its turn and got it', async () => {
    const limiter = createLimiter({ concurrency: 1 });
    const call = await start(client, {
      ask: (chat) => chat.events$(PROMPT),
      answers: [whole(FAILED), () => new Promise<never>(() => undefined)],
      options: { limiter, timeout: { totalMs: TOTAL_MS }, retry: { baseDelayMs: PAUSE_MS, jitter: 0 } },
    });
    limiter.acquire(0).subscribe((lease) => {
      call.clock.schedule(() => {
        lease.release();
      }, 2 * PAUSE_MS);
    });
    call.clock.advance(2 * PAUSE_MS);
    await call.requested(2);
    expectTimeout(call, TOTAL_MS - 2 * PAUSE_MS, { clock: 'total', attempts: 2 });
    expect(stateOf(limiter)).toMatchObject({ active: 0, queued: 0 });
  });
});

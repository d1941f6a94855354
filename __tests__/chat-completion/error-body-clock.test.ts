import type { RetryInfo } from '../../src/index.ts';
import { CLIENTS } from '../support/client.ts';
import { finish, text } from '../support/faults-steps.ts';
import { answering, expectTimeout, PROMPT, start, whole, type Answer, type Setup } from './clocked-call.ts';

const IDLE_MS = 120_000;
/** How long the explanation of a failure is awaited that is asked again about. */
const DISCARD_MS = 1000;
const PAUSE_MS = 100;
const RETRY = { retry: { baseDelayMs: PAUSE_MS, jitter: 0 } };

describe.each(CLIENTS)('an error body that hangs over the $name transport', (client) => {
  const started = (setup: Setup) => start(client, setup);

  describe('without retries', () => {
    it.each([
      [400, false],
      [429, true],
      [503, true],
    ])('is awaited for idleMs, and the status is kept: %i', async (status, retryable) => {
      const init = { status, headers: { 'x-request-id': 'req_1', 'retry-after': '7' } };
      const call = await started({ answers: [answering(init)] });
      await call.body().say('{"error":');
      const expected = { clock: 'idle', status, retryable, requestId: 'req_1', retryAfterMs: 7000 } as const;
      const error = expectTimeout(call, IDLE_MS, expected);
      expect(error.message).toBe(`The server answered ${status}, and no explanation came within 120000 ms`);
    });

    it('is awaited for idleMs in all: a report does not trickle', async () => {
      const call = await started({ answers: [answering({ status: 400 })] });
      for (let spent = 0; spent < IDLE_MS; spent += IDLE_MS / 4) {
        await call.body().say(' ');
        expect(call.told).toEqual([]);
        call.clock.advance(IDLE_MS / 4);
      }
      expect(call.told).toMatchObject([{ kind: 'timeout', clock: 'idle', status: 400 }]);
    });

    it.each([
      [400, false],
      [503, true],
    ])('is awaited for outputMs if that is shorter, and the status is kept: %i', async (status, retryable) => {
      const options = { timeout: { outputMs: 50 } };
      const call = await started({ options, answers: [answering({ status })] });
      expectTimeout(call, 50, { clock: 'output', status, retryable });
    });
  });

  describe('with retries', () => {
    /** Nothing is sent until one millisecond before; then the next request is. */
    async function expectRetry(call: Awaited<ReturnType<typeof started>>, afterMs: number): Promise<void> {
      const request = call.requests();
      call.clock.advance(afterMs - 1);
      expect(call.signal(request)?.aborted).toBe(false);
      call.clock.advance(1);
      expect(call.signal(request)?.aborted).toBe(true);
      expect(call.told).toEqual([]);
      call.clock.advance(PAUSE_MS * 2 ** (request - 1) - 1);
      expect(call.requests()).toBe(request);
      call.clock.advance(1);
      await call.requested(request + 1);
    }

    it('is awaited a second if an attempt follows, for idleMs in the last one', async () => {
      const retries: RetryInfo[] = [];
      const hooks = { onRetry: (retry: RetryInfo) => void retries.push(retry) };
      const call = await started({ options: { ...RETRY, hooks }, answers: [answering({ status: 503 })] });
      await expectRetry(call, DISCARD_MS);
      await expectRetry(call, DISCARD_MS);
      expectTimeout(call, IDLE_MS, { clock: 'idle', status: 503, retryable: true, attempts: 3 });
      const cause = { kind: 'timeout', clock: 'idle', status: 503 };
      expect(retries).toMatchObject([
        { attempt: 2, delayMs: PAUSE_MS, error: cause },
        { attempt: 3, delayMs: 2 * PAUSE_MS, error: cause },
      ]);
    });

    it('is awaited a second in all: a report does not trickle', async () => {
      const call = await started({ options: RETRY, answers: [answering({ status: 503 })] });
      await call.body().say('{"error":');
      call.clock.advance(DISCARD_MS - 1);
      await call.body().say('{"message":');
      await expectRetry(call, 1);
    });

    it('gives way to an answer', async () => {
      const call = await started({
        options: RETRY,
        answers: [answering({ status: 503 }), whole(text('yes') + finish())],
      });
      await expectRetry(call, DISCARD_MS);
      expect(call.told).toEqual(['yes', 'complete']);
      expect(call.clock.pending).toBe(0);
    });

    it.each([
      ['generate$', { ask: (chat) => chat.generate$(PROMPT) }],
      ['without idleMs', { call: { timeout: { idleMs: false } } }],
      ['with a 400 that the server orders to retry', { answers: [answering(ordered(400, true))] }],
      ['with a 429', { answers: [answering({ status: 429 })] }],
    ] satisfies readonly (readonly [string, Setup])[])('is awaited a second: %s', async (_, setup) => {
      await expectRetry(await started({ options: RETRY, answers: [answering({ status: 503 })], ...setup }), DISCARD_MS);
    });

    it('is not awaited a whole second if idleMs is shorter', async () => {
      const options = { ...RETRY, timeout: { idleMs: 300 } };
      await expectRetry(await started({ options, answers: [answering({ status: 503 })] }), 300);
    });

    it.each([
      ['of a 400', { status: 400 }],
      ['of a 503 that the server orders not to retry', ordered(503, false)],
    ])('is awaited for idleMs where it ends the call: %s', async (_, init) => {
      const call = await started({ options: RETRY, answers: [answering(init)] });
      expectTimeout(call, IDLE_MS, { clock: 'idle', status: init.status, retryable: false, attempts: 1 });
      expect(call.requests()).toBe(1);
    });

    it.each([
      ['Retry-After is too long', { answers: [asking(3_600_000)] }],
      ['Retry-After would pass totalMs', { call: { timeout: { totalMs: 200_000 } }, answers: [asking(200_000)] }],
      ["the condition of a retry is the user's own", { call: { retry: { when: () => false } } }],
    ] satisfies readonly (readonly [string, Setup])[])('is awaited for idleMs where %s', async (_, setup) => {
      const call = await started({ options: RETRY, answers: [answering({ status: 429 })], ...setup });
      expectTimeout(call, IDLE_MS, { clock: 'idle', status: 429, retryable: true });
      expect(call.requests()).toBe(1);
    });

    it('is awaited longer than a second where no attempt would fit behind it', async () => {
      const timeout = { totalMs: DISCARD_MS + PAUSE_MS - 10 };
      const call = await started({ options: RETRY, call: { timeout }, answers: [answering({ status: 429 })] });
      call.clock.advance(DISCARD_MS + 50);
      await call.body().say('{"error":{"code":"insufficient_quota","message":"pay"}}');
      await call.body().end();
      expect(call.told).toMatchObject([{ kind: 'quota', status: 429, attempts: 1 }]);
    });

    it('is awaited for idleMs where retries are turned off for the call', async () => {
      const call = await started({ options: RETRY, call: { retry: false }, answers: [answering({ status: 503 })] });
      expectTimeout(call, IDLE_MS, { clock: 'idle', status: 503, retryable: true });
    });
  });
});

function asking(retryAfterMs: number): Answer {
  return answering({ status: 429, headers: { 'retry-after-ms': String(retryAfterMs) } });
}

function ordered(status: number, shouldRetry: boolean): { readonly status: number; readonly headers: HeadersInit } {
  return { status, headers: { 'x-should-retry': String(shouldRetry) } };
}

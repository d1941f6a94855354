import { CLIENTS, turn } from '../support/client.ts';
import { DONE, event, finish, text } from '../support/faults-steps.ts';
import {
  answering,
  expectTimeout,
  handGate,
  never,
  PROMPT,
  start,
  whole,
  type ExpectedError,
  type Setup,
  type Started,
} from './clocked-call.ts';

const TOTAL_MS = 1000;
const TIMED_OUT: ExpectedError = { clock: 'total', retryable: false };
const BUSY = whole('{"error":{"message":"busy"}}', { status: 503 });

describe.each(CLIENTS)('totalMs over the $name transport', (client) => {
  const retry = { baseDelayMs: 100, jitter: 0 };
  const options = { timeout: { totalMs: TOTAL_MS }, retry };
  const started = (setup?: Setup): Promise<Started> => start(client, { options, ...setup });

  it('counts the time until the headers come', async () => {
    const error = expectTimeout(await started({ answers: [never] }), TOTAL_MS, TIMED_OUT);
    expect(error.message).toBe('The completion was not done within 1000 ms (totalMs)');
  });

  it('counts silence', async () => {
    expectTimeout(await started(), TOTAL_MS, TIMED_OUT);
  });

  it('counts an error body', async () => {
    expectTimeout(await started({ answers: [answering({ status: 400 })] }), TOTAL_MS, TIMED_OUT);
  });

  it('is not renewed by output, which is in partial', async () => {
    const call = await started();
    for (let spent = 0; spent < TOTAL_MS - 1; spent += (TOTAL_MS - 1) / 3) {
      await call.body().say(text('x'));
      call.clock.advance((TOTAL_MS - 1) / 3);
    }
    expectTimeout(call, 1, { ...TIMED_OUT, partial: { text: 'xxx' } });
    expect(call.told.slice(0, -1)).toEqual(['x', 'x', 'x']);
  });

  it.each([
    ['stream$', (chat) => chat.stream$(PROMPT)],
    ['generate$', (chat) => chat.generate$(PROMPT)],
    ['completion$', (chat) => chat.completion$(PROMPT)],
    ['events$', (chat) => chat.events$(PROMPT)],
    ['chunks$', (chat) => chat.chunks$(PROMPT)],
  ] satisfies readonly (readonly [string, Setup['ask']])[])('ends %s', async (_, ask) => {
    expectTimeout(await started({ ask }), TOTAL_MS, TIMED_OUT);
  });

  it('counts attempts and the pauses between them', async () => {
    const call = await started({ answers: [answering({ status: 503 }), BUSY, never] });
    call.clock.advance(50);
    await call.body().end();
    call.clock.advance(100);
    await call.requested(2);
    call.clock.advance(200);
    await call.requested(3);
    expectTimeout(call, TOTAL_MS - 50 - 100 - 200, { ...TIMED_OUT, attempts: 3 });
  });

  it('counts a pause after an error that came in a read', async () => {
    const report = event({ error: { message: 'busy', code: 503 } });
    const call = await started({ call: { retry: { baseDelayMs: 900 } }, answers: [whole(report), never] });
    call.clock.advance(900);
    await call.requested(2);
    expectTimeout(call, TOTAL_MS - 900, { ...TIMED_OUT, attempts: 2 });
  });

  it.each([
    ['the defaults', {}],
    ['any error', { when: () => true }],
  ])('is never retried, with retries for %s', async (_, own) => {
    const call = await started({ call: { retry: own } });
    expectTimeout(call, TOTAL_MS, TIMED_OUT);
    call.clock.advance(1_000_000);
    await turn();
    expect(call.requests()).toBe(1);
    expect(call.told).toHaveLength(1);
  });

  it('leaves in partial what is shown, while the attempt that would withdraw it has nothing yet', async () => {
    const call = await started({
      ask: (chat) => chat.events$(PROMPT, {}, { retry: { mode: 'restart' } }),
      answers: [whole(text('so far')), answering()],
    });
    call.clock.advance(100);
    await call.requested(2);
    await call.body(2).say(': keep-alive\n\n');
    expectTimeout(call, TOTAL_MS - 100, { ...TIMED_OUT, attempts: 2, partial: { text: 'so far' } });
    expect(call.told.slice(0, -1)).toMatchObject([{ type: 'start' }, { type: 'text-delta' }]);
  });

  it('has in partial what is shown after a restart', async () => {
    const call = await started({
      ask: (chat) => chat.events$(PROMPT, {}, { retry: { mode: 'restart' } }),
      answers: [whole(text('so far')), answering()],
    });
    call.clock.advance(100);
    await call.requested(2);
    await call.body(2).say(text('anew'));
    expectTimeout(call, TOTAL_MS - 100, { ...TIMED_OUT, attempts: 2, partial: { text: 'anew' } });
  });

  it.each([
    ['stream$', (chat) => chat.stream$(PROMPT), ['one', 'complete']],
    [
      'events$ without output',
      (chat) => chat.events$(PROMPT),
      [{ type: 'start' }, { type: 'finish', reason: 'stop' }, 'complete'],
    ],
  ] satisfies readonly (readonly [string, Setup['ask'], readonly unknown[]])[])(
    'completes an answer that is whole but for its end: %s',
    async (name, ask, told) => {
      const call = await started({ ask });
      await call.body().say((name === 'stream$' ? text('one') : '') + finish());
      call.clock.advance(TOTAL_MS);
      expect(call.told).toMatchObject(told);
      expect(call.told).toHaveLength(told.length);
      expect(call.signal()?.aborted).toBe(true);
      expect(call.clock.pending).toBe(0);
    },
  );

  it('completes no answer of an attempt before', async () => {
    const failing = finish() + event({ error: { message: 'busy', code: 503 } });
    const call = await started({ answers: [whole(failing), never] });
    call.clock.advance(100);
    await call.requested(2);
    expectTimeout(call, TOTAL_MS - 100, { ...TIMED_OUT, attempts: 2 });
  });

  it('ends what text cannot show with its error, even when it runs out', async () => {
    const call = await started();
    await call.body().say(text('one') + finish('content_filter'));
    call.clock.advance(TOTAL_MS);
    expect(call.told).toMatchObject(['one', { kind: 'content-filter', partial: { text: 'one' } }]);
  });

  it('stands still while a gate is closed, and goes on with what was left', async () => {
    const { gate, open } = handGate();
    const call = await started({ call: { gate } });
    call.clock.advance(100 * TOTAL_MS);
    await open();
    call.clock.advance(400);
    await call.body().say(text('one'));
    call.clock.advance(100 * TOTAL_MS);
    expect(call.told).toEqual(['one']);
    await open();
    expectTimeout(call, TOTAL_MS - 400, TIMED_OUT);
  });

  it('stands still inside next, and goes on with what was left', async () => {
    const call = await started({
      inNext: (clock) => {
        clock.advance(100 * TOTAL_MS);
      },
    });
    call.clock.advance(400);
    await call.body().say(text('one') + text('two'));
    expect(call.told).toEqual(['one', 'two']);
    expectTimeout(call, TOTAL_MS - 400, TIMED_OUT);
  });

  describe('and a pause', () => {
    const refused = (retryAfterMs: number) => (): Response =>
      new Response('{}', { status: 429, headers: { 'retry-after-ms': String(retryAfterMs) } });

    it('that would pass it is not begun: the error comes at once, with the time to wait', async () => {
      const call = await started({ answers: [refused(TOTAL_MS)] });
      expect(call.told).toMatchObject([
        { kind: 'rate-limit', status: 429, retryable: true, retryAfterMs: TOTAL_MS, attempts: 1 },
      ]);
      expect(call.clock.pending).toBe(0);
      call.clock.advance(1_000_000);
      expect(call.requests()).toBe(1);
    });

    it('that just fits is made in full', async () => {
      const call = await started({ answers: [refused(TOTAL_MS - 1), never] });
      call.clock.advance(TOTAL_MS - 2);
      expect(call.requests()).toBe(1);
      call.clock.advance(1);
      await call.requested(2);
      expectTimeout(call, 1, { ...TIMED_OUT, attempts: 2 });
    });

    it('is measured by the time that is left, not by all there was', async () => {
      const answer = { status: 429, headers: { 'retry-after-ms': '700' } };
      const call = await started({ answers: [answering(answer), never] });
      call.clock.advance(300);
      await call.body().end();
      expect(call.told).toMatchObject([{ kind: 'rate-limit', retryAfterMs: 700, attempts: 1 }]);
      expect(call.clock.pending).toBe(0);
    });

    it('of our own choice is no exception', async () => {
      const call = await started({ call: { retry: { baseDelayMs: TOTAL_MS } }, answers: [BUSY] });
      expect(call.told).toMatchObject([{ kind: 'server', status: 503, attempts: 1 }]);
      expect(call.clock.pending).toBe(0);
    });

    it('leaves no timer if the subscriber goes meanwhile', async () => {
      const call = await started({ answers: [BUSY] });
      expect(call.clock.pending).toBe(2);
      call.subscription.unsubscribe();
      expect(call.clock.pending).toBe(0);
    });
  });

  it.each([
    ['by default', { timeout: {} }],
    ['false', { timeout: { totalMs: false } }],
    ['Infinity', { timeout: { totalMs: Infinity } }],
  ] as const)('is not started when off: %s', async (_, off) => {
    const call = await started({ options: off });
    expect(call.clock.pending).toBe(2);
    for (let spent = 0; spent < 100; spent++) {
      call.clock.advance(100_000);
      await call.body().say(text('x'));
    }
    await call.body().say(finish() + DONE);
    expect(call.told.at(-1)).toBe('complete');
  });

  it('of the call wins over that of the client', async () => {
    expectTimeout(await started({ call: { timeout: { totalMs: 70 } } }), 70, TIMED_OUT);
    const call = await started({ call: { timeout: { totalMs: false } } });
    expect(call.clock.pending).toBe(2);
  });

  it('is not started for a call whose signal had aborted before', async () => {
    const { clock, told, requests } = await start(client, {
      options,
      call: { signal: AbortSignal.abort() },
      sends: false,
    });
    expect(told).toMatchObject([{ kind: 'aborted', attempts: 0 }]);
    expect(clock.pending).toBe(0);
    expect(requests()).toBe(0);
  });

  it('leaves no timer behind an answer', async () => {
    const call = await started();
    await call.body().say(text('one') + finish() + DONE);
    await call.body().end();
    expect(call.told).toEqual(['one', 'complete']);
    expect(call.clock.pending).toBe(0);
  });
});

import type { SchedulerAction, Subscription } from 'rxjs';
import { CLIENTS, fetchClient, HandClock, outcomeOf, recordedFetch, turn } from '../support/client.ts';
import { DONE, finish, text } from '../support/faults-steps.ts';
import { utf8 } from '../support/sse.ts';
import { answering, expectTimeout, handGate, never, PROMPT, start, type Setup } from './clocked-call.ts';

const [CONNECT_MS, IDLE_MS] = [240_000, 120_000];

describe.each(CLIENTS)('the clocks over the $name transport', (client) => {
  const started = (setup?: Setup) => start(client, setup);

  it('connectMs: no headers', async () => {
    const call = await started({ answers: [never] });
    const { message, status } = expectTimeout(call, CONNECT_MS, { clock: 'connect', retryable: true });
    expect(message).toBe('The server sent no response headers for 240000 ms (timeout.connectMs)');
    expect(status).toBeUndefined();
  });

  it('idleMs: headers and no body', async () => {
    const error = expectTimeout(await started(), IDLE_MS, { clock: 'idle', retryable: true });
    expect(error.message).toBe('The server sent no byte of the body for 120000 ms (timeout.idleMs)');
  });

  it('idleMs: silence after some text, which is in partial', async () => {
    const call = await started();
    await call.body().say(text('one'));
    expectTimeout(call, IDLE_MS, { clock: 'idle', retryable: true, partial: { text: 'one' } });
    expect(call.told[0]).toBe('one');
  });

  it('idleMs: a JSON body that stops', async () => {
    const call = await started({ ask: (chat) => chat.generate$(PROMPT) });
    await call.body().say('{"choices":');
    expectTimeout(call, IDLE_MS, { clock: 'idle', retryable: true });
  });

  it.each([
    ['a byte', 'd'],
    ['a keep-alive comment', ': keep-alive\n\n'],
  ])('every read starts idleMs anew: %s', async (_, piece) => {
    const call = await started({ options: { timeout: { outputMs: false } } });
    for (let read = 0; read < 5; read++) {
      call.clock.advance(IDLE_MS - 1);
      await call.body().say(piece);
    }
    expect(call.told).toEqual([]);
    expectTimeout(call, IDLE_MS, { clock: 'idle' });
  });

  it('the headers end connectMs', async () => {
    const timeout = { connectMs: 10, idleMs: false, outputMs: false } as const;
    const { clock, body, told } = await started({ options: { timeout } });
    clock.advance(1_000_000);
    await body().say(text('one') + finish());
    await body().end();
    expect(told).toEqual(['one', 'complete']);
  });

  it('silence after every finish reason is an end', async () => {
    const { clock, body, told, signal } = await started();
    await body().say(text('one') + finish());
    clock.advance(IDLE_MS - 1);
    expect(told).toEqual(['one']);
    clock.advance(1);
    expect(told).toEqual(['one', 'complete']);
    expect(signal()?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('silence after what text cannot show is its error', async () => {
    const { clock, body, told } = await started();
    await body().say(text('one') + finish('content_filter'));
    clock.advance(IDLE_MS);
    expect(told).toMatchObject(['one', { kind: 'content-filter', partial: { text: 'one' } }]);
  });

  it('time that a gate is closed does not count', async () => {
    const { gate, open } = handGate();
    const call = await started({ call: { gate } });
    await call.body().say(text('one'));
    call.clock.advance(10 * IDLE_MS);
    expect(call.told).toEqual([]);
    await open();
    expect(call.told).toEqual(['one']);
    call.clock.advance(10 * IDLE_MS);
    expect(call.told).toEqual(['one']);
    await open();
    expectTimeout(call, IDLE_MS, { clock: 'idle' });
  });

  it('time inside the subscriber does not count', async () => {
    const call = await started({
      inNext: (clock) => {
        clock.advance(10 * IDLE_MS);
      },
    });
    await call.body().say(text('one') + text('two'));
    expect(call.told).toEqual(['one', 'two']);
    expectTimeout(call, IDLE_MS, { clock: 'idle' });
  });

  it.each([
    ['timeout: false', { timeout: false }, {}],
    ['each clock false', { timeout: { connectMs: false, idleMs: false, outputMs: false, totalMs: false } }, {}],
    ['each clock Infinity', { timeout: { connectMs: Infinity, idleMs: Infinity, outputMs: Infinity } }, {}],
    ['timeout: false of the call', { timeout: { totalMs: 1000 } }, { timeout: false }],
    ['each clock of the call false', {}, { timeout: { connectMs: false, idleMs: false, outputMs: false } }],
  ] as const)('no clock runs with %s', async (_, options, call) => {
    const { clock, body, told } = await started({ options, call });
    expect(clock.pending).toBe(0);
    await body().say(text('one'));
    expect(clock.pending).toBe(0);
    clock.advance(1e12);
    await body().say(finish());
    await body().end();
    expect(told).toEqual(['one', 'complete']);
  });

  it.each([
    ['stream$, which waits for output too', { call: {} }, 2],
    ['generate$, which does not', { ask: (chat) => chat.generate$(PROMPT) }, 1],
    ['completion$, which does not', { ask: (chat) => chat.completion$(PROMPT) }, 1],
    ['stream$ under totalMs', { call: { timeout: { totalMs: 1000 } } }, 3],
    ['generate$ under totalMs', { ask: (chat) => chat.generate$(PROMPT, {}, { timeout: { totalMs: 1000 } }) }, 2],
  ] satisfies readonly (readonly [string, Setup, number])[])(
    'each clock has one timer: %s',
    async (_, setup, count) => {
      const connecting = await started({ ...setup, answers: [never] });
      expect(connecting.clock.pending).toBe(count);
      const silent = await started(setup);
      expect(silent.clock.pending).toBe(count);
      for (const { subscription, clock } of [connecting, silent]) {
        subscription.unsubscribe();
        expect(clock.pending).toBe(0);
      }
    },
  );

  it("the call's own times win, the client's stay for what it leaves out", async () => {
    const options = { timeout: { connectMs: 1000, idleMs: 2000 } };
    const idle = { timeout: { idleMs: 50 } };
    const connect = { timeout: { connectMs: 70 } };
    const answers = [never];
    expectTimeout(await started({ options, call: idle }), 50, { clock: 'idle' });
    expectTimeout(await started({ options, call: idle, answers }), 1000, { clock: 'connect' });
    expectTimeout(await started({ options, call: connect, answers }), 70, { clock: 'connect' });
    expectTimeout(await started({ options, call: connect }), 2000, { clock: 'idle' });
    expectTimeout(await started({ options }), 2000, { clock: 'idle' });
  });

  it('a clock that the client turned off can be turned on for a call', async () => {
    const options = { timeout: false } as const;
    expectTimeout(await started({ options, call: { timeout: { idleMs: 50 } } }), 50, { clock: 'idle' });
    expectTimeout(await started({ options, call: { timeout: { outputMs: 60 } } }), 60, { clock: 'output' });
    expectTimeout(await started({ options, call: { timeout: { totalMs: 70 } } }), 70, { clock: 'total' });
  });

  it('each attempt has its own', async () => {
    const options = { retry: { baseDelayMs: 100, jitter: 0, maxRetries: 1 }, timeout: { connectMs: 1000 } };
    const call = await started({ options, answers: [never, answering()] });
    call.clock.advance(1000);
    expect(call.signal(1)?.aborted).toBe(true);
    call.clock.advance(100);
    await call.requested(2);
    expectTimeout(call, IDLE_MS, { clock: 'idle' });
  });
});

it('costs a timer for each clock, not for each of 50,000 chunks', async () => {
  class CountingClock extends HandClock {
    scheduled = 0;

    override schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay?: number, state?: T): Subscription {
      this.scheduled += 1;
      return super.schedule(work, delay, state);
    }
  }
  const scheduler = new CountingClock();
  const [piece, end] = [utf8(text('x')), utf8(finish() + DONE)];
  let said = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        scheduler.frame += 1;
        controller.enqueue(said < 50_000 ? piece : end);
        if (said++ === 50_000) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const fetch = recordedFetch(() => new Response(body));
  const chat = fetchClient.client('http://127.0.0.1:9/v1', { fetch, scheduler, timeout: { totalMs: 1_000_000 } });
  const { values, completed } = await outcomeOf(chat.stream$(PROMPT));
  expect(completed).toBe(true);
  expect(values).toHaveLength(50_000);
  // connectMs, and idleMs, which ends sooner than connectMs would; outputMs; totalMs; the wait for the end behind [DONE].
  expect(scheduler.scheduled).toBe(5);
  await turn();
  expect(scheduler.pending).toBe(0);
});

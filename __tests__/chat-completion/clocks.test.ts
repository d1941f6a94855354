import type { ChatCompletionOptions, CompletionError, StreamTextOptions } from '../../src/index.ts';
import { CLIENTS, HandClock, handBody, recordedFetch, turn, type HandBody } from '../support/client.ts';
import { finish, text } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';
const URL = 'http://127.0.0.1:9/v1';
const [CONNECT_MS, IDLE_MS] = [240_000, 120_000];

interface Started {
  readonly clock: HandClock;
  readonly body: HandBody;
  readonly told: unknown[];
  readonly signal: () => AbortSignal | undefined;
}

interface Setup {
  readonly options?: ChatCompletionOptions;
  readonly call?: StreamTextOptions;
  readonly init?: ResponseInit;
  readonly generate?: boolean;
  /** Called inside next. */
  readonly inNext?: (clock: HandClock) => void;
  readonly never?: boolean;
}

describe.each(CLIENTS)('the clocks over the $name transport', ({ client }) => {
  /** A call that rests after the headers, or, with `never`, before them. */
  async function start({ options, call, init, generate, inNext, never }: Setup = {}): Promise<Started> {
    const clock = new HandClock();
    const body = handBody();
    const told: unknown[] = [];
    const fetch = recordedFetch(() =>
      never === true ? new Promise<never>(() => undefined) : new Response(body.stream, init),
    );
    const chat = client(URL, { fetch, scheduler: clock, ...options });
    const call$ = generate === true ? chat.generate$(PROMPT, {}, call) : chat.stream$(PROMPT, {}, call);
    call$.subscribe({
      next: (value) => {
        told.push(value);
        inNext?.(clock);
      },
      error: (error: unknown) => told.push(error),
      complete: () => told.push('complete'),
    });
    while (fetch.calls.length === 0) await turn();
    await turn();
    return { clock, body, told, signal: () => fetch.calls[0]?.signal };
  }

  /** Nothing happens until one millisecond before; then the call fails, is aborted, and no timer is left. */
  function expectTimeout({ clock, told, signal }: Started, afterMs: number, expected: Partial<CompletionError>): void {
    const before = told.length;
    clock.advance(afterMs - 1);
    expect(told).toHaveLength(before);
    expect(signal()?.aborted).toBe(false);
    clock.advance(1);
    expect(told).toHaveLength(before + 1);
    expect(told.at(-1)).toMatchObject({ kind: 'timeout', attempts: 1, ...expected });
    expect(signal()?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  }

  it('connectMs: no headers', async () => {
    const started = await start({ never: true });
    expectTimeout(started, CONNECT_MS, { clock: 'connect', retryable: true });
    const { message, status } = started.told[0] as CompletionError;
    expect(message).toBe('The server sent no response headers for 240000 ms (timeout.connectMs)');
    expect(status).toBeUndefined();
  });

  it('idleMs: headers and no body', async () => {
    const started = await start();
    expectTimeout(started, IDLE_MS, { clock: 'idle', retryable: true });
    expect((started.told[0] as CompletionError).message).toContain('timeout.idleMs');
  });

  it('idleMs: silence after some text, which is in partial', async () => {
    const started = await start();
    await started.body.say(text('one'));
    expectTimeout(started, IDLE_MS, { clock: 'idle', retryable: true });
    expect(started.told[0]).toBe('one');
    expect((started.told[1] as CompletionError).partial.text).toBe('one');
  });

  it('idleMs: a JSON body that stops', async () => {
    const started = await start({ generate: true });
    await started.body.say('{"choices":');
    expectTimeout(started, IDLE_MS, { clock: 'idle', retryable: true });
  });

  it.each([
    [400, false],
    [429, true],
    [503, true],
  ])('idleMs: the body of a %i that never ends keeps the status', async (status, retryable) => {
    const started = await start({ init: { status, headers: { 'x-request-id': 'req_1', 'retry-after': '7' } } });
    await started.body.say('{"error":');
    expectTimeout(started, IDLE_MS, { clock: 'idle', status, retryable, requestId: 'req_1', retryAfterMs: 7000 });
  });

  it('idleMs bounds the whole of an error body: a report does not trickle', async () => {
    const started = await start({ init: { status: 400 } });
    for (let spent = 0; spent < IDLE_MS; spent += IDLE_MS / 4) {
      await started.body.say(' ');
      expect(started.told).toEqual([]);
      started.clock.advance(IDLE_MS / 4);
    }
    expect(started.told).toMatchObject([{ kind: 'timeout', clock: 'idle', status: 400 }]);
  });

  it.each([
    ['a byte', 'd'],
    ['a keep-alive comment', ': keep-alive\n\n'],
  ])('every read starts idleMs anew: %s', async (_, piece) => {
    const started = await start();
    for (let read = 0; read < 5; read++) {
      started.clock.advance(IDLE_MS - 1);
      await started.body.say(piece);
    }
    expect(started.told).toEqual([]);
    expectTimeout(started, IDLE_MS, { clock: 'idle' });
  });

  it('the headers end connectMs', async () => {
    const { clock, body, told } = await start({ options: { timeout: { connectMs: 10, idleMs: false } } });
    clock.advance(1_000_000);
    await body.say(text('one') + finish());
    await body.end();
    expect(told).toEqual(['one', 'complete']);
  });

  it('silence after every finish reason is an end', async () => {
    const { clock, body, told, signal } = await start();
    await body.say(text('one') + finish());
    clock.advance(IDLE_MS - 1);
    expect(told).toEqual(['one']);
    clock.advance(1);
    expect(told).toEqual(['one', 'complete']);
    expect(signal()?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('silence after what text cannot show is its error', async () => {
    const { clock, body, told } = await start();
    await body.say(text('one') + finish('content_filter'));
    clock.advance(IDLE_MS);
    expect(told).toMatchObject(['one', { kind: 'content-filter', partial: { text: 'one' } }]);
  });

  it('time that a gate is closed does not count', async () => {
    let open: () => void = () => undefined;
    const gate = (): Promise<void> =>
      new Promise((resolve) => {
        open = resolve;
      });
    const started = await start({ call: { gate } });
    await started.body.say(text('one'));
    started.clock.advance(10 * IDLE_MS);
    expect(started.told).toEqual([]);
    open();
    await turn();
    expect(started.told).toEqual(['one']);
    started.clock.advance(10 * IDLE_MS);
    expect(started.told).toEqual(['one']);
    open();
    await turn();
    expectTimeout(started, IDLE_MS, { clock: 'idle' });
  });

  it('time inside the subscriber does not count', async () => {
    const started = await start({
      inNext: (clock) => {
        clock.advance(10 * IDLE_MS);
      },
    });
    await started.body.say(text('one') + text('two'));
    expect(started.told).toEqual(['one', 'two']);
    expectTimeout(started, IDLE_MS, { clock: 'idle' });
  });

  it.each([
    ['timeout: false', { timeout: false }, {}],
    ['each clock false', { timeout: { connectMs: false, idleMs: false } }, {}],
    ['each clock Infinity', { timeout: { connectMs: Infinity, idleMs: Infinity } }, {}],
    ['timeout: false of the call', {}, { timeout: false }],
    ['each clock of the call false', {}, { timeout: { connectMs: false, idleMs: false } }],
  ] as const)('no clock runs with %s', async (_, options, call) => {
    const { clock, body, told } = await start({ options, call });
    expect(clock.pending).toBe(0);
    await body.say(text('one'));
    expect(clock.pending).toBe(0);
    clock.advance(1e12);
    await body.say(finish());
    await body.end();
    expect(told).toEqual(['one', 'complete']);
  });

  it("the call's own times win, the client's stay for what it leaves out", async () => {
    const options = { timeout: { connectMs: 1000, idleMs: 2000 } };
    expectTimeout(await start({ options, call: { timeout: { idleMs: 50 } } }), 50, { clock: 'idle' });
    expectTimeout(await start({ options, call: { timeout: { idleMs: 50 } }, never: true }), 1000, { clock: 'connect' });
    expectTimeout(await start({ options, call: { timeout: { connectMs: 70 } }, never: true }), 70, {
      clock: 'connect',
    });
    expectTimeout(await start({ options, call: { timeout: { connectMs: 70 } } }), 2000, { clock: 'idle' });
    expectTimeout(await start({ options }), 2000, { clock: 'idle' });
  });

  it('a clock that the client turned off can be turned on for a call', async () => {
    expectTimeout(await start({ options: { timeout: false }, call: { timeout: { idleMs: 50 } } }), 50, {
      clock: 'idle',
    });
  });
});

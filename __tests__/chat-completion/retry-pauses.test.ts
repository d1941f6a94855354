import type { Subscription } from 'rxjs';
import type { ChatCompletionOptions, RetryInfo, StreamTextOptions } from '../../src/index.ts';
import { PromiseChatCompletion } from '../../src/promises.ts';
import { CLIENTS, errorOf, outcomeOf, recordingLogger, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import { event, hang, head, inTurn, json, say, script, sentence, stream, whole } from '../support/faults-steps.ts';
import { PROMPT } from '../support/faults-ways.ts';
import { patient, retrying, type Retrying } from './patient.ts';

const BUSY = json(503, { error: { message: 'overloaded' } });
const TOO_MANY = json(429, {}, { 'retry-after': '7' });
/** Says that it is busy, but why only for a while: never. */
const HANGING = script(head({ 'content-type': 'application/json' }, 503), say('{"error":'), hang);

let server: FaultServer;
beforeEach(async () => {
  server = await startFaultServer();
});
afterEach(() => server.close());

describe.each(CLIENTS)('the pause before a retry over the $name transport', ({ client }) => {
  interface Asked extends Retrying {
    /** What the subscriber was told. */
    readonly seen: readonly unknown[];
    readonly ended: Promise<void>;
    readonly subscription: Subscription;
  }

  function ask(answers: readonly Handler[], options?: ChatCompletionOptions, call?: StreamTextOptions): Asked {
    const retries = retrying(options);
    const url = server.route('failing', inTurn(...answers));
    const seen: unknown[] = [];
    const end = new EventTarget();
    const ended = new Promise<void>((resolve) => {
      end.addEventListener('end', () => {
        resolve();
      });
    });
    const subscription = client(url, retries.options)
      .stream$(PROMPT, {}, call)
      .subscribe({
        next: (value) => seen.push(value),
        error: (error: unknown) => seen.push(error),
        complete: () => seen.push('|'),
      });
    subscription.add(() => end.dispatchEvent(new Event('end')));
    return { ...retries, seen, ended, subscription };
  }

  it.each([
    ['of our own', BUSY, 500],
    ['that the server asks for', TOO_MANY, 7000],
    ['that the server asks for, if it is no shorter', json(503, {}, { 'retry-after': '0' }), 500],
  ])('lasts as long as the one %s', async (_name, failure, delayMs) => {
    const { clock, told, paused, seen, ended } = ask([failure, whole('Hello')]);
    await paused;
    expect(told).toMatchObject([{ attempt: 2, delayMs }]);
    clock.advance(delayMs - 1);
    expect([clock.pending, seen, server.requests.length]).toEqual([1, [], 1]);
    clock.advance(1);
    await ended;
    expect(seen).toEqual(['Hello', '|']);
    expect(server.requests).toHaveLength(2);
    await clock.untilPending(0);
  });

  it('ends with its subscriber: nothing more is sent, no timer is left', async () => {
    const { clock, paused, seen, subscription } = ask([BUSY, whole('Hello')]);
    await paused;
    subscription.unsubscribe();
    expect(clock.pending).toBe(0);
    await expectNothingMoreSent();
    expect(seen).toEqual([]);
  });

  it('ends with the signal, in its error', async () => {
    const controller = new AbortController();
    const { clock, paused, seen } = ask([BUSY, whole('Hello')], undefined, { signal: controller.signal });
    await paused;
    controller.abort();
    expect(seen).toMatchObject([{ kind: 'aborted', attempts: 1 }]);
    expect(clock.pending).toBe(0);
    await expectNothingMoreSent();
  });

  it('ends with the iterator', async () => {
    const { clock, paused, options } = retrying();
    const chat = new PromiseChatCompletion(client(server.route('failing', BUSY), options));
    const texts = chat.streamCompletion(PROMPT)[Symbol.asyncIterator]();
    const first = texts.next();
    await paused;
    await texts.return();
    expect(await first).toEqual({ done: true, value: undefined });
    expect(clock.pending).toBe(0);
    await expectNothingMoreSent();
  });

  it('is not begun by a subscriber who leaves in the hook', async () => {
    const { clock, options } = retrying();
    const left = new Promise<void>((resolve) => {
      const onRetry = (): void => {
        subscription.unsubscribe();
        resolve();
      };
      const url = server.route('failing', BUSY);
      const subscription = client(url, { ...options, hooks: { onRetry } })
        .stream$(PROMPT)
        .subscribe();
    });
    await left;
    expect(clock.pending).toBe(0);
    await expectNothingMoreSent();
  });

  it('is not begun if a hook throws, which is the error then', async () => {
    const { clock, options } = retrying();
    const thrown = new Error('the hook failed');
    const onRetry = (): void => {
      throw thrown;
    };
    const chat = client(server.route('failing', BUSY), { ...options, hooks: { onRetry } });
    expect(await outcomeOf(chat.stream$(PROMPT))).toEqual({ values: [], completed: false, error: thrown });
    expect(clock.pending).toBe(0);
    expect(server.requests).toHaveLength(1);
  });

  it('is not begun if the call has less time: its error comes at once', async () => {
    const { clock, options, told } = retrying({
      timeout: { connectMs: false, idleMs: false, outputMs: false, totalMs: 7000 },
    });
    const chat = client(server.route('failing', TOO_MANY), options);
    expect(await errorOf(chat.stream$(PROMPT))).toMatchObject({ kind: 'rate-limit', retryAfterMs: 7000, attempts: 1 });
    expect(told).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('counts for the time of the whole call, as every attempt does', async () => {
    const { clock, paused, seen, ended } = ask([BUSY, hang], { timeout: { connectMs: false, totalMs: 600 } });
    await paused;
    clock.advance(500);
    await server.request(1);
    clock.advance(99);
    expect(seen).toEqual([]);
    clock.advance(1);
    await ended;
    expect(seen).toMatchObject([{ kind: 'timeout', clock: 'total', retryable: false, attempts: 2 }]);
    expect(await server.closed(1)).toBe('aborted');
    expect(clock.pending).toBe(0);
  });

  it('follows a clock that has run out; each attempt has clocks of its own', async () => {
    const { clock, paused, seen, ended, told } = ask([hang, hang, whole('Hello')], { timeout: { connectMs: 1000 } });
    await server.request(0);
    clock.advance(1000);
    await paused;
    expect(await server.closed(0)).toBe('aborted');
    clock.advance(500);
    await server.request(1);
    clock.advance(999);
    expect(told).toHaveLength(1);
    clock.advance(1);
    expect(told).toMatchObject([{ error: { clock: 'connect' } }, { error: { clock: 'connect' }, delayMs: 1000 }]);
    clock.advance(1000);
    await ended;
    expect(seen).toEqual(['Hello', '|']);
  });

  it('is told in the log', async () => {
    const logger = recordingLogger();
    const { paused, subscription } = ask([TOO_MANY], { logger, logLevel: 'info' });
    await paused;
    subscription.unsubscribe();
    expect(logger.lines.at(-1)).toBe('info rxjs-openai: attempt=2 follows in 7000 ms, after rate-limit');
  });
});

describe.each(CLIENTS)('a rejected attempt over the $name transport', ({ client }) => {
  it('whose body has ended leaves its socket to the next', async () => {
    const { clock, options, paused } = retrying();
    const url = server.route('failing', inTurn(BUSY, whole('Hello')));
    const outcome = outcomeOf(client(url, options).stream$(PROMPT));
    await paused;
    expect(await server.closed(0)).toBe('finished');
    await turn();
    clock.advance(500);
    expect(await outcome).toEqual({ values: ['Hello'], completed: true });
    expect(server.requests.map(({ connection }) => connection)).toEqual([1, 1]);
  });

  it('that reports its error in the stream, and stays open, is closed by us', async () => {
    const { options } = patient();
    const failure = script(head(), say(event({ error: { message: 'busy', code: 503 } })), hang);
    const url = server.route('failing', inTurn(failure, whole('Hello')));
    const outcome = await outcomeOf(client(url, options).stream$(PROMPT));
    expect(outcome).toEqual({ values: ['Hello'], completed: true });
    expect(await server.closed(0)).toBe('aborted');
  });

  it('that never explains itself is asked again about after a second', async () => {
    const { clock, told, options, paused } = retrying({ timeout: { connectMs: false, outputMs: false } });
    const outcome = outcomeOf(
      client(server.route('failing', inTurn(HANGING, whole('Hello'))), options).stream$(PROMPT),
    );
    await server.request(0);
    await clock.untilPending(1);
    clock.advance(999);
    expect(told).toEqual([]);
    clock.advance(1);
    await paused;
    expect(told).toMatchObject([{ attempt: 2, delayMs: 500, error: { kind: 'timeout', status: 503 } }]);
    expect(await server.closed(0)).toBe('aborted');
    clock.advance(500);
    expect(await outcome).toEqual({ values: ['Hello'], completed: true });
  });

  it('is listened to with the patience for an answer, if it is the last', async () => {
    const timeout = { connectMs: false, outputMs: false, idleMs: 5000 } as const;
    const { clock, options, paused } = retrying({ retry: { maxRetries: 1, jitter: 0 }, timeout });
    const error = errorOf(client(server.route('failing', inTurn(BUSY, HANGING)), options).stream$(PROMPT));
    await paused;
    clock.advance(500);
    await server.request(1);
    await clock.untilPending(1);
    clock.advance(4999);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(await error).toMatchObject({ kind: 'timeout', clock: 'idle', status: 503, attempts: 2 });
  });

  it('with a default of ours is asked again without it: that is no retry', async () => {
    const { told, options } = patient();
    const refused = json(400, { error: { message: 'Unsupported value', param: 'temperature' } });
    const url = server.route('failing', inTurn(BUSY, refused, BUSY, stream(sentence('Hello'))));
    expect(await outcomeOf(client(url, options).stream$(PROMPT))).toEqual({ values: ['Hello'], completed: true });
    expect(server.requests.map(({ json: sent }) => 'temperature' in sent)).toEqual([true, true, false, false]);
    expect(told.map(({ attempt, delayMs }: RetryInfo) => [attempt, delayMs])).toEqual([
      [2, 500],
      [3, 0],
      [4, 1000],
    ]);
  });
});

/** By the time another call has been answered, the one before would have been sent. */
async function expectNothingMoreSent(): Promise<void> {
  const { options } = patient();
  const url = server.route('other', whole('other'));
  await Promise.all(CLIENTS.map(({ client }) => outcomeOf(client(url, options).stream$(PROMPT))));
  expect(server.requests.map(({ route }) => route)).toEqual(['failing', 'other', 'other']);
}

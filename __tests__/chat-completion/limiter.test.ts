import { getEventListeners } from 'node:events';
import { NEVER, take, type Observable, type Subscription } from 'rxjs';
import type { ChatCompletionOptions } from '../../src/index.ts';
import { createLimiter, type Limiter } from '../../src/operators/limiter.ts';
import { IDLE, stateOf } from '../operators/limiting.ts';
import { CLIENTS, errorOf, HandClock, outcomeOf, recordedFetch, thrownBy, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import {
  completion,
  cut,
  DONE,
  event,
  finish,
  hang,
  head,
  say,
  script,
  sentence,
  text,
  until,
  whole,
} from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({
    whole: whole('one', 'two'),
    connecting: hang,
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

/** Everything a subscriber was told. */
function recorded<T>(source$: Observable<T>): { readonly told: unknown[]; readonly subscription: Subscription } {
  const told: unknown[] = [];
  const subscription = source$.subscribe({
    next: (value) => told.push(value),
    error: (error: unknown) => told.push(error),
    complete: () => told.push('complete'),
  });
  return { told, subscription };
}

/** Takes a place of the limiter until it is unsubscribed. */
function occupied(limiter: Limiter): Subscription {
  return NEVER.pipe(limiter.limit()).subscribe();
}

describe.each(CLIENTS)('the option limiter over the $name transport', ({ client }) => {
  /** Another call to the server and back: what was to be sent before it has arrived. */
  async function probe(): Promise<void> {
    await outcomeOf(client(server.baseURL('whole')).generate$('probe'));
  }

  const asked = (): readonly string[] =>
    server.requests
      .map(({ json }) => (json['messages'] as { content: string }[])[0]?.content ?? '')
      .filter((prompt) => prompt !== 'probe');

  it.each([1, 2, 5])('lets %i requests be open at once, in the order of their subscriptions', async (concurrency) => {
    const limiter = createLimiter({ concurrency });
    let [open, most] = [0, 0];
    const url = server.route('counting', async (exchange) => {
      open += 1;
      most = Math.max(most, open);
      for (let turns = 0; turns < 5; turns++) await turn();
      open -= 1;
      await whole('one')(exchange);
    });
    const chat = client(url, { limiter });
    const prompts = Array.from({ length: 12 }, (_, index) => `prompt ${String(index)}`);
    const calls = prompts.map((prompt, index) =>
      outcomeOf(index % 2 === 0 ? chat.stream$(prompt) : chat.generate$(prompt)),
    );
    expect(stateOf(limiter)).toMatchObject({ active: concurrency, queued: 12 - concurrency });
    for (const outcome of await Promise.all(calls)) expect(outcome).toEqual({ values: ['one'], completed: true });
    expect(most).toBe(concurrency);
    if (concurrency === 1) expect(asked()).toEqual(prompts);
    expect(asked().toSorted()).toEqual(prompts.toSorted());
    expect(stateOf(limiter)).toEqual(IDLE);
  });

  it.each([
    ['is unsubscribed', 'leave', [hang], ['one']],
    ['is done, although its body goes on', 'go', [say(finish() + DONE), hang], ['one', 'complete']],
    ['is cut off', 'go', [cut], ['one', expect.objectContaining({ kind: 'interrupted' })]],
    ['turns into an error', 'go', [say(event({ error: { message: 'no' } })), hang], ['one', expect.any(Error)]],
    ['is aborted', 'abort', [hang], ['one', expect.objectContaining({ kind: 'aborted' })]],
  ] as const)('holds its place, not just until it opens, until a stream %s', async (_name, way, rest, seen) => {
    const limiter = createLimiter({ concurrency: 1 });
    const controller = new AbortController();
    let go: () => void = () => undefined;
    const going = new Promise<void>((resolve) => {
      go = resolve;
    });
    const url = server.route('first', script(head(), say(text('one')), until(going), ...rest));
    const { told, subscription } = recorded(
      client(url, { limiter }).stream$('first', {}, { signal: controller.signal }),
    );
    const next = outcomeOf(client(server.baseURL('whole'), { limiter }).generate$('next'));
    await server.request(0);
    for (let turns = 0; turns < 1000 && told.length === 0; turns++) await turn();
    await probe();
    expect([told, asked(), stateOf(limiter)]).toEqual([['one'], ['first'], { ...IDLE, active: 1, queued: 1 }]);
    if (way === 'leave') subscription.unsubscribe();
    else if (way === 'abort') controller.abort();
    else go();
    expect(await next).toMatchObject({ completed: true });
    expect(told).toEqual(seen);
    expect(asked()).toEqual(['first', 'next']);
    expect(stateOf(limiter)).toEqual(IDLE);
  });

  it('is given back by a call that is left while it connects', async () => {
    const limiter = createLimiter({ concurrency: 1 });
    const { subscription } = recorded(client(server.baseURL('connecting'), { limiter }).stream$(PROMPT));
    await server.request(0);
    expect(stateOf(limiter)).toEqual({ ...IDLE, active: 1 });
    subscription.unsubscribe();
    expect(stateOf(limiter)).toEqual(IDLE);
    expect(await server.closed(0)).toBe('aborted');
  });

  it('lets a queued call be unsubscribed, which sends nothing', async () => {
    const limiter = createLimiter({ concurrency: 1 });
    const running = occupied(limiter);
    const chat = client(server.baseURL('whole'), { limiter });
    const { told, subscription } = recorded(chat.stream$('left'));
    expect(stateOf(limiter)).toEqual({ ...IDLE, active: 1, queued: 1 });
    subscription.unsubscribe();
    expect(stateOf(limiter)).toEqual({ ...IDLE, active: 1 });
    running.unsubscribe();
    await probe();
    expect([told, asked()]).toEqual([[], []]);
  });

  it('lets a queued call be aborted by its signal, which is an error of no attempt', async () => {
    const limiter = createLimiter({ concurrency: 1 });
    const running = occupied(limiter);
    const controller = new AbortController();
    const { signal } = controller;
    const { told } = recorded(client(server.baseURL('whole'), { limiter }).stream$('aborted', {}, { signal }));
    controller.abort();
    expect(told).toMatchObject([{ kind: 'aborted', attempts: 0 }]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(stateOf(limiter)).toEqual({ ...IDLE, active: 1 });
    running.unsubscribe();
    await probe();
    expect(asked()).toEqual([]);
  });

  it('asks no signal that has aborted before to wait', async () => {
    const limiter = createLimiter({ concurrency: 1, maxQueued: 0 });
    occupied(limiter);
    const chat = client(server.baseURL('whole'), { limiter });
    expect(await errorOf(chat.stream$(PROMPT, {}, { signal: AbortSignal.abort() }))).toMatchObject({ kind: 'aborted' });
  });

  it('takes no place for a call that is wrong', async () => {
    const limiter = createLimiter({ concurrency: 1, maxQueued: 0 });
    occupied(limiter);
    expect(await errorOf(client(server.baseURL('whole'), { limiter }).stream$([]))).toMatchObject({
      kind: 'configuration',
    });
  });

  it('lets totalMs run in the queue', async () => {
    const clock = new HandClock();
    const limiter = createLimiter({ concurrency: 1, scheduler: clock });
    const running = occupied(limiter);
    const options: ChatCompletionOptions = { limiter, scheduler: clock, retry: {}, timeout: { totalMs: 1000 } };
    const { told } = recorded(client(server.baseURL('whole'), options).stream$(PROMPT));
    clock.advance(999);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toMatchObject([{ kind: 'timeout', clock: 'total', attempts: 0 }]);
    expect([stateOf(limiter), clock.pending]).toEqual([{ ...IDLE, active: 1 }, 0]);
    running.unsubscribe();
    await probe();
    expect(asked()).toEqual([]);
  });

  it('lets no other clock run in the queue', async () => {
    const clock = new HandClock();
    const limiter = createLimiter({ concurrency: 1, scheduler: clock });
    const running = occupied(limiter);
    const call = outcomeOf(client(server.baseURL('whole'), { limiter, scheduler: clock }).stream$(PROMPT));
    expect(clock.pending).toBe(0);
    clock.advance(10_000_000);
    running.unsubscribe();
    expect(await call).toEqual({ values: ['one', 'two'], completed: true });
  });

  it('refuses a call where the queue is full, with an error of no attempt that is not retried', async () => {
    const clock = new HandClock();
    const retries: unknown[] = [];
    const limiter = createLimiter({ concurrency: 1, maxQueued: 0 });
    const hooks = { onRetry: (retry: unknown) => void retries.push(retry) };
    const running = occupied(limiter);
    const chat = client(server.baseURL('whole'), { limiter, scheduler: clock, retry: {}, hooks });
    for (const call$ of [chat.stream$(PROMPT), chat.events$(PROMPT), chat.generate$(PROMPT)]) {
      expect(await errorOf(call$)).toMatchObject({ kind: 'limit', retryable: false, attempts: 0 });
    }
    expect([retries, clock.pending]).toEqual([[], 0]);
    running.unsubscribe();
    await probe();
    expect(asked()).toEqual([]);
  });

  it('leaves no listener, no timer and no place taken, whatever calls come to', async () => {
    const { signal } = new AbortController();
    const scheduler = new HandClock();
    const limiter = createLimiter({ concurrency: 3, scheduler });
    const answers = [
      () => new Response(sentence('one', 'two')),
      () => new Response(text('cut')),
      () => Response.json({ error: 'no' }, { status: 500 }),
      () => Response.json(completion('yes')),
    ];
    const fetch = recordedFetch((_, call) => answers[call % answers.length]?.() ?? Response.error());
    const chat = client('http://127.0.0.1:9', { fetch, scheduler, limiter, timeout: { totalMs: 1_000_000 } });
    const ways = [
      () => chat.stream$(PROMPT, {}, { signal }),
      () => chat.events$(PROMPT, {}, { signal }).pipe(take(1)),
      () => chat.generate$(PROMPT, {}, { signal }),
      () => chat.chunks$(PROMPT, {}, { signal }).pipe(take(2)),
    ];
    const calls = Array.from({ length: 200 }, (_, index) => outcomeOf<unknown>(ways[index % 4]?.() ?? NEVER));
    recorded(chat.stream$(PROMPT, {}, { signal })).subscription.unsubscribe();
    await Promise.all(calls);
    expect(fetch.calls).toHaveLength(200);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect([scheduler.pending, stateOf(limiter)]).toEqual([0, IDLE]);
  });

  it.each([null, 5, {}, 'limiter', createLimiter])('must be a limiter, which %p is not', (limiter) => {
    const error = thrownBy(() => client(server.origin, { limiter: limiter as unknown as Limiter }));
    expect(error).toMatchObject({ kind: 'configuration', param: 'limiter' });
  });
});

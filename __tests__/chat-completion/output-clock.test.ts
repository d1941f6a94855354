import type { OpenAIChatCompletion } from '../../src/index.ts';
import { CLIENTS, turn } from '../support/client.ts';
import { chunk, completion, DONE, event, finish, text, USAGE } from '../support/faults-steps.ts';
import { answering, expectTimeout, handGate, never, PROMPT, start, type Setup, type Started } from './clocked-call.ts';

const OUTPUT_MS = 1000;
const KEEP_ALIVE = ': keep-alive\n\n';

const delta = (fields: object, index = 0): string =>
  chunk({ choices: [{ index, delta: fields, finish_reason: null }] });
const role = delta({ role: 'assistant', content: '' });

const OUTPUT: readonly (readonly [name: string, said: string])[] = [
  ['text', text('one')],
  ['text of another choice', text('one', 1)],
  ['reasoning', delta({ reasoning_content: 'hm' })],
  ['a refusal', delta({ refusal: 'no' })],
  ['a tool call', delta({ tool_calls: [{ index: 0, id: 'call_1', function: { name: 'look', arguments: ' ' } }] })],
  ['audio, which comes in an extra', delta({ audio: { id: 'audio_1', data: 'AAAA' } })],
];

const NO_OUTPUT: readonly (readonly [name: string, said: string])[] = [
  ['a comment', KEEP_ALIVE],
  ['half an event', 'data: {'],
  ['a role', role],
  ['an empty delta', delta({})],
  ['usage', chunk({ choices: [], usage: USAGE })],
  ['a foreign event', `event: ping\n${event({ type: 'ping' })}`],
  ['a field of the completion', chunk({ choices: [], service_tier: 'default' })],
  ['a finish reason of another choice', text('') + finish('stop', 1) + delta({}, 0)],
];

describe.each(CLIENTS)('outputMs over the $name transport', (client) => {
  const options = { timeout: { outputMs: OUTPUT_MS } };
  const started = (setup?: Setup): Promise<Started> => start(client, { options, ...setup });

  it('is 300 seconds by default: keep-alives alone do not keep a call alive', async () => {
    const call = await start(client);
    for (let spent = 0; spent < 300_000; spent += 100_000) {
      await call.body().say(KEEP_ALIVE);
      if (spent < 200_000) call.clock.advance(100_000);
    }
    const error = expectTimeout(call, 100_000, { clock: 'output', retryable: true, attempts: 1 });
    expect(error.message).toBe('The server sent no output for 300000 ms (timeout.outputMs)');
  });

  it('runs from subscribe: while no headers come', async () => {
    const error = expectTimeout(await started({ answers: [never] }), OUTPUT_MS, { clock: 'output', retryable: true });
    expect(error.status).toBeUndefined();
  });

  it('runs from subscribe: the time until the headers came counts', async () => {
    let respond: () => void = () => undefined;
    const slow = (body: ReadableStream<Uint8Array>): Promise<Response> =>
      new Promise((resolve) => {
        respond = () => {
          resolve(new Response(body));
        };
      });
    const call = await started({ answers: [slow] });
    call.clock.advance(400);
    respond();
    await turn();
    await call.body().say(role);
    expectTimeout(call, OUTPUT_MS - 400, { clock: 'output' });
  });

  it.each(NO_OUTPUT)('is not renewed by what is no output: %s', async (_, said) => {
    const ask = (chat: OpenAIChatCompletion) => chat.stream$(PROMPT, { n: 2 });
    const call = await started({ ask });
    await call.body().say(role);
    call.clock.advance(OUTPUT_MS - 1);
    await call.body().say(said);
    expectTimeout(call, 1, { clock: 'output', retryable: true, partial: { text: '' } });
    expect(call.told).toHaveLength(1);
  });

  it.each(OUTPUT)('is renewed by output: %s', async (_, said) => {
    const call = await started({ ask: (chat) => chat.events$(PROMPT, { n: 2 }) });
    for (let piece = 0; piece < 3; piece++) {
      call.clock.advance(OUTPUT_MS - 1);
      await call.body().say(said);
    }
    expectTimeout(call, OUTPUT_MS, { clock: 'output', retryable: true });
  });

  it.each([
    ['stream$', (chat) => chat.stream$(PROMPT)],
    ['events$', (chat) => chat.events$(PROMPT)],
    ['chunks$', (chat) => chat.chunks$(PROMPT)],
  ] satisfies readonly (readonly [string, Setup['ask']])[])(
    'watches %s, and keeps in partial what came',
    async (_, ask) => {
      const call = await started({ ask });
      await call.body().say(role);
      call.clock.advance(OUTPUT_MS - 1);
      await call.body().say(text('so '));
      call.clock.advance(OUTPUT_MS - 1);
      await call.body().say(text('far') + KEEP_ALIVE);
      call.clock.advance(OUTPUT_MS / 2);
      await call.body().say(KEEP_ALIVE);
      expectTimeout(call, OUTPUT_MS / 2, { clock: 'output', partial: { text: 'so far' } });
    },
  );

  it.each([
    ['generate$', (chat) => chat.generate$(PROMPT), 'yes'],
    ['completion$', (chat) => chat.completion$(PROMPT), completion('yes')],
  ] satisfies readonly (readonly [string, Setup['ask'], unknown])[])('does not watch %s', async (_, ask, answer) => {
    const call = await started({ ask });
    expect(call.clock.pending).toBe(1);
    call.clock.advance(10 * OUTPUT_MS);
    await call.body().say(JSON.stringify(completion('yes')));
    call.clock.advance(10 * OUTPUT_MS);
    await call.body().end();
    expect(call.told).toEqual([answer, 'complete']);
  });

  it('stands still while a gate is closed, and goes on with what was left', async () => {
    const { gate, open } = handGate();
    const call = await started({ call: { gate } });
    call.clock.advance(100 * OUTPUT_MS);
    await open();
    call.clock.advance(400);
    await call.body().say(role);
    call.clock.advance(100 * OUTPUT_MS);
    expect(call.told).toEqual([]);
    await open();
    expectTimeout(call, OUTPUT_MS - 400, { clock: 'output' });
  });

  it('stands still inside next, and goes on with what was left if that was no output', async () => {
    const call = await started({
      ask: (chat) => chat.events$(PROMPT),
      inNext: (clock) => {
        clock.advance(100 * OUTPUT_MS);
      },
    });
    call.clock.advance(400);
    await call.body().say(role);
    expect(call.told).toMatchObject([{ type: 'start' }]);
    expectTimeout(call, OUTPUT_MS - 400, { clock: 'output' });
  });

  it('begins anew when next returns from output', async () => {
    const call = await started({
      inNext: (clock) => {
        clock.advance(100 * OUTPUT_MS);
      },
    });
    call.clock.advance(400);
    await call.body().say(text('one'));
    expect(call.told).toEqual(['one']);
    expectTimeout(call, OUTPUT_MS, { clock: 'output', partial: { text: 'one' } });
  });

  it('is the end of an answer that misses nothing but [DONE]', async () => {
    const call = await started({ ask: (chat) => chat.events$(PROMPT) });
    await call.body().say(text('one') + finish() + chunk({ choices: [], usage: USAGE }));
    call.clock.advance(OUTPUT_MS - 1);
    await call.body().say(KEEP_ALIVE);
    expect(call.told).toMatchObject([{ type: 'start' }, { type: 'text-delta' }]);
    call.clock.advance(1);
    expect(call.told.slice(2)).toMatchObject([{ type: 'finish', reason: 'stop' }, { type: 'usage' }, 'complete']);
    expect(call.signal()?.aborted).toBe(true);
    expect(call.clock.pending).toBe(0);
  });

  it('is the end of such an answer, or the error of what text cannot show', async () => {
    const call = await started();
    await call.body().say(text('one') + finish('content_filter'));
    call.clock.advance(OUTPUT_MS);
    expect(call.told).toMatchObject(['one', { kind: 'content-filter', partial: { text: 'one' } }]);
    expect(call.clock.pending).toBe(0);
  });

  it('is no end while one of two choices has none', async () => {
    const call = await started({ ask: (chat) => chat.stream$(PROMPT, { n: 2 }) });
    await call.body().say(text('one') + text('two', 1) + finish('stop', 0));
    expectTimeout(call, OUTPUT_MS, { clock: 'output', partial: { text: 'one' } });
  });

  it('runs anew in each attempt, and is retried before output', async () => {
    const retry = { baseDelayMs: 100, jitter: 0, maxRetries: 1 };
    const call = await started({ call: { retry } });
    call.clock.advance(OUTPUT_MS);
    expect(call.signal(1)?.aborted).toBe(true);
    expect(call.told).toEqual([]);
    call.clock.advance(100);
    await call.requested(2);
    await call.body(2).say(role);
    expectTimeout(call, OUTPUT_MS, { clock: 'output', retryable: true, attempts: 2 });
  });

  it('is not retried after output', async () => {
    const call = await started({ call: { retry: {} }, answers: [answering()] });
    await call.body().say(text('one'));
    expectTimeout(call, OUTPUT_MS, { clock: 'output', retryable: true, partial: { text: 'one' } });
    call.clock.advance(1_000_000);
    expect(call.requests()).toBe(1);
  });

  it('leaves no timer behind', async () => {
    const ended = await started();
    await ended.body().say(text('one') + finish() + DONE);
    await ended.body().end();
    expect(ended.told).toEqual(['one', 'complete']);
    expect(ended.clock.pending).toBe(0);
    const left = await started();
    await left.body().say(text('one'));
    left.subscription.unsubscribe();
    expect(left.clock.pending).toBe(0);
  });
});

import { retry, tap, type Observable } from 'rxjs';
import type { CompletionEvent } from '../../src/index.ts';
import { abortOn } from '../../src/operators/abort.ts';
import { backoff } from '../../src/operators/backoff.ts';
import { retryCompletion } from '../../src/operators/retry.ts';
import { text as textOf } from '../../src/operators/text.ts';
import { timeoutCompletion } from '../../src/operators/timeout.ts';
import { CLIENTS, errorOf, HandClock, outcomeOf } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import { cut, hang, head, inTurn, json, say, script, text, whole } from '../support/faults-steps.ts';
import { PROMPT } from '../support/faults-ways.ts';

const BUSY = json(503, { error: { message: 'overloaded' } });
const BROKEN = script(head(), say(text('Hello')), cut);
const TALKING = script(head(), say(text('Hello')), hang);
/** Pauses of a millisecond: of real time, as nobody gives another. */
const SHORT = { baseDelayMs: 1, maxDelayMs: 1 };

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

describe.each(CLIENTS)('operators on calls over the $name transport', ({ client }) => {
  function events(...answers: readonly Handler[]): Observable<CompletionEvent> {
    return client(server.route('failing', inTurn(...answers))).events$(PROMPT);
  }

  it('retryCompletion asks again', async () => {
    const outcome = await outcomeOf(events(BUSY, BUSY, whole('Hello')).pipe(retryCompletion(SHORT)));
    expect(outcome.values.map(({ type }) => type)).toEqual(['start', 'text-delta', 'finish', 'usage']);
    expect(outcome.values[0]).toMatchObject({ attempt: 3 });
    expect(server.requests.map(({ body }) => body)).toEqual(Array(3).fill(server.requests[0]!.body));
  });

  it('retryCompletion does not ask again after output, unless by restart', async () => {
    expect(await errorOf(events(BROKEN, whole('Bye')).pipe(retryCompletion(SHORT)))).toMatchObject({
      kind: 'interrupted',
      partial: { text: 'Hello' },
    });
    expect(server.requests).toHaveLength(1);
    const restarted = events(BROKEN, whole('Bye')).pipe(retryCompletion({ ...SHORT, mode: 'restart' }));
    const { values } = await outcomeOf(restarted);
    expect(values.find(({ type }) => type === 'restart')).toMatchObject({
      attempt: 2,
      discarded: 1,
      cause: { kind: 'interrupted' },
    });
  });

  it('backoff lets RxJS ask again', async () => {
    const chat = client(server.route('failing', inTurn(BUSY, BUSY, whole('Hello'))));
    const outcome = await outcomeOf(chat.generate$(PROMPT).pipe(retry({ count: 2, delay: backoff(SHORT) })));
    expect(outcome).toEqual({ values: ['Hello'], completed: true });
    expect(server.requests).toHaveLength(3);
  });

  it('backoff lets RxJS end at once where nothing is to be gained', async () => {
    const chat = client(server.route('failing', json(401, {})));
    expect(await errorOf(chat.generate$(PROMPT).pipe(retry({ delay: backoff() })))).toMatchObject({
      kind: 'authentication',
    });
    expect(server.requests).toHaveLength(1);
  });

  it.each<[string, Handler, string]>([
    ['before headers', hang, ''],
    ['after headers', script(head(), hang), ''],
    ['after some text', TALKING, 'Hello'],
  ])('timeoutCompletion aborts a request that says nothing %s', async (_name, answer, shown) => {
    const clock = new HandClock();
    const told: unknown[] = [];
    const text$ = events(answer).pipe(timeoutCompletion({ outputMs: 100, scheduler: clock }), textOf());
    const seen = new Promise((resolve) => {
      text$.subscribe({ next: resolve, error: (error: unknown) => told.push(error) });
    });
    await (shown === '' ? server.request(0) : seen);
    clock.advance(99);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toMatchObject([{ kind: 'timeout', clock: 'output', partial: { text: shown } }]);
    expect(await server.closed(0)).toBe('aborted');
    expect(clock.pending).toBe(0);
  });

  it('timeoutCompletion and retryCompletion ask again in place of a silent answer', async () => {
    const clock = new HandClock();
    const result = events(hang, whole('Hello')).pipe(
      timeoutCompletion({ outputMs: 100, scheduler: clock }),
      retryCompletion({ jitter: 0, scheduler: clock }),
      textOf(),
    );
    const outcome = outcomeOf(result);
    await server.request(0);
    clock.advance(100 + 500);
    expect(await outcome).toEqual({ values: ['Hello'], completed: true });
    expect(await server.closed(0)).toBe('aborted');
    expect(clock.pending).toBe(0);
  });

  it('abortOn aborts the request, and tells what had arrived', async () => {
    const controller = new AbortController();
    const abortAtText = tap<CompletionEvent>(({ type }) => {
      if (type === 'text-delta') setImmediate(() => controller.abort('enough'));
    });
    const { values, error } = await outcomeOf(events(TALKING).pipe(abortOn(controller.signal), abortAtText));
    expect(values.map(({ type }) => type)).toEqual(['start', 'text-delta']);
    expect(error).toMatchObject({ kind: 'aborted', cause: 'enough', partial: { text: 'Hello' } });
    expect(await server.closed(0)).toBe('aborted');
  });

  it('abortOn sends nothing after an abort', async () => {
    const error = await errorOf(events(whole('Hello')).pipe(abortOn(AbortSignal.abort())));
    expect(error.kind).toBe('aborted');
    await outcomeOf(client(server.route('other', whole('other'))).stream$(PROMPT));
    expect(server.requests.map(({ route }) => route)).toEqual(['other']);
  });
});

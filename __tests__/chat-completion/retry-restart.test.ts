import { map, type Observable } from 'rxjs';
import type { CompletionEvent, EventsCallOptions } from '../../src/index.ts';
import { accumulate } from '../../src/operators/accumulate.ts';
import { collect } from '../../src/operators/collect.ts';
import { retryCompletion } from '../../src/operators/retry.ts';
import { text as textOf } from '../../src/operators/text.ts';
import { PromiseChatCompletion } from '../../src/promises.ts';
import { CLIENTS, errorOf, HandClock, outcomeOf, outcomeOfIterable } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import { cut, head, inTurn, json, say, script, text, whole } from '../support/faults-steps.ts';
import { PROMPT } from '../support/faults-ways.ts';
import { patient, retrying } from './patient.ts';

const RESTART: EventsCallOptions = { retry: { mode: 'restart' } };
const BUSY = json(503, { error: { message: 'overloaded' } });

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

/** An answer that breaks off after these pieces. */
function broken(...pieces: readonly string[]): Handler {
  return script(head(), say(...pieces.map((piece) => text(piece))), cut);
}

/** Events in few words: restarts with what they withdraw, texts as they are. */
function told(event: CompletionEvent): string {
  if (event.type === 'start') return `start ${event.attempt}`;
  if (event.type === 'restart') return `restart ${event.attempt}: ${event.discarded} withdrawn`;
  return event.type === 'text-delta' ? event.text : event.type;
}

describe.each(CLIENTS)("mode 'restart' over the $name transport", ({ client }) => {
  function events(answers: readonly Handler[], options = RESTART): Observable<CompletionEvent> {
    const url = server.route('failing', inTurn(...answers));
    return client(url, patient().options).events$(PROMPT, {}, options);
  }

  it('begins anew after output, announced by an event', async () => {
    const { values, completed } = await outcomeOf(events([broken('Hel', 'lo'), whole('Good', ' day')]));
    expect(completed).toBe(true);
    expect(values.map(told)).toEqual([
      'start 1',
      'Hel',
      'lo',
      'restart 2: 2 withdrawn',
      'start 2',
      'Good',
      ' day',
      'finish',
      'usage',
    ]);
    expect(values[3]).toMatchObject({ cause: { kind: 'interrupted', retryable: true } });
    expect(server.requests.map(({ body }) => body)).toEqual([server.requests[0]!.body, server.requests[0]!.body]);
  });

  it('tells as its cause the error of the attempt that is withdrawn, with what that had shown', async () => {
    const { options, told: retries } = patient(RESTART);
    const url = server.route('failing', inTurn(broken('Hel', 'lo'), whole('Good day')));
    const { values } = await outcomeOf(client(url, options).events$(PROMPT));
    const cause = values.flatMap((event) => (event.type === 'restart' ? [event.cause] : []))[0];
    expect(retries[0]?.error).toBe(cause);
    expect(cause).toMatchObject({ kind: 'interrupted', retryable: true });
    expect(cause).toHaveProperty('partial.text', 'Hello');
  });

  it('says nothing of failures in between, and withdraws each answer once', async () => {
    const { values } = await outcomeOf(events([broken('one'), BUSY, whole('two')]));
    expect(values.map(told)).toEqual(['start 1', 'one', 'restart 3: 1 withdrawn', 'start 3', 'two', 'finish', 'usage']);
    expect(values[2]).toMatchObject({ cause: { kind: 'server', status: 503 } });
    const twice = await outcomeOf(events([broken('one'), broken('two', '!'), whole('three')]));
    expect(twice.values.map(told).filter((it) => it.startsWith('restart'))).toEqual([
      'restart 2: 1 withdrawn',
      'restart 3: 2 withdrawn',
    ]);
  });

  it.each<[string, readonly Handler[], string]>([
    ['of the attempt that was shown last', [broken('one'), broken('two')], 'two'],
    ['although later attempts said nothing', [broken('one'), BUSY], 'one'],
    ['although later attempts began to', [broken('one'), broken('')], 'one'],
  ])('ends with what is still shown in partial: %s', async (_name, answers, shown) => {
    const { values, error } = await outcomeOf(events(answers));
    expect(error).toMatchObject({ retryable: true, attempts: 3 });
    expect(error).toHaveProperty('partial.text', shown);
    expect(values.findLast(({ type }) => type === 'text-delta')).toMatchObject({ text: shown });
  });

  it('holds the old answer until output of the new one, and its partial when the caller aborts meanwhile', async () => {
    const controller = new AbortController();
    const { clock, options, paused } = retrying();
    const url = server.route('failing', inTurn(broken('Hello'), whole('never')));
    const call$ = client(url, options).events$(PROMPT, {}, { ...RESTART, signal: controller.signal });
    const outcome = outcomeOf(call$);
    await paused;
    controller.abort();
    const { values, error } = await outcome;
    expect(values.map(told)).toEqual(['start 1', 'Hello']);
    expect(error).toMatchObject({ kind: 'aborted', attempts: 1 });
    expect(error).toHaveProperty('partial.text', 'Hello');
    expect(clock.pending).toBe(0);
  });

  it('shows one answer alone in what accumulates', async () => {
    const answers = [broken('Hel', 'lo'), whole('Good', ' day')];
    const snapshots = await outcomeOf(
      events(answers).pipe(
        accumulate(),
        map((it) => it.text),
      ),
    );
    expect(snapshots.values.filter((shown, place, all) => shown !== all[place - 1])).toEqual([
      '',
      'Hel',
      'Hello',
      '',
      'Good',
      'Good day',
    ]);
    const whole$ = events(answers).pipe(collect());
    expect((await outcomeOf(whole$)).values).toMatchObject([{ choices: [{ message: { content: 'Good day' } }] }]);
  });

  it('ends text() rather than show a second text', async () => {
    const outcome = await outcomeOf(events([broken('Hello'), whole('Good day')]).pipe(textOf()));
    expect(outcome).toMatchObject({ values: ['Hello'], error: { kind: 'interrupted', partial: { text: 'Hello' } } });
    expect(await server.closed(1)).toMatch(/^(?:aborted|finished)$/);
  });

  it('is a matter of events$ alone, whatever the options of the client say', async () => {
    const { options } = patient({ retry: { mode: 'restart' } });
    const chat = client(server.baseURL('failing'), options);
    server.route('failing', inTurn(broken('Hello'), whole('Good day')));
    expect((await outcomeOf(chat.events$(PROMPT))).values.map(told)).toContain('restart 2: 1 withdrawn');
    for (const call$ of [chat.stream$(PROMPT), chat.chunks$(PROMPT)]) {
      server.clear();
      server.route('failing', inTurn(broken('Hello'), whole('Good day')));
      expect(await errorOf(call$)).toMatchObject({ kind: 'interrupted', attempts: 1, partial: { text: 'Hello' } });
      expect(server.requests).toHaveLength(1);
    }
    server.route('failing', inTurn(BUSY, whole('Good day')));
    expect(await outcomeOf(chat.generate$(PROMPT))).toEqual({ values: ['Good day'], completed: true });
  });

  it('is refused in the options of the calls that cannot withdraw, and nothing is sent', async () => {
    const chat = client(server.route('failing', whole('Hello')));
    const options = RESTART as object;
    for (const call$ of [
      chat.stream$(PROMPT, {}, options),
      chat.generate$(PROMPT, {}, options),
      chat.chunks$(PROMPT, {}, options),
      chat.completion$(PROMPT, {}, options),
    ]) {
      expect(await errorOf(call$)).toMatchObject({ kind: 'configuration', param: 'retry.mode' });
    }
    expect(server.requests).toHaveLength(0);
  });

  it('may be turned off for a call', async () => {
    const { options } = patient({ retry: { mode: 'restart' } });
    const chat = client(server.route('failing', inTurn(broken('Hello'), whole('Good day'))), options);
    expect(await errorOf(chat.events$(PROMPT, {}, { retry: { mode: 'before-output' } }))).toMatchObject({
      attempts: 1,
    });
  });

  it('reaches the iterator of events', async () => {
    const { options } = patient(RESTART);
    const url = server.route('failing', inTurn(broken('Hello'), whole('Good day')));
    const { values } = await outcomeOfIterable(new PromiseChatCompletion(client(url, options)).streamEvents(PROMPT));
    expect(values.map(told)).toEqual([
      'start 1',
      'Hello',
      'restart 2: 1 withdrawn',
      'start 2',
      'Good day',
      'finish',
      'usage',
    ]);
  });
});

describe.each(CLIENTS)("retryCompletion outside the client's own retries over the $name transport", ({ client }) => {
  it('counts all requests, and numbers on', async () => {
    const { options, clock } = patient();
    const url = server.route('failing', inTurn(BUSY, BUSY, BUSY, BUSY, whole('Hello')));
    const outer = new HandClock();
    const result = client(url, options)
      .events$(PROMPT)
      .pipe(retryCompletion({ maxRetries: 1, baseDelayMs: 0, scheduler: outer }));
    const outcome = outcomeOf(result);
    await server.closed(2);
    await outer.untilPending(1);
    outer.advance(0);
    expect((await outcome).values.map(told)).toEqual(['start 5', 'Hello', 'finish', 'usage']);
    expect(server.requests).toHaveLength(5);
    await clock.untilPending(0);
  });
});

/** Sources that take the place of another, over HTTP: their numbers, and who is not asked. */
import type { CompletionEvent } from '../../src/index.ts';
import { fallbackTo } from '../../src/operators/fallback.ts';
import { hedge } from '../../src/operators/hedge.ts';
import { CLIENTS, errorOf, HandClock, outcomeOf, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import { cut, hang, head, inTurn, json, say, script, text, whole } from '../support/faults-steps.ts';
import { patient } from './patient.ts';

const PROMPT = 'Say this is a test!';
const BUSY = json(503, { error: { message: 'overloaded' } });
const REFUSED = json(400, { error: { message: 'Unsupported value', param: 'temperature' } });
const BROKEN = script(head(), say(text('so far')), cut);

let first: FaultServer;
let second: FaultServer;
beforeAll(async () => {
  [first, second] = await Promise.all([startFaultServer(), startFaultServer()]);
});
afterAll(() => Promise.all([first.close(), second.close()]));
beforeEach(() => {
  first.clear();
  second.clear();
});

const numbers = (events: readonly CompletionEvent[]): readonly unknown[] =>
  events.flatMap((event) => (event.type === 'start' || event.type === 'restart' ? [event.type, event.attempt] : []));

describe.each(CLIENTS)(
  'a restart has the number of the start that follows, over the $name transport,',
  ({ client }) => {
    it.each<[string, readonly Handler[], number]>([
      ['has answered at once', [whole('Hello')], 2],
      ['has asked again', [BUSY, whole('Hello')], 3],
      ['has asked again twice', [BUSY, BUSY, whole('Hello')], 4],
      ['has dropped a refused default', [REFUSED, whole('Hello')], 3],
      ['has asked again and dropped one', [BUSY, REFUSED, whole('Hello')], 4],
    ])('of a fallback that %s', async (_name, answers, attempt) => {
      const source = client(first.route('broken', BROKEN));
      const other = client(second.route('answer', inTurn(...answers)), patient().options);
      const result$ = source.events$(PROMPT).pipe(fallbackTo([other.events$(PROMPT)], { afterOutput: 'restart' }));
      const { values, completed } = await outcomeOf(result$);
      expect(completed).toBe(true);
      expect(numbers(values)).toEqual(['start', 1, 'restart', attempt, 'start', attempt]);
      expect(second.requests).toHaveLength(attempt - 1);
    });

    it.each<[string, readonly Handler[], number]>([
      ['dropped a refused default', [BROKEN, REFUSED, whole('Hello')], 3],
      ['failed, and then dropped one', [BROKEN, BUSY, REFUSED, whole('Hello')], 4],
    ])("of the client's own retry that %s", async (_name, answers, attempt) => {
      const chat = client(first.route('broken', inTurn(...answers)), patient().options);
      const { values, completed } = await outcomeOf(chat.events$(PROMPT, {}, { retry: { mode: 'restart' } }));
      expect(completed).toBe(true);
      expect(numbers(values)).toEqual(['start', 1, 'restart', attempt, 'start', attempt]);
      expect(first.requests).toHaveLength(attempt);
    });
  },
);

describe.each(CLIENTS)('a hedge whose source is final, over the $name transport,', ({ client }) => {
  it('sends no second request after an abort', async () => {
    const [clock, controller] = [new HandClock(), new AbortController()];
    const [source, backup] = [client(first.route('slow', hang)), client(second.route('quick', whole('Hello')))];
    const events$ = source.events$(PROMPT, {}, { signal: controller.signal });
    const error = errorOf(events$.pipe(hedge(backup.events$(PROMPT), { afterMs: 2000, scheduler: clock })));
    await first.request(0);
    controller.abort();
    expect(await error).toMatchObject({ kind: 'aborted', attempts: 1 });
    expect(await first.closed(0)).toBe('aborted');
    clock.advance(5000);
    // What would have been sent is sent before this one.
    await outcomeOf(backup.stream$('probe'));
    expect(second.requests.map(({ body }) => body.includes(PROMPT))).toEqual([false]);
    expect(clock.pending).toBe(0);
  });

  it('aborts a backup that runs', async () => {
    const [clock, controller] = [new HandClock(), new AbortController()];
    const [source, backup] = [client(first.route('slow', hang)), client(second.route('slow', hang))];
    const events$ = source.events$(PROMPT, {}, { signal: controller.signal });
    const error = errorOf(events$.pipe(hedge(backup.events$(PROMPT), { afterMs: 2000, scheduler: clock })));
    await first.request(0);
    clock.advance(2000);
    await second.request(0);
    controller.abort();
    expect(await error).toMatchObject({ kind: 'aborted' });
    expect([await first.closed(0), await second.closed(0)]).toEqual(['aborted', 'aborted']);
    await turn();
    expect([first.requests.length, second.requests.length, clock.pending]).toEqual([1, 1, 0]);
  });

  it('sends no second request for what could not be sent', async () => {
    const clock = new HandClock();
    const [source, backup] = [client(first.route('quick', whole('no'))), client(second.route('quick', whole('Hello')))];
    const error = await errorOf(
      source.events$([]).pipe(hedge(backup.events$(PROMPT), { afterMs: 2000, scheduler: clock })),
    );
    expect(error.kind).toBe('configuration');
    await outcomeOf(backup.stream$('probe'));
    expect([first.requests.length, second.requests.length, clock.pending]).toEqual([0, 1, 0]);
  });

  it('shows the error of a backup that won and broke off, with that of the source', async () => {
    const clock = new HandClock();
    const [source, backup] = [client(first.route('busy', BUSY)), client(second.route('broken', BROKEN))];
    const result$ = source.stream$(PROMPT).pipe(hedge(backup.stream$(PROMPT), { afterMs: 2000, scheduler: clock }));
    const { values, error } = await outcomeOf(result$);
    expect(values).toEqual(['so far']);
    expect(error).toMatchObject({ kind: 'interrupted', attempts: 2, previous: [{ kind: 'server', status: 503 }] });
    expect(clock.pending).toBe(0);
  });
});

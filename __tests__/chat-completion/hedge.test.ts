import { Subject, takeUntil, tap } from 'rxjs';
import { hedge } from '../../src/operators/hedge.ts';
import { text } from '../../src/operators/text.ts';
import { CLIENTS, errorOf, HandClock, outcomeOf, recordedFetch, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import {
  cut,
  end,
  finish,
  hang,
  head,
  json,
  say,
  script,
  sentence,
  text as piece,
  until,
  whole,
} from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';

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

describe.each(CLIENTS)('a hedge over the $name transport', ({ client }) => {
  /** Two servers, the second of which is asked after 2 s of a clock of its own, and the promise of a response of the first. */
  function hedged(primary: Handler, backup: Handler) {
    const [clock, timeouts] = [new HandClock(), new HandClock()];
    let responded: () => void = () => undefined;
    const response = new Promise<void>((resolve) => {
      responded = resolve;
    });
    const source = client(first.route('answer', primary), {
      scheduler: timeouts,
      hooks: {
        onResponse: () => {
          responded();
        },
      },
    });
    const other = client(second.route('answer', backup), { scheduler: timeouts });
    const events$ = source.events$(PROMPT).pipe(hedge(other.events$(PROMPT), { afterMs: 2000, scheduler: clock }));
    return { events$, text$: events$.pipe(text()), clock, timeouts, response };
  }

  it('asks no second server when the first answers in time', async () => {
    const { text$, clock, timeouts } = hedged(whole('Me', ' first'), hang);
    expect(await outcomeOf(text$)).toEqual({ values: ['Me', ' first'], completed: true });
    expect(second.requests).toHaveLength(0);
    expect(await first.closed(0)).toBe('finished');
    await turn();
    expect([clock.pending, timeouts.pending]).toEqual([0, 0]);
  });

  it.each([
    ['does not answer', hang],
    ['sends headers and no more', script(head(), hang)],
    ['sends a role and no more', script(head(), say(piece('')), hang)],
  ])('asks a second server when the first %s, and aborts the first', async (_name, slow) => {
    const { text$, clock, timeouts } = hedged(slow, whole('Hello', ' you'));
    const outcome = outcomeOf(text$);
    await first.request(0);
    await turn();
    clock.advance(1999);
    await turn();
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(await outcome).toEqual({ values: ['Hello', ' you'], completed: true });
    expect(await first.closed(0)).toBe('aborted');
    expect(await second.closed(0)).toBe('finished');
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
    await turn();
    expect([clock.pending, timeouts.pending]).toEqual([0, 0]);
  });

  it('aborts the second server when the first is the first to speak after all', async () => {
    const speak$ = new Subject<void>();
    const spoken = new Promise<void>((resolve) => speak$.subscribe(resolve));
    const slow = script(head(), until(spoken), say(sentence('Me', ' first')), end);
    const { text$, clock, timeouts } = hedged(slow, script(head(), say(piece('')), hang));
    const outcome = outcomeOf(text$);
    await first.request(0);
    clock.advance(2000);
    await second.request(0);
    speak$.next();
    expect(await outcome).toEqual({ values: ['Me', ' first'], completed: true });
    expect(await second.closed(0)).toBe('aborted');
    expect(await first.closed(0)).toBe('finished');
    await turn();
    expect([clock.pending, timeouts.pending]).toEqual([0, 0]);
  });

  it.each([
    ['answers 503', json(503, { error: { message: 'overloaded' } })],
    ['is cut off before output', script(head(), say(piece('')), cut)],
  ])('asks a second server at once when the first %s', async (_name, failing) => {
    const { text$, clock } = hedged(failing, whole('Hello', ' you'));
    expect(await outcomeOf(text$)).toEqual({ values: ['Hello', ' you'], completed: true });
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
    expect(clock.pending).toBe(0);
  });

  it('fails when both fail, with the error of the first and that of the second in it', async () => {
    const { text$, clock } = hedged(json(503, { error: { message: 'overloaded' } }), json(401, {}));
    const error = await errorOf(text$);
    expect(error).toMatchObject({ kind: 'server', attempts: 2 });
    expect(error.previous).toMatchObject([{ kind: 'authentication' }]);
    expect(clock.pending).toBe(0);
  });

  it('fails with what breaks off after output: there is no second answer', async () => {
    const { text$, clock } = hedged(script(head(), say(piece('Hel')), cut), whole('Hello'));
    const { values, error } = await outcomeOf(text$);
    expect(values).toEqual(['Hel']);
    expect(error).toMatchObject({ kind: 'interrupted', partial: { text: 'Hel' } });
    expect(second.requests).toHaveLength(0);
    expect(clock.pending).toBe(0);
  });

  it('aborts both when its subscriber leaves', async () => {
    const { text$, clock, timeouts, response } = hedged(script(head(), hang), hang);
    const left$ = new Subject<void>();
    const outcome = outcomeOf(text$.pipe(takeUntil(left$)));
    await response;
    clock.advance(2000);
    await second.request(0);
    left$.next();
    expect(await outcome).toEqual({ values: [], completed: true });
    expect([await first.closed(0), await second.closed(0)]).toEqual(['aborted', 'aborted']);
    expect([clock.pending, timeouts.pending]).toEqual([0, 0]);
  });

  it('aborts the one that waits, and its timer, when its subscriber leaves before', async () => {
    const { text$, clock, timeouts } = hedged(hang, hang);
    const left$ = new Subject<void>();
    const outcome = outcomeOf(text$.pipe(takeUntil(left$)));
    await first.request(0);
    expect(clock.pending).toBe(1);
    left$.next();
    expect(clock.pending).toBe(0);
    await outcome;
    expect(await first.closed(0)).toBe('aborted');
    clock.advance(5000);
    await turn();
    expect(second.requests).toHaveLength(0);
    expect(timeouts.pending).toBe(0);
  });

  it('has aborted the loser before the first value is shown', async () => {
    const clock = new HandClock();
    const slow = recordedFetch(() => new Promise(() => undefined));
    const quick = recordedFetch(
      () => new Response(piece('one') + finish(), { headers: { 'content-type': 'text/event-stream' } }),
    );
    const [source, backup] = [slow, quick].map((fetch) => client('http://127.0.0.1:9/v1', { fetch }));
    const aborted: unknown[] = [];
    const outcome = outcomeOf(
      source!.events$(PROMPT).pipe(
        hedge(backup!.events$(PROMPT), { afterMs: 2000, scheduler: clock }),
        tap(({ type }) => aborted.push([type, slow.calls[0]?.signal.aborted, quick.calls[0]?.signal.aborted])),
      ),
    );
    for (let turns = 0; turns < 1000 && slow.calls.length === 0; turns++) await turn();
    expect(slow.calls[0]?.signal.aborted).toBe(false);
    clock.advance(2000);
    await outcome;
    expect(aborted).toEqual([
      ['start', true, false],
      ['text-delta', true, false],
      ['finish', true, false],
    ]);
  });
});

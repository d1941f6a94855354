import { Subject, take, takeUntil, tap, type Observable } from 'rxjs';
import type { CompletionEvent } from '../../src/index.ts';
import { collect } from '../../src/operators/collect.ts';
import { shareCompletion, type ShareCompletionOptions } from '../../src/operators/share.ts';
import { text } from '../../src/operators/text.ts';
import { usage } from '../../src/operators/projections.ts';
import { CLIENTS, HandClock, outcomeOf, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import {
  cut,
  DONE,
  end,
  finish,
  hang,
  head,
  inTurn,
  json,
  say,
  script,
  text as piece,
  until,
  USAGE,
  whole,
} from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

/** Something the test says once. */
function cue(): { readonly given: Promise<void>; readonly give: () => void } {
  let give: () => void = () => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return {
    given,
    give: () => {
      give();
    },
  };
}

describe.each(CLIENTS)('sharing over the $name transport', ({ client }) => {
  function shared(answer: Handler, options: ShareCompletionOptions = {}) {
    const [clock, timeouts] = [new HandClock(), new HandClock()];
    const chat = client(server.route('answer', answer), { scheduler: timeouts });
    const events$ = chat.events$(PROMPT).pipe(shareCompletion({ ...options, scheduler: clock }));
    return { events$, text$: events$.pipe(text()), clock, timeouts };
  }

  /** A subscriber that can leave; `some` resolves at its first value. */
  function follow<T>(source$: Observable<T>) {
    const [left$, seen] = [new Subject<void>(), cue()];
    const outcome = outcomeOf(source$.pipe(tap(seen.give), takeUntil(left$)));
    const leave = (): void => {
      left$.next();
    };
    return { outcome, some: seen.given, leave };
  }

  it('sends one request for all that is made of it', async () => {
    const { events$, text$ } = shared(whole('Hello', ' you'));
    const outcomes = [outcomeOf(text$), outcomeOf(events$.pipe(usage())), outcomeOf(events$.pipe(collect()))] as const;
    const [said, counted, collected] = await Promise.all(outcomes);
    expect(said).toEqual({ values: ['Hello', ' you'], completed: true });
    expect(counted).toEqual({ values: [USAGE], completed: true });
    expect(collected.values).toMatchObject([{ choices: [{ message: { content: 'Hello you' } }], usage: USAGE }]);
    expect(server.requests).toHaveLength(1);
    expect(server.connections()).toBeGreaterThan(0);
  });

  it('tells one who comes while the server waits what was said so far, at once, and then the rest', async () => {
    const more = cue();
    const { text$ } = shared(
      script(head(), say(piece('Hel') + piece('lo')), until(more.given), say(piece(' you') + finish() + DONE), end),
    );
    const first = outcomeOf(text$.pipe(tap({ next: (said) => said === 'lo' && heard.give() })));
    const heard = cue();
    await heard.given;
    const late: string[] = [];
    const second = outcomeOf(text$.pipe(tap((said) => late.push(said))));
    expect(late).toEqual(['Hello']);
    more.give();
    expect((await first).values).toEqual(['Hel', 'lo', ' you']);
    expect((await second).values).toEqual(['Hello', ' you']);
    expect(server.requests).toHaveLength(1);
  });

  it('is aborted with the last subscriber, not with one of several', async () => {
    const { text$, clock, timeouts } = shared(script(head(), say(piece('Hel')), hang));
    const [first, second] = [follow(text$), follow(text$)];
    await Promise.all([first.some, second.some]);
    first.leave();
    expect(await first.outcome).toEqual({ values: ['Hel'], completed: true });
    await turn();
    expect(server.requests[0]?.ending).toBeUndefined();
    expect(timeouts.pending).toBeGreaterThan(0);
    second.leave();
    expect(timeouts.pending).toBe(0);
    expect(await server.closed(0)).toBe('aborted');
    expect(clock.pending).toBe(0);
  });

  it('is aborted from inside next of the last', async () => {
    const { text$, timeouts } = shared(script(head(), say(piece('Hel')), hang));
    expect(await outcomeOf(text$.pipe(take(1)))).toEqual({ values: ['Hel'], completed: true });
    expect(timeouts.pending).toBe(0);
    expect(await server.closed(0)).toBe('aborted');
  });

  it('goes on for the grace, then is aborted', async () => {
    const { text$, clock, timeouts } = shared(script(head(), say(piece('Hel')), hang), { graceMs: 1000 });
    const first = follow(text$);
    await first.some;
    first.leave();
    clock.advance(999);
    await turn();
    expect(server.requests[0]?.ending).toBeUndefined();
    expect(timeouts.pending).toBeGreaterThan(0);
    clock.advance(1);
    expect(await server.closed(0)).toBe('aborted');
    expect([clock.pending, timeouts.pending]).toEqual([0, 0]);
  });

  it('is the same request for one who comes back within the grace', async () => {
    const more = cue();
    const { text$, clock } = shared(
      script(head(), say(piece('Hel')), until(more.given), say(piece('lo') + finish() + DONE), end),
      { graceMs: 1000 },
    );
    const first = follow(text$);
    await first.some;
    first.leave();
    clock.advance(999);
    const second = follow(text$);
    expect(clock.pending).toBe(0);
    clock.advance(60_000);
    more.give();
    expect(await second.outcome).toEqual({ values: ['Hel', 'lo'], completed: true });
    expect(server.requests).toHaveLength(1);
    expect(await server.closed(0)).toBe('finished');
  });

  it('keeps a whole answer for as long as it is told to', async () => {
    const { text$, events$, clock } = shared(whole('Hello', ' you'), { keepMs: 1000 });
    await outcomeOf(text$);
    clock.advance(999);
    expect(await outcomeOf(text$)).toEqual({ values: ['Hello you'], completed: true });
    expect((await outcomeOf(events$.pipe(collect()))).values).toMatchObject([{ usage: USAGE }]);
    expect(server.requests).toHaveLength(1);
    clock.advance(1);
    expect(await outcomeOf(text$)).toEqual({ values: ['Hello', ' you'], completed: true });
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    ['an error before output', json(503, { error: { message: 'overloaded' } }), [], 'server'],
    ['an error after output', script(head(), say(piece('Hel')), cut), ['Hel'], 'interrupted'],
  ] as const)('tells all of %s, and keeps it for nobody', async (_name, failing, values, kind) => {
    const { text$ } = shared(inTurn(failing, whole('Hello', ' you')), { keepMs: 1000, graceMs: 1000 });
    const outcomes = await Promise.all([outcomeOf(text$), outcomeOf(text$)]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ values, completed: false, error: { kind } });
    expect(outcomes[1].error).toBe(outcomes[0].error);
    expect(server.requests).toHaveLength(1);
    expect((await outcomeOf(text$)).values).toEqual(['Hello', ' you']);
    expect(server.requests).toHaveLength(2);
  });

  it('tells the same objects to all that were there', async () => {
    const { events$ } = shared(whole('Hello', ' you'));
    const [first, second] = await Promise.all([outcomeOf(events$), outcomeOf(events$)]);
    const same = (event: CompletionEvent, index: number): boolean => event === second.values[index];
    expect(first.values).toHaveLength(5);
    expect(first.values.every(same)).toBe(true);
  });
});

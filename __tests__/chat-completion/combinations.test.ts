import { Subject, takeUntil, tap, type Observable } from 'rxjs';
import type { CompletionEvent } from '../../src/index.ts';
import { accumulate, type CompletionSnapshot } from '../../src/operators/accumulate.ts';
import { fallbackTo } from '../../src/operators/fallback.ts';
import { hedge } from '../../src/operators/hedge.ts';
import { retryCompletion } from '../../src/operators/retry.ts';
import { shareCompletion } from '../../src/operators/share.ts';
import { text } from '../../src/operators/text.ts';
import { timeoutCompletion } from '../../src/operators/timeout.ts';
import { only } from '../support/chunks.ts';
import { CLIENTS, errorOf, HandClock, outcomeOf, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import {
  cut,
  end,
  DONE,
  finish,
  hang,
  head,
  inTurn,
  json,
  say,
  script,
  text as piece,
  until,
  whole,
} from '../support/faults-steps.ts';
import { patient } from './patient.ts';

const PROMPT = 'Say this is a test!';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({
    busy: json(503, { error: { message: 'overloaded' } }),
    silent: script(head(), say(piece('')), hang),
    broken: script(head(), say(piece('')), cut),
    whole: whole('Hello', ' you'),
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

const routes = (): string[] => server.requests.map(({ route }) => route);
const endings = (): Promise<unknown[]> =>
  Promise.all(server.requests.map(async ({ route, closed }) => `${route} ${await closed}`));

describe.each(CLIENTS)('over the $name transport', ({ client }) => {
  const ask = (route: string): Observable<CompletionEvent> => client(server.baseURL(route)).events$(PROMPT);

  it("the client's retry under sharing is one retry for all", async () => {
    const { clock, told, options } = patient();
    const url = server.route('recovering', inTurn(json(503, {}), whole('Hello', ' you')));
    const shared$ = client(url, options).events$(PROMPT).pipe(shareCompletion());
    const outcomes = await Promise.all([outcomeOf(shared$), outcomeOf(shared$), outcomeOf(shared$.pipe(text()))]);
    expect(only(outcomes[0].values, 'start').map(({ attempt }) => attempt)).toEqual([2]);
    expect(outcomes[1].values).toEqual(outcomes[0].values);
    expect(outcomes[2].values).toEqual(['Hello', ' you']);
    expect(server.requests).toHaveLength(2);
    expect(told).toHaveLength(1);
    await clock.untilPending(0);
  });

  it('an answer that begins anew under sharing does so for all; who comes later sees the new one alone', async () => {
    const [cue$, { clock, options }] = [new Subject<void>(), patient()];
    const go = new Promise<void>((resolve) => cue$.subscribe(resolve));
    const url = server.route(
      'restarting',
      inTurn(
        script(head(), say(piece('Hel')), cut),
        script(head(), say(piece('Good')), until(go), say(piece(' day') + finish() + DONE), end),
      ),
    );
    const events$ = client(url, { ...options, retry: { jitter: 0, mode: 'restart' } }).events$(PROMPT);
    const shared$ = events$.pipe(shareCompletion());
    const texts: string[] = [];
    const anew = new Promise<void>((resolve) => {
      shared$.pipe(accumulate()).subscribe(({ text: said }) => {
        texts.push(said);
        if (said === 'Good') resolve();
      });
    });
    await anew;
    const late = outcomeOf(shared$);
    cue$.next();
    const { values } = await late;
    expect(values.map(({ type }) => type)).toEqual(['start', 'text-delta', 'text-delta', 'finish']);
    expect(only(values, 'text-delta').map((delta) => delta.text)).toEqual(['Good', ' day']);
    expect([...new Set(texts)]).toEqual(['', 'Hel', 'Good', 'Good day']);
    expect(server.requests).toHaveLength(2);
    await clock.untilPending(0);
  });

  it('a hedge of fallbacks asks each side in its order', async () => {
    const clock = new HandClock();
    const side = (...names: readonly [string, string]): Observable<CompletionEvent> =>
      ask(names[0]).pipe(fallbackTo([ask(names[1])]));
    const result$ = side('busy', 'silent').pipe(
      hedge(side('broken', 'whole'), { afterMs: 2000, scheduler: clock }),
      text(),
    );
    const outcome = outcomeOf(result$);
    await server.request(1);
    expect(routes()).toEqual(['busy', 'silent']);
    clock.advance(2000);
    expect(await outcome).toEqual({ values: ['Hello', ' you'], completed: true });
    expect(await endings()).toEqual(['busy finished', 'silent aborted', 'broken cut', 'whole finished']);
    expect(clock.pending).toBe(0);
  });

  it('a fallback of hedges goes on when both sides of the first have failed', async () => {
    const clock = new HandClock();
    const both = (...names: readonly [string, string]): Observable<CompletionEvent> =>
      ask(names[0]).pipe(hedge(ask(names[1]), { afterMs: 2000, scheduler: clock }));
    const result$ = both('busy', 'broken').pipe(fallbackTo([both('busy', 'whole')]));
    const { values, completed } = await outcomeOf(result$);
    expect(completed).toBe(true);
    expect(only(values, 'text-delta').map((delta) => delta.text)).toEqual(['Hello', ' you']);
    expect(only(values, 'start').map(({ attempt }) => attempt)).toEqual([3]);
    expect(routes()).toEqual(['busy', 'broken', 'busy', 'whole']);
    expect(clock.pending).toBe(0);
  });

  it('a fallback of hedges that all fail tells every failure', async () => {
    const clock = new HandClock();
    const both = (): Observable<CompletionEvent> =>
      ask('busy').pipe(hedge(ask('broken'), { afterMs: 2000, scheduler: clock }));
    const error = await errorOf(both().pipe(fallbackTo([both()])));
    expect(error).toMatchObject({ kind: 'server', attempts: 4 });
    expect(error.previous).toMatchObject([
      { kind: 'server', attempts: 2, previous: [{ kind: 'interrupted' }] },
      { kind: 'interrupted' },
    ]);
  });

  it('a retry after a timeout asks again, and the silent request is aborted', async () => {
    const clock = new HandClock();
    const url = server.route('slow', inTurn(script(head(), say(piece('')), hang), whole('Hello', ' you')));
    const result$ = client(url)
      .events$(PROMPT)
      .pipe(
        timeoutCompletion({ outputMs: 5000, scheduler: clock }),
        retryCompletion({ jitter: 0, baseDelayMs: 500, scheduler: clock }),
      );
    const outcome = outcomeOf(result$);
    await server.request(0);
    clock.advance(5000);
    expect(await server.closed(0)).toBe('aborted');
    expect(clock.pending).toBe(1);
    clock.advance(500);
    const { values } = await outcome;
    expect(only(values, 'start').map(({ attempt }) => attempt)).toEqual([2]);
    expect(only(values, 'text-delta').map((delta) => delta.text)).toEqual(['Hello', ' you']);
    expect(await endings()).toEqual(['slow aborted', 'slow finished']);
    expect(clock.pending).toBe(0);
  });

  it('a fallback after a timeout asks the next', async () => {
    const clock = new HandClock();
    const result$ = ask('silent').pipe(
      timeoutCompletion({ outputMs: 5000, scheduler: clock }),
      fallbackTo([ask('whole')]),
      text(),
    );
    const outcome = outcomeOf(result$);
    await server.request(0);
    clock.advance(5000);
    expect((await outcome).values).toEqual(['Hello', ' you']);
    expect(await endings()).toEqual(['silent aborted', 'whole finished']);
  });

  it('a view behind sharing has all that was said so far at once, inside subscribe, for who comes later', async () => {
    const cue$ = new Subject<void>();
    const go = new Promise<void>((resolve) => cue$.subscribe(resolve));
    const url = server.route(
      'talking',
      script(head(), say(piece('Hel')), until(go), say(piece('lo') + finish() + DONE), end),
    );
    const shared$ = client(url).events$(PROMPT).pipe(shareCompletion());
    const seen = new Promise<CompletionSnapshot>((resolve) => {
      shared$.pipe(accumulate()).subscribe((snapshot) => snapshot.text === 'Hel' && resolve(snapshot));
    });
    const first = await seen;
    const late: CompletionSnapshot[] = [];
    const outcome = outcomeOf(
      shared$.pipe(
        accumulate(),
        tap((snapshot) => late.push(snapshot)),
      ),
    );
    expect(late.map(({ status, text: said }) => [status, said])).toEqual([
      ['connecting', ''],
      ['streaming', ''],
      ['streaming', 'Hel'],
    ]);
    expect(late.at(-1)).toEqual(first);
    cue$.next();
    expect((await outcome).values.at(-1)).toMatchObject({ status: 'done', text: 'Hello' });
    expect(server.requests).toHaveLength(1);
  });

  it('leaving all of it at once aborts all of it', async () => {
    const clock = new HandClock();
    const left$ = new Subject<void>();
    const hedged$ = ask('busy').pipe(
      fallbackTo([ask('silent')]),
      hedge(ask('silent'), { afterMs: 2000, scheduler: clock }),
      timeoutCompletion({ outputMs: 60_000, scheduler: clock }),
      retryCompletion({ scheduler: clock }),
      shareCompletion(),
    );
    const outcomes = [outcomeOf(hedged$.pipe(takeUntil(left$))), outcomeOf(hedged$.pipe(text(), takeUntil(left$)))];
    await server.request(1);
    clock.advance(2000);
    await server.request(2);
    left$.next();
    expect(clock.pending).toBe(0);
    await Promise.all(outcomes);
    expect(await endings()).toEqual(['busy finished', 'silent aborted', 'silent aborted']);
    await turn();
    expect(routes()).toEqual(['busy', 'silent', 'silent']);
  });
});

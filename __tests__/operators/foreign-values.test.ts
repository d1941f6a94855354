import { concat, of, retry, throwError, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { abortOn } from '../../src/operators/abort.ts';
import { backoff } from '../../src/operators/backoff.ts';
import { collect } from '../../src/operators/collect.ts';
import { fallbackTo } from '../../src/operators/fallback.ts';
import { hedge } from '../../src/operators/hedge.ts';
import { createLimiter } from '../../src/operators/limiter.ts';
import { measure, type CompletionMeasurement } from '../../src/operators/measure.ts';
import { retryCompletion } from '../../src/operators/retry.ts';
import { shareCompletion } from '../../src/operators/share.ts';
import { timeoutCompletion } from '../../src/operators/timeout.ts';
import { HandClock } from '../support/client.ts';
import { EVENTS, inOrder, seenBy } from '../support/events.ts';
import { failing, failure, inTurn } from './failures.ts';
import { limiting } from './limiting.ts';

/** Values of somebody else whose `type` is a word of ours. */
const FOREIGN: readonly object[] = [
  { type: 'start', name: 'job' },
  { type: 'start', attempt: 'first' },
  { type: 'usage', bytes: 5 },
  { type: 'usage', usage: 5 },
  { type: 'restart', name: 'job' },
  { type: 'restart', attempt: null },
  { type: 'extra', fields: null },
  { type: 'finish', name: 'job' },
  { type: 'tool-call', name: 'hammer' },
  { type: 'text-delta', path: '/tmp/a' },
];

const clock = new HandClock();
/** Fails before it says anything, so that another one's turn comes. */
const failed$ = throwError(() => failure());

const OPERATORS: readonly [string, (source$: Observable<unknown>) => Observable<unknown>][] = [
  ['limit', (it$) => it$.pipe(createLimiter({ scheduler: clock }).limit({ tokens: 5 }))],
  [
    'limit with windows',
    (it$) => it$.pipe(createLimiter({ tokensPerMinute: 10, requestsPerMinute: 2, scheduler: clock }).limit()),
  ],
  ['retryCompletion', (it$) => it$.pipe(retryCompletion())],
  ['retryCompletion, of a second attempt', (it$) => second(it$, {})],
  ["retryCompletion with mode 'restart', of a second attempt", (it$) => second(it$, { mode: 'restart' })],
  ['fallbackTo, of the source', (it$) => it$.pipe(fallbackTo([of('other')]))],
  ['fallbackTo, of another', (it$) => failed$.pipe(fallbackTo([failed$, it$]))],
  [
    "fallbackTo with afterOutput 'restart', of another",
    (it$) => failed$.pipe(fallbackTo([it$ as Observable<CompletionEvent>], { afterOutput: 'restart' })),
  ],
  ['hedge, of the source', (it$) => it$.pipe(hedge(of('backup'), { afterMs: 5, scheduler: clock }))],
  ['hedge, of the backup', (it$) => failed$.pipe(hedge(it$, { afterMs: 5, scheduler: clock }))],
  ['timeoutCompletion', (it$) => it$.pipe(timeoutCompletion({ totalMs: 5, scheduler: clock }))],
  ['abortOn', (it$) => it$.pipe(abortOn(new AbortController().signal))],
  ['measure', (it$) => it$.pipe(measure({ end: () => undefined }, { scheduler: clock }))],
  ['backoff', (it$) => inTurn([failed$, it$]).pipe(retry({ delay: backoff({ baseDelayMs: 10, scheduler: clock }) }))],
];

describe('values of somebody else that have a type of ours', () => {
  it.each(OPERATORS)('pass as they are: %s', (_name, operator) => {
    const seen = seenBy(operator(of(...FOREIGN)));
    clock.advance(1000);
    expect(seen).toHaveLength(FOREIGN.length + 1);
    for (const [place, value] of FOREIGN.entries()) expect(seen[place]).toBe(value);
    expect(seen.at(-1)).toBe('|');
    expect(clock.pending).toBe(0);
  });

  it.each(OPERATORS)('pass as they are, each by itself: %s', (_name, operator) => {
    for (const value of FOREIGN) {
      const seen = seenBy(operator(of(value)));
      clock.advance(1000);
      expect(seen).toEqual([value, '|']);
      expect(seen[0]).toBe(value);
    }
  });

  it('are no attempts and no usage to measure', () => {
    const ends: CompletionMeasurement[] = [];
    const watched: MonoTypeOperatorFunction<unknown> = measure({ end: (end) => ends.push(end) }, { scheduler: clock });
    seenBy(of({ type: 'start', name: 'job' }, { type: 'start', attempt: 'first' }, { type: 'usage' }).pipe(watched));
    expect(ends).toMatchObject([{ attempts: 1, usage: undefined, tokensPerSecond: undefined }]);
  });

  it.each<object>([
    { type: 'usage', bytes: 5 },
    { type: 'start', name: 'job' },
    { type: 'start', rateLimit: 'none' },
    { type: 'start', rateLimit: null },
  ])('are no tokens and no limits to a limiter: %j', (value) => {
    const { limiter, ask } = limiting({ tokensPerMinute: 100 });
    expect(seenBy(of(value).pipe(limiter.limit({ tokens: 90 })))).toEqual([value, '|']);
    expect([ask(10).at, ask(1).at]).toEqual([0, undefined]);
  });
});

describe('an extra event with what JSON cannot hold', () => {
  const say = (): string => 'mine';
  const extra = (choice?: number): CompletionEvent => ({
    type: 'extra',
    ...(choice === undefined ? undefined : { choice }),
    scope: choice === undefined ? 'completion' : 'message',
    fields: { say, nested: { say }, list: [{ say }], symbol: Symbol.iterator, big: 5n },
  });
  const said = [EVENTS.s, extra(), extra(0), ...inOrder('afu')];

  it('passes through collect()', () => {
    const [completion, end] = seenBy(of(...said).pipe(collect()));
    const fields = { say, nested: { say }, list: [{ say }], symbol: Symbol.iterator, big: 5n };
    expect(completion).toMatchObject({ ...fields, choices: [{ message: { content: 'a', ...fields } }] });
    expect(end).toBe('|');
  });

  it('passes through shareCompletion(), and is in the replay', () => {
    const shared$ = of(...said).pipe(shareCompletion({ keepMs: Number.POSITIVE_INFINITY, scheduler: clock }));
    expect(seenBy(shared$)).toEqual([...said, '|']);
    expect(seenBy(shared$)).toEqual([EVENTS.s, extra(), EVENTS.a, extra(0), EVENTS.f, EVENTS.u, '|']);
  });

  it('is withdrawn as any other', () => {
    const [completion] = seenBy(of(...said, EVENTS.R, ...inOrder('sbf')).pipe(collect()));
    expect(completion).not.toHaveProperty('say');
    const restarted$ = concat(of(...said.slice(0, 4)), failing('', failure()));
    const result$ = restarted$.pipe(fallbackTo([inOrder('sbf')], { afterOutput: 'restart' }));
    expect(seenBy(result$).slice(0, 4)).toEqual(said.slice(0, 4));
  });
});

/** The second attempt of a source that has failed before. */
function second(source$: Observable<unknown>, options: { readonly mode?: 'restart' }): Observable<unknown> {
  const retrying = retryCompletion({ baseDelayMs: 10, scheduler: clock, ...options });
  return inTurn([failed$, source$ as Observable<CompletionEvent>]).pipe(retrying);
}

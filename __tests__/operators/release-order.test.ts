import {
  catchError,
  defer,
  finalize,
  map,
  mergeMap,
  NEVER,
  retry,
  throwError,
  timer,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import { fallbackTo } from '../../src/operators/fallback.ts';
import { hedge } from '../../src/operators/hedge.ts';
import { retryCompletion } from '../../src/operators/retry.ts';
import { segment } from '../../src/operators/segment.ts';
import { smooth } from '../../src/operators/smooth.ts';
import { stopWhen } from '../../src/operators/stop-when.ts';
import { timeoutCompletion } from '../../src/operators/timeout.ts';
import { HandClock } from '../support/client.ts';
import { seenBy } from '../support/events.ts';
import { failure, inTurn } from './failures.ts';
import { limiting } from './limiting.ts';

/** Says when it is subscribed and when it is left. */
function watched(log: string[], name: string, source$: Observable<string>): Observable<string> {
  return defer(() => {
    log.push(`${name} subscribed`);
    return source$;
  }).pipe(finalize(() => log.push(`${name} left`)));
}

const saying = (text: string, clock: HandClock): Observable<string> => timer(1, clock).pipe(map(() => text));
const failing = (clock: HandClock): Observable<string> =>
  timer(1, clock).pipe(mergeMap(() => throwError(() => failure())));

describe('a source that failed later is left before the next one is subscribed', () => {
  type Follow = (second$: Observable<string>, third$: Observable<string>, clock: HandClock) => Chain;
  type Chain = MonoTypeOperatorFunction<string>;

  it.each<[string, Follow]>([
    ['fallbackTo', (second$, third$) => fallbackTo([second$, third$])],
    [
      'one fallbackTo after the other',
      (second$, third$) => (it$) => it$.pipe(fallbackTo([second$]), fallbackTo([third$])),
    ],
    [
      'hedge, then fallbackTo',
      (second$, third$, scheduler) => (it$) =>
        it$.pipe(hedge(second$, { afterMs: 100, scheduler }), fallbackTo([third$])),
    ],
    [
      'retryCompletion that does not, then fallbackTo',
      (second$, third$) => (it$) => it$.pipe(retryCompletion({ maxRetries: 0 }), fallbackTo([second$, third$])),
    ],
    ...(
      [
        ['timeoutCompletion', timeoutCompletion({ scheduler: new HandClock() })],
        ['smooth', smooth({ scheduler: new HandClock() })],
        ['segment', segment({ by: 'line' })],
        ['stopWhen', stopWhen('END')],
        ['fallbackTo to nothing', fallbackTo<string>([])],
      ] satisfies readonly [string, Chain][]
    ).map(([name, operator]): [string, Follow] => [
      `${name}, then catchError`,
      (second$, third$) => (it$) =>
        it$.pipe(
          operator,
          catchError(() => second$.pipe(operator)),
          catchError(() => third$),
        ),
    ]),
  ])('%s', (_name, follow) => {
    const [log, clock] = [[] as string[], new HandClock()];
    const [first$, second$, third$] = [
      watched(log, 'first', failing(clock)),
      watched(log, 'second', failing(clock)),
      watched(log, 'third', saying('at last', clock)),
    ];
    const seen = seenBy(first$.pipe(follow(second$, third$, clock)));
    clock.advance(10);
    expect(log).toEqual([
      ...['first subscribed', 'first left'],
      ...['second subscribed', 'second left'],
      ...['third subscribed', 'third left'],
    ]);
    expect(seen).toEqual(['at last', '|']);
    expect(clock.pending).toBe(0);
  });
});

describe('an attempt that failed later is left before the next one', () => {
  it.each<[string, (clock: HandClock) => MonoTypeOperatorFunction<string>]>([
    ['timeoutCompletion before retry', (scheduler) => (it$) => it$.pipe(timeoutCompletion({ scheduler }), retry(1))],
    [
      'a clock that runs out before retry',
      (scheduler) => (it$) => it$.pipe(timeoutCompletion({ outputMs: 1, scheduler }), retry(1)),
    ],
    ['retryCompletion without a pause', (scheduler) => retryCompletion({ baseDelayMs: 0, scheduler })],
  ])('%s', (_name, operator) => {
    const [log, clock] = [[] as string[], new HandClock()];
    const attempts$ = inTurn([
      watched(log, 'first', failing(clock)),
      watched(log, 'second', timer(0, clock).pipe(map(() => 'at last'))),
    ]);
    const seen = seenBy(attempts$.pipe(operator(clock)));
    clock.advance(10);
    expect(log).toEqual(['first subscribed', 'first left', 'second subscribed', 'second left']);
    expect(seen).toEqual(['at last', '|']);
  });

  it('retryCompletion: before its pause even', () => {
    const [log, clock] = [[] as string[], new HandClock()];
    const attempts$ = inTurn([watched(log, 'first', failing(clock)), watched(log, 'second', NEVER)]);
    attempts$.pipe(retryCompletion({ baseDelayMs: 100, jitter: 0, scheduler: clock })).subscribe();
    clock.advance(1);
    expect(log).toEqual(['first subscribed', 'first left']);
    clock.advance(100);
    expect(log).toEqual(['first subscribed', 'first left', 'second subscribed']);
  });
});

describe('the source of a hedge that failed later', () => {
  it('is left before the backup is subscribed, and not only at the end of the race', () => {
    const [log, clock] = [[] as string[], new HandClock()];
    const result$ = watched(log, 'source', failing(clock)).pipe(
      hedge(watched(log, 'backup', NEVER), { afterMs: 100, scheduler: clock }),
    );
    result$.subscribe();
    clock.advance(1);
    expect(log).toEqual(['source subscribed', 'source left', 'backup subscribed']);
  });

  it('is left before what follows the failure of both', () => {
    const [log, clock] = [[] as string[], new HandClock()];
    const result$ = watched(log, 'source', failing(clock)).pipe(
      hedge(watched(log, 'backup', failing(clock)), { afterMs: 0, scheduler: clock }),
      catchError(() => watched(log, 'next', NEVER)),
    );
    result$.subscribe();
    clock.advance(10);
    expect(log.slice(-3).sort()).toEqual(['backup left', 'next subscribed', 'source left']);
    expect(log.at(-1)).toBe('next subscribed');
  });
});

describe('the place of a source that failed later', () => {
  it.each<[string, (limited$: Observable<string>, clock: HandClock) => MonoTypeOperatorFunction<string>]>([
    ['fallbackTo', (limited$) => fallbackTo([limited$])],
    ['hedge', (limited$, scheduler) => hedge(limited$, { afterMs: 100, scheduler })],
    [
      'timeoutCompletion before retry',
      (_limited$, scheduler) => (it$) => it$.pipe(timeoutCompletion({ scheduler }), retry(1)),
    ],
  ])('is free for the next one: %s', (_name, follow) => {
    const { clock, limiter, state } = limiting({ concurrency: 1, maxQueued: 0 });
    const sources$ = inTurn([failing(clock), saying('at last', clock)]).pipe(limiter.limit());
    const seen = seenBy(sources$.pipe(follow(sources$, clock)));
    clock.advance(10);
    expect(seen).toEqual(['at last', '|']);
    expect(state()).toMatchObject({ active: 0, queued: 0 });
  });
});

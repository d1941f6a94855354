import { catchError, merge, NEVER, of, Subject, throwError, type Observable } from 'rxjs';
import { CompletionError } from '../../src/errors.ts';
import { createLimiter, type LimiterOptions } from '../../src/operators/limiter.ts';
import { CAUSE, marbles, seenBy, synchronous } from '../support/events.ts';
import { IDLE, limiting } from './limiting.ts';

const MINUTE_MS = 60_000;

const busy = (retryAfterMs?: number): CompletionError =>
  new CompletionError('busy', { kind: 'rate-limit', retryable: true, retryAfterMs });

/** What all are told that would have to wait for longer than a minute. */
const closedFor = (retryAfterMs: number): unknown =>
  expect.objectContaining({
    kind: 'rate-limit',
    retryable: true,
    retryAfterMs,
    message: `The server has asked for no request within ${String(retryAfterMs)} ms (Retry-After); nothing was sent`,
  });

describe('Retry-After', () => {
  it('closes the limiter for all, those that wait already included', () => {
    const { clock, ask, state } = limiting({ concurrency: 2 });
    const [first, second] = [ask(), ask()];
    const waiting = ask();
    first.lease.response({ retryAfterMs: 700 });
    first.lease.release();
    second.lease.release();
    const late = ask();
    expect(state()).toEqual({ active: 0, queued: 2, nextFreeAt: 700 });
    clock.advance(699);
    expect([waiting.at, late.at, clock.pending]).toEqual([undefined, undefined, 1]);
    clock.advance(1);
    expect([waiting.at, late.at, clock.pending]).toEqual([700, 700, 0]);
  });

  it('leaves the windows as they are', () => {
    const { clock, ask } = limiting({ requestsPerMinute: 2 });
    ask().lease.response({ retryAfterMs: 700 });
    const asked = [ask(), ask(), ask()];
    clock.advance(120_000);
    expect(asked.map(({ at }) => at)).toEqual([700, 60_000, 60_700]);
  });

  it('leaves those alone that run', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const limiter = createLimiter({ scheduler });
      const failing = cold('-#', undefined, busy(5));
      const running = cold('--a--|');
      const next = cold('b|');
      expectObservable(failing.pipe(limiter.limit())).toBe('-#', undefined, busy(5));
      expectObservable(running.pipe(limiter.limit())).toBe('--a--|');
      expectObservable(next.pipe(limiter.limit()), '--^').toBe('------b|');
      expectSubscriptions(running.subscriptions).toBe('^----!');
      expectSubscriptions(next.subscriptions).toBe('------^!');
    });
  });

  it.each([
    ['the longer one, said later', [300, 700], 700],
    ['the longer one, said before', [700, 300], 700],
    ['none', [undefined], 0],
    ['one of no time', [0], 0],
    ['a whole minute', [MINUTE_MS], MINUTE_MS],
    ['what is said after no number', [Number.NaN, 700], 700],
  ])('counts as said: %s', (_name, said, at) => {
    const { clock, ask } = limiting();
    const { lease } = ask();
    for (const retryAfterMs of said) lease.response({ retryAfterMs });
    const next = ask();
    clock.advance(at - 1);
    expect(next.at).toBe(at === 0 ? 0 : undefined);
    clock.advance(1);
    expect([next.at, clock.pending]).toEqual([at, 0]);
  });

  it('sets no timer where nobody waits', () => {
    const { clock, ask, state } = limiting();
    const { lease } = ask();
    lease.response({ retryAfterMs: 700 });
    lease.release();
    expect(clock.pending).toBe(0);
    expect(state()).toEqual(IDLE);
    const { subscription } = ask();
    expect([clock.pending, state()]).toEqual([1, { active: 0, queued: 1, nextFreeAt: 700 }]);
    subscription.unsubscribe();
    expect([clock.pending, state()]).toEqual([0, IDLE]);
  });

  it.each([
    ['no error of ours', CAUSE],
    ['an error of ours that says no time', busy()],
    ['an error that only looks so', Object.assign(new Error('busy'), { retryAfterMs: 700 })],
  ])('is not heard from %s', (_name, error) => {
    const { limiter } = limiting();
    expect(seenBy(throwError(() => error).pipe(limiter.limit()))).toEqual([error]);
    expect(seenBy(of(1).pipe(limiter.limit()))).toEqual([1, '|']);
  });
});

describe('Retry-After of more than a minute', () => {
  it.each<[string, LimiterOptions]>([
    ['for a place', { concurrency: 1 }],
    ['for a window of requests', { requestsPerMinute: 1 }],
    ['for a window of tokens', { tokensPerMinute: 10 }],
  ])('is an error at once of all that wait %s', (_name, options) => {
    const { clock, ask, state } = limiting(options);
    const { lease } = ask(10);
    const waiting = [ask(10), ask(10)];
    clock.advance(5);
    lease.response({ retryAfterMs: 90_000 });
    expect(waiting.map(({ error }) => error)).toEqual([closedFor(90_000), closedFor(90_000)]);
    expect([clock.pending, state()]).toEqual([0, { ...IDLE, active: 1 }]);
    lease.release();
    clock.advance(10 * MINUTE_MS);
    expect(waiting.map(({ at }) => at)).toEqual([undefined, undefined]);
    expect(state()).toEqual(IDLE);
  });

  it('is an error of those that wait for a shorter one', () => {
    const { clock, ask } = limiting();
    const { lease } = ask();
    lease.response({ retryAfterMs: 700 });
    const waiting = ask();
    lease.response({ retryAfterMs: MINUTE_MS });
    expect([waiting.error, clock.pending]).toEqual([undefined, 1]);
    lease.response({ retryAfterMs: MINUTE_MS + 1 });
    expect([waiting.error, clock.pending]).toEqual([closedFor(MINUTE_MS + 1), 0]);
  });

  it('is an error of those that come meanwhile, with the time that is left', () => {
    const { clock, ask, state } = limiting();
    const { lease } = ask();
    lease.response({ retryAfterMs: 90_000 });
    lease.release();
    expect(ask().error).toEqual(closedFor(90_000));
    clock.advance(29_999);
    expect(ask().error).toEqual(closedFor(60_001));
    expect([clock.pending, state()]).toEqual([0, IDLE]);
  });

  it('is waited for by those that come when a minute is left of it', () => {
    const { clock, ask } = limiting();
    ask().lease.response({ retryAfterMs: 90_000 });
    clock.advance(30_000);
    const late = ask();
    clock.advance(59_999);
    expect([late.at, late.error]).toEqual([undefined, undefined]);
    clock.advance(1);
    expect([late.at, clock.pending]).toEqual([90_000, 0]);
  });

  it('is over after its time, and has taken nothing of the windows', () => {
    const { clock, ask, state } = limiting({ concurrency: 2, requestsPerMinute: 2, tokensPerMinute: 10 });
    const { lease } = ask(10);
    const waiting = ask(10);
    lease.response({ retryAfterMs: 90_000 });
    lease.release();
    for (let count = 0; count < 5; count++) ask(10);
    clock.advance(90_000);
    expect(waiting.error).toEqual(closedFor(90_000));
    const asked = [ask(5), ask(5), ask(0)];
    expect(asked.map(({ at }) => at)).toEqual([90_000, 90_000, undefined]);
    expect(state()).toEqual({ active: 2, queued: 1, nextFreeAt: undefined });
  });

  it.each([
    ['the longer one, said later', [90_000, 100_000], 100_000],
    ['the longer one, said before', [100_000, 90_000], 100_000],
    ['that of a short one after it', [100_000, 700], 100_000],
    ['that of none after it', [100_000, undefined, 0], 100_000],
    ['whole milliseconds', [90_000.2], 90_001],
  ])('tells the time of the longest: %s', (_name, said, leftMs) => {
    const { ask } = limiting();
    const { lease } = ask();
    for (const retryAfterMs of said) lease.response({ retryAfterMs });
    expect(ask().error).toEqual(closedFor(leftMs));
  });

  it('leaves those alone that run, and subscribes to no source', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const limiter = createLimiter({ scheduler, concurrency: 2 });
      const failing = cold('-#', undefined, busy(90_000));
      const running = cold('--a--|');
      const next = cold('b|');
      const told = (result$: Observable<string>): Observable<unknown> =>
        result$.pipe(catchError((error: unknown) => of((error as CompletionError).retryAfterMs)));
      expectObservable(failing.pipe(limiter.limit())).toBe('-#', undefined, busy(90_000));
      expectObservable(running.pipe(limiter.limit())).toBe('--a--|');
      expectObservable(told(next.pipe(limiter.limit()))).toBe('-(x|)', { x: 90_000 });
      expectObservable(told(next.pipe(limiter.limit())), '---^').toBe('---(x|)', { x: 89_998 });
      expectObservable(next.pipe(limiter.limit()), '90001ms ^').toBe('90001ms b|');
      expectSubscriptions(failing.subscriptions).toBe('^!');
      expectSubscriptions(running.subscriptions).toBe('^----!');
      expectSubscriptions(next.subscriptions).toBe('90001ms ^!');
    });
  });

  it('is that error also where the queue is full', () => {
    const { ask } = limiting({ concurrency: 1, maxQueued: 0 });
    ask().lease.response({ retryAfterMs: 90_000 });
    expect(ask().error).toEqual(closedFor(90_000));
  });

  it('is told in the order of those who wait, each once, and after the place was given back', () => {
    const { limiter, state } = limiting({ concurrency: 1 });
    const source = new Subject<never>();
    const told: unknown[] = [];
    const tell = (name: string) => (): void => {
      told.push([name, state().active]);
    };
    source.pipe(limiter.limit()).subscribe({ error: tell('the one that runs') });
    for (const name of ['a', 'b', 'c'])
      of(1)
        .pipe(limiter.limit())
        .subscribe({ error: tell(name) });
    source.error(busy(90_000));
    expect(told.map((each) => (each as unknown[])[0])).toEqual(['a', 'b', 'c', 'the one that runs']);
    expect(told.at(-1)).toEqual(['the one that runs', 0]);
    expect(state()).toEqual(IDLE);
  });

  it('refuses again who comes back from inside error, and none that leaves there', () => {
    const { limiter, ask, state, clock } = limiting({ concurrency: 1 });
    const { source$, said } = synchronous([1]);
    const running = ask();
    const errors: unknown[] = [];
    const come = (): void => {
      source$.pipe(limiter.limit()).subscribe({
        error: (error: unknown) => {
          if (errors.push(error) < 3) come();
        },
      });
    };
    come();
    // An error of one ends all that merge runs.
    const merged = seenBy(merge(NEVER.pipe(limiter.limit()), source$.pipe(limiter.limit())));
    running.lease.response({ retryAfterMs: 90_000 });
    expect(errors).toEqual([closedFor(90_000), closedFor(90_000), closedFor(90_000)]);
    expect(merged).toEqual([closedFor(90_000)]);
    expect([said, clock.pending, state()]).toEqual([[], 0, { ...IDLE, active: 1 }]);
  });

  it('is heard of a source that fails inside subscribe, before the next one begins', () => {
    const { limiter, ask, clock, state } = limiting({ concurrency: 1 });
    const running = NEVER.pipe(limiter.limit()).subscribe();
    const failing = seenBy(throwError(() => busy(90_000)).pipe(limiter.limit()));
    const behind = ask();
    running.unsubscribe();
    expect(failing).toEqual([busy(90_000)]);
    expect([behind.at, behind.error]).toEqual([undefined, closedFor(90_000)]);
    expect([clock.pending, state()]).toEqual([0, IDLE]);
  });
});

import { merge, mergeMap, NEVER, of, Subject, take } from 'rxjs';
import { CompletionError } from '../../src/errors.ts';
import { createLimiter, type LimiterOptions } from '../../src/operators/limiter.ts';
import { thrownBy } from '../support/client.ts';
import { seenBy, synchronous } from '../support/events.ts';
import { IDLE, limiting } from './limiting.ts';

const fullAt = (maxQueued: number): CompletionError =>
  new CompletionError(
    `${String(maxQueued)} calls wait for the limiter, and no more may: send less, or raise maxQueued`,
    {
      kind: 'limit',
    },
  );

describe('a full queue', () => {
  it.each([
    [0, 0],
    [1, 1],
    [3, 3],
    [undefined, 1000],
    [Number.POSITIVE_INFINITY, 2000],
  ])('of maxQueued %p lets %i wait', (maxQueued, waiting) => {
    const { ask, state } = limiting({ concurrency: 2, maxQueued });
    const running = [ask(), ask()];
    const queued = Array.from({ length: waiting }, () => ask());
    expect(state()).toEqual({ active: 2, queued: waiting, nextFreeAt: undefined });
    if (maxQueued !== Number.POSITIVE_INFINITY) {
      expect([ask().error, ask().error]).toEqual([fullAt(waiting), fullAt(waiting)]);
      expect(state()).toMatchObject({ queued: waiting });
    }
    for (const { subscription, lease } of running) {
      subscription.unsubscribe();
      lease.release();
    }
    expect(queued.filter(({ at }) => at === 0)).toHaveLength(Math.min(2, waiting));
    expect(queued.every(({ error }) => error === undefined)).toBe(true);
  });

  it('is an error that no retry is for, and the source is not subscribed', () => {
    const limiter = createLimiter({ concurrency: 1, maxQueued: 0 });
    const { source$, said } = synchronous([1]);
    NEVER.pipe(limiter.limit()).subscribe();
    const [error] = seenBy(source$.pipe(limiter.limit()));
    expect(error).toEqual(fullAt(0));
    expect(error).toMatchObject({ kind: 'limit', retryable: false });
    expect(said).toEqual([]);
  });

  it('has room again when one of it leaves, or begins', () => {
    const { ask } = limiting({ concurrency: 1, maxQueued: 1 });
    const [running, first] = [ask(), ask()];
    first.subscription.unsubscribe();
    const second = ask();
    running.lease.release();
    expect(second.at).toBe(0);
    expect([ask().error, ask().error]).toEqual([undefined, fullAt(1)]);
  });

  it('is one that waits for a window too', () => {
    const { ask, clock, state } = limiting({ requestsPerMinute: 1, maxQueued: 1 });
    ask();
    const waiting = ask();
    expect(ask().error).toEqual(fullAt(1));
    expect(state()).toEqual({ active: 1, queued: 1, nextFreeAt: 60_000 });
    clock.advance(60_000);
    expect(waiting.at).toBe(60_000);
    expect(clock.pending).toBe(0);
  });

  it('leaves no timer where nobody may wait for a window', () => {
    const { ask, clock, state } = limiting({ requestsPerMinute: 1, maxQueued: 0 });
    ask().lease.release();
    expect(ask().error).toEqual(fullAt(0));
    expect(clock.pending).toBe(0);
    expect(state()).toMatchObject({ active: 0, queued: 0 });
  });

  it('refuses none of those who come while one begins, if they can begin after it', () => {
    const { limiter, state } = limiting({ concurrency: 1, maxQueued: 0 });
    const told: unknown[] = [];
    const come = (id: number): void => {
      of(id)
        .pipe(limiter.limit())
        .subscribe({ next: (value) => told.push(value), error: (error: unknown) => told.push(error) });
    };
    of(0)
      .pipe(limiter.limit())
      .subscribe(() => {
        for (const id of [1, 2, 3]) come(id);
      });
    expect(told).toEqual([1, 2, 3]);
    expect(state()).toEqual(IDLE);
  });

  it('refuses the last ones of those who come while one begins', () => {
    const { limiter, ask, state } = limiting({ concurrency: 1, maxQueued: 2 });
    const asked: ReturnType<typeof ask>[] = [];
    merge(of(0), NEVER)
      .pipe(limiter.limit())
      .subscribe(() => {
        for (let count = 0; count < 4; count++) asked.push(ask());
      });
    expect(asked.map(({ error }) => error)).toEqual([undefined, undefined, fullAt(2), fullAt(2)]);
    expect(state()).toMatchObject({ active: 1, queued: 2 });
  });

  it('refuses again who comes back from inside error', () => {
    const { limiter, state } = limiting({ concurrency: 1, maxQueued: 0 });
    const errors: unknown[] = [];
    const come = (): void => {
      of(1)
        .pipe(limiter.limit())
        .subscribe({
          error: (error: unknown) => {
            if (errors.push(error) < 3) come();
          },
        });
    };
    NEVER.pipe(limiter.limit()).subscribe();
    come();
    expect(errors).toEqual([fullAt(0), fullAt(0), fullAt(0)]);
    expect(state()).toEqual({ active: 1, queued: 0, nextFreeAt: undefined });
  });

  it('lets the next one begin where a refusal ends the one that runs', () => {
    const { limiter, ask, state } = limiting({ concurrency: 1, maxQueued: 1 });
    const second = new Subject<void>();
    const limited = NEVER.pipe(limiter.limit());
    // An error of one ends all that merge runs.
    const seen = seenBy(merge(limited, second.pipe(mergeMap(() => limited))));
    const waiting = ask();
    second.next();
    expect(seen).toEqual([fullAt(1)]);
    expect(waiting.at).toBe(0);
    expect(state()).toMatchObject({ active: 1, queued: 0 });
  });
});

describe('a lease', () => {
  it('comes alone, and completes', () => {
    const { limiter } = limiting();
    expect(seenBy(limiter.acquire(0))).toEqual([
      {
        response: expect.any(Function) as unknown,
        usage: expect.any(Function) as unknown,
        release: expect.any(Function) as unknown,
      },
      '|',
    ]);
  });

  it('gives its place back once, however often it is released', () => {
    const { ask, state } = limiting({ concurrency: 1 });
    const [first, second, third] = [ask(), ask(), ask()];
    first.lease.release();
    first.lease.release();
    expect([second.at, third.at]).toEqual([0, undefined]);
    expect(state()).toEqual({ active: 1, queued: 1, nextFreeAt: undefined });
    second.lease.release();
    first.lease.release();
    third.lease.release();
    expect(state()).toEqual(IDLE);
  });

  it('is held after its Observable has ended, until it is released', () => {
    const { limiter, ask, state } = limiting({ concurrency: 1 });
    const first = ask();
    first.subscription.unsubscribe();
    limiter.acquire(0).pipe(take(1)).subscribe().unsubscribe();
    expect(state()).toMatchObject({ active: 1, queued: 0 });
    first.lease.release();
    expect(state()).toEqual(IDLE);
  });

  it('is asked for with each subscription', () => {
    const { limiter, state } = limiting();
    const lease$ = limiter.acquire(0);
    expect(state()).toEqual(IDLE);
    lease$.subscribe();
    lease$.subscribe();
    expect(state()).toMatchObject({ active: 2 });
  });
});

describe('the options', () => {
  it.each<[string, unknown, string]>([
    ['concurrency', 0, 'concurrency must be a whole number, at least 1'],
    ['concurrency', 1.5, 'concurrency must be a whole number, at least 1'],
    ['concurrency', '4', 'concurrency must be a whole number, at least 1'],
    ['requestsPerMinute', 0, 'requestsPerMinute must be a whole number, at least 1'],
    ['tokensPerMinute', Number.NaN, 'tokensPerMinute must be a whole number, at least 1'],
    ['tokensPerMinute', -1, 'tokensPerMinute must be a whole number, at least 1'],
    ['maxQueued', -1, 'maxQueued must be a whole number, at least 0'],
    ['maxQueued', 0.5, 'maxQueued must be a whole number, at least 0'],
    ['scheduler', {}, 'scheduler must be an object whose schedule is a function'],
  ])('of createLimiter name what is wrong: %s %p', (param, value, message) => {
    expect(thrownBy(() => createLimiter({ [param]: value }))).toMatchObject({ kind: 'configuration', param, message });
  });

  it.each([
    [
      'createLimiter',
      () => createLimiter({ concurency: 1 } as LimiterOptions),
      /concurency of createLimiter; did you mean concurrency\?/,
    ],
    [
      'createLimiter',
      () => createLimiter(null as unknown as LimiterOptions),
      /^The options of createLimiter must be an object$/,
    ],
    ['limit', () => createLimiter().limit({ token: 1 } as object), /token of limit; did you mean tokens\?/],
    ['limit', () => createLimiter().limit(5 as unknown as object), /^The options of limit must be an object$/],
  ])('of %s are checked when they are given (%#)', (_name, make, message) => {
    const error = thrownBy(make);
    expect(error.kind).toBe('configuration');
    expect(error.message).toMatch(message);
  });

  it.each<unknown>([-1, Number.NaN, Number.POSITIVE_INFINITY, '5', null])(
    'of limit, and of acquire, hold a number of tokens, which %p is not',
    (value) => {
      const { limiter, state } = limiting({ tokensPerMinute: 100 });
      const tokens = value as number;
      const wrong = { kind: 'configuration', param: 'tokens', message: 'tokens must be a finite number, at least 0' };
      expect(thrownBy(() => limiter.acquire(tokens))).toMatchObject(wrong);
      if (value !== null) expect(thrownBy(() => limiter.limit({ tokens }))).toMatchObject(wrong);
      expect(state()).toEqual(IDLE);
    },
  );

  it('may be left out, undefined, or infinite', () => {
    const endless = Number.POSITIVE_INFINITY;
    for (const options of [
      {},
      { concurrency: undefined, requestsPerMinute: undefined, tokensPerMinute: undefined, maxQueued: undefined },
      { concurrency: endless, requestsPerMinute: endless, tokensPerMinute: endless, maxQueued: endless },
    ]) {
      const { ask } = limiting(options);
      expect(Array.from({ length: 100 }, () => ask(1_000_000).at)).toEqual(Array(100).fill(0));
    }
    expect(seenBy(of(1).pipe(createLimiter().limit({ tokens: undefined })))).toEqual([1, '|']);
  });
});

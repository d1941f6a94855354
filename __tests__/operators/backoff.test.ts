import { defer, retry, take, throwError } from 'rxjs';
import { CompletionError, type CompletionErrorDetails } from '../../src/errors.ts';
import {
  backoff,
  BACKOFF_DEFAULTS,
  delayBefore,
  pause,
  resolveBackoff,
  type BackoffNotifierOptions,
  type BackoffOptions,
} from '../../src/operators/backoff.ts';
import { HandClock, thrownBy } from '../support/client.ts';
import { CAUSE, marbles, seenBy } from '../support/events.ts';

const LOST = failure({});
const REFUSED = failure({ kind: 'bad-request', retryable: false });

function failure(details: Partial<CompletionErrorDetails>): CompletionError {
  return new CompletionError('lost', { kind: 'connection', retryable: true, ...details });
}

/** The pauses before the first retries. */
function delays(options: BackoffOptions, error: unknown = LOST, count = 7): readonly (number | undefined)[] {
  const policy = resolveBackoff(options);
  return Array.from({ length: count }, (_, index) => delayBefore(index + 1, error, policy));
}

describe('the pause before a retry', () => {
  it.each<[string, BackoffOptions, readonly number[]]>([
    ['doubles up to maxDelayMs', { jitter: 0 }, [500, 1000, 2000, 4000, 8000, 8000, 8000]],
    ['begins with baseDelayMs', { jitter: 0, baseDelayMs: 3 }, [3, 6, 12, 24, 48, 96, 192]],
    ['is none with baseDelayMs 0', { baseDelayMs: 0 }, [0, 0, 0, 0, 0, 0, 0]],
    ['is never longer than maxDelayMs', { jitter: 0, maxDelayMs: 300 }, [300, 300, 300, 300, 300, 300, 300]],
    ['is as long without chance', { random: () => 0 }, [500, 1000, 2000, 4000, 8000, 8000, 8000]],
    ['is shortened by chance', { random: () => 0.5 }, [438, 875, 1750, 3500, 7000, 7000, 7000]],
    ['is whole milliseconds', { jitter: 0, baseDelayMs: 0.7 }, [1, 1, 3, 6, 11, 22, 45]],
    ['may be left to chance alone', { jitter: 1, random: () => 0.5 }, [250, 500, 1000, 2000, 4000, 4000, 4000]],
  ])('%s', (_name, options, expected) => {
    expect(delays(options)).toEqual(expected);
  });

  it('stays within the bounds of its jitter', () => {
    const [shortest, longest] = [() => 1 - Number.EPSILON, () => 0].map((random) => delays({ random, jitter: 0.5 }));
    expect(shortest).toEqual([250, 500, 1000, 2000, 4000, 4000, 4000]);
    expect(longest).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000]);
    for (const delay of delays({ baseDelayMs: 1000, maxDelayMs: 1000 }, LOST, 200)) {
      expect(delay).toBeGreaterThanOrEqual(750);
      expect(delay).toBeLessThanOrEqual(1000);
    }
  });

  it.each<[number, BackoffOptions]>([
    [8000, {}],
    [0, { baseDelayMs: 0 }],
    [0, { maxDelayMs: 0 }],
  ])('is %d after any number of retries with %j', (expected, options) => {
    expect(delayBefore(5000, LOST, resolveBackoff({ jitter: 0, ...options }))).toBe(expected);
  });

  it.each<[string, BackoffOptions, number, readonly (number | undefined)[]]>([
    ['longer', {}, 3000, [3000, 3000, 3000, 4000]],
    ['shorter', {}, 100, [500, 1000, 2000, 4000]],
    ['of 0', {}, 0, [500, 1000, 2000, 4000]],
    ['longer than maxDelayMs', { maxDelayMs: 1000 }, 5000, [5000, 5000, 5000, 5000]],
    ['as long as maxRetryAfterMs', {}, 60_000, [60_000, 60_000, 60_000, 60_000]],
    ['beyond maxRetryAfterMs', {}, 60_001, [undefined, undefined, undefined, undefined]],
    ['beyond another maxRetryAfterMs', { maxRetryAfterMs: 10 }, 11, [undefined, undefined, undefined, undefined]],
    ['within another maxRetryAfterMs', { maxRetryAfterMs: 1e9 }, 1e8, [1e8, 1e8, 1e8, 1e8]],
  ])('with a Retry-After %s', (_name, options, retryAfterMs, expected) => {
    expect(delays({ jitter: 0, ...options }, failure({ retryAfterMs }), 4)).toEqual(expected);
  });

  it('never shortens a Retry-After by chance', () => {
    expect(delays({ random: () => 0.999 }, failure({ retryAfterMs: 3000 }), 2)).toEqual([3000, 3000]);
  });

  it('asks no other error for a Retry-After', () => {
    expect(delays({ jitter: 0 }, Object.assign(new Error('foreign'), { retryAfterMs: 9000 }), 1)).toEqual([500]);
  });
});

describe('pause', () => {
  it('emits once and completes', () => {
    marbles(({ expectObservable }, scheduler) => {
      expectObservable(pause(3, scheduler)).toBe('---(0|)', { 0: 0 });
    });
  });

  it.each([2 ** 31 - 1, 2 ** 31, 2 ** 33])('of %d ms does not end early, and sets no timer that would', (delayMs) => {
    const clock = new HandClock();
    const schedule = jest.spyOn(clock, 'schedule');
    const told: unknown[] = [];
    pause(delayMs, clock).subscribe({ next: (value) => told.push(value), complete: () => told.push('|') });
    clock.advance(delayMs - 1);
    expect([told, clock.pending]).toEqual([[], 1]);
    clock.advance(1);
    expect([told, clock.pending]).toEqual([[0, '|'], 0]);
    for (const [, delay] of schedule.mock.calls) expect(delay).toBeLessThan(2 ** 31);
  });

  it('leaves no timer when it is left, in its second part neither', () => {
    const clock = new HandClock();
    const subscription = pause(2 ** 32, clock).subscribe();
    clock.advance(2 ** 31 + 1);
    expect(clock.pending).toBe(1);
    subscription.unsubscribe();
    expect(clock.pending).toBe(0);
  });
});

describe('backoff as the notifier of RxJS retry', () => {
  const options: BackoffNotifierOptions = { baseDelayMs: 2, jitter: 0 };

  it('waits longer before each retry', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold('-#', undefined, LOST);
      const result = source.pipe(retry({ count: 3, delay: backoff({ ...options, scheduler }) }));
      expectObservable(result).toBe('------------------#', undefined, LOST);
      expectSubscriptions(source.subscriptions).toBe(['^!', '---^!', '--------^!', '-----------------^!']);
    });
  });

  it.each<[string, unknown, BackoffNotifierOptions]>([
    ['an error that says no of itself', REFUSED, {}],
    ['an error of somebody else', CAUSE, {}],
    ['what is no error', 'text', {}],
    ['an error that when() refuses', LOST, { when: () => false }],
    ['a Retry-After that is too long', failure({ retryAfterMs: 11 }), { maxRetryAfterMs: 10 }],
  ])('ends at once with the error itself: %s', (_name, error, more) => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold('-#', undefined, error);
      const result = source.pipe(retry({ count: 3, delay: backoff({ ...options, ...more, scheduler }) }));
      expectObservable(result).toBe('-#', undefined, error);
      expectSubscriptions(source.subscriptions).toBe('^!');
    });
    const notifier = backoff({ ...options, ...more, scheduler: new HandClock() });
    expect(seenBy(notifier(error, 1))[0]).toBe(error);
  });

  it('retries any error that when() accepts', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold('-#', undefined, CAUSE);
      const delay = backoff({ ...options, when: (error) => error === CAUSE, scheduler });
      expectObservable(source.pipe(retry({ count: 1, delay }))).toBe('----#', undefined, CAUSE);
      expectSubscriptions(source.subscriptions).toBe(['^!', '---^!']);
    });
  });

  it.each<[string, BackoffOptions]>([
    ['when', { when: fail }],
    ['random', { random: fail }],
  ])('ends with what %s() throws', (_name, throwing) => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold('-#', undefined, LOST);
      const result = source.pipe(retry({ delay: backoff({ baseDelayMs: 2, ...throwing, scheduler }) }));
      expectObservable(result).toBe('-#', undefined, CAUSE);
      expectSubscriptions(source.subscriptions).toBe('^!');
    });
  });

  it('ends its pause with the subscriber', () => {
    const clock = new HandClock();
    let subscribed = 0;
    const failing$ = defer(() => {
      subscribed += 1;
      return throwError(() => LOST);
    });
    const subscription = failing$.pipe(retry({ delay: backoff({ scheduler: clock }) })).subscribe();
    expect([subscribed, clock.pending]).toEqual([1, 1]);
    subscription.unsubscribe();
    expect(clock.pending).toBe(0);
    clock.advance(1e6);
    expect(subscribed).toBe(1);
  });

  it('decides and waits only when subscribed, each time anew', () => {
    const chances = [0, 1];
    let asked = 0;
    const random = (): number => chances[asked++]!;
    marbles(({ expectObservable }, scheduler) => {
      const pause$ = backoff({ baseDelayMs: 4, jitter: 0.5, random, scheduler })(LOST, 1);
      expect(asked).toBe(0);
      expectObservable(pause$).toBe('----(0|)', { 0: 0 });
      expectObservable(pause$.pipe(take(1))).toBe('--(0|)', { 0: 0 });
    });
    expect(asked).toBe(2);
  });
});

describe('the options of backoff', () => {
  it('have these defaults', () => {
    expect(resolveBackoff({})).toEqual(BACKOFF_DEFAULTS);
    expect(BACKOFF_DEFAULTS).toMatchObject({
      baseDelayMs: 500,
      maxDelayMs: 8000,
      jitter: 0.25,
      maxRetryAfterMs: 60_000,
    });
    expect([LOST, REFUSED, CAUSE, 'x', undefined].map(BACKOFF_DEFAULTS.when)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(BACKOFF_DEFAULTS.random()).toBeLessThan(1);
  });

  it('may be undefined one by one', () => {
    const undefinedOptions = Object.fromEntries(Object.keys(BACKOFF_DEFAULTS).map((name) => [name, undefined]));
    expect(resolveBackoff(undefinedOptions)).toEqual(BACKOFF_DEFAULTS);
    expect(backoff({ ...undefinedOptions, scheduler: undefined })).toBeInstanceOf(Function);
  });

  it.each<[string, unknown, RegExp]>([
    ['baseDelayMs', -1, /^baseDelayMs must be a number, at least 0$/],
    ['baseDelayMs', Number.NaN, /^baseDelayMs must be a number, at least 0$/],
    ['maxDelayMs', '1', /^maxDelayMs must be a number, at least 0$/],
    ['jitter', 1.1, /^jitter must be a number, from 0 to 1$/],
    ['jitter', -0.1, /^jitter must be a number, from 0 to 1$/],
    ['maxRetryAfterMs', null, /^maxRetryAfterMs must be a number, at least 0$/],
    ['when', true, /^when must be a function$/],
    ['random', 0.5, /^random must be a function$/],
    ['scheduler', {}, /^scheduler must be an object whose schedule is a function$/],
    ['scheduler', { schedule: () => undefined }, /^scheduler must be an object whose now is a function$/],
    ['maxDelay', 1, /^Unknown option maxDelay of backoff; did you mean maxDelayMs\?$/],
    ['maxRetries', 1, /^Unknown option maxRetries of backoff/],
  ])('are checked at once: %s %p', (name, value, message) => {
    const error = thrownBy(() => backoff({ [name]: value }));
    expect(error.message).toMatch(message);
    expect(error).toMatchObject({ kind: 'configuration', param: name });
  });

  it.each([null, 5, []])('must be an object: %p', (options) => {
    expect(thrownBy(() => backoff(options as never)).message).toBe('The options of backoff must be an object');
  });
});

function fail(): never {
  throw CAUSE;
}

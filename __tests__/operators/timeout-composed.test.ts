import { defer, NEVER, of, type Observable } from 'rxjs';
import type { DeadlineClock } from '../../src/deadline-clock.ts';
import { retryCompletion } from '../../src/operators/retry.ts';
import { timeoutCompletion, totalTimeout, type TimeoutCompletionOptions } from '../../src/operators/timeout.ts';
import { HandClock, thrownBy } from '../support/client.ts';
import { EVENTS, marbles, seenBy } from '../support/events.ts';
import { errorFields, expired, failure, inTurn, VALUES } from './failures.ts';

/** Pauses of 3 and 6 frames. */
const PAUSES = { baseDelayMs: 3, jitter: 0 } as const;

describe('timeoutCompletion before retryCompletion', () => {
  it('gives each attempt an output clock of its own', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const sources = ['s-----', '----#', '----s', '----a---b|'].map((it) => cold(it, EVENTS, failure()));
      const result = inTurn(sources).pipe(
        timeoutCompletion({ outputMs: 5, scheduler }),
        retryCompletion({ ...PAUSES, maxRetries: 3, scheduler }),
      );
      expectObservable(result).toBe('---------------------------------------a---b|', EVENTS);
      const subscriptions = [
        '^----!',
        '--------^---!',
        '------------------^----!',
        '-----------------------------------^--------!',
      ];
      sources.forEach((source, index) => {
        expectSubscriptions(source.subscriptions).toBe(subscriptions[index]!);
      });
    });
  });

  it('ends in its error when no retry is left, which counts the attempts', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold('s-----', EVENTS);
      const result = source.pipe(
        timeoutCompletion({ outputMs: 5, scheduler }),
        retryCompletion({ ...PAUSES, maxRetries: 1, scheduler }),
        errorFields(),
      );
      const error = { ...(expired('output', 5) as object), attempts: 2 };
      expectObservable(result).toBe('-------------(2#)', VALUES, error);
      expectSubscriptions(source.subscriptions).toBe(['^----!', '--------^----!']);
    });
  });

  it('withdraws a silent attempt after output, where it is asked to', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const sources = [cold('sa------', EVENTS), cold('sb----|', EVENTS)];
      const result = inTurn(sources).pipe(
        timeoutCompletion({ outputMs: 5, scheduler }),
        retryCompletion({ ...PAUSES, mode: 'restart', scheduler }),
      );
      const M = { ...EVENTS.R, cause: expect.objectContaining({ clock: 'output', kind: 'timeout' }) as unknown };
      expectObservable(result).toBe('-(sa)-----(M2b)|', { ...VALUES, M });
    });
  });

  it('does not lead to a retry when all of the time is up', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold('------', EVENTS);
      const result = source.pipe(
        timeoutCompletion({ outputMs: false, totalMs: 5, scheduler }),
        retryCompletion({ ...PAUSES, scheduler }),
        errorFields(),
      );
      expectObservable(result).toBe('-----#', VALUES, expired('total', 5));
      expectSubscriptions(source.subscriptions).toBe('^----!');
    });
  });
});

describe('timeoutCompletion after retryCompletion', () => {
  it('bounds all attempts together, and the pauses', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const attempts = [cold('-#', EVENTS, failure()), cold('-#', EVENTS, failure()), cold('-a|', EVENTS)];
      const within = (totalMs: number): Observable<unknown> =>
        inTurn(attempts).pipe(
          retryCompletion({ ...PAUSES, scheduler }),
          timeoutCompletion({ totalMs, scheduler }),
          errorFields(),
        );
      expectObservable(within(8)).toBe('--------#', VALUES, expired('total', 8));
      expectObservable(within(14)).toBe('------------a|', VALUES);
      expectSubscriptions(attempts[0]!.subscriptions).toBe(['^!', '^!']);
      expectSubscriptions(attempts[1]!.subscriptions).toBe(['----^!', '----^!']);
      expectSubscriptions(attempts[2]!.subscriptions).toBe('-----------^-!');
    });
  });
});

describe('the options of timeoutCompletion', () => {
  it.each<[string, TimeoutCompletionOptions, number]>([
    ['none', {}, 1],
    ['undefined', { outputMs: undefined, totalMs: undefined, scheduler: undefined }, 1],
    ['both clocks', { outputMs: 1, totalMs: 1 }, 2],
    ['outputMs off', { outputMs: false }, 0],
    ['outputMs Infinity', { outputMs: Number.POSITIVE_INFINITY }, 0],
    ['totalMs alone', { outputMs: false, totalMs: 1 }, 1],
    ['both off', { outputMs: false, totalMs: false }, 0],
    ['both Infinity', { outputMs: Number.POSITIVE_INFINITY, totalMs: Number.POSITIVE_INFINITY }, 0],
  ])('set as many timers as there are clocks: %s', (_name, options, timers) => {
    const clock = new HandClock();
    const subscription = NEVER.pipe(timeoutCompletion({ ...options, scheduler: clock })).subscribe();
    expect(clock.pending).toBe(timers);
    subscription.unsubscribe();
    expect(clock.pending).toBe(0);
  });

  it.each<[string, unknown, RegExp]>([
    ['outputMs', 0, /^outputMs must be a positive number of milliseconds, or false$/],
    ['outputMs', -1, /^outputMs must be a positive number/],
    ['outputMs', Number.NaN, /^outputMs must be a positive number/],
    ['totalMs', '5', /^totalMs must be a positive number/],
    ['totalMs', true, /^totalMs must be a positive number/],
    ['scheduler', {}, /^scheduler must be an object whose schedule is a function$/],
    ['idleMs', 5, /^Unknown option idleMs of timeoutCompletion; known are outputMs, totalMs, scheduler$/],
    ['output', 5, /^Unknown option output of timeoutCompletion; did you mean outputMs\?$/],
  ])('are checked at once: %s %p', (name, value, message) => {
    const error = thrownBy(() => timeoutCompletion({ [name]: value }));
    expect(error.message).toMatch(message);
    expect(error.kind).toBe('configuration');
  });

  it.each([null, 5, []])('must be an object: %p', (options) => {
    const error = thrownBy(() => timeoutCompletion(options as never));
    expect(error.message).toBe('The options of timeoutCompletion must be an object');
  });

  it('run on time itself by default', async () => {
    const told = await new Promise((resolve) => {
      NEVER.pipe(timeoutCompletion({ outputMs: 1 })).subscribe({ error: resolve });
    });
    expect(told).toMatchObject({ kind: 'timeout', clock: 'output' });
  });
});

describe('totalTimeout', () => {
  it('ends the source, and hands out its clock before that is subscribed', () => {
    const order: string[] = [];
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold('-a-b-c-');
      const watched = defer(() => {
        order.push('subscribed');
        return source;
      });
      const onStart = (): void => void order.push('told');
      const result = watched.pipe(totalTimeout(6, scheduler, onStart), errorFields());
      expectObservable(result).toBe('-a-b-c#', undefined, expired('total', 6));
      expectSubscriptions(source.subscriptions).toBe('^-----!');
    });
    expect(order).toEqual(['told', 'subscribed']);
  });

  it('can be stopped for a while', () => {
    const scheduler = new HandClock();
    let clock: DeadlineClock | undefined;
    const onStart = (started: DeadlineClock): void => {
      clock = started;
    };
    const told = seenBy(NEVER.pipe(totalTimeout(10, scheduler, onStart)));
    scheduler.advance(6);
    clock?.suspend();
    scheduler.advance(1000);
    clock?.resume();
    scheduler.advance(3);
    expect(told).toEqual([]);
    scheduler.advance(1);
    expect(told).toMatchObject([{ kind: 'timeout', clock: 'total', retryable: false }]);
  });

  it('leaves no timer behind', () => {
    const clock = new HandClock();
    const totalOf = totalTimeout<unknown>(10, clock, () => undefined);
    expect(seenBy(of(1).pipe(totalOf))).toEqual([1, '|']);
    expect(clock.pending).toBe(0);
    const subscription = NEVER.pipe(totalOf).subscribe();
    expect(clock.pending).toBe(1);
    subscription.unsubscribe();
    expect(clock.pending).toBe(0);
  });
});

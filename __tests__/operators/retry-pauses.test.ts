import { defer, NEVER, of, Subject, throwError, type Observable } from 'rxjs';
import type { CompletionError } from '../../src/errors.ts';
import {
  resolveRetry,
  retryAttempts,
  retryCompletion,
  RETRY_DEFAULTS,
  type RetryCompletionOptions,
  type RetryContext,
} from '../../src/operators/retry.ts';
import { HandClock, thrownBy } from '../support/client.ts';
import { CAUSE, EVENTS, marbles, seenBy } from '../support/events.ts';
import { errorFields, failure, fieldsOf, inTurn, VALUES } from './failures.ts';

const LOST = failure();

type Options = Omit<RetryCompletionOptions, 'mode'>;

/** More attempts than any test wants: a source that is asked for ever would hang the test. */
const MANY = 20;

/** When a source that always fails is subscribed, on a clock that says when. */
function attemptsAt(options: Options, error: unknown = LOST): { times: readonly number[]; told: readonly unknown[] } {
  const clock = new HandClock();
  const times: number[] = [];
  const failing$ = defer(() => {
    times.push(clock.now());
    return times.length > MANY ? NEVER : throwError(() => error);
  });
  const told = seenBy(failing$.pipe(retryCompletion({ ...options, scheduler: clock }), errorFields()));
  clock.advance(1e9);
  expect(clock.pending).toBe(0);
  return { times, told };
}

describe('the pauses of retryCompletion', () => {
  it.each<[string, Options, readonly number[]]>([
    ['are two by default', { jitter: 0 }, [0, 500, 1500]],
    ['are shortened by chance', { random: () => 0.5 }, [0, 438, 438 + 875]],
    ['double up to maxDelayMs', { jitter: 0, maxRetries: 4, maxDelayMs: 1200 }, [0, 500, 1500, 2700, 3900]],
    ['are none with baseDelayMs 0', { baseDelayMs: 0, maxRetries: 3 }, [0, 0, 0, 0]],
    ['are none with maxRetries 0', { maxRetries: 0 }, [0]],
    ['are one with maxRetries 1', { jitter: 0, maxRetries: 1 }, [0, 500]],
  ])('%s', (_name, options, expected) => {
    const { times, told } = attemptsAt(options);
    expect(times).toEqual(expected);
    expect(told).toEqual([fieldsOf(times.length === 1 ? LOST : failure({ attempts: times.length }))]);
  });

  it.each<[string, number, readonly number[], Options]>([
    ['longer than our own', 4000, [0, 4000, 8000], {}],
    ['shorter than our own', 600, [0, 600, 1600], {}],
    ['of 0, which is no leave to hammer', 0, [0, 500, 1500], {}],
    ['as long as maxRetryAfterMs', 60_000, [0, 60_000, 120_000], {}],
    ['beyond maxRetryAfterMs, an error at once', 60_001, [0], {}],
    ['beyond our own longest pause', 9000, [0, 9000, 18_000], { maxDelayMs: 100 }],
    ['within a higher maxRetryAfterMs', 90_000, [0, 90_000, 180_000], { maxRetryAfterMs: 90_000 }],
    ['of any length with Infinity', 3e8, [0, 3e8, 6e8], { maxRetryAfterMs: Infinity }],
  ])('honour a Retry-After %s', (_name, retryAfterMs, expected, options) => {
    const { times, told } = attemptsAt({ jitter: 0, ...options }, failure({ retryAfterMs }));
    expect(times).toEqual(expected);
    expect(told).toMatchObject([{ kind: 'connection', retryAfterMs }]);
  });

  it('are looked at for each failure: a Retry-After that is too long may come later', () => {
    const failures = [failure(), failure({ retryAfterMs: 2000 }), failure({ retryAfterMs: 1e6 })];
    const clock = new HandClock();
    const source = inTurn(failures.map((error) => throwError(() => error)));
    const told = seenBy(source.pipe(retryCompletion({ jitter: 0, maxRetries: 9, scheduler: clock }), errorFields()));
    clock.advance(500 + 1999);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual([fieldsOf(failure({ retryAfterMs: 1e6, attempts: 3 }))]);
  });

  it('may be longer than a timer can be', () => {
    const clock = new HandClock();
    const source = inTurn([throwError(() => failure({ retryAfterMs: 2 ** 31 })), of('a')]);
    const told = seenBy(source.pipe(retryCompletion({ maxRetryAfterMs: Infinity, scheduler: clock })));
    clock.advance(2 ** 31 - 1);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual(['a', '|']);
  });

  it('are as many as needed with maxRetries Infinity, without a growing stack', () => {
    const clock = new HandClock();
    let attempts = 0;
    const source = defer((): Observable<string> => (++attempts > 5000 ? of('a') : throwError(() => LOST)));
    const told = seenBy(
      source.pipe(retryCompletion({ maxRetries: Infinity, baseDelayMs: 1, maxDelayMs: 1, scheduler: clock })),
    );
    clock.advance(5000);
    expect(told).toEqual(['a', '|']);
  });

  it('run on time itself by default', async () => {
    const source = inTurn([throwError(() => LOST), of('a')]);
    const told = await new Promise((resolve) => source.pipe(retryCompletion({ baseDelayMs: 1 })).subscribe(resolve));
    expect(told).toBe('a');
  });
});

describe('the numbers of attempts', () => {
  it('go on where the source stopped, which may have asked again by itself', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const sources = [
        cold('s-#', EVENTS, failure({ attempts: 3 })),
        cold('2-a-----f|', VALUES),
        cold('s-#', EVENTS, failure({ attempts: 2 })),
      ] as const;
      const options = { baseDelayMs: 1, jitter: 0, scheduler };
      const values = { ...VALUES, 5: { ...EVENTS.s, attempt: 5 }, 6: { ...EVENTS.s, attempt: 6 } };
      expectObservable(inTurn([sources[0], sources[1]]).pipe(retryCompletion(options))).toBe('-----(5a)--f|', values);
      const never = inTurn([sources[0], sources[2], sources[2]]).pipe(retryCompletion(options), errorFields());
      expectObservable(never).toBe('---------(6#)', values, fieldsOf(failure({ attempts: 7 })));
    });
  });

  it('stand in the error as soon as there were two, and leave the rest of it as it was', () => {
    const details = {
      kind: 'rate-limit',
      status: 429,
      requestId: 'req_1',
      retryAfterMs: 0,
      partial: { text: '', reasoning: 'hm', refusal: '', toolCalls: [] },
      cause: CAUSE,
    } as const;
    const error = failure(details);
    const { told } = attemptsAt({ maxRetries: 1 }, error);
    expect(told).toEqual([fieldsOf(failure({ ...details, attempts: 2 }))]);
    expect(error.attempts).toBeUndefined();
  });

  it('count a foreign failure as one, and are not written on a foreign error', () => {
    const clock = new HandClock();
    const source = inTurn([throwError(() => CAUSE), throwError(() => LOST), throwError(() => CAUSE)]);
    const told = seenBy(source.pipe(retryCompletion({ when: () => true, maxRetries: 2, scheduler: clock })));
    clock.advance(1e6);
    expect(told).toEqual([CAUSE]);
    const other = inTurn([throwError(() => CAUSE), throwError(() => LOST)]);
    const seen = seenBy(other.pipe(retryCompletion({ when: () => true, maxRetries: 1, scheduler: clock })));
    clock.advance(1e6);
    expect(seen).toMatchObject([{ kind: 'connection', attempts: 2 }]);
  });

  it('are left alone where the source numbers its requests itself', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const sources = [cold('s-#', EVENTS, LOST), cold('2-#', VALUES, LOST)];
      const context: RetryContext<unknown> = { sent: () => 7 };
      const policy = resolveRetry({ maxRetries: 1, baseDelayMs: 1, jitter: 0 });
      const result = inTurn<unknown>(sources).pipe(retryAttempts(policy, scheduler, context), errorFields());
      expectObservable(result).toBe('-----(2#)', VALUES, fieldsOf(LOST));
    });
  });
});

describe('where the attempts are made', () => {
  const policy = resolveRetry({ jitter: 0 });

  it('is known how much time is left: no pause begins that would last as long', () => {
    const clock = new HandClock();
    const left = [501, 1000];
    const source = inTurn([LOST, LOST, LOST].map((error) => throwError(() => error)));
    const told = seenBy(source.pipe(retryAttempts(policy, clock, { leftMs: () => left.shift() })));
    clock.advance(500);
    expect([told.length, clock.pending]).toEqual([1, 0]);
    expect((told[0] as CompletionError).attempts).toBe(2);
  });

  it('each retry is told before its pause, with its error', () => {
    const clock = new HandClock();
    const told: unknown[] = [];
    const onRetry = (error: unknown, delayMs: number): void => {
      told.push([error, delayMs, clock.now(), clock.pending]);
    };
    seenBy(throwError(() => LOST).pipe(retryAttempts(policy, clock, { onRetry })));
    clock.advance(500);
    expect(told).toEqual([
      [LOST, 500, 0, 0],
      [LOST, 1000, 500, 0],
    ]);
  });

  it('output may be told by somebody else', () => {
    const source = new Subject<string>();
    const seen = seenBy(source.pipe(retryAttempts(policy, new HandClock(), { isOutput: (value) => value === 'b' })));
    source.next('a');
    expect(seen).toEqual([]);
    source.next('b');
    expect(seen).toEqual(['a', 'b']);
  });
});

describe('the options of retryCompletion', () => {
  it('have these defaults', () => {
    expect(resolveRetry({})).toEqual(RETRY_DEFAULTS);
    expect(resolveRetry({ maxRetries: undefined, mode: undefined, when: undefined })).toEqual(RETRY_DEFAULTS);
    expect(RETRY_DEFAULTS).toMatchObject({ maxRetries: 2, mode: 'before-output', baseDelayMs: 500 });
  });

  it.each<[string, unknown, RegExp]>([
    ['maxRetries', -1, /^maxRetries must be a whole number, at least 0$/],
    ['maxRetries', 1.5, /^maxRetries must be a whole number, at least 0$/],
    ['maxRetries', '3', /^maxRetries must be a whole number, at least 0$/],
    ['mode', 'always', /^mode must be 'before-output' or 'restart'$/],
    ['baseDelayMs', -1, /^baseDelayMs must be a number, at least 0$/],
    ['when', 'server', /^when must be a function$/],
    ['scheduler', 5, /^scheduler must be an object/],
    ['maxRetrys', 5, /^Unknown option maxRetrys of retryCompletion; did you mean maxRetries\?$/],
    ['count', 5, /^Unknown option count of retryCompletion; known are /],
  ])('are checked at once: %s %p', (name, value, message) => {
    const error = thrownBy(() => retryCompletion({ [name]: value }));
    expect(error.message).toMatch(message);
    expect(error.kind).toBe('configuration');
  });

  it.each([null, 3, [3]])('must be an object: %p', (options) => {
    const error = thrownBy(() => retryCompletion(options as never));
    expect(error.message).toBe('The options of retryCompletion must be an object');
  });
});

import { concat, from, of, throwError, type Observable } from 'rxjs';
import { EMPTY_PARTIAL, type CompletionError, type PartialCompletion } from '../../src/errors.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { MAX_HELD } from '../../src/operators/hold-back.ts';
import { retryCompletion, type RetryCompletionOptions } from '../../src/operators/retry.ts';
import { HandClock } from '../support/client.ts';
import { CAUSE, EVENTS, inOrder, marbles, seenBy } from '../support/events.ts';
import { errorFields, failing, failure, fieldsOf, inTurn, restart, VALUES } from './failures.ts';

/** The failures of the attempts, in their order. */
const ERRORS = ['A', 'B', 'C'].map((code) => failure({ code, partial: partial(`shown by ${code}`) }));
const [ERROR_A, ERROR_B, ERROR_C] = ERRORS as [CompletionError, CompletionError, CompletionError];
/** Pauses of 3 and 6 frames. */
const RESTARTING: RetryCompletionOptions = { mode: 'restart', baseDelayMs: 3, jitter: 0 };

function partial(shown: string): PartialCompletion {
  return { ...EMPTY_PARTIAL, text: shown };
}

interface Case {
  readonly name: string;
  /** What each subscription of the source says. */
  readonly attempts: readonly string[];
  readonly expected: string;
  readonly subscriptions: readonly string[];
  /** What the letters M and P stand for. */
  readonly restarts?: readonly CompletionEvent[];
  readonly error?: unknown;
  readonly options?: RetryCompletionOptions;
}

describe("retryCompletion with mode 'restart'", () => {
  it.each<Case>([
    {
      name: 'announces a new attempt together with its first output; until then the old output stands',
      attempts: ['s-a-----#', 's-b-----f|'],
      expected: '--(sa)-------(M2b)-f|',
      subscriptions: ['^-------!', '-----------^--------!'],
      restarts: [restart(2, ERROR_A, 1)],
    },
    {
      name: 'says nothing of a failed attempt in between, but its error is the cause',
      attempts: ['s-a-----#', 's-l-#', 's-b-----f|'],
      expected: '--(sa)-----------------(M3b)-f|',
      subscriptions: ['^-------!', '-----------^---!', '---------------------^--------!'],
      restarts: [restart(3, ERROR_B, 1)],
    },
    {
      name: 'withdraws nothing where nothing was shown',
      attempts: ['s-#', 's-a-----f|'],
      expected: '-------(2a)--f|',
      subscriptions: ['^-!', '-----^--------!'],
    },
    {
      name: 'withdraws once for each attempt that was shown',
      attempts: ['s-a-----#', 's-b-----#', 's-a-----f|'],
      expected: '--(sa)-------(M2b)---------(P3a)-f|',
      subscriptions: ['^-------!', '-----------^-------!', '-------------------------^--------!'],
      restarts: [restart(2, ERROR_A, 1), restart(3, ERROR_B, 1)],
    },
    {
      name: 'counts the output that it withdraws',
      attempts: ['s-a-----rlxt--#', 's-b-----f|'],
      expected: '--(sa)--rlxt-------(M2b)-f|',
      subscriptions: ['^-------------!', '-----------------^--------!'],
      restarts: [restart(2, ERROR_A, 3)],
    },
    {
      name: 'shows an answer without output in place of the old one, when it is whole',
      attempts: ['s-a-----#', 's-f-|'],
      expected: '--(sa)---------(M2f|)',
      subscriptions: ['^-------!', '-----------^---!'],
      restarts: [restart(2, ERROR_A, 1)],
    },
    {
      name: 'ends with the last error, and leaves what stands: its partial is that',
      attempts: ['s-a-----#', '-#', 's-l-#'],
      expected: '--(sa)----------------#',
      subscriptions: ['^-------!', '-----------^!', '------------------^---!'],
      error: failure({ code: 'C', attempts: 3, partial: partial('a') }),
    },
    {
      name: 'ends with the last error of a shown attempt, and its partial',
      attempts: ['s-a-----#', 's-b-----l#'],
      expected: '--(sa)-------(M2b)-l#',
      subscriptions: ['^-------!', '-----------^--------!'],
      restarts: [restart(2, ERROR_A, 1)],
      error: failure({ code: 'B', attempts: 2, partial: partial('shown by B') }),
      options: { maxRetries: 1 },
    },
    {
      name: 'does not retry what when() refuses',
      attempts: ['s-a-----#'],
      expected: '--(sa)--#',
      subscriptions: ['^-------!'],
      error: ERROR_A,
      options: { when: () => false },
    },
    {
      name: 'counts retries before output among maxRetries',
      attempts: ['#', 's-a-----#'],
      expected: '-----(2a)--#',
      subscriptions: ['(^!)', '---^-------!'],
      error: failure({ code: 'B', attempts: 2, partial: partial('shown by B') }),
      options: { maxRetries: 1 },
    },
    {
      name: 'numbers on after a source that restarted by itself, whose withdrawn output is not withdrawn again',
      attempts: ['s-a-----aR2b--#', 's-a-----aR2b|'],
      expected: '--(sa)--aR2b-------(M3a)-aP4b|',
      subscriptions: ['^-------------!', '-----------------^-----------!'],
      restarts: [restart(3, failure({ code: 'A', attempts: 2 }), 1), { ...EVENTS.R, attempt: 4 }],
    },
  ])('$name', ({ attempts, expected, subscriptions, restarts = [], error, options }) => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const sources = attempts.map((diagram, index) => {
        const failed = diagram.includes('R') ? failure({ code: 'A', attempts: 2 }) : ERRORS[index];
        return cold<CompletionEvent>(diagram, VALUES, failed);
      });
      const result = inTurn(sources).pipe(retryCompletion({ ...RESTARTING, ...options, scheduler }), errorFields());
      const [M, P] = restarts;
      expectObservable(result).toBe(expected, { ...VALUES, M: M!, P: P! }, fieldsOf(error));
      sources.forEach((source, index) => {
        expectSubscriptions(source.subscriptions).toBe(subscriptions[index]!);
      });
    });
  });

  it('tells the very error of the attempt before', () => {
    const [, , announced] = shownOf([failing('sa', ERROR_A), from(inOrder('sb'))]);
    expect(announced).toMatchObject({ type: 'restart' });
    expect((announced as { cause: unknown }).cause).toBe(ERROR_A);
  });

  it('tells in the last partial what is shown, also of an attempt that failed with a foreign error', () => {
    const sources = [failing('sab', CAUSE), throwError(() => ERROR_C)];
    const told = shownOf(sources, { maxRetries: 1, when: () => true });
    expect(fieldsOf(told.at(-1))).toMatchObject({ code: 'C', attempts: 2, partial: { text: 'ab' } });
  });

  it(`shows a new attempt after ${String(MAX_HELD)} events without output, the withdrawal first`, () => {
    const sources = [failing('sa', ERROR_A), from(Array<CompletionEvent>(MAX_HELD).fill(EVENTS.l))];
    const told = shownOf(sources);
    expect(told.slice(2, 4)).toEqual([restart(2, ERROR_A, 1), EVENTS.l]);
    expect(told).toHaveLength(2 + 1 + MAX_HELD + 1);
  });
});

describe('what is no CompletionEvent', () => {
  it.each<[string, unknown]>([
    ['text', 'a'],
    ['an event of another make', { type: 'own' }],
  ])('is never followed by a second attempt, although JavaScript asks for it: %s', (_name, value) => {
    const sources = [
      throwError(() => ERROR_A),
      concat(
        of(value),
        throwError(() => ERROR_B),
      ),
    ] as Observable<CompletionEvent>[];
    const told = shownOf(sources);
    expect(told).toMatchObject([value, { code: 'B', attempts: 2 }]);
    expect(told).toHaveLength(2);
  });
});

/** All that is shown of these attempts. */
function shownOf(sources: readonly Observable<CompletionEvent>[], options?: RetryCompletionOptions): unknown[] {
  const clock = new HandClock();
  const told = seenBy(inTurn(sources).pipe(retryCompletion({ ...RESTARTING, ...options, scheduler: clock })));
  clock.advance(1e6);
  expect(clock.pending).toBe(0);
  return told;
}

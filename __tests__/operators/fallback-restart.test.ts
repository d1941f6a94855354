import type { ChatCompletion } from 'openai/resources/chat/completions';
import { concat, distinctUntilChanged, from, map, of, pipe, take, throwError } from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import {
  CompletionError,
  EMPTY_PARTIAL,
  type CompletionErrorDetails,
  type PartialCompletion,
} from '../../src/errors.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { accumulate } from '../../src/operators/accumulate.ts';
import { collect } from '../../src/operators/collect.ts';
import { fallbackTo, type FallbackOptions } from '../../src/operators/fallback.ts';
import { text } from '../../src/operators/text.ts';
import { CAUSE, EVENTS, inOrder, marbles, seenBy, synchronous } from '../support/events.ts';
import { errorFields, failing, fieldsOf, VALUES } from './failures.ts';

/** An error that can be told from others by its message: equality passes over the other fields of an error in an error. */
const lost = (code: string, details: Partial<CompletionErrorDetails> = {}): CompletionError =>
  new CompletionError(`${code} is lost`, { kind: 'connection', retryable: true, code, ...details });

/** The failures of the sources, in their order. */
const ERRORS = ['A', 'B', 'C'].map((code) => lost(code, { partial: partial(`shown by ${code}`) }));
const [ERROR_A, ERROR_B, ERROR_C] = ERRORS as [CompletionError, CompletionError, CompletionError];
const RESTARTING: FallbackOptions = { afterOutput: 'restart' };

function partial(shown: string): PartialCompletion {
  return { ...EMPTY_PARTIAL, text: shown };
}

function restart(attempt: number, cause: unknown, discarded: number): CompletionEvent {
  return { type: 'restart', attempt, cause, discarded };
}

interface Case {
  readonly name: string;
  /** The source, and the others. */
  readonly sources: readonly [string, ...string[]];
  readonly expected: string;
  readonly subscriptions: readonly (string | [])[];
  /** What the letters M and P stand for. */
  readonly restarts?: readonly CompletionEvent[];
  readonly error?: unknown;
  readonly options?: FallbackOptions;
}

describe("fallbackTo with afterOutput 'restart'", () => {
  it.each<Case>([
    {
      name: 'announces the next source together with its first output; until then the old output stands',
      sources: ['s-a-----b---#', 's-l-b-------f|'],
      expected: '--(sa)--b-------(M2lb)--f|',
      subscriptions: ['^-----------!', '------------^------------!'],
      restarts: [restart(2, ERROR_A, 2)],
    },
    {
      name: 'tells of the last failure, and withdraws what is shown, when a source between failed before output',
      sources: ['s-a-----#', 's-#', 's-b-----f|'],
      expected: '--(sa)------(M3b)-f|',
      subscriptions: ['^-------!', '--------^-!', '----------^--------!'],
      restarts: [restart(3, ERROR_B, 1)],
    },
    {
      name: 'withdraws as often as output was shown',
      sources: ['s-a-----#', 's-b-----#', 's-a-----f|'],
      expected: '--(sa)----(M2b)---(P3a)-f|',
      subscriptions: ['^-------!', '--------^-------!', '----------------^--------!'],
      restarts: [restart(2, ERROR_A, 1), restart(3, ERROR_B, 1)],
    },
    {
      name: 'ends with the last error when all have failed; what was shown stands, and is its partial',
      sources: ['s-a-----#', '#', 's-l-#'],
      expected: '--(sa)------#',
      subscriptions: ['^-------!', '--------(^!)', '--------^---!'],
      error: lost('C', {
        attempts: 3,
        previous: [ERROR_A, ERROR_B],
        partial: partial('a'),
      }),
    },
    {
      name: 'ends with the last error of a source that was shown, and its partial',
      sources: ['s-a-----#', 's-b-----l#'],
      expected: '--(sa)----(M2b)-l#',
      subscriptions: ['^-------!', '--------^--------!'],
      restarts: [restart(2, ERROR_A, 1)],
      error: lost('B', { attempts: 2, previous: [ERROR_A], partial: partial('shown by B') }),
    },
    {
      name: 'announces nothing where nothing was shown',
      sources: ['s-l-#', 's-b-----f|'],
      expected: '------(2b)--f|',
      subscriptions: ['^---!', '----^--------!'],
    },
    {
      name: 'ends with an error that when() refuses',
      sources: ['s-a-----#', 's-b|'],
      expected: '--(sa)--#',
      subscriptions: ['^-------!', []],
      error: ERROR_A,
      options: { when: () => false },
    },
  ])('$name', ({ sources, expected, subscriptions, restarts = [], error, options }) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const [source, ...others] = sources.map((it, index) => cold<CompletionEvent>(it, VALUES, ERRORS[index]));
      const result = source!.pipe(fallbackTo(others, { ...RESTARTING, ...options }), errorFields());
      const [M, P] = restarts;
      expectObservable(result).toBe(expected, { ...VALUES, M: M!, P: P! }, fieldsOf(error));
      [source!, ...others].forEach((each, index) => {
        expectSubscriptions(each.subscriptions).toBe(subscriptions[index]!);
      });
    });
  });

  it('tells the very error of the source before', () => {
    const [, , announced] = seenBy(failing('sa', ERROR_A).pipe(fallbackTo([from(inOrder('sb'))], RESTARTING)));
    expect((announced as { cause: unknown }).cause).toBe(ERROR_A);
  });

  it('tells in the last partial what stands, whatever the error of the source that said it', () => {
    const others = [failing('', ERROR_B), failing('s', ERROR_C)];
    const told = seenBy(failing('sab', CAUSE).pipe(fallbackTo(others, RESTARTING))).at(-1);
    expect(fieldsOf(told)).toEqual(
      fieldsOf(lost('C', { attempts: 3, previous: [CAUSE, ERROR_B], partial: partial('ab') })),
    );
    const shownTwice = failing('sab', ERROR_A).pipe(
      fallbackTo([failing('sb', ERROR_B), failing('s', ERROR_C)], RESTARTING),
    );
    expect(fieldsOf(seenBy(shownTwice).at(-1))).toMatchObject({ code: 'C', partial: { text: 'b' } });
  });

  it.each<[string, OperatorFunction<CompletionEvent, unknown>, readonly unknown[]]>([
    ['accumulate() begins anew', accumulated(), ['', 'a', 'ab', '', 'b', 'bb', '|']],
    ['collect() has the new answer alone', pipe(collect(), map(answerText)), ['bb', '|']],
    [
      'text() ends rather than show a second text',
      text(),
      ['a', 'b', expect.objectContaining({ kind: 'interrupted' })],
    ],
  ])('is followed by operators: %s', (_name, operator, expected) => {
    const result$ = failing('sab', ERROR_A).pipe(fallbackTo([from(inOrder('sbbf'))], RESTARTING), operator);
    expect(seenBy(result$)).toEqual(expected);
  });

  it('may be left at the announcement, before what follows it', () => {
    const other = synchronous(inOrder('sbb'));
    const result$ = failing('sa', ERROR_A).pipe(fallbackTo([other.source$], RESTARTING), take(3));
    expect(seenBy(result$)).toEqual([...inOrder('sa'), restart(2, ERROR_A, 1), '|']);
    expect(other.said).toEqual(inOrder('sb'));
  });

  it.each<[string, unknown]>([
    ['text', 'a'],
    ['an event of another make', { type: 'own' }],
  ])('never withdraws what is no CompletionEvent, although JavaScript asks for it: %s', (_name, value) => {
    const source = concat(
      of(value),
      throwError(() => ERROR_A),
    ) as Observable<CompletionEvent>;
    expect(seenBy(source.pipe(fallbackTo([from(inOrder('sb'))], RESTARTING)))).toEqual([value, ERROR_A]);
  });

  it('is not offered for other values', () => {
    // @ts-expect-error nobody who shows text could be told to withdraw it
    fallbackTo<string>(['a'], RESTARTING);
  });
});

describe('the numbers of fallbackTo', () => {
  const tried = (attempts: number, code: string): CompletionError => lost(code, { attempts });
  const numbers = (events: readonly unknown[]): unknown[] =>
    events.flatMap((event) => {
      const { type, attempt, attempts } = event as { type?: string; attempt?: number; attempts?: number };
      return type === 'start' || type === 'restart' ? [type, attempt] : attempts === undefined ? [] : [attempts];
    });

  it('go on after a source that has asked several times', () => {
    const result$ = failing('s', tried(3, 'A')).pipe(fallbackTo([from(inOrder('saRsbf'))]));
    expect(numbers(seenBy(result$))).toEqual(['start', 4, 'restart', 5, 'start', 4]);
  });

  it('count the requests of all sources in the error', () => {
    const [first, second, third] = [tried(3, 'A'), CAUSE, tried(2, 'C')];
    const result$ = failing('s', first).pipe(fallbackTo([failing('s', second), failing('sa', third)]));
    const seen = seenBy(result$);
    expect(numbers(seen)).toEqual(['start', 5, 6]);
    expect(seen.at(-1)).toMatchObject({ code: 'C', previous: [first, CAUSE] });
  });

  it('count the requests before a withdrawal in it', () => {
    const result$ = failing('sa', tried(3, 'A')).pipe(fallbackTo([failing('sb', tried(2, 'B'))], RESTARTING));
    expect(numbers(seenBy(result$))).toEqual(['start', 1, 'restart', 4, 'start', 4, 5]);
  });

  it('do not withdraw again what the source has withdrawn itself', () => {
    const result$ = failing('sabRa', tried(2, 'A')).pipe(fallbackTo([from(inOrder('sb'))], RESTARTING));
    expect(seenBy(result$).slice(5)).toEqual([
      restart(3, tried(2, 'A'), 1),
      { ...EVENTS.s, attempt: 3 },
      EVENTS.b,
      '|',
    ]);
  });

  it('leave the events of the sources as they are', () => {
    const s: CompletionEvent = structuredClone(EVENTS.s);
    const others: readonly CompletionEvent[][] = [[s, EVENTS.a]];
    seenBy(failing('s', ERROR_A).pipe(fallbackTo(others)));
    expect(s).toEqual(EVENTS.s);
  });

  it('leave the errors of the sources as they are', () => {
    const [first, last] = [lost('A'), lost('B')];
    seenBy(failing('s', first).pipe(fallbackTo([failing('s', last)])));
    expect([first, last].map(fieldsOf)).toEqual([lost('A'), lost('B')].map(fieldsOf));
  });
});

describe('the earlier errors', () => {
  it('are told by the last one, before those that it tells of itself', () => {
    const last = lost('C', { previous: [CAUSE], retryAfterMs: 5, status: 503, requestId: 'req_1' });
    const result$ = failing('s', ERROR_A).pipe(fallbackTo([failing('', ERROR_B), failing('', last)]));
    const told = lost('C', {
      attempts: 3,
      previous: [ERROR_A, ERROR_B, CAUSE],
      retryAfterMs: 5,
      status: 503,
      requestId: 'req_1',
    });
    expect(fieldsOf(seenBy(result$)[0])).toEqual(fieldsOf(told));
  });

  it('are those of the subscription', () => {
    const result$ = failing('', ERROR_A).pipe(fallbackTo([failing('', ERROR_B)]));
    expect(seenBy(result$)).toMatchObject([{ attempts: 2, previous: [ERROR_A] }]);
    expect(seenBy(result$)).toMatchObject([{ attempts: 2, previous: [ERROR_A] }]);
  });

  it('cannot be told by a foreign one, which passes unchanged', () => {
    const [told] = seenBy(failing('', ERROR_A).pipe(fallbackTo([failing('', CAUSE)])));
    expect(told).toBe(CAUSE);
    expect(CAUSE).not.toHaveProperty('previous');
  });

  it('keep what the source that is shown had said, in the partial', () => {
    const result$ = failing('s', ERROR_A).pipe(fallbackTo([failing('sb', ERROR_B)]));
    expect(fieldsOf(seenBy(result$).at(-1))).toMatchObject({ code: 'B', partial: ERROR_B.partial });
  });

  it('are not in the partial of the last one, if nothing was shown', () => {
    const result$ = failing('s', ERROR_A).pipe(fallbackTo([failing('s', ERROR_C)]));
    expect(fieldsOf(seenBy(result$).at(-1))).toMatchObject({ code: 'C', partial: ERROR_C.partial });
  });
});

/** The text of each snapshot that has another than the one before. */
function accumulated(): OperatorFunction<CompletionEvent, string> {
  return pipe(
    accumulate(),
    map((snapshot) => snapshot.text),
    distinctUntilChanged(),
  );
}

function answerText({ choices }: ChatCompletion): string | null | undefined {
  return choices[0]?.message.content;
}

import type { ChatCompletion } from 'openai/resources/chat/completions';
import { distinctUntilChanged, from, map, pipe, take, type OperatorFunction } from 'rxjs';
import { EMPTY_PARTIAL } from '../../src/errors.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { accumulate } from '../../src/operators/accumulate.ts';
import { collect } from '../../src/operators/collect.ts';
import { retryCompletion, type RetryCompletionOptions } from '../../src/operators/retry.ts';
import { text } from '../../src/operators/text.ts';
import { HandClock } from '../support/client.ts';
import { inOrder, marbles, seenBy, synchronous } from '../support/events.ts';
import { errorFields, failing, failure, fieldsOf, inTurn, restart, VALUES } from './failures.ts';

const ERROR = failure({ partial: { ...EMPTY_PARTIAL, text: 'a' } });
/** Pauses of 3 and 6 frames. */
const RESTARTING: RetryCompletionOptions = { mode: 'restart', baseDelayMs: 3, jitter: 0 };

describe("the subscribers of retryCompletion with mode 'restart'", () => {
  it('may leave in the pause after output', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold<CompletionEvent>('s-a-----#', VALUES, ERROR);
      expectObservable(source.pipe(retryCompletion({ ...RESTARTING, scheduler })), '^---------!').toBe(
        '--(sa)',
        VALUES,
      );
      expectSubscriptions(source.subscriptions).toBe('^-------!');
    });
  });

  it('may leave at the announcement, before what follows it', () => {
    const { source$: second, said } = synchronous(inOrder('sbb'));
    const clock = new HandClock();
    const result = inTurn([failing('sa', ERROR), second]).pipe(retryCompletion({ ...RESTARTING, scheduler: clock }));
    const seen = seenBy(result.pipe(take(3)));
    clock.advance(1000);
    expect(seen).toEqual([...inOrder('sa'), restart(2, ERROR, 1), '|']);
    expect(said).toEqual(inOrder('sb'));
    expect(clock.pending).toBe(0);
  });

  it('are told of their own attempts alone', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const source = cold<CompletionEvent>('s-a-----#', VALUES, ERROR);
      const result = source.pipe(retryCompletion({ ...RESTARTING, maxRetries: 1, scheduler }), errorFields());
      const values = { ...VALUES, M: restart(2, ERROR, 1) };
      const error = fieldsOf(failure({ attempts: 2, partial: ERROR.partial }));
      expectObservable(result).toBe('--(sa)-------(M2a)-#', values, error);
      expectObservable(result, '-^').toBe('---(sa)-------(M2a)-#', values, error);
    });
  });

  it.each<[string, OperatorFunction<CompletionEvent, unknown>, readonly unknown[]]>([
    ['accumulate() begins anew', accumulated(), ['', 'a', 'ab', '', 'b', 'bb', '|']],
    ['collect() has the new answer alone', pipe(collect(), map(answerText)), ['bb', '|']],
    [
      'text() ends rather than show a second text',
      text(),
      ['a', 'b', expect.objectContaining({ kind: 'interrupted' })],
    ],
  ])('may be operators: %s', (_name, operator, expected) => {
    const clock = new HandClock();
    const source = inTurn([failing('sab', ERROR), from(inOrder('sbbf'))]);
    const seen = seenBy(source.pipe(retryCompletion({ ...RESTARTING, scheduler: clock }), operator));
    clock.advance(3);
    expect(seen).toEqual(expected);
    expect(clock.pending).toBe(0);
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

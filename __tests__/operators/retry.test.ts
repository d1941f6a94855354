import { concat, defer, from, Observable, Subject, take, throwError } from 'rxjs';
import { COMPLETION_ERROR_KINDS } from '../../src/errors.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { retryCompletion, type RetryCompletionOptions } from '../../src/operators/retry.ts';
import { HandClock } from '../support/client.ts';
import { CAUSE, EVENTS, inOrder, marbles, seenBy, seenByLeaver, synchronous, untilEnd } from '../support/events.ts';
import { errorFields, failure, fieldsOf, inTurn, VALUES } from './failures.ts';

const LOST = failure();
/** Pauses of 3 and 6 frames. */
const PAUSES: RetryCompletionOptions & { readonly mode?: 'before-output' } = { baseDelayMs: 3, jitter: 0 };

interface Case {
  readonly name: string;
  /** What each subscription of the source says. */
  readonly attempts: readonly string[];
  readonly expected: string;
  readonly subscriptions: readonly string[];
  /** The number of requests its error tells of; `undefined`: it is the source's own. */
  readonly sent?: number;
}

describe('retryCompletion asks again', () => {
  it.each<Case>([
    {
      name: 'after an error before the first event',
      attempts: ['-#', 's-a-----b-f|'],
      expected: '   ------(2a)--b-f|',
      subscriptions: ['^!', '----^----------!'],
    },
    {
      name: 'after an error before output, of which nothing is shown',
      attempts: ['s-l-x-#', 's-a-----f|'],
      expected: '        -----------(2a)--f|',
      subscriptions: ['^-----!', '---------^--------!'],
    },
    {
      name: 'twice, with a longer pause before the second time',
      attempts: ['s-#', 's-#', 's-a-----f|'],
      expected: '    ---------------(3a)--f|',
      subscriptions: ['^-!', '-----^-!', '-------------^--------!'],
    },
    {
      name: 'until the retries are used up, and shows what the last attempt held before its error',
      attempts: ['s-#', 's-#', 's-l-#'],
      expected: '    -----------------(3l#)',
      subscriptions: ['^-!', '-----^-!', '-------------^---!'],
      sent: 3,
    },
    {
      name: 'not after output',
      attempts: ['s-a-----l-#'],
      expected: ' --(sa)--l-#',
      subscriptions: ['^---------!'],
    },
    {
      name: 'not after the output of a later attempt',
      attempts: ['#', 's-a-----#'],
      expected: '  -----(2a)--#',
      subscriptions: ['(^!)', '---^-------!'],
      sent: 2,
    },
    {
      name: 'not after an answer without output that is whole',
      attempts: ['s-f-u|'],
      expected: ' -----(sfu|)',
      subscriptions: ['^----!'],
    },
  ])('$name', ({ attempts, expected, subscriptions, sent }) => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const sources = attempts.map((diagram) => cold(diagram, EVENTS, LOST));
      const result = inTurn(sources).pipe(retryCompletion({ ...PAUSES, scheduler }), errorFields());
      const error = sent === undefined ? LOST : failure({ attempts: sent });
      expectObservable(result).toBe(expected.trim(), VALUES, fieldsOf(error));
      sources.forEach((source, index) => {
        expectSubscriptions(source.subscriptions).toBe(subscriptions[index]!);
      });
    });
  });

  it.each([
    ['an endless silence', '   ---'],
    ['an empty source', '      --|'],
    ['one value', '           -a-|'],
    ['values of any kind', '   a-b-(cd)|'],
    ['an error after a value', 'a-b-#'],
  ])('never for %s, which it passes on', (_name, diagram) => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold(diagram.trim(), undefined, LOST);
      expectObservable(source.pipe(retryCompletion({ ...PAUSES, scheduler }))).toBe(diagram.trim(), undefined, LOST);
      expectSubscriptions(source.subscriptions).toBe(untilEnd(diagram.trim()));
    });
  });
});

describe('what retryCompletion takes for worth another attempt', () => {
  const isAskedAgain = (error: unknown, options: RetryCompletionOptions = {}): boolean => {
    const clock = new HandClock();
    const result: unknown[] = seenBy(
      throwError(() => error).pipe(retryCompletion<never>({ ...options, mode: 'before-output', scheduler: clock })),
    );
    if (clock.pending === 0) expect(result).toEqual([error]);
    return clock.pending > 0;
  };

  it.each(COMPLETION_ERROR_KINDS)('is what says so of itself, whatever its kind: %s', (kind) => {
    expect(isAskedAgain(failure({ kind }))).toBe(true);
    expect(isAskedAgain(failure({ kind, retryable: false }))).toBe(false);
  });

  it.each<[string, unknown]>([
    ['an Error', CAUSE],
    ['an error that only looks retryable', Object.assign(new Error('foreign'), { retryable: true, status: 503 })],
    ['what is thrown that is no error', 'text'],
    ['nothing', undefined],
  ])('is not %s, unless when() says so', (_name, error) => {
    expect(isAskedAgain(error)).toBe(false);
    expect(isAskedAgain(error, { when: (given) => given === error })).toBe(true);
  });

  it('is an error of another copy of this package too', () => {
    const twin = Object.assign(new Error('lost'), { name: 'CompletionError', kind: 'server', retryable: true });
    expect(isAskedAgain(twin)).toBe(true);
  });

  it('is what when() says, and no more often than maxRetries', () => {
    expect(isAskedAgain(LOST, { when: () => false })).toBe(false);
    expect(isAskedAgain(failure({ retryable: false }), { when: () => true })).toBe(true);
    expect(isAskedAgain(LOST, { maxRetries: 0 })).toBe(false);
    const asked: unknown[] = [];
    expect(isAskedAgain(LOST, { maxRetries: 0, when: (error) => asked.push(error) > 0 })).toBe(false);
    expect(asked).toEqual([]);
  });
});

describe('retryCompletion and its subscribers', () => {
  it('unsubscribes from the source of the attempt that runs', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const sources = ['s-#', 's-a-b-|'].map((diagram) => cold(diagram, EVENTS, LOST));
      const result = inTurn(sources).pipe(retryCompletion({ ...PAUSES, scheduler }));
      expectObservable(result, '^--------!').toBe('-------(2a)', VALUES);
      expectSubscriptions(sources[0]!.subscriptions).toBe('^-!');
      expectSubscriptions(sources[1]!.subscriptions).toBe('-----^---!');
    });
  });

  it('asks no more for one who left during the pause, and leaves no timer', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold('s-#', EVENTS, LOST);
      expectObservable(source.pipe(retryCompletion({ ...PAUSES, scheduler })), '^---!').toBe('----');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
    const clock = new HandClock();
    const subscription = throwError(() => LOST)
      .pipe(retryCompletion({ scheduler: clock }))
      .subscribe();
    expect(clock.pending).toBe(1);
    subscription.unsubscribe();
    expect(clock.pending).toBe(0);
  });

  it('asks no more for one who leaves while it is decided', () => {
    const clock = new HandClock();
    const source = new Subject<string>();
    const subscription = source
      .pipe(
        retryCompletion({
          scheduler: clock,
          when: () => {
            subscription.unsubscribe();
            return true;
          },
        }),
      )
      .subscribe();
    source.error(LOST);
    expect(clock.pending).toBe(0);
  });

  it('counts for each subscription anew', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold('-#', EVENTS, LOST);
      const result = source.pipe(retryCompletion({ ...PAUSES, maxRetries: 1, scheduler }), errorFields());
      const error = fieldsOf(failure({ attempts: 2 }));
      expectObservable(result).toBe('-----#', undefined, error);
      expectObservable(result, '------------^').toBe('-----------------#', undefined, error);
      expectSubscriptions(source.subscriptions).toBe(['^!', '----^!', '------------^!', '----------------^!']);
    });
  });

  it('runs a synchronous source no further than its subscriber wants', () => {
    const { source$, said } = synchronous(inOrder('slab'));
    expect(seenBy(source$.pipe(retryCompletion(), take(3)))).toEqual([...inOrder('sla'), '|']);
    expect(seenByLeaver(source$.pipe(retryCompletion()))).toEqual([EVENTS.s]);
    expect(said).toEqual(inOrder('slasla'));
  });

  it('asks a source again that fails inside subscribe, or does not even get there', () => {
    const clock = new HandClock();
    const broken = new Observable<string>(() => {
      throw LOST;
    });
    const impossible = defer((): Observable<string> => {
      throw LOST;
    });
    const result = inTurn([broken, impossible, from(['a'])]).pipe(retryCompletion({ scheduler: clock }));
    const seen = seenBy(result);
    clock.advance(10_000);
    expect(seen).toEqual(['a', '|']);
    expect(clock.pending).toBe(0);
  });

  it('ends with what a synchronous source fails with after output', () => {
    const failing$ = concat(
      from(['a']),
      throwError(() => LOST),
    );
    expect(seenBy(failing$.pipe(retryCompletion({ scheduler: new HandClock() })))).toEqual(['a', LOST]);
  });

  it.each(['when', 'random'])('ends with what %s() throws', (name) => {
    const throwing = {
      [name]: () => {
        throw CAUSE;
      },
    };
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold<CompletionEvent>('s-#', EVENTS, LOST);
      expectObservable(source.pipe(retryCompletion({ ...PAUSES, ...throwing, scheduler }))).toBe('--#', VALUES, CAUSE);
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });
});

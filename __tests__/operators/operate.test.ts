import { concat, Observable, of, Subject, take, throwError, type Observer, type Subscriber } from 'rxjs';
import { operate } from '../../src/operators/operate.ts';
import { CAUSE, marbles, seenBy, seenByLeaver, synchronous, untilEnd } from '../support/events.ts';

type Handlers<R> = (subscriber: Subscriber<R>) => Pick<Observer<string>, 'next'> & Partial<Observer<string>>;

/** Passes on everything. */
const passing: Handlers<string> = (subscriber) => ({
  next: (value) => {
    subscriber.next(value);
  },
});

const fail = (): never => {
  throw CAUSE;
};

describe('operate', () => {
  it.each([
    ['nothing at all', '   ---'],
    ['nothing', '          --|'],
    ['one value', '        -a-|'],
    ['many values', '      -a-b-(cd)-e-|'],
    ['an endless source', '-a-b-'],
    ['an error', '         #'],
    ['an error later', '   -a-b-#'],
  ])('passes on what no handler takes: %s', (_name, diagram) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold(diagram.trim());
      expectObservable(source.pipe(operate(passing))).toBe(diagram.trim());
      expectSubscriptions(source.subscriptions).toBe(untilEnd(diagram.trim()));
    });
  });

  it('lets handlers say something else', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const other = operate<string, string>((subscriber) => ({
        next: (value) => {
          subscriber.next(`${value}1`);
          subscriber.next(`${value}2`);
        },
        error: (error) => {
          subscriber.next(String(error));
          subscriber.complete();
        },
        complete: () => {
          subscriber.next('end');
          subscriber.error(CAUSE);
        },
      }));
      const values = { 1: 'a1', 2: 'a2', 3: 'error', 4: 'end' };
      const failing = cold('   -a----#');
      const completing = cold('-a----|');
      expectObservable(failing.pipe(other)).toBe('   -(12)-(3|)', values);
      expectObservable(completing.pipe(other)).toBe('-(12)-(4#)', values, CAUSE);
      expectSubscriptions(failing.subscriptions).toBe('   ^-----!');
      expectSubscriptions(completing.subscriptions).toBe('^-----!');
    });
  });

  it.each<[string, string, string, Handlers<string>]>([
    ['next', '    --a-b-|', '--#', () => ({ next: fail })],
    ['error', '   ----#--', '----#', () => ({ next: fail, error: fail })],
    ['complete', '----|--', '----#', () => ({ next: fail, complete: fail })],
  ])('ends with what the handler of %s throws', (_name, diagram, expected, handlers) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold(diagram.trim(), undefined, 'another error');
      expectObservable(source.pipe(operate(handlers))).toBe(expected, undefined, CAUSE);
      expectSubscriptions(source.subscriptions).toBe(untilEnd(expected));
    });
  });

  it('ends with what is thrown while the handlers are made, and subscribes to nothing', () => {
    const { source$, said } = synchronous(['a']);
    expect(seenBy(source$.pipe(operate(fail)))).toEqual([CAUSE]);
    expect(said).toEqual([]);
  });

  it('makes handlers for each subscription', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('aaa|');
      const counted = operate<string, string>((subscriber) => {
        let count = 0;
        return {
          next: () => {
            subscriber.next(String(++count));
          },
        };
      });
      const result = source.pipe(counted);
      expectObservable(result).toBe('        123|');
      expectObservable(result, '-^-!').toBe('-12');
      expectObservable(result, '-----^').toBe('-----123|');
      expectSubscriptions(source.subscriptions).toBe(['^--!', '-^-!', '-----^--!']);
    });
  });

  it('unsubscribes from the source with its subscriber, and calls no handler for it', () => {
    const called: string[] = [];
    const told = operate<string, string>((subscriber) => ({
      next: (value) => {
        subscriber.next(value);
      },
      error: () => called.push('error'),
      complete: () => called.push('complete'),
    }));
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('--a-b-c-|');
      expectObservable(source.pipe(told), '^--!').toBe('--a');
      expectObservable(source.pipe(told, take(1))).toBe('--(a|)');
      expectSubscriptions(source.subscriptions).toBe(['^--!', '^-!']);
    });
    expect(called).toEqual([]);
  });
});

describe('operate over a source that says everything inside subscribe', () => {
  it('stops it when the subscriber has enough', () => {
    const { source$, said } = synchronous(['a', 'b', 'c']);
    expect(seenBy(source$.pipe(operate(passing), take(2)))).toEqual(['a', 'b', '|']);
    expect(said).toEqual(['a', 'b']);
  });

  it('stops it for a consumer who leaves from inside next', () => {
    const { source$, said } = synchronous(['a', 'b', 'c']);
    expect(seenByLeaver(source$.pipe(operate(passing)))).toEqual(['a']);
    expect(said).toEqual(['a']);
  });

  it.each<[string, unknown, Handlers<string>]>([
    [
      'completes',
      '|',
      (subscriber) => ({
        next: () => {
          subscriber.complete();
        },
      }),
    ],
    [
      'errors',
      CAUSE,
      (subscriber) => ({
        next: () => {
          subscriber.error(CAUSE);
        },
      }),
    ],
    ['throws', CAUSE, () => ({ next: fail })],
  ])('stops it when a handler %s', (_name, ending, handlers) => {
    const { source$, said } = synchronous(['a', 'b', 'c']);
    expect(seenBy(source$.pipe(operate(handlers)))).toEqual([ending]);
    expect(said).toEqual(['a']);
  });

  it('passes on all of it otherwise, and its end', () => {
    expect(seenBy(of('a', 'b').pipe(operate(passing)))).toEqual(['a', 'b', '|']);
    const failing$ = concat(
      of('a'),
      throwError(() => CAUSE),
    );
    expect(seenBy(failing$.pipe(operate(passing)))).toEqual(['a', CAUSE]);
  });

  it('tells its teardown of every ending', () => {
    const endings: string[] = [];
    const watched = (name: string): Observable<string> =>
      new Observable((subscriber) => {
        subscriber.next('a');
        return () => endings.push(name);
      });
    watched('take').pipe(operate(passing), take(1)).subscribe();
    watched('unsubscribe').pipe(operate(passing)).subscribe().unsubscribe();
    watched('throw')
      .pipe(operate<string, string>(() => ({ next: fail })))
      .subscribe({ error: () => undefined });
    expect(endings).toEqual(['take', 'unsubscribe', 'throw']);
  });
});

describe('operate and re-entrance', () => {
  it('passes on what is said while a value is passed on', () => {
    const source = new Subject<string>();
    const seen: string[] = [];
    source.pipe(operate(passing)).subscribe((value) => {
      seen.push(value);
      if (value === 'a') source.next('b');
    });
    source.next('a');
    expect(seen).toEqual(['a', 'b']);
  });

  it('leaves no observer behind', () => {
    const source = new Subject<string>();
    for (let count = 0; count < 10; count++) source.pipe(operate(passing)).subscribe().unsubscribe();
    expect(source.observed).toBe(false);
  });
});

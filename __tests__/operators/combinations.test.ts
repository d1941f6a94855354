import { Subject } from 'rxjs';
import { CompletionError, type CompletionErrorDetails } from '../../src/errors.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { accumulate } from '../../src/operators/accumulate.ts';
import { fallbackTo } from '../../src/operators/fallback.ts';
import { hedge } from '../../src/operators/hedge.ts';
import { retryCompletion } from '../../src/operators/retry.ts';
import { shareCompletion } from '../../src/operators/share.ts';
import { timeoutCompletion } from '../../src/operators/timeout.ts';
import { EVENTS, inOrder, marbles } from '../support/events.ts';
import { errorFields, expired, fieldsOf, inTurn, VALUES } from './failures.ts';

/** An error that can be told from others by its message: equality passes over the other fields of an error in an error. */
const lost = (code: string, details: Partial<CompletionErrorDetails> = {}): CompletionError =>
  new CompletionError(`${code} is lost`, { kind: 'connection', retryable: true, code, ...details });

const ERRORS = ['A', 'B', 'C', 'D'].map((code) => lost(code));
const [ERROR_A, ERROR_B, ERROR_C, ERROR_D] = ERRORS;
/** Pauses of 3 and 6 frames. */
const PAUSES = { baseDelayMs: 3, jitter: 0 } as const;
const m: CompletionEvent = { type: 'text-delta', choice: 0, text: 'ab' };

type Sources = readonly [string, string, ...string[]];

describe('a retry and sharing', () => {
  const ATTEMPTS: Sources = ['s-#', 's-a-----b-------f|'];
  const FIRST = '-------(2a)--b-------f|';
  const LATE = '---------------(2m)--f|';
  const REQUESTS = ['^-!', '-----^----------------!'];

  it('are one retry for all, in that order', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const sources = ATTEMPTS.map((it) => cold(it, EVENTS, ERROR_A));
      const result = inTurn(sources).pipe(retryCompletion({ ...PAUSES, scheduler }), shareCompletion());
      for (const stay of ['^', '^', '---^']) expectObservable(result, stay).toBe(FIRST, VALUES);
      expectObservable(result, '---------------^').toBe(LATE, { ...VALUES, m });
      sources.forEach((source, index) => {
        expectSubscriptions(source.subscriptions).toBe(REQUESTS[index]!);
      });
    });
  });

  it('are one retry too in the other order, where all wait as long: the first to come back asks for all', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const sources = ATTEMPTS.map((it) => cold(it, EVENTS, ERROR_A));
      const result = inTurn(sources).pipe(shareCompletion(), retryCompletion({ ...PAUSES, scheduler }));
      for (const stay of ['^', '^', '-^']) expectObservable(result, stay).toBe(FIRST, VALUES);
      sources.forEach((source, index) => {
        expectSubscriptions(source.subscriptions).toBe(REQUESTS[index]!);
      });
    });
  });

  it('are no retry for those who have left in the pause', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold('s-#', EVENTS, ERROR_A);
      const result = source.pipe(retryCompletion({ ...PAUSES, scheduler }), shareCompletion());
      expectObservable(result, '^--!').toBe('----');
      expectObservable(result, '^---!').toBe('-----');
      expectSubscriptions(source.subscriptions).toBe(['^-!']);
    });
  });
});

describe('fallbacks and hedges', () => {
  it('are a hedge of fallbacks', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const diagrams = ['s-#', 's---------a|', 's-#', 's-a---f|'];
      const [a, b, c, d] = diagrams.map((it, index) => cold(it, EVENTS, ERRORS[index]));
      const backup = c!.pipe(fallbackTo([d!]));
      const result = a!.pipe(fallbackTo([b!]), hedge(backup, { afterMs: 5, scheduler }));
      expectObservable(result).toBe('---------(2a)f|', VALUES);
      expectSubscriptions(a!.subscriptions).toBe('^-!');
      expectSubscriptions(b!.subscriptions).toBe('--^------!');
      expectSubscriptions(c!.subscriptions).toBe('-----^-!');
      expectSubscriptions(d!.subscriptions).toBe('-------^------!');
    });
  });

  it('are a hedge of fallbacks that all fail', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const [a, b, c, d] = ['-#', '-#', '-#', '-#'].map((it, index) => cold(it, EVENTS, ERRORS[index]));
      const backup = c!.pipe(fallbackTo([d!]));
      const result = a!.pipe(fallbackTo([b!]), hedge(backup, { afterMs: 5, scheduler }), errorFields());
      const second = lost('D', { attempts: 2, previous: [ERROR_C] });
      const error = lost('B', { attempts: 4, previous: [ERROR_A, second] });
      expectObservable(result).toBe('----#', VALUES, fieldsOf(error));
    });
  });

  it('are a fallback of hedges', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const diagrams = ['----#', '-#', '--------', 's-a---f|'];
      const [a, b, c, d] = diagrams.map((it, index) => cold(it, EVENTS, ERRORS[index]));
      const other = c!.pipe(hedge(d!, { afterMs: 2, scheduler }));
      const result = a!.pipe(hedge(b!, { afterMs: 2, scheduler }), fallbackTo([other]));
      expectObservable(result).toBe('--------(3a)f|', VALUES);
      expectSubscriptions(a!.subscriptions).toBe('^---!');
      expectSubscriptions(b!.subscriptions).toBe('--^!');
      expectSubscriptions(c!.subscriptions).toBe('----^---!');
      expectSubscriptions(d!.subscriptions).toBe('------^------!');
    });
  });

  it('are a fallback of hedges that all fail', () => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const [a, b, c, d] = ['-#', '-#', '-#', '-#'].map((it, index) => cold(it, EVENTS, ERRORS[index]));
      const other = c!.pipe(hedge(d!, { afterMs: 2, scheduler }));
      const result = a!.pipe(hedge(b!, { afterMs: 2, scheduler }), fallbackTo([other]), errorFields());
      const first = lost('A', { attempts: 2, previous: [ERROR_B] });
      const error = lost('C', { attempts: 4, previous: [first, ERROR_D] });
      expectObservable(result).toBe('----#', VALUES, fieldsOf(error));
    });
  });

  it('are a fallback that has a fallback', () => {
    marbles(({ cold, expectObservable }) => {
      const [a, b, c] = ['-#', '-#', 's-a---#'].map((it, index) => cold(it, EVENTS, ERRORS[index]));
      const result = a!.pipe(fallbackTo([b!.pipe(fallbackTo([c!]))]), errorFields());
      const error = lost('C', { attempts: 3, previous: [ERROR_A, ERROR_B] });
      expectObservable(result).toBe('----(3a)#', VALUES, fieldsOf(error));
    });
  });
});

describe('a timeout', () => {
  it('before a retry and a fallback ends each attempt, and then the source', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const [source, other] = [cold('s------', EVENTS), cold('s-a---f|', EVENTS)];
      const result = source.pipe(
        timeoutCompletion({ outputMs: 5, scheduler }),
        retryCompletion({ ...PAUSES, maxRetries: 1, scheduler }),
        fallbackTo([other]),
      );
      expectObservable(result).toBe('---------------(3a)f|', VALUES);
      expectSubscriptions(source.subscriptions).toBe(['^----!', '--------^----!']);
      expectSubscriptions(other.subscriptions).toBe('-------------^------!');
    });
  });

  it('after a hedge bounds both', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const [source, backup] = [cold('s-----------', EVENTS), cold('s-----------', EVENTS)];
      const result = source.pipe(
        hedge(backup, { afterMs: 3, scheduler }),
        timeoutCompletion({ outputMs: 8, scheduler }),
        fallbackTo([inOrder('saf')]),
      );
      expectObservable(result).toBe('--------(2af|)', VALUES);
      expectSubscriptions(source.subscriptions).toBe('^-------!');
      expectSubscriptions(backup.subscriptions).toBe('---^----!');
    });
  });

  it('behind sharing is that of its subscriber alone', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold('s-a-------f|', EVENTS);
      const shared = source.pipe(shareCompletion());
      const impatient = shared.pipe(timeoutCompletion({ outputMs: 5, scheduler }), errorFields());
      expectObservable(shared).toBe('s-a-------f|', EVENTS);
      expectObservable(impatient).toBe('s-a----#', EVENTS, expired('output', 5, { text: 'a' }));
      expectSubscriptions(source.subscriptions).toBe('^----------!');
    });
  });
});

describe('a view behind sharing', () => {
  it('has all that was said so far inside subscribe, then what follows, as the first has', () => {
    const source = new Subject<CompletionEvent>();
    const view$ = source.pipe(shareCompletion(), accumulate());
    const shown = (): string[] => {
      const texts: string[] = [];
      view$.subscribe(({ status, text }) => texts.push(`${status} ${text}`));
      return texts;
    };
    const first = shown();
    expect(first).toEqual(['connecting ']);
    for (const event of inOrder('sa')) source.next(event);
    const late = shown();
    expect(late).toEqual(['connecting ', 'streaming ', 'streaming a']);
    for (const event of inOrder('bf')) source.next(event);
    source.complete();
    const rest = ['streaming ab', 'streaming ab', 'done ab'];
    expect(first).toEqual(['connecting ', 'streaming ', 'streaming a', ...rest]);
    expect(late).toEqual(['connecting ', 'streaming ', 'streaming a', ...rest]);
  });
});

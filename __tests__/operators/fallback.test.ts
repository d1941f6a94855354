import { defer, lastValueFrom, Observable, of, throwError, toArray, type ObservableInput } from 'rxjs';
import { COMPLETION_ERROR_KINDS, CompletionError, type CompletionErrorDetails } from '../../src/errors.ts';
import { fallbackTo, type FallbackOptions } from '../../src/operators/fallback.ts';
import { CAUSE, EVENTS, marbles, seenBy, untilEnd } from '../support/events.ts';
import { errorFields, failure, fieldsOf, VALUES } from './failures.ts';

/** An error that can be told from others by its message: equality passes over the other fields of an error in an error. */
const lost = (code: string, details: Partial<CompletionErrorDetails> = {}): CompletionError =>
  new CompletionError(`${code} is lost`, { kind: 'connection', retryable: true, code, ...details });

/** The failures of the sources, in their order. */
const ERRORS = ['A', 'B', 'C'].map((code) => lost(code));
const [ERROR_A, ERROR_B, ERROR_C] = ERRORS as [CompletionError, CompletionError, CompletionError];

interface Case {
  readonly name: string;
  /** The source, and the others. */
  readonly sources: readonly [string, ...string[]];
  readonly expected: string;
  readonly subscriptions: readonly (string | [])[];
  readonly error?: unknown;
  readonly options?: FallbackOptions & { readonly afterOutput?: 'never' };
}

describe('fallbackTo', () => {
  it.each<Case>([
    {
      name: 'shows the next source after an error before the first event',
      sources: ['-#', 's-a-----b-f|'],
      expected: '---(2a)--b-f|',
      subscriptions: ['^!', '-^----------!'],
    },
    {
      name: 'shows nothing of a source that failed before output',
      sources: ['s-l-x-#', 's-a-----f|'],
      expected: '--------(2a)--f|',
      subscriptions: ['^-----!', '------^--------!'],
    },
    {
      name: 'goes on until one answers, and leaves those behind it alone',
      sources: ['#', 's-#', 's-a-----f|', 's-b|'],
      expected: '----(3a)--f|',
      subscriptions: ['(^!)', '^-!', '--^--------!', []],
    },
    {
      name: 'ends with the last error when all have failed, and shows what the last one held before it',
      sources: ['s-#', 's-#', 's-l-#'],
      expected: '--------(3l#)',
      subscriptions: ['^-!', '--^-!', '----^---!'],
      error: lost('C', { attempts: 3, previous: [ERROR_A, ERROR_B] }),
    },
    {
      name: 'ends with the error of a source that has shown output',
      sources: ['s-a-----l-#', 's-b|'],
      expected: '--(sa)--l-#',
      subscriptions: ['^---------!', []],
      error: ERROR_A,
    },
    {
      name: 'ends with the error of a later source that has shown output',
      sources: ['#', 's-a-----#', 's-b|'],
      expected: '--(2a)--#',
      subscriptions: ['(^!)', '^-------!', []],
      error: lost('B', { attempts: 2, previous: [ERROR_A] }),
    },
    {
      name: 'takes an answer without output for an answer',
      sources: ['s-f-u|', 's-b|'],
      expected: '-----(sfu|)',
      subscriptions: ['^----!', []],
    },
    {
      name: 'takes an empty source for an answer',
      sources: ['--|', 's-b|'],
      expected: '--|',
      subscriptions: ['^-!', []],
    },
    {
      name: 'waits for a source that says nothing',
      sources: ['-#', '----'],
      expected: '-----',
      subscriptions: ['^!', '-^'],
    },
    {
      name: 'ends with the error of the source where there is no other',
      sources: ['s-#'],
      expected: '--(s#)',
      subscriptions: ['^-!'],
      error: ERROR_A,
    },
    {
      name: 'ends with an error that when() refuses',
      sources: ['s-#', 's-b|'],
      expected: '--(s#)',
      subscriptions: ['^-!', []],
      error: ERROR_A,
      options: { when: () => false },
    },
    {
      name: 'ends with a later error that when() refuses, and tells the one before',
      sources: ['#', '-#', 's-b|'],
      expected: '-#',
      subscriptions: ['(^!)', '^!', []],
      error: lost('B', { attempts: 2, previous: [ERROR_A] }),
      options: { when: (error) => error === ERROR_A },
    },
  ])('$name', ({ sources, expected, subscriptions, error, options }) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const [source, ...others] = sources.map((diagram, index) => cold(diagram, EVENTS, ERRORS[index]));
      const result = source!.pipe(fallbackTo(others, options), errorFields());
      expectObservable(result).toBe(expected, VALUES, fieldsOf(error));
      [source!, ...others].forEach((each, index) => {
        expectSubscriptions(each.subscriptions).toBe(subscriptions[index]!);
      });
    });
  });

  it.each([
    ['an endless silence', '   ---'],
    ['an empty source', '      --|'],
    ['one value', '           -a-|'],
    ['values of any kind', '   a-b-(cd)|'],
    ['an error after a value', 'a-b-#'],
  ])('passes on %s, and subscribes to no other', (_name, diagram) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold(diagram.trim(), undefined, ERROR_A);
      const other = cold('z|');
      expectObservable(source.pipe(fallbackTo([other]))).toBe(diagram.trim(), undefined, ERROR_A);
      expectSubscriptions(source.subscriptions).toBe(untilEnd(diagram.trim()));
      expectSubscriptions(other.subscriptions).toBe([]);
    });
  });
});

describe('the other sources of fallbackTo', () => {
  it.each<[string, () => ObservableInput<string>]>([
    ['an array', () => ['a', 'b']],
    ['an iterable', () => new Set(['a', 'b'])],
    ['an async iterable', () => slowly('a', 'b')],
    ['a stream', () => new Response(new Blob(['ab'])).body!.pipeThrough(new TextDecoderStream())],
    ['an Observable', () => of('a', 'b')],
  ])('may be %s', async (_name, other) => {
    const failed$ = throwError(() => ERROR_A);
    const result$ = failed$.pipe(fallbackTo<string>([other()]), toArray());
    expect((await lastValueFrom(result$)).join('')).toBe('ab');
  });

  it('may be a promise, and one that is rejected is followed by the next', async () => {
    const others = [Promise.reject(ERROR_B), Promise.resolve('a')] as const;
    const result$ = throwError(() => ERROR_A).pipe(fallbackTo<string>(others));
    await expect(lastValueFrom(result$)).resolves.toBe('a');
  });

  it('may fail inside subscribe, or not even get there', () => {
    const broken = new Observable<string>(() => {
      throw ERROR_B;
    });
    const impossible = defer((): Observable<string> => {
      throw ERROR_C;
    });
    const result$ = throwError(() => ERROR_A).pipe(fallbackTo<string>([broken, impossible]));
    expect(seenBy(result$).map(fieldsOf)).toEqual([fieldsOf(lost('C', { attempts: 3, previous: [ERROR_A, ERROR_B] }))]);
  });

  it('are begun when the one before has ended, one at a time', () => {
    const log: string[] = [];
    const logged = (name: string): Observable<string> =>
      new Observable((subscriber) => {
        log.push(name);
        subscriber.error(CAUSE);
      });
    const result$ = logged('source').pipe(fallbackTo([logged('first'), logged('second')]));
    expect(log).toEqual([]);
    expect(seenBy(result$)).toEqual([CAUSE]);
    expect(log).toEqual(['source', 'first', 'second']);
  });
});

describe('what fallbackTo takes for worth another source', () => {
  const isAnswered = (error: unknown, options?: FallbackOptions): boolean => {
    const seen = seenBy(
      throwError(() => error).pipe(fallbackTo<unknown>(['other'], { ...options, afterOutput: 'never' })),
    );
    if (seen.length === 1) expect(seen[0]).toBe(error);
    else expect(seen).toEqual([...Array.from('other'), '|']);
    return seen.length > 1;
  };
  const FINAL: readonly string[] = ['aborted', 'refusal', 'configuration'];

  it.each(COMPLETION_ERROR_KINDS)('are all kinds but three, retryable or not: %s', (kind) => {
    for (const retryable of [true, false]) {
      expect(isAnswered(failure({ kind, retryable }))).toBe(!FINAL.includes(kind));
    }
  });

  it.each<[string, unknown]>([
    ['an Error', CAUSE],
    ['an error that only looks like one of these', Object.assign(new Error('foreign'), { kind: 'aborted' })],
    ['what is thrown that is no error', 'text'],
    ['nothing', undefined],
  ])('is %s', (_name, error) => {
    expect(isAnswered(error)).toBe(true);
  });

  it('is no such kind of another copy of this package either', () => {
    const twin = { name: 'CompletionError', message: 'lost', retryable: true };
    for (const kind of FINAL) expect(isAnswered(Object.assign(new Error('lost'), twin, { kind }))).toBe(false);
    expect(isAnswered(Object.assign(new Error('lost'), twin, { kind: 'server' }))).toBe(true);
  });

  it('is what when() says, in place of the default', () => {
    expect(isAnswered(failure({ kind: 'aborted' }), { when: () => true })).toBe(true);
    expect(isAnswered(ERROR_A, { when: () => false })).toBe(false);
  });

  it('is asked once for each error that another source could answer', () => {
    const asked: unknown[] = [];
    const when = (error: unknown): boolean => asked.push(error) > 0;
    const failing = ERRORS.map((error) => throwError(() => error));
    seenBy(failing[0]!.pipe(fallbackTo(failing.slice(1), { when })));
    expect(asked).toEqual([ERROR_A, ERROR_B]);
    expect(asked[0]).toBe(ERROR_A);
  });
});

async function* slowly<T>(...values: readonly T[]): AsyncIterable<T> {
  yield* values;
}

import { lastValueFrom, of, throwError, toArray, type ObservableInput } from 'rxjs';
import { CompletionError, type CompletionErrorDetails } from '../../src/errors.ts';
import { hedge } from '../../src/operators/hedge.ts';
import { CAUSE, EVENTS, marbles, untilEnd } from '../support/events.ts';
import { errorFields, fieldsOf, VALUES } from './failures.ts';

/** An error that can be told from others by its message: equality passes over the other fields of an error in an error. */
const lost = (code: string, details: Partial<CompletionErrorDetails> = {}): CompletionError =>
  new CompletionError(`${code} is lost`, { kind: 'connection', retryable: true, code, ...details });

const ERROR_A = lost('A');
const ERROR_B = lost('B');
const BOTH = lost('A', { attempts: 2, previous: [ERROR_B] });

interface Case {
  readonly name: string;
  readonly source: string;
  readonly backup: string;
  /** Default: 5. */
  readonly afterMs?: number;
  readonly expected: string;
  /** Of the source, and of the backup. */
  readonly subscriptions: readonly [string, string | []];
  readonly error?: unknown;
}

function expectHedge({ source, backup, afterMs = 5, expected, subscriptions, error }: Case): void {
  marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
    const [first, second] = [cold(source, EVENTS, ERROR_A), cold(backup, EVENTS, ERROR_B)];
    const result = first.pipe(hedge(second, { afterMs, scheduler }), errorFields());
    expectObservable(result).toBe(expected, VALUES, fieldsOf(error));
    expectSubscriptions(first.subscriptions).toBe(subscriptions[0]);
    expectSubscriptions(second.subscriptions).toBe(subscriptions[1]);
  });
}

describe('hedge starts no backup', () => {
  it.each<Case>([
    {
      name: 'when output comes in time',
      source: '--s-a--------b-f|',
      backup: 'sb|',
      expected: '----(sa)-----b-f|',
      subscriptions: ['^---------------!', []],
    },
    {
      name: 'after output, however long the source is silent then',
      source: '--a---------',
      backup: 'sb|',
      expected: '--a---------',
      subscriptions: ['^', []],
    },
    {
      name: 'when the source completes in time, though without output',
      source: '-s-f|',
      backup: 'sb|',
      expected: '----(sf|)',
      subscriptions: ['^---!', []],
    },
    {
      name: 'when the source is empty',
      source: '|',
      backup: 'sb|',
      expected: '|',
      subscriptions: ['(^!)', []],
    },
    {
      name: 'after an error after output',
      source: '-s-a-----#',
      backup: 'sb|',
      expected: '---(sa)--#',
      subscriptions: ['^--------!', []],
      error: ERROR_A,
    },
    {
      name: 'ever, for Infinity',
      source: '------ 10s s-a---|',
      backup: 'sb|',
      afterMs: Number.POSITIVE_INFINITY,
      expected: '------ 10s --(sa)|',
      subscriptions: ['^----- 10s ------!', []],
    },
  ])('$name', (row) => {
    expectHedge(row);
  });
});

describe('hedge starts the backup', () => {
  it.each<Case>([
    {
      name: 'when no output came in time, and leaves the source when the backup gives output',
      source: '--s-l-----------',
      backup: '--s-a-----f|',
      expected: '---------(sa)--f|',
      subscriptions: ['^--------!', '-----^----------!'],
    },
    {
      name: 'and leaves it when the source gives output first',
      source: '--s-----a-----f|',
      backup: '--s-a-----f|',
      expected: '--------(sa)--f|',
      subscriptions: ['^--------------!', '-----^--!'],
    },
    {
      name: 'and leaves it when the source completes first',
      source: '--s-----f|',
      backup: '--s-----a|',
      expected: '---------(sf|)',
      subscriptions: ['^--------!', '-----^---!'],
    },
    {
      name: 'and leaves it when the source turns out to be empty',
      source: '--------|',
      backup: '--s-----a|',
      expected: '--------|',
      subscriptions: ['^-------!', '-----^--!'],
    },
    {
      name: 'and leaves the source when the backup completes first, though without output',
      source: '--s-----------a|',
      backup: '--f|',
      expected: '--------(f|)',
      subscriptions: ['^-------!', '-----^--!'],
    },
    {
      name: 'and leaves the source when the backup turns out to be empty',
      source: '--s-----------a|',
      backup: '--|',
      expected: '-------|',
      subscriptions: ['^------!', '-----^-!'],
    },
    {
      name: 'at once when the source fails before output',
      source: '-s#',
      backup: 's-a-----f|',
      expected: '----(sa)--f|',
      subscriptions: ['^-!', '--^--------!'],
    },
    {
      name: 'at once when the source fails inside subscribe',
      source: '#',
      backup: 's-a-----f|',
      expected: '--(sa)--f|',
      subscriptions: ['(^!)', '^--------!'],
    },
    {
      name: 'when the source fails, for Infinity',
      source: '---------#',
      backup: 's-a-----f|',
      afterMs: Number.POSITIVE_INFINITY,
      expected: '-----------(sa)--f|',
      subscriptions: ['^--------!', '---------^--------!'],
    },
    {
      name: 'and goes on with it when the source fails later',
      source: '-s------#',
      backup: '--s---a-----f|',
      expected: '-----------(sa)--f|',
      subscriptions: ['^-------!', '-----^------------!'],
    },
    {
      name: 'and goes on with the source when the backup fails',
      source: '-s-------a-----f|',
      backup: '-s#',
      expected: '---------(sa)--f|',
      subscriptions: ['^---------------!', '-----^-!'],
    },
    {
      name: 'and never a third time',
      source: '-s--------',
      backup: '-s#',
      expected: '----------',
      subscriptions: ['^', '-----^-!'],
    },
    {
      name: 'at once for 0',
      source: '--s-----a|',
      backup: '--s-a-----f|',
      afterMs: 0,
      expected: '----(sa)--f|',
      subscriptions: ['^---!', '^----------!'],
    },
  ])('$name', (row) => {
    expectHedge(row);
  });
});

describe('hedge ends in an error', () => {
  it.each<Case>([
    {
      name: "when the source fails, then the backup: the source's, after what the source held",
      source: '-sl#',
      backup: '-sx-#',
      expected: '-------(sl#)',
      subscriptions: ['^--!', '---^---!'],
      error: BOTH,
    },
    {
      name: "when the backup fails, then the source: the source's, after what the source held",
      source: '-s---l--#',
      backup: '-sx#',
      expected: '--------(sl#)',
      subscriptions: ['^-------!', '-----^--!'],
      error: BOTH,
    },
    {
      name: 'when both fail inside subscribe',
      source: '#',
      backup: '#',
      expected: '#',
      subscriptions: ['(^!)', '(^!)'],
      error: BOTH,
    },
    {
      name: 'when the backup fails after output, though the source might have gone on',
      source: '-s-----------a|',
      backup: 's-a-----#',
      expected: '-------(sa)--#',
      subscriptions: ['^------!', '-----^-------!'],
      error: ERROR_B,
    },
    {
      name: 'when the source fails after output that came after the start of the backup',
      source: '-s-----a----#',
      backup: 's-----------',
      expected: '-------(sa)-#',
      subscriptions: ['^-----------!', '-----^-!'],
      error: ERROR_A,
    },
  ])('$name', (row) => {
    expectHedge(row);
  });
});

describe('what is no CompletionEvent', () => {
  it.each([
    ['an endless silence', '---'],
    ['an empty source', '   --|'],
    ['one value', '        -a-|'],
    ['values at once', '    a-(bc|)'],
    ['an error after a value', 'a-b-#'],
  ])('is passed on: %s', (_name, diagram) => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source = cold(diagram.trim(), undefined, CAUSE);
      const backup = cold('---------z|');
      const result = source.pipe(hedge(backup, { afterMs: 4, scheduler }));
      expectObservable(result, '^------!').toBe(diagram.trim(), undefined, CAUSE);
      const left = diagram.trim() === '---' ? '^------!' : untilEnd(diagram.trim());
      expectSubscriptions(source.subscriptions).toBe(left);
    });
  });

  it('is output, all of it', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const [source, backup] = [cold('------a|'), cold('-b-c|')];
      expectObservable(source.pipe(hedge(backup, { afterMs: 3, scheduler }))).toBe('----b-c|');
      expectSubscriptions(source.subscriptions).toBe('^---!');
      expectSubscriptions(backup.subscriptions).toBe('---^---!');
    });
  });
});

describe('the backup', () => {
  it.each<[string, () => ObservableInput<string>]>([
    ['a promise', () => Promise.resolve('ab')],
    ['an array', () => ['a', 'b']],
    ['an iterable', () => new Set(['a', 'b'])],
    ['a stream', () => new Response(new Blob(['ab'])).body!.pipeThrough(new TextDecoderStream())],
    ['an Observable', () => of('a', 'b')],
  ])('may be %s', async (_name, backup) => {
    const result$ = throwError(() => ERROR_A).pipe(hedge<string>(backup(), { afterMs: 1000 }), toArray());
    expect((await lastValueFrom(result$)).join('')).toBe('ab');
  });
});

import { concat, from, NEVER, type Observable } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { fallbackTo } from '../../src/operators/fallback.ts';
import { hedge } from '../../src/operators/hedge.ts';
import { retryCompletion } from '../../src/operators/retry.ts';
import { HandClock } from '../support/client.ts';
import { EVENTS, seenBy } from '../support/events.ts';
import { failure, failing, inTurn, restart, VALUES } from './failures.ts';

/** What a source says, a start of a later attempt by its number. */
function saying(letters: string): Observable<CompletionEvent> {
  return from(Array.from(letters, (letter) => VALUES[letter as unknown as keyof typeof VALUES]));
}

/** Fails after these events; it had sent so many requests. */
function failingAfter(letters: string, attempts: number): Observable<CompletionEvent> {
  return concat(saying(letters), failing('', failure({ attempts })));
}

/** Each restart or start with its number. */
function numbers(events: readonly unknown[]): readonly (readonly [string, number])[] {
  return (events as readonly CompletionEvent[]).flatMap((event) =>
    event.type === 'start' || event.type === 'restart' ? [[event.type, event.attempt] as const] : [],
  );
}

interface Case {
  readonly name: string;
  readonly sources: readonly Observable<CompletionEvent>[];
  readonly expected: ReturnType<typeof numbers>;
}

const CASES: readonly Case[] = [
  {
    name: 'a source that has sent one request',
    sources: [failingAfter('sa', 1), saying('sbf')],
    expected: [
      ['start', 1],
      ['restart', 2],
      ['start', 2],
    ],
  },
  {
    name: 'a source that has asked again before it spoke',
    sources: [failingAfter('sa', 1), saying('2bf')],
    expected: [
      ['start', 1],
      ['restart', 3],
      ['start', 3],
    ],
  },
  {
    name: 'a source that has asked again twice, after one that had, and one that never spoke',
    sources: [failingAfter('2a', 2), failingAfter('', 3), saying('3lbf')],
    expected: [
      ['start', 2],
      ['restart', 8],
      ['start', 8],
    ],
  },
  {
    name: 'two sources, each of which had asked again',
    sources: [failingAfter('sa', 1), failingAfter('2b', 2), saying('2bf')],
    expected: [
      ['start', 1],
      ['restart', 3],
      ['start', 3],
      ['restart', 5],
      ['start', 5],
    ],
  },
  {
    name: 'a source that says something before its start',
    sources: [failingAfter('sa', 1), saying('X2bf')],
    expected: [
      ['start', 1],
      ['restart', 3],
      ['start', 3],
    ],
  },
];

describe('a restart has the number of the start that follows, of', () => {
  it.each(CASES)('$name: fallbackTo', ({ sources: [source, ...others], expected }) => {
    const seen = seenBy(source!.pipe(fallbackTo(others, { afterOutput: 'restart' })));
    expect(numbers(seen)).toEqual(expected);
    expect(seen.at(-1)).toBe('|');
  });

  it.each(CASES)('$name: retryCompletion', ({ sources, expected }) => {
    const clock = new HandClock();
    const options = { mode: 'restart', scheduler: clock } as const;
    const seen = seenBy(inTurn(sources).pipe(retryCompletion(options)));
    clock.advance(60_000);
    expect(numbers(seen)).toEqual(expected);
    expect(seen.at(-1)).toBe('|');
  });
});

describe('a restart that was announced', () => {
  it('keeps the rest of what it says when its number changes', () => {
    const cause = failure();
    const source$ = concat(saying('sab'), failing('', cause));
    const seen = seenBy(source$.pipe(fallbackTo([saying('3b')], { afterOutput: 'restart' })));
    expect(seen).toEqual([
      ...['s', 'a', 'b'].map(eventOf),
      restart(4, cause, 2),
      { ...EVENTS.s, attempt: 4 },
      EVENTS.b,
      '|',
    ]);
    expect((seen[3] as { readonly cause: unknown }).cause).toBe(cause);
  });

  it('has the number that is to be expected where no start follows', () => {
    const seen = seenBy(failingAfter('sa', 2).pipe(fallbackTo([saying('b')], { afterOutput: 'restart' })));
    expect(numbers(seen)).toEqual([
      ['start', 1],
      ['restart', 3],
    ]);
  });

  it('is that of the source that a hedge shows', () => {
    const hedged$ = NEVER.pipe(hedge(saying('2bf'), { afterMs: 0, scheduler: new HandClock() }));
    const failed$ = failingAfter('', 1).pipe(hedge(saying('2bf'), { afterMs: 5, scheduler: new HandClock() }));
    const seen = seenBy(failingAfter('sa', 1).pipe(fallbackTo([failed$, hedged$], { afterOutput: 'restart' })));
    expect(numbers(seen)).toEqual([
      ['start', 1],
      ['restart', 3],
      ['start', 3],
    ]);
  });
});

const eventOf = (letter: string): CompletionEvent => EVENTS[letter as keyof typeof EVENTS];

import { Subject, type MonoTypeOperatorFunction } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { fallbackTo } from '../../src/operators/fallback.ts';
import { hedge } from '../../src/operators/hedge.ts';
import { AttemptProgress, holdBack } from '../../src/operators/hold-back.ts';
import { isOutput } from '../../src/events/output.ts';
import { retryCompletion } from '../../src/operators/retry.ts';
import { segment, type SegmentOptions } from '../../src/operators/segment.ts';
import { stopWhen } from '../../src/operators/stop-when.ts';
import { CAUSE, EVENTS, inOrder } from '../support/events.ts';
import { HandClock } from '../support/client.ts';

/** What a consumer sees that acts on the source from inside `next`, told how many values it has seen. */
function seenByActor<T>(
  operator: MonoTypeOperatorFunction<T>,
  first: readonly T[],
  act: (source: Subject<T>, count: number) => void,
): unknown[] {
  const source = new Subject<T>();
  const seen: unknown[] = [];
  let count = 0;
  source.pipe(operator).subscribe({
    next: (value) => {
      seen.push(value);
      count += 1;
      act(source, count);
    },
    error: (error: unknown) => seen.push(error),
    complete: () => seen.push('|'),
  });
  for (const value of first) source.next(value);
  expect(source.observed).toBe(!(seen.includes('|') || seen.includes(CAUSE)));
  return seen;
}

/** How a source ends, and how that is seen. */
const ENDINGS: readonly [string, (source: Subject<string>) => void, unknown][] = [
  [
    'complete',
    (source) => {
      source.complete();
    },
    '|',
  ],
  [
    'error',
    (source) => {
      source.error(CAUSE);
    },
    CAUSE,
  ],
];

describe('segment, whose consumer makes the source say more from inside next,', () => {
  const UNITS: readonly [SegmentOptions['by'], readonly string[]][] = [
    ['grapheme', ['abc', 'd\ud83d', '\ude00e', '\u0301fg', 'h']],
    ['word', ['so I can', "'t stop, ", 'never', ' ever', '. Why', '?']],
    ['sentence', ['One. Two. Th', 'ree. Fo', 'ur. ', 'Five. Six', '. Seven.']],
    ['line', ['a\nb\nc', 'd\n\ne', 'f', 'g\nh\n', 'i']],
  ];

  it.each(UNITS)('shows what it would show of a source that says it afterwards (%s)', (by, pieces) => {
    for (const options of [
      { by, locale: 'en' },
      { by, locale: 'en', maxChars: 2 },
    ]) {
      const later = pieces.slice(1);
      const seen = seenByActor(segment(options), pieces.slice(0, 1), (source) => {
        const piece = later.shift();
        if (piece !== undefined) source.next(piece);
      });
      const source = new Subject<string>();
      const expected: string[] = [];
      source.pipe(segment(options)).subscribe((text) => expected.push(text));
      for (const piece of pieces.slice(0, pieces.length - later.length)) source.next(piece);
      expect(later.length).toBeLessThan(pieces.length - 1);
      expect(seen).toEqual(expected);
    }
  });
});

describe('stopWhen, whose consumer acts inside next,', () => {
  it('completes once where the source completes while it is told of the stop', () => {
    const seen = seenByActor(stopWhen('END'), ['before END'], (source) => {
      source.complete();
    });
    expect(seen).toEqual(['before ', '|']);
  });

  it.each(ENDINGS)('shows what it held when the source ends from inside next: %s', (_name, end, ending) => {
    const seen = seenByActor(stopWhen('END'), ['aEN'], (source, count) => {
      if (count === 1) end(source);
    });
    expect(seen).toEqual(['a', 'EN', ending]);
  });
});

describe.each<[string, () => MonoTypeOperatorFunction<CompletionEvent>]>([
  ['holdBack', () => holdBack(new AttemptProgress(), isOutput)],
  ['retryCompletion', () => retryCompletion()],
  ["retryCompletion with mode 'restart'", () => retryCompletion({ mode: 'restart' })],
  ['fallbackTo', () => fallbackTo<CompletionEvent>([])],
  ["fallbackTo with afterOutput 'restart'", () => fallbackTo([], { afterOutput: 'restart' })],
  ['hedge', () => hedge<CompletionEvent>([], { afterMs: 5, scheduler: new HandClock() })],
])('%s, whose consumer acts while it is shown what was held,', (_name, operator) => {
  const held = inOrder('slxa');

  it('shows what is said meanwhile behind it, in its order', () => {
    const seen = seenByActor(operator(), held, (source, count) => {
      if (count === 1) for (const event of inOrder('bl')) source.next(event);
      if (count === 3) source.next(EVENTS.r);
      if (count === 6) source.next(EVENTS.n);
    });
    expect(seen).toEqual([...held, ...inOrder('blrn')]);
  });

  it('shows all of it before the source is complete', () => {
    const seen = seenByActor(operator(), held, (source, count) => {
      if (count !== 2) return;
      source.next(EVENTS.f);
      source.complete();
    });
    expect(seen).toEqual([...held, EVENTS.f, '|']);
  });

  it('shows all of it of a source that completes without output, and then says more', () => {
    const source = new Subject<CompletionEvent>();
    const seen: unknown[] = [];
    source.pipe(operator()).subscribe({
      next: (event) => {
        seen.push(event);
        source.next(EVENTS.b);
      },
      complete: () => seen.push('|'),
    });
    for (const event of inOrder('sxf')) source.next(event);
    source.complete();
    expect(seen).toEqual([...inOrder('sxf'), '|']);
  });

  it('shows nothing more to one who leaves', () => {
    const source = new Subject<CompletionEvent>();
    const seen: unknown[] = [];
    const subscription = source.pipe(operator()).subscribe((event) => {
      seen.push(event);
      source.next(EVENTS.b);
      subscription.unsubscribe();
      source.next(EVENTS.b);
    });
    for (const event of held) source.next(event);
    expect(seen).toEqual([EVENTS.s]);
    expect(source.observed).toBe(false);
  });
});

describe.each<[string, () => MonoTypeOperatorFunction<CompletionEvent>]>([
  ['retryCompletion', () => retryCompletion()],
  ['fallbackTo', () => fallbackTo<CompletionEvent>([inOrder('sb')])],
  ['hedge', () => hedge(inOrder('sb'), { afterMs: 5, scheduler: new HandClock() })],
])('%s, whose source fails while a consumer is shown what was held,', (_name, operator) => {
  it('shows all of it before the error, and asks nobody else', () => {
    const seen = seenByActor(operator(), inOrder('sla'), (source, count) => {
      if (count !== 1) return;
      source.next(EVENTS.b);
      source.error(CAUSE);
    });
    expect(seen).toEqual([...inOrder('slab'), CAUSE]);
  });
});

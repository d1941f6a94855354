import fc from 'fast-check';
import { concat, from, of, Subject, take, throwError } from 'rxjs';
import { CompletionError } from '../../src/errors.ts';
import { partialJson, type PartialJsonOptions } from '../../src/operators/partial-json.ts';
import { HandClock, thrownBy } from '../support/client.ts';
import { marbles, plainError, plainErrors, seenBy, seenByLeaver, synchronous, untilEnd } from '../support/events.ts';

const LOST = new Error('lost');
const invalid = (what: string, partial: { readonly text: string; readonly value?: unknown }): unknown =>
  plainError(
    new CompletionError(`The output is not the JSON it should be: ${what}`, { kind: 'invalid-output' }),
    partial,
  );

/** Pieces by letter, and what is shown after them one behind the other. */
const PIECES = { a: '{"x":"A', b: 'B', c: 'C"', d: ',"y":1', e: '2}', l: '[1 ]', w: ' ', z: 'Oops' };
const VALUES = {
  A: { x: 'A' },
  B: { x: 'AB' },
  C: { x: 'ABC' },
  E: { x: 'ABC', y: 12 },
  L: [1],
};
const TOLD = { text: '{"x":"A', value: VALUES.A };

describe('partialJson', () => {
  it.each([
    ['nothing of a source that says nothing', '-', '-', undefined],
    ['an error where there is no JSON', '--|', '--#', invalid('there is no JSON', { text: '' })],
    ['an error where there are blanks alone', '-w-|', '---#', invalid('there is no JSON', { text: ' ' })],
    ['the value after each piece that changes it', '-a-b-c-d-e-w-|', '-A-B-C---E---|', undefined],
    ['pieces of one moment one by one', '-(abcde|)', '-(ABCE|)', undefined],
    ['an error where the JSON ends in the middle', '-a-|', '-A-#', invalid('the JSON ends in the middle', TOLD)],
    ['an error at once for what is no JSON', '-z-a-|', '-#', invalid('it is no valid JSON', { text: 'Oops' })],
    [
      'an error where text follows',
      '-l-z|',
      '-L--#',
      invalid('text follows the JSON', { text: '[1 ]Oops', value: [1] }),
    ],
    ['an error of the source before all', '--#', '--#', LOST],
    ['an error of the source behind a value', '-a-b#', '-A-B#', LOST],
  ])('shows %s', (_name, source, expected, error) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const pieces = cold(source, PIECES, LOST);
      expectObservable(pieces.pipe(partialJson(), plainErrors())).toBe(expected, VALUES, error);
      expectSubscriptions(pieces.subscriptions).toBe(untilEnd(expected));
    });
  });

  it('ends with its subscriber, and at take', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const left = cold('-a-b-c|', PIECES);
      expectObservable(left.pipe(partialJson()), '^--!').toBe('-A--', VALUES);
      expectSubscriptions(left.subscriptions).toBe('^--!');
      const taken = cold('-a-b-c|', PIECES);
      expectObservable(taken.pipe(partialJson(), take(2))).toBe('-A-(B|)', VALUES);
      expectSubscriptions(taken.subscriptions).toBe('^--!');
    });
  });

  it('ends inside next, and runs a synchronous source no further', () => {
    const taken = synchronous(['[1,', '2,', '3]']);
    expect(seenBy(taken.source$.pipe(partialJson(), take(1)))).toEqual([[1], '|']);
    expect(taken.said).toEqual(['[1,']);
    const left = synchronous(['[1,', '2,', '3]']);
    expect(seenByLeaver(left.source$.pipe(partialJson()))).toEqual([[1]]);
    expect(left.said).toEqual(['[1,']);
    const failed = synchronous(['[1,', ']', '3]']);
    expect(seenBy(failed.source$.pipe(partialJson()))).toMatchObject([[1], { kind: 'invalid-output' }]);
    expect(failed.said).toEqual(['[1,', ']']);
  });

  it('begins anew with each subscription', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-d-e|', PIECES);
      const result = source.pipe(partialJson());
      expectObservable(result).toBe('-A-B-C---E|', VALUES);
      expectObservable(result, '----^').toBe('-----A-B-C---E|', VALUES);
      expectSubscriptions(source.subscriptions).toBe(['^---------!', '----^---------!']);
    });
  });

  it('passes on errors of the source as they are', () => {
    const seen = seenBy(
      concat(
        of('{"a":1'),
        throwError(() => LOST),
      ).pipe(partialJson()),
    );
    expect(seen.at(-1)).toBe(LOST);
  });

  it('tells in its errors the text and the value, but neither in the message', () => {
    const [, error] = seenBy(from(['```json\n{"city":"Ber', 'lin" oops']).pipe(partialJson())) as CompletionError[];
    expect(error).toMatchObject({ kind: 'invalid-output', retryable: false });
    expect(error?.partial).toMatchObject({ text: '```json\n{"city":"Berlin" oops', value: { city: 'Berlin' } });
    expect(error?.message).toBe('The output is not the JSON it should be: it is no valid JSON');
    expect(Object.keys(error ?? {})).not.toContain('partial');
  });
});

describe('sampleMs of partialJson', () => {
  it.each([
    ['emits once in its time, and the last value at the end', '-a-b-c-d-e-|', '----B---C--(E|)'],
    ['emits nothing more where nothing changed', '-l------------w-|', '----L-----------|'],
    ['emits the last value before an error of the source', '-a-b-c#', '----B-(C#)'],
    ['emits the only value before its time is over', '-a#', '--(A#)'],
  ])('%s', (_name, source, expected) => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const pieces = cold(source, PIECES, LOST);
      expectObservable(pieces.pipe(partialJson({ sampleMs: 3, scheduler }))).toBe(expected, VALUES, LOST);
      expectSubscriptions(pieces.subscriptions).toBe(untilEnd(source));
    });
  });

  it('emits the last value before an error of the JSON, as after each piece', () => {
    for (const sampleMs of [0, 5]) {
      const seen = seenBy(of('{"a":1,').pipe(partialJson({ sampleMs, scheduler: new HandClock() })));
      expect(seen).toMatchObject([{ a: 1 }, { kind: 'invalid-output' }]);
    }
  });

  it('waits again only when something changes', () => {
    const [clock, source] = [new HandClock(), new Subject<string>()];
    const seen: unknown[] = [];
    source.pipe(partialJson({ sampleMs: 10, scheduler: clock })).subscribe((value) => seen.push(value));
    source.next('[');
    clock.advance(9);
    expect([seen, clock.pending]).toEqual([[], 1]);
    source.next('1,');
    clock.advance(1);
    expect([seen, clock.pending]).toEqual([[[1]], 0]);
    source.next(' ');
    expect(clock.pending).toBe(0);
    source.next('2,');
    source.next('3,');
    expect(clock.pending).toBe(1);
    clock.advance(10);
    expect(seen).toEqual([[1], [1, 2, 3]]);
  });

  it.each<[string, (source: Subject<string>, unsubscribe: () => void) => void]>([
    [
      'completion',
      (source) => {
        source.next(']');
        source.complete();
      },
    ],
    [
      'an end in the middle',
      (source) => {
        source.complete();
      },
    ],
    [
      'an error of the source',
      (source) => {
        source.error(LOST);
      },
    ],
    [
      'an error of the JSON',
      (source) => {
        source.next('}');
      },
    ],
    [
      'an unsubscribe',
      (_source, unsubscribe) => {
        unsubscribe();
      },
    ],
  ])('leaves no timer behind %s', (_name, end) => {
    const [clock, source] = [new HandClock(), new Subject<string>()];
    const seen: unknown[] = [];
    const subscription = source.pipe(partialJson({ sampleMs: 10, scheduler: clock })).subscribe({
      next: (value) => seen.push(value),
      error: () => undefined,
    });
    source.next('[1,2');
    expect(clock.pending).toBe(1);
    end(source, () => {
      subscription.unsubscribe();
    });
    expect([clock.pending, source.observed]).toEqual([0, false]);
    const before = seen.length;
    clock.advance(100);
    expect(seen).toHaveLength(before);
  });

  it('leaves no timer behind one who leaves inside next', () => {
    const [clock, source] = [new HandClock(), new Subject<string>()];
    const seen = seenByLeaverOf(source, clock);
    source.next('[1,');
    clock.advance(10);
    source.next('2,');
    expect([seen, clock.pending, source.observed]).toEqual([[[1]], 0, false]);
  });
});

describe('the options of partialJson', () => {
  it.each<[unknown, string]>([
    [{ sampleMs: -1 }, 'sampleMs'],
    [{ sampleMs: NaN }, 'sampleMs'],
    [{ sampleMs: '5' }, 'sampleMs'],
    [{ sampleMs: 2 ** 31 }, 'sampleMs'],
    [{ scheduler: {} }, 'scheduler'],
    [{ sampleMS: 5 }, 'sampleMS'],
  ])('are refused when the operator is made: %j', (options, param) => {
    expect(thrownBy(() => partialJson(options as PartialJsonOptions))).toMatchObject({ kind: 'configuration', param });
  });

  it('may be undefined', () => {
    expect(seenBy(of('[1]').pipe(partialJson({ sampleMs: undefined, scheduler: undefined })))).toEqual([[1], '|']);
  });
});

describe('for any JSON in any pieces, partialJson', () => {
  const json = fc.jsonValue({ stringUnit: 'binary' }).map((value) => JSON.stringify(value));
  const places = fc.array(fc.nat(), { maxLength: 30 });
  const shown = (
    text: string,
    at: readonly number[],
  ): readonly { readonly value: unknown; readonly copy: unknown }[] => {
    const ends = [...at.map((place) => place % text.length), text.length].sort((one, other) => one - other);
    const seen: { value: unknown; copy: unknown }[] = [];
    from(ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end)))
      .pipe(partialJson())
      .subscribe((value) => seen.push({ value, copy: structuredClone(value) }));
    return seen;
  };

  it('ends with the whole, each value before being the beginning of the next, and none ever changing', () => {
    fc.assert(
      fc.property(json, places, (text, at) => {
        const seen = shown(text, at);
        expect(seen.at(-1)?.value).toEqual(JSON.parse(text));
        seen.forEach(({ value, copy }, index) => {
          expect(value).toEqual(copy);
          expect(isBeginning(value, seen[index + 1]?.value ?? JSON.parse(text))).toBe(true);
        });
      }),
    );
  });
});

/** Strings begin alike, lists and objects have no more, and the same, and nothing becomes of another type. */
function isBeginning(part: unknown, later: unknown): boolean {
  if (typeof part === 'string') return typeof later === 'string' && later.startsWith(part);
  if (typeof part !== 'object' || part === null) return Object.is(part, later);
  if (typeof later !== 'object' || later === null || Array.isArray(part) !== Array.isArray(later)) return false;
  const fields = new Map(Object.entries(later));
  return Object.entries(part).every(([key, value]) => fields.has(key) && isBeginning(value, fields.get(key)));
}

function seenByLeaverOf(source: Subject<string>, scheduler: HandClock): unknown[] {
  const seen: unknown[] = [];
  const subscription = source.pipe(partialJson({ sampleMs: 10, scheduler })).subscribe((value) => {
    seen.push(value);
    subscription.unsubscribe();
  });
  return seen;
}

import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { catchError, concat, from, Subject, take, throwError, type Observable } from 'rxjs';
import { CompletionError, EMPTY_PARTIAL, isCompletionError, type CompletionErrorKind } from '../../src/errors.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import type { Validate, Verdict } from '../../src/json/verdict.ts';
import { growingJson, type JsonEvent } from '../../src/operators/growing-json.ts';
import { outcomeOf, turn } from '../support/client.ts';
import { EVENTS, marbles, seenBy, seenByLeaver, synchronous, untilEnd } from '../support/events.ts';

type Source = CompletionEvent | { readonly type: 'read-end' };

const LOST = new Error('lost');
const MARK: Source = { type: 'read-end' };
const said = (text: string, choice = 0): CompletionEvent => ({ type: 'text-delta', choice, text });
const asItIs: Validate = (value) => ({ value });

/** Besides the letters of the events: pieces of JSON, and `m` for the end of a read. */
const LETTERS: Readonly<Record<string, Source>> = {
  ...EVENTS,
  m: MARK,
  a: said('{"x":"A'),
  b: said('B'),
  c: said('C"'),
  i: said(',"y":1'),
  j: said('2}'),
  k: said('12'),
  v: said(' '),
  z: said('Oops'),
  A: said('{"x":"other"}', 1),
};

const partial = (value: unknown): unknown => ({ type: 'partial', value });
const final = (value: unknown): unknown => ({ type: 'final', value });
const WHOLE = { x: 'ABC', y: 12 };
const SHOWN: Readonly<Record<string, unknown>> = {
  A: partial({ x: 'A' }),
  B: partial({ x: 'AB' }),
  C: partial({ x: 'ABC' }),
  J: partial(WHOLE),
  F: final(WHOLE),
  G: final(12),
  P: partial({ x: 'other' }),
  Q: final({ x: 'other' }),
};

/** What is told of an error; of what is no fault of the text, this operator knows the value alone. */
const errs = (kind: CompletionErrorKind, value?: unknown, text = ''): unknown => ({ kind, value, text });
const INVALID = 'invalid-output';
const toldErrors = catchError((error: unknown) => {
  if (!isCompletionError(error)) throw error;
  return throwError(() => errs(error.kind, error.partial.value, error.partial.text));
});

describe('growingJson', () => {
  it.each<[name: string, source: string, expected: string, error: unknown]>([
    [
      'one partial for each read that brought something',
      '-s(abm)(cm)(im)(jm)f|',
      '--B----C-------J----(F|)',
      undefined,
    ],
    ['nothing for reads that brought nothing', '-sm(vm)(rm)(Am)(am)(lm)m-', '---------------A', undefined],
    ['the last partial where no end of a read follows', '-sabcijfu|', '---------(JF|)', undefined],
    ['a root that is no object at the end alone', '-s(km)f|', '-------(G|)', undefined],
    ['an error where nothing was said', '-sf|', '---#', errs(INVALID)],
    ['an error at once where there is no JSON', '-s(zm)f|', '--#', errs(INVALID, undefined, 'Oops')],
    [
      'an error where the JSON ends in the middle, behind what came before',
      '-s(am)b|',
      '--A----(B#)',
      errs(INVALID, { x: 'AB' }, '{"x":"AB'),
    ],
    [
      'what came in the read that breaks it',
      '-s(am)bcz|',
      '--A-----(C#)',
      errs(INVALID, { x: 'ABC' }, '{"x":"ABC"Oops'),
    ],
    ['an error where text follows', '-sabcij(mz)f|', '-------J----#', errs(INVALID, WHOLE, '{"x":"ABC","y":12}Oops')],
    ['what came before the token limit', '-s(am)bL|', '--A----(B#)', errs('limit', { x: 'AB' })],
    ['what came before the content filter', '-s(am)C|', '--A---#', errs('content-filter', { x: 'A' })],
    ['an error in place of a refusal', '-snnf|', '----#', errs('refusal')],
    ['an error in place of tool calls', '-stdwK|', '-----#', errs('tool')],
    ['nothing of what a restart withdraws before text', '-srRs(abcijm)f|', '-----J--------(F|)', undefined],
    ['an error where a restart withdraws text', '-s(am)Rs', '--A---#', errs('interrupted', { x: 'A' })],
    ['what came before an error of the source, as it is', '-sab#', '----(B#)', LOST],
  ])('shows %s', (_name, source, expected, error) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold(source, LETTERS, LOST);
      expectObservable(events.pipe(growingJson(0, asItIs), toldErrors)).toBe(expected, SHOWN, error);
      expectSubscriptions(events.subscriptions).toBe(untilEnd(expected));
    });
  });

  it('shows another choice where it is asked to, and no end of others', () => {
    marbles(({ cold, expectObservable }) => {
      const events = cold('-s(am)L(Am)nKf|', LETTERS);
      expectObservable(events.pipe(growingJson(1, asItIs))).toBe('-------P------(Q|)', SHOWN);
    });
  });

  it('adds the value to what an error of the source knows', () => {
    const error = new CompletionError('lost', {
      kind: 'interrupted',
      retryable: true,
      partial: { ...EMPTY_PARTIAL, text: 'x', reasoning: 'y' },
    });
    const failing = (...texts: readonly string[]): CompletionError => {
      const failing$ = throwError(() => error);
      return seenBy(concat(inReads(...texts), failing$).pipe(growingJson(0, asItIs))).at(-1) as CompletionError;
    };
    expect(failing('{"x":"A')).toMatchObject({ retryable: true, message: 'lost' });
    expect(failing('{"x":"A').partial).toEqual({ ...error.partial, value: { x: 'A' } });
    expect(failing(' ')).toBe(error);
  });
});

describe('the validator', () => {
  const whole = inReads('{"x":"1",', '"y":[2]}');

  it('makes the final value, of the whole one, once, and of no partial', () => {
    const asked: unknown[] = [];
    const validate: Validate = (value) => ({ value: asked.push(value) });
    const seen = seenBy(whole.pipe(growingJson(0, validate)));
    expect(seen).toEqual([partial({ x: '1' }), partial({ x: '1', y: [2] }), final(1), '|']);
    expect(asked).toEqual([{ x: '1', y: [2] }]);
  });

  it('is waited for, and the source is left by then', async () => {
    const { answer, validate } = slow();
    const events = new Subject<Source>();
    const outcome = outcomeOf(events.pipe(growingJson(0, validate)));
    for (const text of ['{"x":1', '}']) events.next(said(text));
    events.complete();
    expect(events.observed).toBe(false);
    answer({ value: 'made' });
    expect(await outcome).toEqual({ values: [partial({ x: 1 }), final('made')], completed: true });
  });

  it.each<[string, (verdict: Verdict) => Verdict | Promise<Verdict>]>([
    ['at once', (verdict) => verdict],
    ['later', (verdict) => Promise.resolve(verdict)],
  ])('refuses with its issues, the value and the text: %s', async (_name, told) => {
    const issues = [{ message: 'too much', path: ['y', 0] }, { message: 'odd' }];
    const { values, error } = await outcomeOf(whole.pipe(growingJson(0, () => told({ issues }))));
    expect(values).toEqual([partial({ x: '1' }), partial({ x: '1', y: [2] })]);
    expect(error).toMatchObject({ kind: 'invalid-output', retryable: false, issues });
    expect((error as CompletionError).message).toBe('The output does not satisfy its schema; see issues');
    expect((error as CompletionError).partial).toMatchObject({ text: '{"x":"1","y":[2]}', value: { x: '1', y: [2] } });
  });

  it('is not asked where there is no whole value', () => {
    let asked = 0;
    const validate: Validate = () => ({ value: (asked += 1) });
    for (const source of [inReads('{"x":'), inReads('Oops'), inReads('{}{}'), throwError(() => LOST)]) {
      seenBy(source.pipe(growingJson(0, validate)));
    }
    expect(asked).toBe(0);
  });

  it('is left by an abort, the value in the error, and no listener stays', async () => {
    const [reason, controller] = [new RangeError('mine'), new AbortController()];
    const outcome = outcomeOf(whole.pipe(growingJson(0, slow().validate, controller.signal)));
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort(reason);
    const { error } = await outcome;
    expect(error).toMatchObject({ kind: 'aborted', cause: reason, partial: { value: { x: '1', y: [2] } } });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect(seenBy(whole.pipe(growingJson(0, asItIs, controller.signal))).at(-1)).toMatchObject({ kind: 'aborted' });
  });

  it('is not waited for by one who left, whatever comes of it', async () => {
    const [seen, unhandled]: [unknown[], unknown[]] = [[], []];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    for (const verdict of [{ value: 1 }, { issues: [] }, LOST]) {
      const { answer, validate } = slow();
      const subscription = whole.pipe(growingJson(0, validate)).subscribe({
        next: (event) => seen.push(event),
        error: (error: unknown) => seen.push(error),
        complete: () => seen.push('|'),
      });
      subscription.unsubscribe();
      answer(verdict);
    }
    await turn();
    process.off('unhandledRejection', onUnhandled);
    expect(seen).toEqual(
      Array(3)
        .fill([partial({ x: '1' }), partial({ x: '1', y: [2] })])
        .flat(),
    );
    expect(unhandled).toEqual([]);
  });
});

describe('a value of growingJson', () => {
  it('never changes; the last partial is the whole, as is the final, for any JSON in any reads', () => {
    const cuts = fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 20 });
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), cuts, (value, places) => {
        const text = JSON.stringify({ value });
        const ends = places.map(([at, marked]) => [at % (text.length + 1), marked] as const).sort(([a], [b]) => a - b);
        const source = [...ends, [text.length, true] as const].flatMap(([end, marked], index) => {
          const piece = said(text.slice(ends[index - 1]?.[0] ?? 0, end));
          return marked ? [piece, MARK] : [piece];
        });
        const copies: unknown[] = [];
        const shown: JsonEvent<unknown>[] = [];
        from(source)
          .pipe(growingJson(0, asItIs))
          .subscribe((event) => {
            copies.push(structuredClone(event));
            shown.push(frozen(event));
          });
        expect(shown).toEqual(copies);
        expect(shown.at(-1)).toEqual(final(JSON.parse(text)));
        expect(shown.at(-2)).toEqual(partial(JSON.parse(text)));
        expect(shown.slice(0, -2).map(({ type }) => type)).toEqual(shown.slice(2).map(() => 'partial'));
        expect(shown.length - 2).toBeLessThanOrEqual(source.filter((event) => event === MARK).length);
      }),
    );
  });
});

describe('a subscription of growingJson', () => {
  it('ends with its subscriber, and inside next: the source runs no further, nothing is validated', () => {
    let asked = 0;
    const validate: Validate = (value) => ({ value: (asked += 1) && value });
    const events = [said('{"x":"A'), MARK, said('B'), MARK, said('"}'), MARK];
    const left = synchronous<Source>(events);
    expect(seenByLeaver(left.source$.pipe(growingJson(0, validate)))).toEqual([partial({ x: 'A' })]);
    expect(left.said).toEqual(events.slice(0, 2));
    const taken = synchronous<Source>(events);
    expect(seenBy(taken.source$.pipe(growingJson(0, validate), take(2)))).toEqual([SHOWN['A'], SHOWN['B'], '|']);
    expect(taken.said).toEqual(events.slice(0, 4));
    // The last partial is shown when the source has completed.
    expect(seenByLeaver(from([said('{}')]).pipe(growingJson(0, validate)))).toEqual([partial({})]);
    expect(asked).toBe(0);
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-s(am)-b-', LETTERS);
      expectObservable(source.pipe(growingJson(0, asItIs)), '^----!').toBe('--A---', SHOWN);
      expectSubscriptions(source.subscriptions).toBe('^----!');
    });
  });

  it('begins anew', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-s(abcijm)f|', LETTERS);
      const result = source.pipe(growingJson(0, asItIs));
      expectObservable(result).toBe('--J--------(F|)', SHOWN);
      expectObservable(result, '---^').toBe('-----J--------(F|)', SHOWN);
      expectSubscriptions(source.subscriptions).toBe(['^----------!', '---^----------!']);
    });
  });
});

/** Each text a read of its own, then the end. */
function inReads(...texts: readonly string[]): Observable<Source> {
  return from(texts.flatMap((text) => [said(text), MARK]));
}

/** A validator that answers when the test does; an error rejects. */
function slow(): { readonly validate: Validate; readonly answer: (verdict: Verdict | Error) => void } {
  let answer: (verdict: Verdict | Error) => void = () => undefined;
  const verdict = new Promise<Verdict>((resolve, reject) => {
    answer = (told) => {
      if (told instanceof Error) reject(told);
      else resolve(told);
    };
  });
  return { validate: () => verdict, answer };
}

/** Who writes into it throws. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

import { concat, from, Subject, take, throwError, type Observable } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { isOutput } from '../../src/events/output.ts';
import { AttemptProgress, holdBack, MAX_HELD } from '../../src/operators/hold-back.ts';
import { CAUSE, EVENTS, inOrder, marbles, seenBy, seenByLeaver, synchronous, untilEnd } from '../support/events.ts';

/** A sound, which no other event carries. */
const o: CompletionEvent = { type: 'extra', choice: 0, scope: 'message', fields: { audio: { data: 'UklGRg==' } } };
/** What first deltas hold that says nothing. */
const i: CompletionEvent = { type: 'extra', choice: 0, scope: 'message', fields: { annotations: [], audio: null } };
const VALUES = { ...EVENTS, o, i };

/** The source as an attempt shows it. */
function shown<T>(source$: Observable<T>, attempt = new AttemptProgress<T>()): Observable<T> {
  return source$.pipe(holdBack(attempt, isOutput));
}

describe('holdBack', () => {
  it.each([
    ['shows what is no output with the first output', '  s-l-x-X-a--------b-f|', '--------(slxXa)--b-f|'],
    ['shows what is no output at once afterwards', '     sa---l-x-u-f|', '       -(sa)l-x-u-f|'],
    ['takes a piece of text for output', '               s-a-----f|', '         --(sa)--f|'],
    ['takes a piece of reasoning for output', '          s-r-----f|', '         --(sr)--f|'],
    ['takes a piece of a refusal for output', '          s-n-----f|', '         --(sn)--f|'],
    ['takes the beginning of a tool call for output', '  s-t-----f|', '         --(st)--f|'],
    ['takes arguments for output', '                     s-d-----f|', '         --(sd)--f|'],
    ['takes a tool call for output', '                   s-w-----f|', '         --(sw)--f|'],
    ['takes a sound for output', '                       s-o-----f|', '         --(so)--f|'],
    ['takes events it does not know for output', '       s-?-----f|', '         --(s?)--f|'],
    [
      'takes fields that say nothing for no output',
      '    s-i-a-----f|',
      '       ----(sia)f|'.replace('f|', '-f|').slice(0),
    ],
    ['shows everything at completion', '                 s-l-f-u|', '          -------(slfu|)'],
    ['completes for an empty source', '                  --|', '               --|'],
    ['holds nothing of an attempt without a start', '    --a-f|', '            --a-f|'],
    ['says nothing as long as there is no output', '     s-l-x-', '           ------'],
    ['says nothing for a source that does not', '        ---', '              ---'],
    ['passes on an error without what is held', '        s-l-#', '            ----#'],
    ['passes on an error at once', '                     #', '                #'],
    ['passes on an error after output', '                s-a-----l-#', '      --(sa)--l-#'],
  ])('%s', (_name, source, expected) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold(source.trim(), VALUES, CAUSE);
      expectObservable(shown(events)).toBe(expected.trim(), VALUES, CAUSE);
      expectSubscriptions(events.subscriptions).toBe(untilEnd(source.trim()));
    });
  });

  it('holds nothing of values that are no CompletionEvents', () => {
    const values = { a: 'a', b: 0, c: { type: 'own' }, d: undefined, e: {}, g: null };
    marbles(({ cold, expectObservable }) => {
      expectObservable(shown(cold<unknown>('-a-b-c-d-e-g-|', values))).toBe('-a-b-c-d-e-g-|', values);
    });
  });

  it('unsubscribes with its subscriber, and shows nothing then', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold('s-l-a-|', EVENTS);
      expectObservable(shown(events), '^--!').toBe('---');
      expectSubscriptions(events.subscriptions).toBe('^--!');
    });
  });

  it('asks who says what output is', () => {
    const attempt = new AttemptProgress<number>();
    marbles(({ cold, expectObservable }) => {
      const even = holdBack(attempt, (value: number) => value % 2 === 0);
      const values = { 1: 1, 2: 2, 3: 3 };
      expectObservable(cold('1-3-2----1|', values).pipe(even)).toBe('----(132)1|', values);
    });
    expect(attempt).toMatchObject({ shown: true, outputs: 1 });
  });

  it('ends with what that callback throws, and unsubscribes', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold('--s-a-|', EVENTS);
      const throwing = holdBack(new AttemptProgress<CompletionEvent>(), () => {
        throw CAUSE;
      });
      expectObservable(events.pipe(throwing)).toBe('--#', undefined, CAUSE);
      expectSubscriptions(events.subscriptions).toBe('^-!');
    });
  });
});

describe('what is held', () => {
  it(`is shown at last, with the ${String(MAX_HELD)} events that may be held at most`, () => {
    const source = new Subject<CompletionEvent>();
    const seen: CompletionEvent[] = [];
    const attempt = new AttemptProgress<CompletionEvent>();
    shown(source, attempt).subscribe((event) => seen.push(event));
    for (let count = 0; count < MAX_HELD; count++) source.next(EVENTS.l);
    expect(seen).toHaveLength(0);
    expect(attempt).toMatchObject({ shown: false, held: { length: MAX_HELD } });
    source.next(EVENTS.x);
    expect(seen).toHaveLength(MAX_HELD + 1);
    expect(seen.at(-1)).toBe(EVENTS.x);
    expect(attempt).toMatchObject({ shown: true, outputs: 0, held: [] });
    source.next(EVENTS.l);
    expect(seen).toHaveLength(MAX_HELD + 2);
  });

  it('is shown to a consumer only as long as that stays', () => {
    const { source$, said } = synchronous(inOrder('slab'));
    expect(seenBy(shown(source$).pipe(take(1)))).toEqual([EVENTS.s, '|']);
    expect(said).toEqual(inOrder('sla'));
    expect(seenBy(shown(source$).pipe(take(3)))).toEqual([...inOrder('sla'), '|']);
    expect(said.slice(3)).toEqual(inOrder('sla'));
    expect(seenByLeaver(shown(source$))).toEqual([EVENTS.s]);
  });

  it('is shown once and in its order, whatever is said meanwhile', () => {
    const source = new Subject<CompletionEvent>();
    const seen: CompletionEvent[] = [];
    shown(source).subscribe((event) => {
      seen.push(event);
      if (event.type === 'start') source.next(EVENTS.b);
    });
    for (const event of inOrder('sla')) source.next(event);
    expect(seen.filter(({ type }) => type === 'start')).toHaveLength(1);
    expect(seen.filter((event) => event !== EVENTS.b)).toEqual(inOrder('sla'));
  });
});

describe('what is known of an attempt', () => {
  const known = (source$: Observable<unknown>): AttemptProgress<unknown> => {
    const attempt = new AttemptProgress<unknown>();
    shown(source$, attempt).subscribe({ error: () => undefined });
    return attempt;
  };
  const failing = (...values: readonly unknown[]): Observable<unknown> =>
    concat(
      from(values),
      throwError(() => CAUSE),
    );

  it.each<[string, Observable<unknown>, Partial<AttemptProgress<unknown>>]>([
    ['that failed at once', failing(), { shown: false, outputs: 0, held: [] }],
    ['that failed before output', failing(...inOrder('sl')), { shown: false, outputs: 0, held: inOrder('sl') }],
    ['that failed after output', failing(...inOrder('srlab')), { shown: true, outputs: 3, held: [], foreign: false }],
    ['that ended', from(inOrder('sabf')), { shown: true, outputs: 2, held: [], foreign: false }],
    ['that ended without output', from(inOrder('sf')), { shown: true, outputs: 0, held: [], foreign: false }],
    ['with an unknown event later', failing(...inOrder('sa?')), { shown: true, outputs: 2, foreign: false }],
    ['with an unknown event first', failing(...inOrder('s?a')), { shown: true, outputs: 2, foreign: true }],
    ['of other values', failing('a', 'b'), { shown: true, outputs: 2, foreign: true }],
    ['of events of another make', failing({ type: 'own' }), { shown: true, outputs: 1, foreign: true }],
    ['that began anew itself', failing(...inOrder('sabRsa')), { shown: true, outputs: 1, foreign: false }],
    ['that began anew itself, and failed then', failing(...inOrder('sabR')), { shown: true, outputs: 0 }],
  ])('%s', (_name, source$, expected) => {
    expect(known(source$)).toMatchObject(expected);
  });
});

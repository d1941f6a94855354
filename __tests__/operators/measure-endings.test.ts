import { NEVER, of, Subject, Subscription, take, throwError } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { measure, type CompletionMeasurement } from '../../src/operators/measure.ts';
import { HandClock } from '../support/client.ts';
import { CAUSE, EVENTS, inOrder, marbles, seenBy, seenByLeaver, synchronous } from '../support/events.ts';

const THROWN = new Error('thrown by the callback');
const fail = (): never => {
  throw THROWN;
};

/** Endings, and a callback that notes them. */
function notebook(): { endings: CompletionMeasurement[]; end: (measurement: CompletionMeasurement) => void } {
  const endings: CompletionMeasurement[] = [];
  return { endings, end: (measurement) => void endings.push(measurement) };
}

describe('the end that measure tells', () => {
  it.each([
    ['completion', '-a-|', undefined, '-a-|', '^--!', { ending: 'complete', totalMs: 3, outputs: 1 }],
    ['an error', '-a-#', undefined, '-a-#', '^--!', { ending: 'error', totalMs: 3, outputs: 1, error: 'error' }],
    ['an error at once', '#', undefined, '#', '(^!)', { ending: 'error', totalMs: 0, outputs: 0, error: 'error' }],
    ['an unsubscribe', '-a-b--|', '^---!', '-a-b', '^---!', { ending: 'unsubscribe', totalMs: 4, outputs: 2 }],
    [
      'an unsubscribe before output',
      '----a|',
      '^--!',
      '----',
      '^--!',
      { ending: 'unsubscribe', totalMs: 3, outputs: 0 },
    ],
    [
      'an unsubscribe from silence',
      '------',
      '^--!',
      '----',
      '^--!',
      { ending: 'unsubscribe', totalMs: 3, outputs: 0 },
    ],
  ])('is %s, once', (_name, source, leave, expected, subscribed, measurement) => {
    const { endings, end } = notebook();
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source$ = cold<CompletionEvent>(source, EVENTS);
      expectObservable(source$.pipe(measure({ end }, { scheduler })), leave).toBe(expected, EVENTS);
      expectSubscriptions(source$.subscriptions).toBe(subscribed);
    });
    expect(endings).toMatchObject([measurement]);
    expect('error' in endings[0]!).toBe(measurement.ending === 'error');
  });

  it('is an unsubscribe at take(1), with the output that was taken', () => {
    const { endings, end } = notebook();
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source$ = cold<CompletionEvent>('-a-b|', EVENTS);
      expectObservable(source$.pipe(measure({ end }, { scheduler }), take(1))).toBe('-(a|)', EVENTS);
      expectSubscriptions(source$.subscriptions).toBe('^!');
    });
    expect(endings).toMatchObject([{ ending: 'unsubscribe', totalMs: 1, outputs: 1, timeToFirstOutputMs: 1 }]);
  });

  it('is told once for each subscription, and not for none', () => {
    const { endings, end } = notebook();
    const source$ = synchronous(inOrder('ab')).source$.pipe(measure({ end }));
    expect(endings).toEqual([]);
    seenBy(source$);
    seenBy(source$.pipe(take(1)));
    NEVER.pipe(measure({ end })).subscribe().unsubscribe();
    expect(endings.map(({ ending }) => ending)).toEqual(['complete', 'unsubscribe', 'unsubscribe']);
  });

  it('is told inside next, and a synchronous source is run no further', () => {
    const { endings, end } = notebook();
    const taken = synchronous(inOrder('abab'));
    expect(seenBy(taken.source$.pipe(measure({ end }), take(2)))).toEqual([EVENTS.a, EVENTS.b, '|']);
    expect(taken.said).toEqual(inOrder('ab'));
    const left = synchronous(inOrder('abab'));
    expect(seenByLeaver(left.source$.pipe(measure({ end })))).toEqual([EVENTS.a]);
    expect(left.said).toEqual(inOrder('a'));
    expect(endings).toMatchObject([
      { ending: 'unsubscribe', outputs: 2 },
      { ending: 'unsubscribe', outputs: 1 },
    ]);
  });

  it('has the very error of the source, which is passed on', () => {
    const { endings, end } = notebook();
    const seen = seenBy(throwError(() => CAUSE).pipe(measure({ end })));
    expect(seen[0]).toBe(CAUSE);
    expect(endings[0]?.error).toBe(CAUSE);
  });

  it('is told once where the consumer leaves while it is told', () => {
    const { endings, end } = notebook();
    for (const finish of ['complete', 'error', 'unsubscribe'] as const) {
      const source = new Subject<CompletionEvent>();
      const subscription = new Subscription();
      const leave = (measurement: CompletionMeasurement): void => {
        end(measurement);
        subscription.unsubscribe();
      };
      subscription.add(source.pipe(measure({ end: leave })).subscribe({ error: () => undefined }));
      if (finish === 'unsubscribe') subscription.unsubscribe();
      else source[finish](CAUSE);
      expect(source.observed).toBe(false);
    }
    expect(endings.map(({ ending }) => ending)).toEqual(['complete', 'error', 'unsubscribe']);
  });
});

describe.each(['firstOutput', 'output'] as const)('a consumer who leaves inside %s', (callback) => {
  it('sees nothing of that output, which was measured', () => {
    const { endings, end } = notebook();
    const source = new Subject<CompletionEvent>();
    const subscription = new Subscription();
    const seen: unknown[] = [];
    const observer = { end, [callback]: () => subscription.unsubscribe() };
    subscription.add(source.pipe(measure(observer)).subscribe((event) => seen.push(event)));
    for (const event of inOrder('sab')) source.next(event);
    const outputs = callback === 'firstOutput' ? 1 : 2;
    expect(seen).toEqual(inOrder(callback === 'firstOutput' ? 's' : 'sa'));
    expect(source.observed).toBe(false);
    expect(endings).toMatchObject([{ ending: 'unsubscribe', outputs }]);
  });
});

describe('what a callback of measure throws', () => {
  it.each([
    ['firstOutput', { firstOutput: fail }, '-s-a-b|', '-s-#', '^--!'],
    ['output', { output: fail }, '-s-a-b|', '-s-a-#', '^----!'],
    ['end, at completion', { end: fail }, '-s-a-|', '-s-a-#', '^----!'],
    ['end, at an error', { end: fail }, '-s-a-#', '-s-a-#', '^----!'],
  ])('is the error of the result: %s', (_name, observer, source, expected, subscribed) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold<CompletionEvent>(source, EVENTS, CAUSE);
      expectObservable(source$.pipe(measure(observer))).toBe(expected, EVENTS, THROWN);
      expectSubscriptions(source$.subscriptions).toBe(subscribed);
    });
  });

  it.each([
    ['firstOutput', 's', 1],
    ['output', 'sa', 2],
  ] as const)('in %s is told as the error it is, once', (callback, before, outputs) => {
    const { endings, end } = notebook();
    const { source$, said } = synchronous(inOrder('sabab'));
    expect(seenBy(source$.pipe(measure({ end, [callback]: fail })))).toEqual([...inOrder(before), THROWN]);
    expect(said).toHaveLength(before.length + 1);
    expect(endings).toMatchObject([{ ending: 'error', error: THROWN, outputs }]);
  });

  it('in end is not told again', () => {
    const endings: string[] = [];
    const end = ({ ending }: CompletionMeasurement): never => {
      endings.push(ending);
      return fail();
    };
    expect(seenBy(of('a').pipe(measure({ end })))).toEqual(['a', THROWN]);
    expect(seenBy(throwError(() => CAUSE).pipe(measure({ end })))).toEqual([THROWN]);
    expect(endings).toEqual(['complete', 'error']);
  });

  it('in end reaches who unsubscribes, after the source was left', () => {
    const source = new Subject<CompletionEvent>();
    const subscription = source.pipe(measure({ end: fail })).subscribe();
    expect(() => {
      subscription.unsubscribe();
    }).toThrow(THROWN.message);
    expect(source.observed).toBe(false);
  });
});

describe('the clock of measure', () => {
  it('is the one it was given, whatever the source runs on, and no timer is set on it', () => {
    const { endings, end } = notebook();
    const clock = new HandClock(100);
    const source = new Subject<CompletionEvent>();
    source.pipe(measure({ end }, { scheduler: clock })).subscribe();
    clock.advance(40);
    source.next(EVENTS.a);
    expect(clock.pending).toBe(0);
    clock.advance(60);
    source.complete();
    expect(endings).toMatchObject([{ totalMs: 100, timeToFirstOutputMs: 40 }]);
  });
});

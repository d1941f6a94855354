import { defer, from, startWith, Subject, take } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { usage } from '../../src/operators/projections.ts';
import { CAUSE, EVENTS, inOrder, marbles, seenBy, seenByLeaver, synchronous, untilEnd } from '../support/events.ts';

const COUNTS = { u: EVENTS.u.usage, U: EVENTS.U.usage };

describe('usage', () => {
  it.each([
    ['says nothing if the source does not', '---', '---'],
    ['says nothing before the source completes', 'sa-f-u---', '---------'],
    ['is empty for an empty source', '|', '|'],
    ['is empty where the server counted nothing', 'sa-f|', '----|'],
    ['comes once, when the source completes', 'sa-f-u-|', '-------(u|)'],
    ['comes alone', 'u|', '-(u|)'],
    ['comes whatever the turn ends in', 'sntdCu|', '------(u|)'],
    ['is the last that was told', 'su-U|', '----(U|)'],
    ['is withdrawn by a restart', 'sa-u-R-sa-f|', '-----------|'],
    ['is that of the attempt which is shown', 'sa-u-R-sU|', '---------(U|)'],
    ['passes over types it does not know', '?u*|', '---(u|)'],
    ['gives way to an error at once', '#', '#'],
    ['gives way to an error after it', 'sa-u-#', '-----#'],
  ])('%s', (_name, source, expected) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<CompletionEvent>(source, EVENTS);
      expectObservable(events.pipe(usage())).toBe(expected, COUNTS);
      expectSubscriptions(events.subscriptions).toBe(untilEnd(source));
    });
  });

  it('counts all choices together, whichever is asked for', () => {
    expect(seenBy(from(inOrder('sAFu')).pipe(usage({ choice: 7 })))).toEqual([COUNTS.u, '|']);
  });

  it('passes on the very error of the source', () => {
    const source = new Subject<CompletionEvent>();
    let error: unknown;
    source.pipe(usage()).subscribe({ error: (caught: unknown) => (error = caught) });
    source.error(CAUSE);
    expect(error).toBe(CAUSE);
  });

  it('unsubscribes from the source with its subscriber, who sees nothing more', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const left = cold<CompletionEvent>('sa-u-|', EVENTS);
      expectObservable(left.pipe(usage()), '^---!').toBe('-----', COUNTS);
      expectSubscriptions(left.subscriptions).toBe('^---!');
    });
  });

  it('runs a synchronous source no further than its subscriber stays', () => {
    const { source$, said } = synchronous(inOrder('suf'));
    const leaving$ = source$.pipe(usage(), startWith(undefined), take(1));
    expect(seenBy(leaving$)).toEqual([undefined, '|']);
    expect(said).toEqual([]);
    expect(seenByLeaver(source$.pipe(usage()))).toEqual([COUNTS.u]);
    expect(said).toEqual(inOrder('suf'));
  });

  it('counts anew with each subscription', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<CompletionEvent>('su-f|', EVENTS);
      const result = events.pipe(usage());
      expectObservable(result).toBe('----(u|)', COUNTS);
      expectObservable(result, '--^').toBe('------(u|)', COUNTS);
      expectSubscriptions(events.subscriptions).toBe(['^---!', '--^---!']);
    });
    const turns = ['su', 's'];
    const result = defer(() => from(inOrder(turns.shift() ?? ''))).pipe(usage());
    expect([seenBy(result), seenBy(result)]).toEqual([[COUNTS.u, '|'], ['|']]);
  });
});

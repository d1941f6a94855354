import { concat, defer, from, NEVER, of, Subject, throwError } from 'rxjs';
import { CompletionError, type CompletionErrorDetails } from '../../src/errors.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { abortOn } from '../../src/operators/abort.ts';
import { hedge } from '../../src/operators/hedge.ts';
import { HandClock } from '../support/client.ts';
import { CAUSE, EVENTS, inOrder, marbles, seenBy, untilEnd } from '../support/events.ts';
import { failing, fieldsOf, failure } from './failures.ts';

const FINAL = ['aborted', 'refusal', 'configuration'] as const;

const lost = (message: string, details: Partial<CompletionErrorDetails> = {}): CompletionError =>
  new CompletionError(message, { kind: 'connection', retryable: true, ...details });

describe.each(FINAL)('an error of kind %s, which another source would not better,', (kind) => {
  const error = new CompletionError('final', { kind });

  it.each([
    ['inside subscribe', '#', '#'],
    ['before output', '-s-#', '---(s#)'],
    ['after output', '--(sa)-#', '--(sa)-#'],
  ])('of the source is the end, and no backup is started: %s', (_name, diagram, shown) => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const [source, backup] = [cold(diagram, EVENTS, error), cold('sb|', EVENTS)];
      expectObservable(source.pipe(hedge(backup, { afterMs: 100, scheduler }))).toBe(shown, EVENTS, error);
      expectSubscriptions(source.subscriptions).toBe(untilEnd(diagram.replace(/\(sa\)/, '----')));
      expectSubscriptions(backup.subscriptions).toBe([]);
    });
  });

  it('of the source is the end of a backup that runs', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const [source, backup] = [cold('-s------#', EVENTS, error), cold('-s-------b|', EVENTS)];
      expectObservable(source.pipe(hedge(backup, { afterMs: 5, scheduler }))).toBe('--------(s#)', EVENTS, error);
      expectSubscriptions(source.subscriptions).toBe('^-------!');
      expectSubscriptions(backup.subscriptions).toBe('-----^--!');
    });
  });

  it('of the backup is the end of a source that runs', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const [source, backup] = [cold('-s---------a|', EVENTS), cold('-s-#', EVENTS, error)];
      expectObservable(source.pipe(hedge(backup, { afterMs: 5, scheduler }))).toBe('--------(s#)', EVENTS, error);
      expectSubscriptions(source.subscriptions).toBe('^-------!');
      expectSubscriptions(backup.subscriptions).toBe('-----^--!');
    });
  });

  it('of the second to fail holds the failure of the first', () => {
    for (const finalFirst of [true, false]) {
      const [first, other] = [finalFirst ? error : lost('lost'), finalFirst ? lost('lost') : error];
      const [clock, source] = [new HandClock(), new Subject<CompletionEvent>()];
      const seen = seenBy(
        source.pipe(
          hedge(
            throwError(() => other),
            { afterMs: 5, scheduler: clock },
          ),
        ),
      );
      if (finalFirst) clock.advance(5);
      source.error(first);
      expect(seen.map(fieldsOf)).toEqual([
        fieldsOf(new CompletionError('final', { kind, attempts: 2, previous: [lost('lost')] })),
      ]);
      expect(clock.pending).toBe(0);
    }
  });
});

describe('an abort of the source of hedge', () => {
  it('starts no backup, and leaves no timer', () => {
    const [controller, clock] = [new AbortController(), new HandClock()];
    let backups = 0;
    const backup$ = defer(() => {
      backups += 1;
      return of('backup');
    });
    const hedged$ = NEVER.pipe(abortOn(controller.signal), hedge(backup$, { afterMs: 5, scheduler: clock }));
    const seen = seenBy(hedged$);
    controller.abort();
    expect([seen, seenBy(hedged$)]).toMatchObject([[{ kind: 'aborted' }], [{ kind: 'aborted' }]]);
    clock.advance(100);
    expect([backups, clock.pending]).toEqual([0, 0]);
  });
});

describe('the error of a backup that has won', () => {
  it.each<[string, unknown, number]>([
    ['of its first attempt', failure(), 3],
    ['of its third', failure({ attempts: 3 }), 5],
  ])('holds that of the source, and counts the attempts of both: %s', (_name, last, attempts) => {
    const first = lost('first', { attempts: 2, previous: [CAUSE] });
    const result$ = failing('s', first).pipe(hedge(failing('sb', last), { afterMs: 5, scheduler: new HandClock() }));
    const seen = seenBy(result$);
    expect(seen.slice(0, -1)).toEqual(inOrder('sb'));
    expect(fieldsOf(seen.at(-1))).toEqual(fieldsOf(failure({ attempts, previous: [first] })));
    expect((seen.at(-1) as CompletionError).previous?.[0]).toBe(first);
  });

  it('puts that of the source behind what it tells of itself', () => {
    const [first, before] = [lost('first'), lost('before')];
    const last = failure({ attempts: 2, previous: [before] });
    const seen = seenBy(failing('', first).pipe(hedge(failing('b', last), { afterMs: 5, scheduler: new HandClock() })));
    expect(fieldsOf(seen.at(-1))).toEqual(fieldsOf(failure({ attempts: 3, previous: [before, first] })));
    expect(fieldsOf(last)).toEqual(fieldsOf(failure({ attempts: 2, previous: [before] })));
  });

  it('counts a foreign failure of the source for one attempt, and passes unchanged if it is foreign', () => {
    const foreign = new Error('foreign');
    const hedged = (first: unknown, last: unknown): unknown =>
      seenBy(failing('', first).pipe(hedge(failing('b', last), { afterMs: 5, scheduler: new HandClock() }))).at(-1);
    expect(hedged(foreign, failure())).toMatchObject({ attempts: 2, previous: [foreign] });
    expect(hedged(lost('first'), foreign)).toBe(foreign);
    expect(foreign).not.toHaveProperty('previous');
  });

  it('stands alone where the source had not failed', () => {
    const clock = new HandClock();
    const seen = seenBy(NEVER.pipe(hedge(failing('b', failure()), { afterMs: 5, scheduler: clock })));
    clock.advance(5);
    expect(seen.map(fieldsOf)).toEqual([EVENTS.b, fieldsOf(failure())]);
  });
});

describe('the error of a source that has won', () => {
  it('holds that of a backup that failed before', () => {
    const [clock, source, backup] = [new HandClock(), new Subject<CompletionEvent>(), lost('backup', { attempts: 2 })];
    const seen = seenBy(
      source.pipe(hedge(concat(from(inOrder('s')), failing('', backup)), { afterMs: 5, scheduler: clock })),
    );
    clock.advance(5);
    source.next(EVENTS.a);
    source.error(failure({ attempts: 3 }));
    expect(seen.map(fieldsOf)).toEqual([EVENTS.a, fieldsOf(failure({ attempts: 5, previous: [backup] }))]);
  });
});

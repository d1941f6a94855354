import { concat, from, lastValueFrom, NEVER, Observable, of, Subject, take, tap, throwError } from 'rxjs';
import { CompletionError, type CompletionErrorDetails } from '../../src/errors.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { hedge, type HedgeOptions } from '../../src/operators/hedge.ts';
import { HandClock, thrownBy } from '../support/client.ts';
import { CAUSE, EVENTS, inOrder, marbles, seenBy, seenByLeaver, synchronous } from '../support/events.ts';
import { errorFields, failure, fieldsOf, VALUES } from './failures.ts';

/** An error that can be told from others by its message: equality passes over the other fields of an error in an error. */
const lost = (code: string, details: Partial<CompletionErrorDetails> = {}): CompletionError =>
  new CompletionError(`${code} is lost`, { kind: 'connection', retryable: true, code, ...details });

const ERROR_A = lost('A');
const ERROR_B = lost('B');

describe('the error of hedge is one', () => {
  it('whose attempts are those of both, and whose previous errors are those of the source and that of the backup', () => {
    const details = { code: 'A', retryAfterMs: 5, status: 503 } as const;
    const first = failure({ ...details, attempts: 3, previous: [CAUSE] });
    const second = lost('B', { attempts: 2, previous: [CAUSE] });
    const [told] = bothFail(first, second);
    expect(fieldsOf(told)).toEqual(fieldsOf(failure({ ...details, attempts: 5, previous: [CAUSE, second] })));
    expect((told as typeof first).previous?.[1]).toBe(second);
    expect([first.attempts, first.previous]).toEqual([3, [CAUSE]]);
  });

  it('which counts a foreign error of the backup for one request', () => {
    expect(bothFail(failure({ attempts: 3 }), CAUSE)).toMatchObject([{ attempts: 4, previous: [CAUSE] }]);
  });

  it('which passes unchanged when it is foreign', () => {
    expect(bothFail(CAUSE, ERROR_B)).toEqual([CAUSE]);
    expect(bothFail(undefined, ERROR_B)).toEqual([undefined]);
    expect(CAUSE).not.toHaveProperty('previous');
  });
});

describe('the loser of hedge', () => {
  /** Says when it is left. */
  function watched(log: string[], name: string, source$: Observable<CompletionEvent>): Observable<CompletionEvent> {
    return new Observable((subscriber) => {
      subscriber.add(() => log.push(`${name} left`));
      source$.subscribe(subscriber);
    });
  }

  it('is left before the first value of the winner is shown: the source', () => {
    const [log, clock] = [[] as string[], new HandClock()];
    const result$ = watched(log, 'source', NEVER).pipe(
      hedge(watched(log, 'backup', from(inOrder('saf'))), { afterMs: 5, scheduler: clock }),
    );
    result$.subscribe(({ type }) => log.push(type));
    clock.advance(5);
    expect(log).toEqual(['source left', 'start', 'text-delta', 'finish', 'backup left']);
  });

  it('is left before the first value of the winner is shown: the backup', () => {
    const [log, clock, source] = [[] as string[], new HandClock(), new Subject<CompletionEvent>()];
    const result$ = watched(log, 'source', source).pipe(
      hedge(watched(log, 'backup', NEVER), { afterMs: 5, scheduler: clock }),
    );
    result$.subscribe(({ type }) => log.push(type));
    clock.advance(5);
    source.next(EVENTS.s);
    expect(log).toEqual([]);
    source.next(EVENTS.a);
    expect(log).toEqual(['backup left', 'start', 'text-delta']);
  });

  it('is heard no more, even when it was the start of the backup that made it speak', () => {
    const [clock, source] = [new HandClock(), new Subject<CompletionEvent>()];
    const backup = synchronous(inOrder('sb'));
    const speaking$ = concat(
      new Observable<never>((subscriber) => {
        source.next(EVENTS.a);
        subscriber.complete();
      }),
      backup.source$,
    );
    const seen = seenBy(source.pipe(hedge(speaking$, { afterMs: 5, scheduler: clock })));
    clock.advance(5);
    source.next(EVENTS.b);
    expect(seen).toEqual(inOrder('ab'));
    expect(backup.said).toEqual([]);
  });
});

describe('the timer of hedge', () => {
  type Run = (hedged: (source$: Observable<CompletionEvent>, backup$?: Observable<CompletionEvent>) => Ended) => void;
  interface Ended {
    readonly unsubscribe: () => void;
    readonly wait: () => void;
  }
  const failed$ = throwError(() => ERROR_A);

  it.each<[string, Run]>([
    ['output in time', (hedged) => hedged(concat(from(inOrder('sa')), NEVER))],
    ['completion', (hedged) => hedged(from(inOrder('sf')))],
    ['an empty source', (hedged) => hedged(from([]))],
    ['an error after output', (hedged) => hedged(concat(from(inOrder('sa')), failed$))],
    ['an error before, and a backup that has begun', (hedged) => hedged(failed$, NEVER)],
    ['an error before, and the output of the backup', (hedged) => hedged(failed$, from(inOrder('saf')))],
    ['both errors', (hedged) => hedged(failed$, failed$)],
    ['an unsubscribe', (hedged) => hedged(NEVER).unsubscribe()],
    ['its time', (hedged) => hedged(NEVER, NEVER).wait()],
    [
      'an unsubscribe after its time',
      (hedged) => {
        const { wait, unsubscribe } = hedged(NEVER, NEVER);
        wait();
        unsubscribe();
      },
    ],
    ['the error of the backup', (hedged) => hedged(NEVER, failed$).wait()],
    ['the output of the backup', (hedged) => hedged(NEVER, from(inOrder('saf'))).wait()],
  ])('is gone after %s', (_name, run) => {
    const clock = new HandClock();
    run((source$, backup$ = NEVER) => {
      const result$ = source$.pipe(hedge(backup$, { afterMs: 5, scheduler: clock }));
      const subscription = result$.subscribe({ error: () => undefined });
      return {
        unsubscribe: () => {
          subscription.unsubscribe();
        },
        wait: () => {
          expect(clock.pending).toBe(1);
          clock.advance(5);
        },
      };
    });
    expect(clock.pending).toBe(0);
  });

  it('is not even set for Infinity', () => {
    const clock = new HandClock();
    NEVER.pipe(hedge(NEVER, { afterMs: Number.POSITIVE_INFINITY, scheduler: clock })).subscribe();
    expect(clock.pending).toBe(0);
  });

  it('is set to the longest time there is, for what setTimeout cannot hold', () => {
    const clock = new HandClock();
    const backup = synchronous(inOrder('sa'));
    seenBy(NEVER.pipe(hedge(backup.source$, { afterMs: 2 ** 31, scheduler: clock })));
    clock.advance(2 ** 31 - 1);
    expect(backup.said).toEqual([]);
    clock.advance(1);
    expect(backup.said).toEqual(inOrder('sa'));
  });
});

describe('the subscribers of hedge', () => {
  it('may leave while it waits, or while both run', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const [source, backup] = [cold('s---------a|', EVENTS), cold('s----a|', EVENTS)];
      const result = source.pipe(hedge(backup, { afterMs: 5, scheduler }));
      expectObservable(result, '^--!').toBe('----');
      expectObservable(result, '^------!').toBe('--------');
      expectSubscriptions(source.subscriptions).toBe(['^--!', '^------!']);
      expectSubscriptions(backup.subscriptions).toBe('-----^-!');
    });
  });

  it('have a race of their own, each', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const [source, backup] = [cold('-#', EVENTS, ERROR_A), cold('-#', EVENTS, ERROR_B)];
      const result = source.pipe(hedge(backup, { afterMs: 5, scheduler }), errorFields());
      const error = fieldsOf(lost('A', { attempts: 2, previous: [ERROR_B] }));
      expectObservable(result).toBe('--#', VALUES, error);
      expectObservable(result, '-^').toBe('---#', VALUES, error);
      expectObservable(result, '------^').toBe('--------#', VALUES, error);
      expectSubscriptions(source.subscriptions).toBe(['^!', '-^!', '------^!']);
      expectSubscriptions(backup.subscriptions).toBe(['-^!', '--^!', '-------^!']);
    });
  });

  it('take no more of a synchronous source than they want, and no backup', () => {
    const [clock, source, backup] = [new HandClock(), synchronous(inOrder('slab')), synchronous(inOrder('slab'))];
    const result$ = source.source$.pipe(hedge(backup.source$, { afterMs: 0, scheduler: clock }));
    expect(seenBy(result$.pipe(take(3)))).toEqual([...inOrder('sla'), '|']);
    expect(seenByLeaver(result$)).toEqual([EVENTS.s]);
    clock.advance(1);
    expect(source.said).toEqual(inOrder('slasla'));
    expect(backup.said).toEqual([]);
  });

  it('take no more of a synchronous backup than they want', () => {
    const [clock, backup] = [new HandClock(), synchronous(inOrder('slab'))];
    const failing$ = throwError(() => ERROR_A).pipe(hedge(backup.source$, { afterMs: 5, scheduler: clock }));
    const late$ = NEVER.pipe(hedge(backup.source$, { afterMs: 5, scheduler: clock }));
    expect(seenBy(failing$.pipe(take(1)))).toEqual([EVENTS.s, '|']);
    expect(seenByLeaver(failing$)).toEqual([EVENTS.s]);
    const seen = seenBy(late$.pipe(take(1)));
    clock.advance(5);
    expect(seen).toEqual([EVENTS.s, '|']);
    expect(backup.said).toEqual(inOrder('slaslasla'));
    expect(clock.pending).toBe(0);
  });

  it('may let the source say more from inside next', () => {
    const source = new Subject<string>();
    const seen: string[] = [];
    source.pipe(hedge<string>(NEVER, { afterMs: 5, scheduler: new HandClock() })).subscribe((value) => {
      seen.push(value);
      if (value === 'a') source.next('b');
    });
    source.next('a');
    expect(seen).toEqual(['a', 'b']);
  });

  it('start nothing by composing, and the backup not before its time', () => {
    const started: string[] = [];
    const logged = (name: string): Observable<never> => NEVER.pipe(tap({ subscribe: () => started.push(name) }));
    const clock = new HandClock();
    const result$ = logged('source').pipe(hedge(logged('backup'), { afterMs: 5, scheduler: clock }));
    expect(started).toEqual([]);
    result$.subscribe();
    clock.advance(4);
    expect(started).toEqual(['source']);
    clock.advance(1);
    expect(started).toEqual(['source', 'backup']);
  });
});

describe('the arguments of hedge', () => {
  it.each<[unknown, string]>([
    [{}, 'afterMs must be a number, at least 0'],
    [{ afterMs: undefined }, 'afterMs must be a number, at least 0'],
    [{ afterMs: null }, 'afterMs must be a number, at least 0'],
    [{ afterMs: -1 }, 'afterMs must be a number, at least 0'],
    [{ afterMs: Number.NaN }, 'afterMs must be a number, at least 0'],
    [{ afterMs: '5' }, 'afterMs must be a number, at least 0'],
    [{ afterMs: 5, scheduler: {} }, 'scheduler must be an object whose schedule is a function'],
    [{ after: 5 }, 'Unknown option after of hedge; did you mean afterMs?'],
    [undefined, 'The options of hedge must be an object'],
    [5, 'The options of hedge must be an object'],
  ])('are checked at once: %p', (options, message) => {
    expect(thrownBy(() => hedge(of(1), options as HedgeOptions))).toMatchObject({ kind: 'configuration', message });
  });

  it('run on time itself by default', async () => {
    await expect(lastValueFrom(NEVER.pipe(hedge(of('a'), { afterMs: 1 })))).resolves.toBe('a');
  });
});

/** What is told when both fail; it is the same whichever of them is the first. */
function bothFail(first: unknown, second: unknown): unknown[] {
  const clock = new HandClock();
  const backup = hedge<CompletionEvent>(
    throwError(() => second),
    { afterMs: 1, scheduler: clock },
  );
  const source = new Subject<CompletionEvent>();
  const told = seenBy(source.pipe(backup));
  clock.advance(1);
  expect(told).toEqual([]);
  source.error(first);
  const sourceFirst = seenBy(throwError(() => first).pipe(backup));
  expect(sourceFirst.map(fieldsOf)).toEqual(told.map(fieldsOf));
  return told;
}

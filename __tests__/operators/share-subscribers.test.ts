import { concat, from, Observable, Subject, take, throwError } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { shareCompletion, type ShareCompletionOptions } from '../../src/operators/share.ts';
import { HandClock, thrownBy } from '../support/client.ts';
import { CAUSE, EVENTS, inOrder, seenBy, seenByLeaver, synchronous } from '../support/events.ts';

describe('the subscribers of shareCompletion', () => {
  it('take no more of a synchronous source than they want', () => {
    const { source$, said } = synchronous(inOrder('sab'));
    const shared$ = source$.pipe(shareCompletion());
    expect(seenBy(shared$.pipe(take(2)))).toEqual([...inOrder('sa'), '|']);
    expect(seenByLeaver(shared$)).toEqual([EVENTS.s]);
    expect(said).toEqual(inOrder('sas'));
    expect(seenBy(shared$)).toEqual([...inOrder('sab'), '|']);
  });

  it('take all of it where there is a grace', () => {
    const { source$, said } = synchronous(inOrder('sab'));
    const shared$ = source$.pipe(shareCompletion({ graceMs: 5, scheduler: new HandClock() }));
    expect(seenBy(shared$.pipe(take(1)))).toEqual([EVENTS.s, '|']);
    expect(said).toEqual(inOrder('sab'));
  });

  it.each<[string, Observable<CompletionEvent>]>([
    ['the end', from(inOrder('saf'))],
    [
      'an error',
      concat(
        from(inOrder('sa')),
        throwError(() => CAUSE),
      ),
    ],
  ])('that come back at once, from inside the handler of %s, ask anew', (_name, source$) => {
    let requests = 0;
    const counted$ = new Observable<CompletionEvent>((subscriber) => {
      requests += 1;
      return source$.subscribe(subscriber);
    });
    const shared$ = counted$.pipe(shareCompletion({ graceMs: 5, scheduler: new HandClock() }));
    let again: unknown[] = [];
    const ended = (): void => {
      again = seenBy(shared$);
    };
    shared$.subscribe({ error: ended, complete: ended });
    expect(requests).toBe(2);
    expect(again).toEqual(seenBy(source$));
  });

  it('are those of one shared Observable: another is another request', () => {
    const { source$, said } = synchronous(inOrder('sa'));
    const shared = shareCompletion({ keepMs: 5, scheduler: new HandClock() });
    const [one$, other$] = [source$.pipe(shared), source$.pipe(shared)];
    seenBy(one$);
    seenBy(one$);
    expect(said).toEqual(inOrder('sa'));
    seenBy(other$);
    expect(said).toEqual(inOrder('sasa'));
  });

  it('do not hinder the others by what they throw', () => {
    jest.useFakeTimers();
    try {
      const source = new Subject<CompletionEvent>();
      const shared$ = source.pipe(shareCompletion());
      shared$.subscribe(() => {
        throw CAUSE;
      });
      const seen = seenBy(shared$);
      source.next(EVENTS.s);
      source.next(EVENTS.a);
      expect(seen).toEqual(inOrder('sa'));
      // RxJS throws it once nobody can catch it.
      expect(() => jest.runAllTimers()).toThrow(CAUSE);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('the timers of shareCompletion', () => {
  type Deed = (shared$: Observable<CompletionEvent>, source: Subject<CompletionEvent>) => void;

  interface Row {
    readonly name: string;
    readonly options: ShareCompletionOptions;
    readonly deeds: readonly Deed[];
    readonly timers: number;
  }

  const stay: Deed = (shared$) => void seenBy(shared$);
  const leave: Deed = (shared$) => {
    shared$.subscribe().unsubscribe();
  };
  const end: Deed = (_, source) => {
    source.complete();
  };
  const fail: Deed = (_, source) => {
    source.error(CAUSE);
  };
  const BOTH = { graceMs: 5, keepMs: 5 } as const;
  const EVER = Number.POSITIVE_INFINITY;

  it.each<Row>([
    { name: 'while somebody is there', options: BOTH, deeds: [stay], timers: 0 },
    { name: 'after the last, without a grace', options: { keepMs: 5 }, deeds: [leave], timers: 0 },
    { name: 'after the last, with one', options: { graceMs: 5 }, deeds: [leave], timers: 1 },
    { name: 'after somebody has come back', options: { graceMs: 5 }, deeds: [leave, stay], timers: 0 },
    { name: 'after an error', options: BOTH, deeds: [stay, fail], timers: 0 },
    { name: 'after an error in the grace', options: BOTH, deeds: [leave, fail], timers: 0 },
    { name: 'after the end, with nothing kept', options: { graceMs: 5 }, deeds: [stay, end], timers: 0 },
    { name: 'after the end in the grace, with nothing kept', options: { graceMs: 5 }, deeds: [leave, end], timers: 0 },
    { name: 'after the end, with an answer kept', options: BOTH, deeds: [stay, end], timers: 1 },
    { name: 'after several have come for it', options: BOTH, deeds: [stay, end, stay, leave], timers: 1 },
    { name: 'for ever', options: { graceMs: EVER, keepMs: EVER }, deeds: [leave, end, stay], timers: 0 },
  ])('are $timers $name', ({ options, deeds, timers }) => {
    const [clock, source] = [new HandClock(), new Subject<CompletionEvent>()];
    const shared$ = source.pipe(shareCompletion({ ...options, scheduler: clock }));
    for (const deed of deeds) deed(shared$, source);
    expect(clock.pending).toBe(timers);
    clock.advance(5);
    expect(clock.pending).toBe(0);
  });

  it('hold what setTimeout cannot', () => {
    const [clock, source] = [new HandClock(), new Subject<CompletionEvent>()];
    leave(source.pipe(shareCompletion({ graceMs: 2 ** 31, scheduler: clock })), source);
    clock.advance(2 ** 31 - 1);
    expect(source.observed).toBe(true);
    clock.advance(1);
    expect(source.observed).toBe(false);
  });
});

describe('the options of shareCompletion', () => {
  it.each<[unknown, string]>([
    [{ graceMs: -1 }, 'graceMs must be a number, at least 0'],
    [{ graceMs: Number.NaN }, 'graceMs must be a number, at least 0'],
    [{ keepMs: '5' }, 'keepMs must be a number, at least 0'],
    [{ scheduler: 5 }, 'scheduler must be an object whose schedule is a function'],
    [{ grace: 5 }, 'Unknown option grace of shareCompletion; did you mean graceMs?'],
    [null, 'The options of shareCompletion must be an object'],
  ])('are checked at once: %p', (options, message) => {
    const error = thrownBy(() => shareCompletion(options as ShareCompletionOptions));
    expect(error).toMatchObject({ kind: 'configuration', message });
  });

  it('may be undefined one by one', () => {
    const source = new Subject<CompletionEvent>();
    const options = { graceMs: undefined, keepMs: undefined, scheduler: undefined };
    source.pipe(shareCompletion(options)).subscribe().unsubscribe();
    expect(source.observed).toBe(false);
  });

  it('run on time itself by default', async () => {
    await new Promise<void>((resolve) => {
      const source$ = new Observable<CompletionEvent>(() => resolve);
      source$
        .pipe(shareCompletion({ graceMs: 1 }))
        .subscribe()
        .unsubscribe();
    });
  });
});

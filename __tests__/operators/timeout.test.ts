import { from, NEVER, Subject, take, throwError, type Observable } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { timeoutCompletion, type TimeoutCompletionOptions } from '../../src/operators/timeout.ts';
import { HandClock } from '../support/client.ts';
import { CAUSE, EVENTS, inOrder, marbles, seenBy, seenByLeaver, synchronous, untilEnd } from '../support/events.ts';
import { errorFields, expired, VALUES } from './failures.ts';

const NO_OUTPUT = expired('output', 5);
const CALL = { id: 'c', name: 'f', arguments: '{}' };

type Row = [name: string, options: TimeoutCompletionOptions, source: string, expected: string, error?: unknown];

describe('timeoutCompletion', () => {
  it.each<Row>([
    ['ends a source that says nothing', { outputMs: 5 }, '------', '-----#', NO_OUTPUT],
    ['ends one that gives no output', { outputMs: 5 }, 's-l-xX-u', 's-l-x#', NO_OUTPUT],
    ['ends one that gives no more', { outputMs: 5 }, '--a---s--', '--a---s#', expired('output', 5, { text: 'a' })],
    ['passes on what comes in time', { outputMs: 5 }, '----a----b----|', '----a----b----|'],
    ['passes on what comes later than its first deadline', { outputMs: 5 }, '-a---b---a---|', '-a---b---a---|'],
    ['passes on an error', { outputMs: 5, totalMs: 9 }, '-a-#', '-a-#', CAUSE],
    ['completes with an empty source', { outputMs: 5, totalMs: 9 }, '|', '|'],
    [
      'ends one that takes too long',
      { outputMs: false, totalMs: 6 },
      '-a-b-a-b-',
      '-a-b-a#',
      expired('total', 6, { text: 'aba' }),
    ],
    ['has two clocks, of which the first counts', { outputMs: 3, totalMs: 4 }, '---', '---#', expired('output', 3)],
    ['or the other', { outputMs: 3, totalMs: 4 }, '--a---', '--a-#', expired('total', 4, { text: 'a' })],
    ['waits for ever without clocks', { outputMs: false }, '-a 400s b', '-a 400s b'],
    ['waits 300 s for output by default', {}, '-a 299998ms b|', '-a 299998ms b|'],
    ['and no longer', {}, '-s', '-s 299998ms #', expired('output', 300_000)],
  ])('%s', (_name, options, source, expected, error = CAUSE) => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const events = cold(source, VALUES, error);
      expectObservable(events.pipe(timeoutCompletion({ ...options, scheduler }), errorFields())).toBe(
        expected,
        VALUES,
        error,
      );
      if (!expected.includes(' ')) expectSubscriptions(events.subscriptions).toBe(untilEnd(expected));
    });
  });

  it.each(['a', 'r', 'n', 't', 'd', 'w', '?', 'o'])('takes %s for output, from which time counts anew', (letter) => {
    const audio: CompletionEvent = { type: 'extra', choice: 0, scope: 'message', fields: { audio: { id: 'x' } } };
    const values = { ...VALUES, o: audio };
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const events = cold<CompletionEvent>(`---${letter}--s-`, values);
      const result = events.pipe(timeoutCompletion({ outputMs: 5, scheduler }));
      expectObservable(result, '^------!').toBe(`---${letter}--s-`, values);
      expectObservable(result.pipe(errorFields()), '---------^').toBe(
        `------------${letter}--s-#`,
        values,
        expect.objectContaining({ clock: 'output' }),
      );
      expectSubscriptions(events.subscriptions).toBe(['^------!', '---------^-------!']);
    });
  });

  it.each([
    ['text', 'a'],
    ['numbers', 0],
    ['events of another make', { type: 'own' }],
    ['nothing', undefined],
  ])('takes every value for output that is no CompletionEvent: %s', (_name, value) => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const result = cold('-a---a-', { a: value }).pipe(timeoutCompletion({ outputMs: 5, scheduler }), errorFields());
      expectObservable(result).toBe('-a---a----#', { a: value }, NO_OUTPUT);
    });
  });

  it.each([
    ['srabn', { text: 'ab', reasoning: 'hm', refusal: 'no' }],
    ['std', { toolCalls: [CALL] }],
    ['saR', {}],
    ['saRb', { text: 'b' }],
    ['sA', {}],
  ])('tells what had arrived, of choice 0, since the last restart: %s', (letters, shown) => {
    marbles(({ cold, expectObservable }, scheduler) => {
      const result = cold(`(${letters})`, VALUES).pipe(timeoutCompletion({ outputMs: 50, scheduler }), errorFields());
      expectObservable(result).toBe(
        `(${letters})${'-'.repeat(48 - letters.length)}#`,
        VALUES,
        expired('output', 50, shown),
      );
    });
  });

  it('runs its clocks for each subscription anew', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const events = cold('--a-----', EVENTS);
      const result = events.pipe(timeoutCompletion({ outputMs: 5, scheduler }), errorFields());
      const error = expired('output', 5, { text: 'a' });
      expectObservable(result).toBe('--a----#', VALUES, error);
      expectObservable(result, '------^--------!').toBe('--------a----#', VALUES, error);
      expectSubscriptions(events.subscriptions).toBe(['^------!', '------^------!']);
    });
  });
});

describe('the subscriber of timeoutCompletion', () => {
  const clock = new HandClock();
  const both = { outputMs: 5, totalMs: 9, scheduler: clock };
  afterEach(() => {
    expect(clock.pending).toBe(0);
  });

  it('stops the clocks by leaving', () => {
    const subscription = NEVER.pipe(timeoutCompletion(both)).subscribe();
    expect(clock.pending).toBe(2);
    subscription.unsubscribe();
  });

  it('stops the clocks by leaving inside next', () => {
    const source = new Subject<string>();
    const seen = seenBy(source.pipe(timeoutCompletion(both), take(1)));
    source.next('a');
    expect(seen).toEqual(['a', '|']);
    expect(source.observed).toBe(false);
  });

  it.each<[string, Observable<string>, readonly unknown[]]>([
    ['completes', from(['a']), ['a', '|']],
    ['fails', throwError(() => CAUSE), [CAUSE]],
  ])('is left no timer of a source that %s inside subscribe', (_name, source$, expected) => {
    expect(seenBy(source$.pipe(timeoutCompletion(both)))).toEqual(expected);
  });

  it('stops a synchronous source when it has enough', () => {
    const { source$, said } = synchronous(inOrder('sab'));
    expect(seenBy(source$.pipe(timeoutCompletion(both), take(2)))).toEqual([...inOrder('sa'), '|']);
    expect(seenByLeaver(source$.pipe(timeoutCompletion(both)))).toEqual([EVENTS.s]);
    expect(said).toEqual(inOrder('sas'));
  });

  it('is passed on what it makes the source say meanwhile', () => {
    const source = new Subject<string>();
    const seen: string[] = [];
    const subscription = source.pipe(timeoutCompletion(both)).subscribe((value) => {
      seen.push(value);
      if (value === 'a') source.next('b');
    });
    source.next('a');
    expect(seen).toEqual(['a', 'b']);
    subscription.unsubscribe();
  });

  it.each<[string, TimeoutCompletionOptions, CompletionEvent, number]>([
    ['outputMs, which output starts anew', { outputMs: 100 }, EVENTS.a, 100],
    ['outputMs, of which the rest is left', { outputMs: 100 }, EVENTS.s, 60],
    ['totalMs, of which the rest is left', { outputMs: false, totalMs: 100 }, EVENTS.a, 60],
  ])('may take its time in next: it does not count for %s', (_name, options, event, leftMs) => {
    const source = new Subject<CompletionEvent>();
    const told: unknown[] = [];
    source.pipe(timeoutCompletion({ ...options, scheduler: clock })).subscribe({
      next: () => {
        clock.advance(1000);
      },
      error: (error: unknown) => told.push(error),
    });
    clock.advance(40);
    source.next(event);
    clock.advance(leftMs - 1);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toMatchObject([{ kind: 'timeout' }]);
  });

  it('costs one timer for each clock, however many values come', () => {
    const counting = new HandClock();
    const schedule = jest.spyOn(counting, 'schedule');
    const source = new Subject<CompletionEvent>();
    const timed$ = source.pipe(timeoutCompletion({ outputMs: 1000, totalMs: 1e6, scheduler: counting }));
    const subscription = timed$.subscribe();
    for (let count = 0; count < 50_000; count++) source.next(EVENTS.a);
    expect(schedule).toHaveBeenCalledTimes(2);
    for (let ms = 0; ms < 50_000; ms += 10) {
      counting.advance(10);
      source.next(EVENTS.a);
    }
    expect(schedule.mock.calls.length).toBeLessThanOrEqual(2 + 51);
    subscription.unsubscribe();
    expect(counting.pending).toBe(0);
  });

  it('waits as long as it was told, also for longer than a timer can be', () => {
    const seen = seenBy(NEVER.pipe(timeoutCompletion({ outputMs: 2 ** 31, scheduler: clock })));
    clock.advance(2 ** 31 - 1);
    expect(seen).toEqual([]);
    clock.advance(1);
    expect(seen).toMatchObject([{ clock: 'output' }]);
  });
});

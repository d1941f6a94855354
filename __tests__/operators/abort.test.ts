import { getEventListeners } from 'node:events';
import { NEVER, Observable, of, Subject, take, throwError } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { CompletionError } from '../../src/errors.ts';
import { abortOn } from '../../src/operators/abort.ts';
import { thrownBy } from '../support/client.ts';
import { EVENTS, inOrder, plainError, plainErrors, seenBy, synchronous } from '../support/events.ts';

const REASON = new Error('the user left');
const ABORTED = new CompletionError('The call was aborted by its AbortSignal', { kind: 'aborted', cause: REASON });

/** Marbles, with a controller that aborts at `x` of `abort`. */
function marbles(
  abort: string,
  test: (helpers: Parameters<Parameters<TestScheduler['run']>[0]>[0], signal: AbortSignal) => void,
): void {
  const controller = new AbortController();
  const scheduler = new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected);
  });
  scheduler.run((helpers) => {
    helpers.cold(abort).subscribe(() => {
      controller.abort(REASON);
    });
    test(helpers, controller.signal);
  });
  expect(listeners(controller.signal)).toBe(0);
}

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

describe('abortOn', () => {
  it('ends the source with an error when the signal aborts', () => {
    marbles('-----x', ({ cold, expectObservable, expectSubscriptions }, signal) => {
      const source = cold('--a-b-c-|');
      expectObservable(source.pipe(abortOn(signal))).toBe('--a-b#', undefined, ABORTED);
      expectSubscriptions(source.subscriptions).toBe('^----!');
    });
  });

  it('ends a source that says nothing', () => {
    marbles('---x', ({ cold, expectObservable, expectSubscriptions }, signal) => {
      const source = cold('------');
      expectObservable(source.pipe(abortOn(signal))).toBe('---#', undefined, ABORTED);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('passes on what ends before', () => {
    marbles('--------x', ({ cold, expectObservable, expectSubscriptions }, signal) => {
      const completing = cold('--a-|');
      const failing = cold('   --a-#');
      const empty = cold('     |');
      expectObservable(completing.pipe(abortOn(signal))).toBe('--a-|');
      expectObservable(failing.pipe(abortOn(signal))).toBe('   --a-#');
      expectObservable(empty.pipe(abortOn(signal))).toBe('     |');
      expectSubscriptions(completing.subscriptions).toBe('^---!');
      expectSubscriptions(failing.subscriptions).toBe('   ^---!');
      expectSubscriptions(empty.subscriptions).toBe('     (^!)');
    });
  });

  it('unsubscribes from the source with its subscriber', () => {
    marbles('--------x', ({ cold, expectObservable, expectSubscriptions }, signal) => {
      const source = cold('--a-b-c-|');
      expectObservable(source.pipe(abortOn(signal)), '^--!').toBe('--a-');
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('is of use again for each subscription', () => {
    marbles('-------x', ({ cold, expectObservable, expectSubscriptions }, signal) => {
      const source = cold('--a-b-|');
      const result = source.pipe(abortOn(signal));
      expectObservable(result).toBe('--a-b-|');
      expectObservable(result, '----^').toBe('------a#', undefined, ABORTED);
      expectObservable(result, '---------^').toBe('---------#', undefined, ABORTED);
      expectSubscriptions(source.subscriptions).toBe(['^-----!', '----^--!']);
    });
  });

  it('subscribes to nothing where the signal has aborted before', () => {
    const signal = AbortSignal.abort(REASON);
    let subscribed = false;
    let error: unknown;
    new Observable<never>(() => {
      subscribed = true;
    })
      .pipe(abortOn(signal))
      .subscribe({ error: (caught: unknown) => (error = caught) });
    expect(subscribed).toBe(false);
    expect(error).toEqual(ABORTED);
    expect((error as CompletionError).cause).toBe(REASON);
    expect(listeners(signal)).toBe(0);
  });

  it('lets a synchronous source complete, also one that aborts its own signal', () => {
    const controller = new AbortController();
    const seen: unknown[] = [];
    of(1, 2)
      .pipe(abortOn(controller.signal))
      .subscribe({ next: (value) => seen.push(value), complete: () => seen.push('|') });
    expect(seen.splice(0)).toEqual([1, 2, '|']);
    of(1, 2, 3)
      .pipe(abortOn(controller.signal))
      .subscribe({
        next: (value) => {
          seen.push(value);
          if (value === 2) controller.abort(REASON);
        },
        error: (error: unknown) => seen.push(error),
      });
    expect(seen).toEqual([1, 2, ABORTED]);
  });

  it('stands back for the default reason of a signal', () => {
    const controller = new AbortController();
    let error: unknown;
    NEVER.pipe(abortOn(controller.signal)).subscribe({ error: (caught: unknown) => (error = caught) });
    controller.abort();
    expect(error).toMatchObject({ kind: 'aborted', retryable: false, cause: controller.signal.reason as unknown });
  });
});

describe('the error of abortOn', () => {
  it.each([
    ['nothing of a source that said nothing', '---', {}],
    ['text, reasoning and refusal', 'srabn', { text: 'ab', reasoning: 'hm', refusal: 'no' }],
    ['a tool call as far as it came', 'st', { toolCalls: [{ id: 'c', name: 'f', arguments: '' }] }],
    ['what came since the last restart', 'saRsb', { text: 'b' }],
    ['choice 0 alone', 'sAa', { text: 'a' }],
  ])('tells what had arrived: %s', (_name, source, partial) => {
    marbles('------x', ({ cold, expectObservable, expectSubscriptions }, signal) => {
      const events = cold(source, EVENTS);
      const result = events.pipe(abortOn(signal), plainErrors());
      expectObservable(result).toBe(`${source.padEnd(6, '-')}#`, EVENTS, plainError(ABORTED, partial));
      expectSubscriptions(events.subscriptions).toBe('^-----!');
    });
  });

  it('tells what arrived in its own subscription', () => {
    marbles('----x', ({ cold, expectObservable }, signal) => {
      const result = cold('sab', EVENTS).pipe(abortOn(signal), plainErrors());
      expectObservable(result).toBe('sab-#', EVENTS, plainError(ABORTED, { text: 'ab' }));
      expectObservable(result, '--^').toBe('--sa#', EVENTS, plainError(ABORTED, { text: 'a' }));
    });
  });

  it('tells nothing of values that are no CompletionEvents', () => {
    marbles('---x', ({ cold, expectObservable }, signal) => {
      const result = cold('-a').pipe(abortOn(signal), plainErrors());
      expectObservable(result).toBe('-a-#', undefined, plainError(ABORTED));
    });
  });

  it('tells what a consumer was shown that aborts from inside next', () => {
    const controller = new AbortController();
    const { source$, said } = synchronous(inOrder('sab'));
    let error: unknown;
    source$.pipe(abortOn(controller.signal)).subscribe({
      next: ({ type }) => {
        if (type === 'text-delta') controller.abort(REASON);
      },
      error: (caught: unknown) => (error = caught),
    });
    expect(plainError(error)).toEqual(plainError(ABORTED, { text: 'a' }));
    expect(said).toEqual(inOrder('sa'));
  });

  it('stays that of the source if that was first', () => {
    const signal = new AbortController().signal;
    expect(seenBy(throwError(() => REASON).pipe(abortOn(signal)))).toEqual([REASON]);
  });
});

describe('what abortOn takes', () => {
  it.each([undefined, null, 'signal', 5, {}, { aborted: true }, new AbortController()])('is no %p', (signal) => {
    const error = thrownBy(() => abortOn(signal as AbortSignal));
    expect(error).toMatchObject({
      kind: 'configuration',
      param: 'signal',
      message: 'abortOn: signal must be an AbortSignal',
    });
  });

  it('is a signal of another make', () => {
    class OtherSignal extends EventTarget {
      aborted = false;
      reason: unknown;
    }
    const signal = new OtherSignal();
    const seen = seenBy(NEVER.pipe(abortOn(signal as AbortSignal)));
    signal.reason = REASON;
    signal.dispatchEvent(new Event('abort'));
    expect(seen).toEqual([ABORTED]);
    expect((seen[0] as CompletionError).cause).toBe(REASON);
  });
});

describe('the listener of abortOn', () => {
  const controller = new AbortController();
  const { signal } = controller;
  const ignore = { error: (): void => undefined };

  it.each<[string, () => void]>([
    ['completion', () => of(1).pipe(abortOn(signal)).subscribe(ignore)],
    [
      'an error',
      () =>
        throwError(() => REASON)
          .pipe(abortOn(signal))
          .subscribe(ignore),
    ],
    ['take(1)', () => new Subject().pipe(abortOn(signal), take(0)).subscribe(ignore)],
    [
      'an unsubscribe',
      () => {
        NEVER.pipe(abortOn(signal)).subscribe(ignore).unsubscribe();
      },
    ],
    ['an unsubscribe inside next', () => of(1, 2).pipe(abortOn(signal), take(1)).subscribe(ignore)],
  ])('is removed on %s', (_name, run) => {
    for (let count = 0; count < 100; count++) run();
    expect(listeners(signal)).toBe(0);
  });

  it('is there while a subscription is, one each, and is removed on abort', () => {
    const subscriptions = [1, 2, 3].map(() => NEVER.pipe(abortOn(signal)).subscribe(ignore));
    expect(listeners(signal)).toBe(3);
    subscriptions[0]?.unsubscribe();
    expect(listeners(signal)).toBe(2);
    controller.abort(REASON);
    expect(listeners(signal)).toBe(0);
  });
});

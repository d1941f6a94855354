import { createEnvironmentInjector, DOCUMENT, EnvironmentInjector } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { timer, type MonoTypeOperatorFunction, type SchedulerLike, type Subscription } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import { injectCoalescing } from '../../src/angular/frames.ts';
import { marbles, untilEnd } from '../support/events.ts';

/** A window that paints so many milliseconds after it was asked to, or never. */
class View {
  asked = 0;
  cancelled = 0;
  readonly #frames = new Map<number, Subscription>();
  readonly #paintMs: number;
  readonly #scheduler: SchedulerLike;

  constructor(paintMs: number, scheduler: SchedulerLike) {
    this.#paintMs = paintMs;
    this.#scheduler = scheduler;
  }

  /** Frames that were asked for, and neither came nor were cancelled. */
  get open(): number {
    return this.#frames.size;
  }

  readonly requestAnimationFrame = (paint: (time: number) => void): number => {
    const handle = (this.asked += 1);
    const frame = timer(this.#paintMs, this.#scheduler).subscribe(() => {
      this.#frames.delete(handle);
      paint(this.#scheduler.now());
    });
    this.#frames.set(handle, frame);
    return handle;
  };

  readonly cancelAnimationFrame = (handle: number): void => {
    this.#frames.get(handle)?.unsubscribe();
    if (this.#frames.delete(handle)) this.cancelled += 1;
  };
}

function coalescing(defaultView: unknown, scheduler?: SchedulerLike): MonoTypeOperatorFunction<string> {
  const page = { provide: DOCUMENT, useValue: { defaultView } };
  const injector = createEnvironmentInjector([page], TestBed.inject(EnvironmentInjector));
  return injector.runInContext(() => injectCoalescing<string>(scheduler));
}

const NEVER_MS = 1e6;

describe('in a page that is painted every 5 ms', () => {
  it.each([
    ['the first comes at once', '--a---------', '--a---------'],
    ['of many the newest of each frame', 'abcdefghijk-----', 'a----f----k-----'],
    ['what is slower than the frames comes as it is', 'a-----b------c--', 'a-----b------c--'],
    ['the last before the end comes with its frame', 'ab|', 'a----(b|)'],
    ['an end with nothing left waits for no frame', 'a-|', 'a-|'],
    ['an end after the frame of the last is at once', 'ab------|', 'a----b--|'],
    ['nothing is nothing', '---|', '---|'],
    // What had come before it is for who has kept it.
    ['an error waits for no frame', 'ab-#', 'a--#'],
  ])('%s', (_, source, result) => {
    marbles(({ hot, expectObservable, expectSubscriptions, flush }, scheduler: TestScheduler) => {
      const view = new View(5, scheduler);
      const values$ = hot(source);
      expectObservable(values$.pipe(coalescing(view))).toBe(result);
      expectSubscriptions(values$.subscriptions).toBe(untilEnd(source));
      flush();
      expect(view.open).toBe(0);
    });
  });

  it('asks for a frame only after a value', () => {
    marbles(({ hot, expectObservable, flush }, scheduler) => {
      const view = new View(5, scheduler);
      expectObservable(hot('--------').pipe(coalescing(view))).toBe('--------');
      flush();
      expect(view.asked).toBe(0);
    });
  });

  it('asks for no more frames than there are: none is left for a page at rest', () => {
    marbles(({ hot, expectObservable, flush }, scheduler) => {
      const view = new View(5, scheduler);
      expectObservable(hot('ab--- 500ms c').pipe(coalescing(view))).toBe('a----b 499ms c');
      flush();
      expect(view.asked).toBe(3);
    });
  });

  it('takes both the frame and the timer back when it is left', () => {
    marbles(({ hot, expectObservable, flush }, scheduler) => {
      const view = new View(5, scheduler);
      expectObservable(hot('abc').pipe(coalescing(view)), '---!').toBe('a---');
      flush();
      expect([view.asked, view.open, view.cancelled]).toEqual([1, 0, 1]);
      // Nothing is due any more.
      expect(scheduler.actions).toEqual([]);
    });
  });
});

describe('in a page that is not painted', () => {
  it('a timer takes the place of the frames', () => {
    marbles(({ hot, expectObservable, flush }, scheduler) => {
      const view = new View(NEVER_MS, scheduler);
      expectObservable(hot('abc 150ms d 200ms e').pipe(coalescing(view)), '400ms !').toBe('a 99ms c 99ms d 153ms e');
      flush();
      // One frame is asked for each time, and taken back each time.
      expect([view.cancelled, view.open]).toEqual([view.asked, 0]);
    });
  });

  it('the last before the end is not lost', () => {
    marbles(({ hot, expectObservable }, scheduler) => {
      expectObservable(hot('ab|').pipe(coalescing(new View(NEVER_MS, scheduler)))).toBe('a 99ms (b|)');
    });
  });

  it('a painted one again has its frames, and the timer does nothing', () => {
    marbles(({ hot, expectObservable, flush }, scheduler) => {
      const view = new View(30, scheduler);
      expectObservable(hot('ab 200ms c').pipe(coalescing(view))).toBe('a 29ms b 171ms c');
      flush();
      expect(view.cancelled).toBe(0);
    });
  });
});

describe('where there are no frames to ask for, every 16 ms', () => {
  it.each([
    ['no window', null],
    ['a window that paints nothing', {}],
  ])('%s', (_, view) => {
    marbles(({ hot, expectObservable }) => {
      expectObservable(hot('abc----|').pipe(coalescing(view))).toBe('a 15ms (c|)');
    });
  });

  it('under a scheduler, and the window is asked for nothing', () => {
    marbles(({ hot, expectObservable, flush }, scheduler) => {
      const view = new View(5, scheduler);
      expectObservable(hot('abc 30ms d').pipe(coalescing(view, scheduler))).toBe('a 15ms c 16ms d');
      flush();
      expect(view.asked).toBe(0);
    });
  });
});

it('each use of it has frames of its own', () => {
  marbles(({ hot, expectObservable }, scheduler) => {
    const coalesced = coalescing(new View(5, scheduler));
    expectObservable(hot('ab------').pipe(coalesced)).toBe('a----b--');
    expectObservable(hot('--cd----').pipe(coalesced)).toBe('--c----d');
  });
});

it('must be made where something is injected, unless it has a scheduler', () => {
  expect(() => injectCoalescing(undefined)).toThrow('NG0203');
});

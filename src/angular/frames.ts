import { DOCUMENT, inject } from '@angular/core';
import { Observable, race, throttle, timer, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';

/** How long a page that is not painted (a tab in the background) goes without a render. */
const HIDDEN_MS = 100;
/** A frame where there are none to ask for: under a scheduler, or without a window. */
const FRAME_MS = 16;

/**
 * At most one value a frame: the first at once, then the newest of each frame. The last one before the end is never lost. In a page
 * that is not painted browsers give no frames, so a timer takes their place. Must be made in an injection context.
 *
 * ```
 * source:  abcd-----ef|
 * frames:  ---x---x---x---x
 * result:  a--d-----e-(f|)
 * ```
 */
export function injectCoalescing<T>(scheduler: SchedulerLike | undefined): MonoTypeOperatorFunction<T> {
  const frame$ = scheduler === undefined ? paintedBy(inject(DOCUMENT).defaultView) : timer(FRAME_MS, scheduler);
  return throttle(() => frame$, { leading: true, trailing: true });
}

function paintedBy(view: Window | null): Observable<unknown> {
  if (typeof view?.requestAnimationFrame !== 'function') return timer(FRAME_MS);
  const painted$ = new Observable<number>((subscriber) => {
    const handle = view.requestAnimationFrame((time) => {
      subscriber.next(time);
    });
    return () => {
      view.cancelAnimationFrame(handle);
    };
  });
  return race(painted$, timer(HIDDEN_MS));
}

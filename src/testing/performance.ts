import type { SchedulerLike, Subscription } from 'rxjs';
import { FakeBody } from './fake-body.ts';
import { Immediate } from './immediate.ts';
import type { Act } from './timeline.ts';

/** What becomes of a request. */
export type FakeOutcome = 'pending' | 'ended' | 'aborted' | 'unanswered';

/** Told how a performance ended: everything was said, or the client went away before. */
export type OnOutcome = (outcome: 'ended' | 'aborted') => void;

/**
 * Plays the acts on the scheduler: the promise is that of `fetch`. Nothing happens before the caller has returned, as over a
 * network; acts that are due together happen in one go.
 */
export function perform(
  acts: readonly Act[],
  scheduler: SchedulerLike,
  signal: AbortSignal,
  onOutcome: OnOutcome,
): Immediate<Response> {
  return new Immediate((resolve, reject) => {
    const body = new FakeBody();
    let timer: Subscription | undefined;
    let over = false;
    const end = (outcome: Parameters<OnOutcome>[0]): void => {
      if (over) return;
      over = true;
      timer?.unsubscribe();
      signal.removeEventListener('abort', onAbort);
      onOutcome(outcome);
    };
    const onAbort = (): void => {
      end('aborted');
      reject(signal.reason);
      body.fail(signal.reason);
    };
    const play = ({ head, bytes = [], end: ending }: Act): void => {
      // The last words are said: who leaves while hearing them has had all.
      if (ending !== undefined) end('ended');
      if (head !== undefined) resolve(body.toResponse(head));
      for (const piece of bytes) body.push(piece);
      if (ending === 'close') body.close();
      else if (ending !== undefined) {
        reject(ending.error);
        body.fail(ending.error);
      }
    };
    const playFrom = (place: number): void => {
      const act = acts[place];
      if (act === undefined) return;
      timer = scheduler.schedule(() => {
        play(act);
        let next = place + 1;
        for (let due = acts[next]; !over && due?.afterMs === 0; due = acts[++next]) play(due);
        if (!over) playFrom(next);
      }, act.afterMs);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    playFrom(0);
  });
}

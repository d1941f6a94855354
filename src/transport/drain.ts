import type { SchedulerLike } from 'rxjs';
import { awaited, type Steps } from '../steps.ts';

/** After `[DONE]` the rest of the body is awaited this long, so that the socket can be used again. */
const DRAIN_MS = 100;
/** What follows `[DONE]` is the end of the body. More than this is another stream, not worth reading. */
const DRAIN_BYTES = 64 * 1024;

/** Reads a body to its end if that is near, and gives it up otherwise. */
export function* drain(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  scheduler: SchedulerLike,
  giveUp: () => void,
): Steps<void> {
  const timer = scheduler.schedule(giveUp, DRAIN_MS);
  try {
    for (let left = DRAIN_BYTES; left > 0;) {
      const { done, value } = yield* awaited(reader.read());
      if (done) return;
      left -= value.byteLength;
    }
    giveUp();
  } catch {
    // The completion is whole; how the body ends is of no interest.
  } finally {
    timer.unsubscribe();
  }
}

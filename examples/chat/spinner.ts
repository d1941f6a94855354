import { finalize, ignoreElements, tap, timer, type Observable } from 'rxjs';
import type { Terminal } from './terminal.ts';

const FRAMES = Array.from('⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏');
const FRAME_MS = 80;
const CLEAR_LINE = '\r\u001b[K';

/** Turns until it is unsubscribed, and leaves the line as it found it. */
export function spinner$({ stderr }: Terminal): Observable<never> {
  return timer(0, FRAME_MS).pipe(
    tap((n) => {
      stderr.write(`\r${FRAMES[n % FRAMES.length] ?? ''}`);
    }),
    finalize(() => {
      stderr.write(CLEAR_LINE);
    }),
    ignoreElements(),
  );
}

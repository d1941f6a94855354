import { Writable } from 'node:stream';
import { Subject, type Observable } from 'rxjs';
import type { Terminal } from '../../../examples/chat/terminal.ts';

/** What was written, in order, whichever stream it went to. */
export interface Screen extends Terminal {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** `out` and `err` pieces as they came. */
  readonly log: readonly (readonly ['out' | 'err', string])[];
  readonly written$: Observable<void>;
  readonly out: () => string;
  readonly err: () => string;
}

export function fakeScreen({ fancy = false } = {}): Screen {
  const log: ['out' | 'err', string][] = [];
  const written$ = new Subject<void>();
  const stream = (name: 'out' | 'err'): Writable =>
    new Writable({
      decodeStrings: false,
      write: (text: string | Buffer, _encoding, done) => {
        log.push([name, text.toString()]);
        done();
        written$.next();
      },
    });
  const text = (wanted: 'out' | 'err') => (): string =>
    log
      .filter(([name]) => name === wanted)
      .map(([, piece]) => piece)
      .join('');
  return { stdout: stream('out'), stderr: stream('err'), fancy, log, written$, out: text('out'), err: text('err') };
}

import { styleText } from 'node:util';
import { fromEvent, map, merge, type Observable } from 'rxjs';

/** Where the program writes. */
export interface Terminal {
  /** The answer, and nothing else: it may be a pipe. */
  readonly stdout: NodeJS.WritableStream;
  /** Everything else. */
  readonly stderr: NodeJS.WritableStream;
  /** Whether stderr is a screen that may show colours and motion. */
  readonly fancy: boolean;
}

/** What is used of the process. A stream that is no terminal has no `isTTY`. */
interface Process {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean | undefined };
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function systemTerminal({ stdout, stderr, env }: Process): Terminal {
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return { stdout, stderr, fancy: stderr.isTTY === true && !plain };
}

/** A line beside the answer. */
export function note({ stderr, fancy }: Terminal, line: string, style: 'dim' | 'red' = 'dim'): void {
  stderr.write(`${fancy ? styleText(style, line, { validateStream: false }) : line}\n`);
}

export function errorLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `Error: ${message.replace(/\s+/g, ' ').trim()}`;
}

/** Emits when nobody reads any more (`| head -1`). Every other error of the streams is an error. */
export function readerGone$({ stdout, stderr }: Terminal): Observable<true> {
  return merge(fromEvent(stdout, 'error'), fromEvent(stderr, 'error')).pipe(
    map((error) => {
      if ((error as NodeJS.ErrnoException).code === 'EPIPE') return true;
      throw error as Error;
    }),
  );
}

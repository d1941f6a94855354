/** Ends the program, or the answer in a chat, with one line on stderr and an exit code. */
export class Exit extends Error {
  readonly code: number;

  constructor(message: string, code = 1) {
    super(message);
    this.code = code;
  }
}

/** What shells report for a program that Ctrl-C ended. */
export const INTERRUPTED = 130;

export function exitCodeOf(error: unknown): number {
  return error instanceof Exit ? error.code : 1;
}

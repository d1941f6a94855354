import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, Subject } from 'rxjs';

export const PROGRAM = join(__dirname, '../../../examples/chat/main.ts');

export interface ProgramOptions {
  /** Default: the chat. */
  readonly program?: string;
  /** The whole environment, but for what a shell needs. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What is piped in. Default: nothing, and the pipe is closed. `null`: the pipe stays open. */
  readonly input?: string | null;
  /** The lines of a `.env` file in the working directory, which is empty otherwise. */
  readonly envFile?: string;
  /** Runs instead of the program itself; its arguments are Node, the program, and those given. */
  readonly shell?: string;
}

export interface Program {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** What came from stdout at once. */
  readonly pieces: readonly string[];
  /** Resolves as soon as stdout holds the text. */
  readonly shows: (text: string) => Promise<void>;
  readonly interrupt: () => void;
  /** Resolves to the exit code, or the signal. */
  readonly ended: Promise<number | string>;
}

/** The chat, or another program, as a process of its own: nothing of this process's environment, and no `.env` but the test's, reaches it. */
export function start(args: readonly string[], options: ProgramOptions = {}): Program {
  const { program = PROGRAM, environment, input = '', envFile, shell } = options;
  const cwd = mkdtempSync(join(tmpdir(), 'chat-'));
  if (envFile !== undefined) writeFileSync(join(cwd, '.env'), envFile);
  const command = [process.execPath, program, ...args];
  const [file = '', ...rest] = shell === undefined ? command : ['/bin/sh', '-c', shell, ...command];
  const child = spawn(file, rest, { cwd, env: { PATH: process.env['PATH'] ?? '', ...environment } });

  const pieces: string[] = [];
  const arrived$ = new Subject<void>();
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    pieces.push(piece);
    arrived$.next();
  });
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (stderr += piece));
  // A program that ends without reading leaves a broken pipe behind.
  child.stdin.on('error', () => undefined);
  if (input !== null) child.stdin.end(input);

  const stdout = (): string => pieces.join('');
  return {
    stdout,
    stderr: () => stderr,
    pieces,
    shows: async (text) => {
      while (!stdout().includes(text)) await firstValueFrom(arrived$);
    },
    interrupt: () => child.kill('SIGINT'),
    ended: new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        arrived$.complete();
        rmSync(cwd, { recursive: true });
        resolve(code ?? signal ?? '');
      });
    }),
  };
}

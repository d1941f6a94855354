import { text } from 'node:stream/consumers';
import {
  asyncScheduler,
  defer,
  ignoreElements,
  merge,
  take,
  tap,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { Exit } from './exit.ts';

type Stdin = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** Another program that starts this one may forget to close its stdin: then it should be plain what is waited for. */
const PATIENCE_MS = 1000;

/**
 * Emits the prompt: the argument, then what is piped in. `undefined`: neither, so somebody sits at the keyboard.
 *
 * @param onWait - called if stdin takes long to end
 */
export function prompt$(
  argument: string | undefined,
  stdin: Stdin,
  onWait: () => void,
  scheduler: SchedulerLike = asyncScheduler,
): Observable<string | undefined> {
  const hint$ = timer(PATIENCE_MS, scheduler).pipe(tap(onWait), ignoreElements());
  return merge(
    defer(() => readPrompt(argument, stdin)),
    hint$,
  ).pipe(take(1));
}

async function readPrompt(argument: string | undefined, stdin: Stdin): Promise<string | undefined> {
  if (stdin.isTTY === true && argument === undefined) return undefined;
  const piped = stdin.isTTY === true ? '' : (await text(stdin)).trimEnd();
  const prompt = [argument ?? '', piped].filter((part) => part.trim() !== '').join('\n\n');
  if (prompt === '') throw new Exit('The prompt is empty: pass one as an argument or on stdin; see --help');
  return prompt;
}

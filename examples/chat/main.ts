/** A chat in the terminal: `npm start`, or one answer with `npm start -- "Say this is a test!"`. */
import { concatMap, defer, endWith, fromEvent, map, merge, of, switchMap, take, type Observable } from 'rxjs';
import type { OpenAIChatCompletion } from 'rxjs-openai';
import { HELP, parseArguments, type Arguments } from './args.ts';
import { chat$, type Answer } from './chat.ts';
import { client$ } from './client.ts';
import { Conversation } from './conversation.ts';
import { exitCodeOf, INTERRUPTED } from './exit.ts';
import { interruptedBy } from './interrupt.ts';
import { prompt$ } from './prompt.ts';
import { show } from './show.ts';
import { errorLine, note, readerGone$, systemTerminal } from './terminal.ts';

const terminal = systemTerminal(process);
const signal$ = fromEvent(process, 'SIGINT');

/** The program is an Observable of its exit code. */
const program$: Observable<number> = defer(() => {
  const args = parseArguments(process.argv.slice(2));
  if (args.help) return help$;
  const onWait = (): void => {
    note(terminal, 'Reading the prompt from stdin …');
  };
  return prompt$(args.prompt, process.stdin, onWait).pipe(
    concatMap((prompt) =>
      client$({ model: args.model, temperature: args.temperature }, terminal).pipe(
        switchMap((client) => session$(client, args, prompt)),
      ),
    ),
  );
});

const help$ = defer(() => {
  terminal.stdout.write(HELP);
  return of(0);
});

/** One answer, or a chat where there is no prompt. */
function session$(client: OpenAIChatCompletion, args: Arguments, prompt: string | undefined): Observable<number> {
  const conversation = new Conversation(client, terminal.stdout, args.system);
  const answer: Answer = (text, interrupt$) =>
    conversation.ask$(text).pipe(interruptedBy(interrupt$), show(terminal, args));
  if (prompt !== undefined) return answer(prompt, signal$).pipe(endWith(0));
  note(terminal, `${args.model ?? client.model}: an empty line leaves, Ctrl-C stops an answer`);
  return chat$({ input: process.stdin, output: process.stderr, signal$ }, answer, report).pipe(endWith(0));
}

function report(error: unknown): void {
  if (exitCodeOf(error) === INTERRUPTED) note(terminal, 'Interrupted');
  else note(terminal, errorLine(error), 'red');
}

function leave(code: number): void {
  // Pipes are written asynchronously on some systems; the empty write comes after all others.
  process.stdout.write('', () => process.exit(code));
}

// Whatever ends the program unsubscribes from the rest of it, which aborts a request that is under way.
merge(program$, readerGone$(terminal).pipe(map(() => 0)))
  .pipe(take(1))
  .subscribe({
    next: leave,
    error: (error: unknown) => {
      report(error);
      leave(exitCodeOf(error));
    },
  });

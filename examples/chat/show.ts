import {
  catchError,
  connect,
  defer,
  EMPTY,
  endWith,
  filter,
  ignoreElements,
  merge,
  pipe,
  take,
  takeUntil,
  tap,
  type Observable,
  type OperatorFunction,
} from 'rxjs';
import type { CompletionEvent } from 'rxjs-openai';
import { Exit } from './exit.ts';
import { spinner$ } from './spinner.ts';
import { summarize, summaryLine, type Summary } from './summary.ts';
import { note, type Terminal } from './terminal.ts';

/**
 * Shows an answer while it arrives: a spinner up to its first word, the answer on stdout, a summary at the end. One
 * subscription to the events, so one request, feeds them all. Emits nothing; completes and errors with the events.
 */
export function show(
  terminal: Terminal,
  { json }: { readonly json: boolean },
): OperatorFunction<CompletionEvent, never> {
  return pipe(
    // The order matters: each event reaches the spinner first, so that it is gone before anything is written.
    connect((event$) =>
      merge(
        terminal.fancy ? spinner$(terminal).pipe(takeUntil(begun(event$))) : EMPTY,
        json ? event$.pipe(writeLines(terminal)) : event$.pipe(writeText(terminal)),
        event$.pipe(summarize(), tap(conclude(terminal))),
      ),
    ),
    ignoreElements(),
  );
}

/** Emits at the first word, or when it is certain that none will come. */
function begun(event$: Observable<CompletionEvent>): Observable<unknown> {
  return event$.pipe(
    filter(({ type }) => type === 'text-delta'),
    catchError(() => EMPTY),
    endWith(undefined),
    take(1),
  );
}

/** The text as it arrives, and a line break at the end: also of an answer that is cut off, so that what follows is legible. */
function writeText({ stdout }: Terminal): OperatorFunction<CompletionEvent, CompletionEvent> {
  return (event$) =>
    defer(() => {
      let begun = false;
      return event$.pipe(
        tap({
          next: (event) => {
            if (event.type !== 'text-delta') return;
            stdout.write(event.text);
            begun = true;
          },
          error: () => {
            if (begun) stdout.write('\n');
          },
          complete: () => {
            stdout.write('\n');
          },
        }),
      );
    });
}

function writeLines({ stdout }: Terminal): OperatorFunction<CompletionEvent, CompletionEvent> {
  return tap((event) => {
    stdout.write(`${JSON.stringify(event)}\n`);
  });
}

function conclude(terminal: Terminal): (summary: Summary) => void {
  return (summary) => {
    note(terminal, summaryLine(summary));
    if (summary.refusal !== '') throw new Exit(`The model refused: ${summary.refusal}`);
    if (summary.finishReason === 'content_filter') throw new Exit('The content filter stopped the answer');
  };
}

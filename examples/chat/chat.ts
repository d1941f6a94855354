import {
  catchError,
  concat,
  defer,
  EMPTY,
  exhaustMap,
  ignoreElements,
  map,
  merge,
  of,
  takeUntil,
  takeWhile,
  using,
  type Observable,
} from 'rxjs';
import { LineEditor } from './line-editor.ts';

/** Shows the answer to a prompt, until it is whole or `interrupt$` emits. */
export type Answer = (prompt: string, interrupt$: Observable<unknown>) => Observable<never>;

/** The keyboard and the screen of a chat. */
export interface Keyboard {
  readonly input: ConstructorParameters<typeof LineEditor>[0];
  readonly output: ConstructorParameters<typeof LineEditor>[1];
  /** Ctrl-C, where it comes as a signal to the process. */
  readonly signal$: Observable<unknown>;
}

const LEAVE = Symbol('leave');

/**
 * Prompts and answers in turn. Ctrl-C stops an answer and returns to the prompt; at the prompt it leaves, as do an empty
 * line and Ctrl-D. A failed answer is told to `onError` and the chat goes on. Emits nothing.
 */
export function chat$(keyboard: Keyboard, answer: Answer, onError: (error: unknown) => void): Observable<never> {
  return using(
    () => new LineEditor(keyboard.input, keyboard.output),
    (resource) => {
      const editor = resource as LineEditor;
      const interrupt$ = merge(editor.interrupt$, keyboard.signal$);
      const ask$ = defer(() => {
        editor.ask();
        return EMPTY;
      });
      const turn = (prompt: string): Observable<never> =>
        concat(answer(prompt, interrupt$).pipe(catchError((error: unknown) => (onError(error), EMPTY))), ask$);
      // Ctrl-C at the prompt is an empty line. During an answer exhaustMap ignores both, and only the answer hears Ctrl-C.
      const line$ = merge(editor.line$, interrupt$.pipe(map(() => ''))).pipe(takeUntil(editor.closed$));
      const turns$ = line$.pipe(exhaustMap((line) => (line.trim() === '' ? of(LEAVE) : turn(line))));
      return merge(turns$, ask$).pipe(
        takeWhile((it) => it !== LEAVE),
        ignoreElements(),
      );
    },
  );
}

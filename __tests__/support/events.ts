import { catchError, Observable, Subject, takeUntil, throwError, type MonoTypeOperatorFunction } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { CompletionError, isCompletionError, type PartialCompletion } from '../../src/errors.ts';
import type { CompletionEvent, FinishReason } from '../../src/events/event.ts';

/** Why the attempt before a restart failed. */
export const CAUSE = new Error('lost');

const finish = (reason: FinishReason, choice = 0): CompletionEvent => ({ type: 'finish', choice, reason });

/** Events by the letter that stands for them in a marble diagram; capitals are those of choice 1, where there are two. */
export const EVENTS = {
  s: { type: 'start', id: 'x', model: 'm', created: 1, attempt: 1 },
  a: { type: 'text-delta', choice: 0, text: 'a' },
  b: { type: 'text-delta', choice: 0, text: 'b' },
  e: { type: 'text-delta', choice: 0, text: '' },
  A: { type: 'text-delta', choice: 1, text: 'A' },
  r: { type: 'reasoning-delta', choice: 0, text: 'hm', field: 'reasoning' },
  Q: { type: 'reasoning-delta', choice: 1, text: 'HM', field: 'reasoning' },
  n: { type: 'refusal-delta', choice: 0, text: 'no' },
  N: { type: 'refusal-delta', choice: 1, text: 'NO' },
  t: { type: 'tool-call-start', choice: 0, index: 0, id: 'c', name: 'f' },
  T: { type: 'tool-call-start', choice: 1, index: 0, id: 'C', name: 'F' },
  d: { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{}' },
  D: { type: 'tool-call-delta', choice: 1, index: 0, arguments: '{}' },
  w: { type: 'tool-call', choice: 0, index: 0, id: 'c', name: 'f', arguments: '{}' },
  W: { type: 'tool-call', choice: 1, index: 0, id: 'C', name: 'F', arguments: '{}' },
  l: { type: 'logprobs', choice: 0, tokens: [], refusalTokens: [] },
  x: { type: 'extra', choice: 0, scope: 'message', fields: {} },
  X: { type: 'extra', scope: 'completion', fields: { service_tier: 'flex' } },
  u: { type: 'usage', usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } },
  U: { type: 'usage', usage: { prompt_tokens: 1, completion_tokens: 4, total_tokens: 5 } },
  R: { type: 'restart', attempt: 2, cause: CAUSE, discarded: 1 },
  f: finish('stop'),
  F: finish('stop', 1),
  L: finish('length'),
  C: finish('content_filter'),
  K: finish('tool_calls'),
  G: finish('function_call'),
  Z: finish(null),
  '?': { type: 'new', choice: 0, text: '?' } as unknown as CompletionEvent,
  '*': { type: 'constructor' } as unknown as CompletionEvent,
} satisfies Readonly<Record<string, CompletionEvent>>;

/** The events of a diagram without its times. */
export function inOrder(letters: string): CompletionEvent[] {
  return Array.from(letters.replaceAll('-', '')).map((letter) => EVENTS[letter as keyof typeof EVENTS]);
}

export type Helpers = Parameters<Parameters<TestScheduler['run']>[0]>[0];

/** Runs a test in virtual time, a character of a diagram being a millisecond. */
export function marbles(test: (helpers: Helpers, scheduler: TestScheduler) => void): void {
  const scheduler = new TestScheduler((actual, expected) => {
    expect(actual).toStrictEqual(expected);
  });
  scheduler.run((helpers) => {
    test(helpers, scheduler);
  });
}

/** The subscription of a consumer that stays for all of a diagram. */
export function untilEnd(diagram: string): string {
  const group = diagram.search(/\([^)]*[|#]/);
  const end = group === -1 ? diagram.search(/[|#]/) : group;
  if (end === -1) return '^';
  return end === 0 ? '(^!)' : `^${'-'.repeat(end - 1)}!`;
}

/** All that is to be said of an error of ours; its `partial` is not enumerable, so equality would pass over it. */
export function plainError(error: unknown, partial: Partial<PartialCompletion> = {}): unknown {
  if (!isCompletionError(error)) return error;
  const { message, kind, retryable, code, cause } = error;
  return { message, kind, retryable, code, cause, partial: { ...error.partial, ...partial } };
}

/** Makes errors comparable: see {@link plainError}. */
export function plainErrors<T>(): MonoTypeOperatorFunction<T> {
  return catchError((error: unknown) => throwError(() => plainError(error)));
}

/** The error of a restart that withdraws what was shown. */
export function withdrawal(what: string, partial: Partial<PartialCompletion>): unknown {
  const message = `A retry withdraws ${what} already shown; use events$ or accumulate() to follow a restart`;
  return plainError(new CompletionError(message, { kind: 'interrupted', cause: CAUSE }), partial);
}

/** A source that says everything inside `subscribe`, unless its consumer leaves. */
export interface SynchronousSource<T> {
  readonly source$: Observable<T>;
  /** What it has said, over all subscriptions. */
  readonly said: readonly T[];
}

export function synchronous<T>(values: readonly T[]): SynchronousSource<T> {
  const said: T[] = [];
  const source$ = new Observable<T>((subscriber) => {
    for (const value of values) {
      if (subscriber.closed) return;
      said.push(value);
      subscriber.next(value);
    }
    subscriber.complete();
  });
  return { source$, said };
}

/** What a consumer sees that leaves from inside `next`, at its first value. */
export function seenByLeaver<T>(result$: Observable<T>): T[] {
  const left$ = new Subject<void>();
  const seen: T[] = [];
  result$.pipe(takeUntil(left$)).subscribe((value) => {
    seen.push(value);
    left$.next();
  });
  return seen;
}

/** What a consumer of a synchronous source sees: values, then `|` or the error. */
export function seenBy<T>(result$: Observable<T>): unknown[] {
  const seen: unknown[] = [];
  result$.subscribe({
    next: (value) => seen.push(value),
    error: (error: unknown) => seen.push(error),
    complete: () => seen.push('|'),
  });
  return seen;
}

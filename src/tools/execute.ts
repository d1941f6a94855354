import {
  catchError,
  concat,
  defer,
  EMPTY,
  from,
  isObservable,
  map,
  mergeMap,
  NEVER,
  of,
  take,
  takeUntil,
  throwError,
  timer,
  type Observable,
  type ObservableInput,
  type SchedulerLike,
} from 'rxjs';
import { CompletionError, describe, isCompletionError, type OutputIssue } from '../errors.ts';
import { redact } from '../redact.ts';
import { argumentsFor$ } from './call-arguments.ts';
import { denial } from './denial.ts';
import type { ToolApprovalEvent, ToolErrorEvent, ToolProgressEvent, ToolResultEvent } from './events.ts';
import { withSignal } from './signal.ts';
import type { Tool } from './tool.ts';
import type { RequestedCall } from './turn.ts';

/** A call that waits for approval. */
export interface ToolApprovalRequest {
  readonly toolCallId: string;
  readonly name: string;
  /** Validated. */
  readonly arguments: unknown;
  readonly round: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** An answer to it. `reason` is told to the model. */
export type ToolApproval = boolean | { readonly approved: boolean; readonly reason?: string | undefined };

/** Answers at once, by a Promise, or by the first value of an Observable. Nothing, or anything but a clear yes, is no. */
export type Approve = (
  call: ToolApprovalRequest,
) => ToolApproval | PromiseLike<ToolApproval> | Observable<ToolApproval>;

/** How calls are executed. */
export interface ExecuteSettings {
  readonly tools: ReadonlyMap<string, Tool>;
  readonly toolTimeoutMs: number | undefined;
  readonly onToolError: 'report' | 'fail';
  readonly approve: Approve | undefined;
  readonly scheduler: SchedulerLike;
}

/** What happens to one call. */
export type ExecutionEvent = ToolProgressEvent | ToolResultEvent | ToolErrorEvent | ToolApprovalEvent;

/**
 * One call as a cold Observable. Tells `onContent` what the model is to be told. Errors only with what `approve` throws and, with
 * `onToolError: 'fail'`, with what went wrong. Unsubscribing aborts the tool.
 */
export function execute$(
  call: RequestedCall,
  round: number,
  settings: ExecuteSettings,
  onContent: (content: string) => void,
): Observable<ExecutionEvent> {
  const about = { round, toolCallId: call.id, name: call.name };
  const failed = (error: unknown): Observable<ExecutionEvent> => {
    const content = contentOf(error);
    onContent(content);
    const told$ = of<ToolErrorEvent>({ type: 'tool-error', ...about, error, content });
    return settings.onToolError === 'report'
      ? told$
      : concat(
          told$,
          throwError(() => error),
        );
  };

  const run$ = (tool: Tool, args: unknown): Observable<ExecutionEvent> =>
    defer(() => {
      let result: unknown;
      const progress$ = withSignal((signal) =>
        valuesOf(() => tool.execute(args, { signal, toolCallId: call.id }), signal).pipe(
          mergeMap(({ value, progress }) => {
            result = value;
            return progress ? [{ type: 'tool-progress' as const, ...about, value }] : [];
          }),
          takeUntil(deadline(call.name, settings)),
        ),
      );
      const result$ = defer(() => {
        const content = textOf(result, call.name);
        onContent(content);
        return of<ToolResultEvent>({ type: 'tool-result', ...about, value: result, content });
      });
      return concat(progress$, result$);
    }).pipe(catchError(failed));

  const approved$ = (tool: Tool, args: unknown): Observable<ExecutionEvent> => {
    const { approve } = settings;
    if (approve === undefined) return run$(tool, args);
    const tell = (status: ToolApprovalEvent['status'], reason?: string): ToolApprovalEvent => ({
      type: 'tool-approval',
      ...about,
      arguments: args,
      status,
      ...(reason === undefined ? undefined : { reason }),
    });
    const answer$ = withSignal((signal) => asked(() => approve({ ...about, arguments: args, signal })));
    return concat(
      of(tell('requested')),
      answer$.pipe(
        mergeMap(({ approved, reason }) => {
          if (approved) return concat(of(tell('approved')), run$(tool, args));
          onContent(denial(reason));
          return of(tell('denied', reason));
        }),
      ),
    );
  };

  return defer(() => {
    const { tools } = settings;
    const tool = tools.get(call.name);
    if (call.refused !== undefined) return failed(call.refused);
    if (tool === undefined) return failed(unknownTool(call.name, [...tools.keys()]));
    const args$ = defer(() => argumentsFor$(tool, call)).pipe(
      map((args) => ({ args })),
      catchError((error: unknown) => of({ error })),
    );
    return args$.pipe(
      mergeMap((checked) => ('args' in checked ? approved$(tool, checked.args) : failed(checked.error))),
    );
  });
}

/** The values of what a tool returned, and whether they are progress: of an Observable each is. */
function valuesOf(execute: () => unknown, signal: AbortSignal): Observable<ToolValue> {
  const each = (output: unknown): Observable<ToolValue> => {
    // The tool itself may have ended the run.
    if (signal.aborted) return EMPTY;
    if (!isObservable(output) && !isAsyncIterable(output)) return of({ value: output, progress: false });
    return from(output as ObservableInput<unknown>).pipe(map((value) => ({ value, progress: true })));
  };
  return defer(() => {
    const output = execute();
    return isPromise(output) ? from(output).pipe(mergeMap(each)) : each(output);
  });
}

interface ToolValue {
  readonly value: unknown;
  readonly progress: boolean;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function asked(approve: () => ReturnType<Approve>): Observable<{ approved: boolean; reason?: string | undefined }> {
  return defer(() => {
    const answer = approve();
    const answer$ =
      isObservable(answer) || isPromise(answer) ? from(answer as ObservableInput<ToolApproval>) : of(answer);
    const none$ = of(false);
    return concat(answer$, none$).pipe(
      take(1),
      map((given) => {
        const said = given as Partial<Exclude<ToolApproval, boolean>> | boolean | null | undefined;
        if (typeof said !== 'object' || said === null) return { approved: said === true };
        const { approved, reason } = said;
        return { approved: approved === true, reason: typeof reason === 'string' ? reason : undefined };
      }),
    );
  });
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

function deadline(name: string, { toolTimeoutMs, scheduler }: ExecuteSettings): Observable<never> {
  if (toolTimeoutMs === undefined) return NEVER;
  return timer(toolTimeoutMs, scheduler).pipe(
    map(() => {
      throw new CompletionError(`The tool ${name} gave no result within ${String(toolTimeoutMs)} ms (toolTimeoutMs)`, {
        kind: 'timeout',
        clock: 'tool',
      });
    }),
  );
}

function unknownTool(name: string, known: readonly string[]): CompletionError {
  return new CompletionError(`There is no tool ${redact(name, [], 64)}; known are ${known.join(', ')}`, {
    kind: 'tool',
  });
}

/** A result as the model is told it. */
function textOf(result: unknown, name: string): string {
  if (typeof result === 'string') return result;
  try {
    // Of a function or a symbol JSON makes nothing at all.
    return JSON.stringify(result) ?? 'null';
  } catch {
    throw new CompletionError(`The result of the tool ${name} cannot be written as JSON: a cycle, or a BigInt`, {
      kind: 'tool',
    });
  }
}

/** A failure as the model is told it, so that it can do better. */
function contentOf(error: unknown): string {
  const issues = isCompletionError(error) ? (error.issues ?? []) : [];
  return [`Error: ${redact(describe(error).message)}`, ...issues.slice(0, MAX_TOLD_ISSUES).map(lineOf)].join('\n');
}

/** The first ones say enough; a long list may be wrong in each of its elements. */
const MAX_TOLD_ISSUES = 20;

function lineOf({ message, path }: OutputIssue): string {
  return path === undefined || path.length === 0 ? `- ${message}` : `- ${path.join('.')}: ${message}`;
}

import type { CompletionUsage } from 'openai/resources/completions';
import {
  catchError,
  concat,
  defer,
  distinctUntilChanged,
  map,
  of,
  startWith,
  throwError,
  type OperatorFunction,
} from 'rxjs';
import type { CompletionEvent, FinishReason } from '../events/event.ts';
import { SAID_IN } from '../events/said-in.ts';
import { validSwitch } from '../option-checks.ts';
import { resolveChoice, type ChoiceOption } from './choice.ts';

/** A tool call as far as it came. */
export interface ToolCallSnapshot {
  /** As in the events of the call. */
  readonly index: number;
  readonly id: string;
  readonly name: string;
  /** JSON text; cut anywhere until the call is `whole`. */
  readonly arguments: string;
  /** The call is known to be whole. Never execute another. */
  readonly whole: boolean;
}

/** What is known of one choice at one moment. Never changed later; what has not changed since the last one is the same object. */
export interface CompletionSnapshot {
  /**
   * `connecting` before the first event; `streaming`; `done`: the source has completed after the choice's `finish`; `stopped`: it has
   * completed without (a `takeUntil` before this operator); `error`, with `catchErrors` only.
   */
  readonly status: 'connecting' | 'streaming' | 'done' | 'stopped' | 'error';
  readonly text: string;
  readonly reasoning: string;
  readonly refusal: string;
  readonly toolCalls: readonly ToolCallSnapshot[];
  /** `undefined` until the choice has ended. */
  readonly finishReason: FinishReason | undefined;
  readonly usage: CompletionUsage | undefined;
  /** Only with status `error`. */
  readonly error?: unknown;
}

/** Options of {@link accumulate}. */
export interface AccumulateOptions extends ChoiceOption {
  /** Ends in a snapshot with the error and what had arrived, instead of in the error. Default: false. */
  readonly catchErrors?: boolean | undefined;
}

export const ACCUMULATE_DEFAULTS = { choice: 0, catchErrors: false } as const;

const INITIAL: CompletionSnapshot = Object.freeze({
  status: 'connecting',
  text: '',
  reasoning: '',
  refusal: '',
  toolCalls: Object.freeze([]),
  finishReason: undefined,
  usage: undefined,
});

const STARTED: CompletionSnapshot = Object.freeze({ ...INITIAL, status: 'streaming' });

/**
 * One choice as a growing snapshot, for views: the first one (`connecting`) at once on subscribe, then one for each event that
 * changes something, and one for the end. Made for `toSignal(…, { requireSync: true })`, the async pipe and `distinctUntilChanged`.
 *
 * Completes with the source, its last snapshot `done` or, without a `finish` of the choice, `stopped`. Errors of the source are
 * passed on or, with `catchErrors`, become the last snapshot, which keeps the text. A `restart` begins anew. Unsubscribing
 * unsubscribes from the source. An event costs the same however long the text is.
 *
 * ```
 * source:  ---start---text('a')---text('b')---(finish|)
 * result:  c--s-------s('a')------s('ab')-----(s d('ab')|)   (c connecting, s streaming, d done)
 * ```
 *
 * ```ts
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { accumulate } from 'rxjs-openai/operators';
 *
 * new OpenAIChatCompletion()
 *   .events$('Say this is a test!')
 *   .pipe(accumulate({ catchErrors: true }))
 *   .subscribe(({ status, text }) => console.log(status, text));
 * ```
 *
 * @param options - `choice`: default 0; `catchErrors`: default false
 */
export function accumulate(options: AccumulateOptions = {}): OperatorFunction<CompletionEvent, CompletionSnapshot> {
  const choice = resolveChoice(options, 'accumulate', Object.keys(ACCUMULATE_DEFAULTS));
  const catchErrors = validSwitch('catchErrors', options.catchErrors, ACCUMULATE_DEFAULTS.catchErrors);
  return (source) =>
    defer(() => {
      let snapshot = INITIAL;
      const growing$ = source.pipe(map((event) => (snapshot = grown(snapshot, event, choice))));
      const ended$ = defer(() => of<CompletionSnapshot>({ ...snapshot, status: endOf(snapshot) }));
      return concat(growing$, ended$).pipe(
        catchError((error: unknown) =>
          catchErrors ? of<CompletionSnapshot>({ ...snapshot, status: 'error', error }) : throwError(() => error),
        ),
        startWith(INITIAL),
        distinctUntilChanged(),
      );
    });
}

function endOf({ finishReason }: CompletionSnapshot): CompletionSnapshot['status'] {
  return finishReason === undefined ? 'stopped' : 'done';
}

/** The snapshot after an event; the same one if the event is of no concern to it. */
function grown(before: CompletionSnapshot, event: CompletionEvent, choice: number): CompletionSnapshot {
  const snapshot: CompletionSnapshot = before.status === 'connecting' ? STARTED : before;
  if (event.type === 'restart') return isBlank(snapshot) ? snapshot : STARTED;
  if (event.type === 'usage') return { ...snapshot, usage: event.usage };
  if (!('choice' in event) || event.choice !== choice) return snapshot;
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
    case 'refusal-delta': {
      const name = SAID_IN[event.type];
      return { ...snapshot, [name]: snapshot[name] + event.text };
    }
    case 'finish':
      return { ...snapshot, finishReason: event.reason };
    case 'tool-call-delta': {
      const call = snapshot.toolCalls.find(({ index }) => index === event.index);
      if (call === undefined) return snapshot;
      return withCall(snapshot, { ...call, arguments: call.arguments + event.arguments });
    }
    case 'tool-call-start':
    case 'tool-call': {
      const { index, id, name } = event;
      const whole = event.type === 'tool-call';
      return withCall(snapshot, { index, id, name, arguments: whole ? event.arguments : '', whole });
    }
    default:
      return snapshot;
  }
}

function withCall(snapshot: CompletionSnapshot, call: ToolCallSnapshot): CompletionSnapshot {
  const { toolCalls } = snapshot;
  const known = toolCalls.some(({ index }) => index === call.index);
  const calls = known ? toolCalls.map((each) => (each.index === call.index ? call : each)) : [...toolCalls, call];
  return { ...snapshot, toolCalls: calls };
}

function isBlank({ text, reasoning, refusal, toolCalls, finishReason, usage }: CompletionSnapshot): boolean {
  return (
    text + reasoning + refusal === '' && toolCalls.length === 0 && finishReason === undefined && usage === undefined
  );
}

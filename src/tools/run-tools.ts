import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { catchError, concat, defer, EMPTY, from, mergeMap, of, repeat, tap, type Observable } from 'rxjs';
import { CompletionError, isCompletionError, withDetails, type PartialCompletion } from '../errors.ts';
import type { CompletionEvent, FinishReason } from '../events/event.ts';
import { isFields, type Fields } from '../fields.ts';
import { abortedBy } from '../operators/aborted-by.ts';
import { copiedCall, type ChatCompletionParams, type ChatMessages, type EventsCallOptions } from '../request.ts';
import { isLength } from '../operators/text.ts';
import type { MessagesEvent, RoundStartEvent, ToolRunEvent } from './events.ts';
import { execute$ } from './execute.ts';
import { resolveRun, type RunSettings, type ToolRunOptions, type ToolRunParams } from './run-options.ts';
import { Turn, type RequestedCall, type TurnResult } from './turn.ts';

/** What `runTools$` needs of a client; a fake will do. */
export interface EventsSource {
  events$(
    messages: ChatMessages,
    params?: ChatCompletionParams,
    options?: EventsCallOptions,
  ): Observable<CompletionEvent>;
}

/**
 * `runTools$` of the client, over anything that has `events$`: see there. A cold Observable; unsubscribing aborts the request and the
 * tools that run.
 *
 * ```ts
 * import { OpenAIChatCompletion, runTools$, tool } from 'rxjs-openai';
 *
 * const now = tool({
 *   name: 'now',
 *   parameters: { type: 'object', properties: {} },
 *   execute: () => new Date().toISOString(),
 * });
 * runTools$(new OpenAIChatCompletion(), 'What time is it?', {}, { tools: [now] }).subscribe((event) => {
 *   if (event.type === 'text-delta') process.stdout.write(event.text);
 * });
 * ```
 */
export function runTools$(
  chat: EventsSource,
  messages: ChatMessages,
  params: ToolRunParams | undefined,
  options: ToolRunOptions,
): Observable<ToolRunEvent> {
  return defer(() => {
    const run = new ToolRun(chat, messages, params, options);
    const rounds$ = defer(() => run.round$()).pipe(repeat({ delay: () => (run.done ? EMPTY : of(true)) }));
    const all$ = concat(
      rounds$,
      defer(() => of(run.messagesEvent())),
    );
    return options.signal ? all$.pipe(abortedBy(options.signal, () => run.partial())) : all$;
  });
}

interface Executing {
  readonly said: readonly ChatCompletionMessageParam[];
  readonly calls: readonly RequestedCall[];
  readonly contents: readonly (string | undefined)[];
}

/** How an answer ends whose calls are meant. */
const WHOLE: ReadonlySet<string> = new Set(['tool_calls', 'stop', 'function_call']);

/** One subscription: the conversation as far as it came. */
class ToolRun {
  readonly #chat: EventsSource;
  readonly #settings: RunSettings;
  #messages: ChatMessages;
  #round = 0;
  #turn = new Turn();
  /** The calls that are being executed, and what the model is to be told of those that are done. */
  #executing: Executing | undefined;
  #reason: FinishReason = null;
  done = false;

  constructor(chat: EventsSource, messages: ChatMessages, params: ToolRunParams | undefined, options: ToolRunOptions) {
    this.#chat = chat;
    const sent = copiedCall(messages, params);
    this.#settings = resolveRun(sent.params, options);
    this.#messages = sent.messages;
  }

  /** Asks the model once, and executes what it calls. */
  round$(): Observable<ToolRunEvent> {
    this.#round += 1;
    const turn = (this.#turn = new Turn());
    const { params, call } = this.#settings;
    const asked = this.#round === 1 ? params : withFreeChoice(params);
    const answer$ = this.#chat.events$(this.#messages, asked, call).pipe(
      tap((event) => {
        turn.add(event);
      }),
    );
    return concat(
      of<RoundStartEvent>({ type: 'round-start', round: this.#round }),
      answer$,
      defer(() => this.#after(turn)),
    ).pipe(
      catchError((error: unknown) => {
        throw this.#informed(error);
      }),
    );
  }

  /** What there is when something else ends the run. */
  partial(): PartialCompletion {
    return { ...this.#turn.partial(), messages: this.#conversation() };
  }

  messagesEvent(): MessagesEvent {
    return { type: 'messages', messages: this.#list(), reason: this.#reason, rounds: this.#round };
  }

  #after(turn: Turn): Observable<ToolRunEvent> {
    const result = turn.result();
    const called = result.calls.length > 0;
    this.#reason = result.reason;
    const error = this.#ended(result, called);
    if (error !== undefined) throw withDetails(error, { partial: turn.partial() });
    const said = result.message === undefined ? [] : [result.message];
    if (called) return this.#results(result.calls, said);
    this.#messages = [...this.#list(), ...said];
    this.done = true;
    return EMPTY;
  }

  /** Why an answer is the end of the run, and no good one. */
  #ended({ reason }: TurnResult, called: boolean): CompletionError | undefined {
    if (reason === 'content_filter') {
      return new CompletionError('The content filter stopped the answer (finish_reason "content_filter")', {
        kind: 'content-filter',
      });
    }
    if (isLength(reason) && (called || this.#settings.onLength === 'error')) {
      const what = called ? '; its tool calls were not executed' : '';
      return new CompletionError(`The answer was cut at the token limit (finish_reason "${String(reason)}")${what}`, {
        kind: 'limit',
        code: 'length',
      });
    }
    if (reason === 'tool_calls' && !called) {
      return new CompletionError('The answer ends in tool calls (finish_reason "tool_calls"), and there are none', {
        kind: 'protocol',
      });
    }
    if (called && reason !== null && !WHOLE.has(reason)) {
      return new CompletionError(
        `The answer ended for another reason than its tool calls (finish_reason "${reason}"), which were not executed`,
        { kind: 'protocol' },
      );
    }
    if (!called || this.#round < this.#settings.maxRounds) return undefined;
    return new CompletionError(
      `The model still calls tools in round ${String(this.#round)} (maxRounds); go on from partial.messages`,
      { kind: 'limit', code: 'maxRounds' },
    );
  }

  /** The calls of a round side by side; what the model is told of them in the order of the calls. */
  #results(calls: readonly RequestedCall[], said: readonly ChatCompletionMessageParam[]): Observable<ToolRunEvent> {
    const contents: (string | undefined)[] = calls.map(() => undefined);
    this.#executing = { said, calls, contents };
    const events$ = from(calls).pipe(
      mergeMap(
        (call, index) =>
          execute$(call, this.#round, this.#settings.execute, (content) => {
            contents[index] = content;
          }),
        this.#settings.concurrency,
      ),
    );
    const answered$ = defer(() => {
      this.#messages = this.#conversation();
      this.#executing = undefined;
      return EMPTY;
    });
    return concat(events$, answered$);
  }

  /** As far as it can be gone on with: a call that has run is never lost, for it would be run again. */
  #conversation(): readonly ChatCompletionMessageParam[] {
    if (this.#executing === undefined) return this.#list();
    const { said, calls, contents } = this.#executing;
    const results = calls.map(({ id }, index): ChatCompletionMessageParam => {
      const content = contents[index] ?? 'Error: the run ended before this call was done.';
      return { role: 'tool', tool_call_id: id, content };
    });
    return [...this.#list(), ...said, ...results];
  }

  #list(): readonly ChatCompletionMessageParam[] {
    return typeof this.#messages === 'string' ? [{ role: 'user', content: this.#messages }] : this.#messages;
  }

  /** With the conversation so far, which can be gone on with. */
  #informed(error: unknown): unknown {
    if (!isCompletionError(error)) return error;
    return withDetails(error, { partial: { ...error.partial, messages: this.#conversation() } });
  }
}

/** A model that must call a tool each time would never end: what was forced is forced once. */
function withFreeChoice({ tool_choice: choice, ...params }: ChatCompletionParams): ChatCompletionParams {
  if (choice === undefined) return params;
  if (choice === 'auto' || choice === 'none') return { ...params, tool_choice: choice };
  const allowed: unknown = (choice as unknown as Fields)['allowed_tools'];
  if (!isFields(allowed)) return params;
  return {
    ...params,
    tool_choice: { type: 'allowed_tools', allowed_tools: { ...allowed, mode: 'auto' } },
  } as ChatCompletionParams;
}

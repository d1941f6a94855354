import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions';
import { catchError, defer, finalize, of, tap, type Observable, type SchedulerLike } from 'rxjs';
import { OpenAIChatCompletion } from '../chat-completion.ts';
import type { CompletionEvent } from '../events/event.ts';
import * as jsonMethod from '../json-method.ts';
import type { InferInput, InferOutput, JsonSchema, StandardSchema } from '../json/schema.ts';
import type { LazyParts } from '../lazy-parts.ts';
import type { JsonEvent } from '../operators/growing-json.ts';
import { checkNames, validScheduler } from '../option-checks.ts';
import { universalPlatform } from '../platform.ts';
import type {
  CallOptions,
  ChatCompletionParams,
  ChatMessages,
  EventsCallOptions,
  GenerateTextOptions,
  JsonOptions,
  JsonParams,
  StreamCallOptions,
  StreamTextOptions,
} from '../request.ts';
import type { ToolRunEvent } from '../tools/events.ts';
import type { ToolRunOptions, ToolRunParams } from '../tools/run-options.ts';
import * as runTools from '../tools/run-tools.ts';
import { RecordedCall, type Asked, type FakeCall, type FakeSubscription } from './fake-call.ts';
import { playedTransport, type FakeRequest } from './fake-transport.ts';
import { answerOf, asGiven, type MarbleValues } from './marbles.ts';

/** Options of {@link fakeCompletion}. */
export interface FakeCompletionOptions {
  /** What the diagram runs on. Default: RxJS's `asyncScheduler`, which inside `TestScheduler.run` is virtual time. */
  readonly scheduler?: SchedulerLike | undefined;
  /** As in the client's options. */
  readonly model?: string | undefined;
}

/**
 * A client that gives every call the same answer, a marble diagram: a letter is a piece of text, or what `values` has for it, also a
 * CompletionEvent; `|` ends the answer well, `#` with `error`; a character is a millisecond, and times such as `20ms ` count too.
 *
 * It is the real client over a fake transport, without retries and clocks (unless a call asks for them): `stream$` and `events$`
 * follow the diagram, `generate$` and `completion$` give the whole at its end, wrong messages and options are errors, what text
 * cannot show is an error, `finish` and `usage` come at the end. An error is passed on as it is given; a `CompletionError` as a
 * copy that has what had arrived as `partial`. Each subscription begins anew and is one entry of `calls`; unsubscribing ends it.
 * Nothing is emitted inside `subscribe`.
 *
 * ```
 * fakeCompletion('-a-b-(c|)')
 * stream$      -a-b-(c|)
 * generate$    -----(x|)    x: 'abc'
 * ```
 *
 * ```ts
 *  * import { fakeCompletion } from 'rxjs-openai/testing';
 *
 * new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(({ expectObservable }) => {
 *   const chat = fakeCompletion('-a-b|', { a: 'Hello', b: ' world' });
 *   expectObservable(chat.generate$('Hi')).toBe('----(x|)', { x: 'Hello world' });
 * });
 * ```
 *
 * @param marbles - the diagram; one that does not end is an answer that hangs
 * @param values - what its letters stand for. Default: themselves
 * @param error - what `#` stands for. Default: a `CompletionError` of kind `interrupted`
 */
export function fakeCompletion(
  marbles: string,
  values: MarbleValues = {},
  error?: unknown,
  options: FakeCompletionOptions = {},
): FakeChatCompletion {
  return new FakeChatCompletion(marbles, values, error, options);
}

/** In virtual time no import ends. */
const AT_HAND: LazyParts = { json: () => of(jsonMethod), tools: () => of(runTools) };

/** What {@link fakeCompletion} makes: an `OpenAIChatCompletion` that remembers its calls. */
export class FakeChatCompletion extends OpenAIChatCompletion {
  /** Every subscription so far, in order. Its objects are kept up to date. */
  readonly calls: readonly FakeCall[];
  /** The same as `expectSubscriptions` of RxJS's TestScheduler takes them. */
  readonly subscriptions: FakeSubscription[] = [];
  /** Every HTTP request that would have been sent. */
  readonly requests: readonly FakeRequest[];
  readonly #calls: RecordedCall[] = [];
  readonly #scheduler: SchedulerLike;

  /** @internal */
  constructor(marbles: string, values: MarbleValues, error: unknown, options: FakeCompletionOptions) {
    checkNames(options, ['scheduler', 'model'], 'fakeCompletion');
    const scheduler = validScheduler(options.scheduler);
    const answer = answerOf(marbles, values, error);
    const transport = playedTransport(() => answer, scheduler);
    super({ transport, scheduler, model: options.model, retry: false, timeout: false }, universalPlatform, AT_HAND);
    this.requests = transport.requests;
    this.calls = this.#calls;
    this.#scheduler = scheduler;
  }

  override stream$(
    messages: ChatMessages,
    params?: ChatCompletionParams,
    options?: StreamTextOptions,
  ): Observable<string> {
    return this.#recorded({ method: 'stream$', messages, params, options }, super.stream$(messages, params, options));
  }

  override generate$(
    messages: ChatMessages,
    params?: ChatCompletionParams,
    options?: GenerateTextOptions,
  ): Observable<string> {
    const answer$ = super.generate$(messages, params, options);
    return this.#recorded({ method: 'generate$', messages, params, options }, answer$);
  }

  override completion$(
    messages: ChatMessages,
    params?: ChatCompletionParams,
    options?: CallOptions,
  ): Observable<ChatCompletion> {
    const answer$ = super.completion$(messages, params, options);
    return this.#recorded({ method: 'completion$', messages, params, options }, answer$);
  }

  override events$(
    messages: ChatMessages,
    params?: ChatCompletionParams,
    options?: EventsCallOptions,
  ): Observable<CompletionEvent> {
    return this.#recorded({ method: 'events$', messages, params, options }, super.events$(messages, params, options));
  }

  override chunks$(
    messages: ChatMessages,
    params?: ChatCompletionParams,
    options?: StreamCallOptions,
  ): Observable<ChatCompletionChunk> {
    return this.#recorded({ method: 'chunks$', messages, params, options }, super.chunks$(messages, params, options));
  }

  override json$<S extends StandardSchema>(
    messages: ChatMessages,
    params: JsonParams | undefined,
    options: JsonOptions<S>,
  ): Observable<JsonEvent<InferOutput<S>, InferInput<S>>>;
  override json$<T = unknown>(
    messages: ChatMessages,
    params: JsonParams | undefined,
    options: JsonOptions<JsonSchema>,
  ): Observable<JsonEvent<T>>;
  override json$(
    messages: ChatMessages,
    params: JsonParams | undefined,
    options: JsonOptions<StandardSchema | JsonSchema>,
  ): Observable<JsonEvent<unknown>> {
    const answer$ = super.json$(messages, params, options as JsonOptions<StandardSchema>);
    return this.#recorded({ method: 'json$', messages, params, options }, answer$);
  }

  /** Each round is a call of `events$`, with an entry of its own. */
  override runTools$(
    messages: ChatMessages,
    params: ToolRunParams | undefined,
    options: ToolRunOptions,
  ): Observable<ToolRunEvent> {
    const events$ = super.runTools$(messages, params, options);
    return this.#recorded({ method: 'runTools$', messages, params, options }, events$);
  }

  #recorded<T>(asked: Asked, answer$: Observable<T>): Observable<T> {
    return defer(() => {
      const call = new RecordedCall(asked, this.#scheduler);
      this.#calls.push(call);
      this.subscriptions.push(call.log);
      return answer$.pipe(
        catchError((error: unknown) => {
          throw asGiven(error);
        }),
        tap({
          error: () => {
            call.end('failed');
          },
          complete: () => {
            call.end('completed');
          },
        }),
        finalize(() => {
          call.end('unsubscribed');
        }),
      );
    });
  }
}

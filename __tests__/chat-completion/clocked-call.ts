/** Calls in virtual time whose answers the test gives piece by piece. */
import type { Observable, Subscription } from 'rxjs';
import type {
  ChatCompletionOptions,
  CompletionError,
  OpenAIChatCompletion,
  StreamTextOptions,
} from '../../src/index.ts';
import { HandClock, handBody, recordedFetch, turn, type ClientCase, type HandBody } from '../support/client.ts';

export const PROMPT = 'Say this is a test!';

/** What a request gets. */
export type Answer = (body: ReadableStream<Uint8Array>) => Response | Promise<Response>;

/** The headers, and a body that says what the test says. */
export const answering =
  (init?: ResponseInit): Answer =>
  (body) =>
    new Response(body, init);

/** An answer that is all there. */
export const whole =
  (said: string, init?: ResponseInit): Answer =>
  () =>
    new Response(said, init);

/** Not even headers. */
export const never: Answer = () => new Promise<never>(() => undefined);

export interface Setup {
  readonly options?: ChatCompletionOptions;
  /** Options of the call, which is `stream$`. */
  readonly call?: StreamTextOptions;
  /** Another call than `stream$`. */
  readonly ask?: (chat: OpenAIChatCompletion) => Observable<unknown>;
  /** Of the first, second … request; the last one for all that follow. Default: headers, and a body by hand. */
  readonly answers?: readonly Answer[];
  /** Called inside next. */
  readonly inNext?: (clock: HandClock) => void;
  /** `false`: the call is over before anything is sent. */
  readonly sends?: boolean;
}

export interface Started {
  readonly clock: HandClock;
  /** Every value, then the error or `complete`. */
  readonly told: unknown[];
  readonly subscription: Subscription;
  /** How many requests there were. */
  readonly requests: () => number;
  /** Resolves as soon as there were that many, once the last of them rests. */
  readonly requested: (count: number) => Promise<void>;
  /** The signal and the body of a request, the first unless it is said which. */
  readonly signal: (request?: number) => AbortSignal | undefined;
  readonly body: (request?: number) => HandBody;
}

/** A request that is left open would keep the process alive. */
const running = new Set<Subscription>();
afterEach(() => {
  for (const subscription of running) subscription.unsubscribe();
  running.clear();
});

/** A call that rests where its first answer lets it. */
export async function start({ client }: ClientCase, setup: Setup = {}): Promise<Started> {
  const { options, call, answers = [answering()], inNext, sends = true } = setup;
  const clock = new HandClock();
  const told: unknown[] = [];
  const bodies: HandBody[] = [];
  const waiting = new Set<() => void>();
  const fetch = recordedFetch((_, count) => {
    const body = handBody();
    bodies.push(body);
    for (const resolve of waiting) resolve();
    waiting.clear();
    return answers[Math.min(count, answers.length) - 1]?.(body.stream) ?? Response.error();
  });
  const requested = async (count: number): Promise<void> => {
    while (fetch.calls.length < count) await new Promise<void>((resolve) => waiting.add(resolve));
    await turn();
  };
  const chat = client('http://127.0.0.1:9/v1', { fetch, scheduler: clock, ...options });
  const call$ = setup.ask === undefined ? chat.stream$(PROMPT, {}, call) : setup.ask(chat);
  const subscription = call$.subscribe({
    next: (value) => {
      told.push(value);
      inNext?.(clock);
    },
    error: (error: unknown) => told.push(error),
    complete: () => told.push('complete'),
  });
  running.add(subscription);
  await requested(sends ? 1 : 0);
  return {
    clock,
    told,
    subscription,
    requests: () => fetch.calls.length,
    requested,
    signal: (request = 1) => fetch.calls[request - 1]?.signal,
    body: (request = 1) => bodies[request - 1]!,
  };
}

/** What an error must be; `partial` is looked at too. */
export type ExpectedError = Partial<Omit<CompletionError, 'partial'>> & {
  readonly partial?: Partial<CompletionError['partial']>;
};

/** Nothing happens until one millisecond before; then the call fails, is aborted, and no timer is left. */
export function expectTimeout(started: Started, afterMs: number, expected: ExpectedError): CompletionError {
  const { clock, told, signal, requests } = started;
  const before = told.length;
  const request = requests();
  clock.advance(afterMs - 1);
  expect(told).toHaveLength(before);
  expect(signal(request)?.aborted).toBe(false);
  clock.advance(1);
  expect(told).toHaveLength(before + 1);
  expect(told.at(-1)).toMatchObject({ kind: 'timeout', attempts: request, ...expected });
  expect(signal(request)?.aborted).toBe(true);
  expect(clock.pending).toBe(0);
  return told.at(-1) as CompletionError;
}

/** A gate that the test opens, once for each read. */
export function handGate(): { readonly gate: () => Promise<void>; readonly open: () => Promise<void> } {
  let release: () => void = () => undefined;
  return {
    gate: () =>
      new Promise((resolve) => {
        release = resolve;
      }),
    open: async () => {
      release();
      await turn();
    },
  };
}

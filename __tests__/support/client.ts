import { VirtualTimeScheduler, VirtualAction, type Observable, type SchedulerAction, type Subscription } from 'rxjs';
import { OpenAIChatCompletion as NodeChatCompletion } from '../../src/index.node.ts';
import {
  fetchTransport,
  isCompletionError,
  OpenAIChatCompletion,
  type ChatCompletionOptions,
  type CompletionError,
  type Fetch,
  type Logger,
} from '../../src/index.ts';

import { nodeEnvironment } from '../../src/node/environment.ts';
import { nodePlatform } from '../../src/node/platform.ts';
import type { Environment, Platform } from '../../src/platform.ts';

export const API_KEY = 'sk-test-4f7Qm2Zx9LwVt0Rb8Yc3';

/** The client of the fixture on each of its two transports. */
export interface ClientCase {
  readonly name: 'sdk' | 'fetch';
  readonly client: (baseURL: string, options?: ChatCompletionOptions) => OpenAIChatCompletion;
}

/** Node's default: the SDK, over the runtime's fetch or the given one. */
export const sdkClient: ClientCase = {
  name: 'sdk',
  client: (baseURL, options) => new NodeChatCompletion({ ...fixture(), baseURL, ...options }),
};

/** What browsers and relays use. */
export const fetchClient: ClientCase = {
  name: 'fetch',
  client: (baseURL, { fetch, ...options } = {}) =>
    new OpenAIChatCompletion({
      ...fixture(),
      transport: fetchTransport({ baseURL, ...(fetch === undefined ? undefined : { fetch }) }),
      ...options,
    }),
};

export const CLIENTS: readonly ClientCase[] = [sdkClient, fetchClient];

/** Without retries: most tests are about one attempt. Those about several say so. */
function fixture(): ChatCompletionOptions {
  return {
    apiKey: API_KEY,
    model: 'gpt-4o-mini',
    envFile: false,
    logger: recordingLogger(),
    logLevel: 'debug',
    retry: false,
  };
}

export interface RecordingLogger extends Logger {
  readonly lines: readonly string[];
}

export function recordingLogger(): RecordingLogger {
  const lines: string[] = [];
  const at = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  return { lines, error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

/** Node's platform with an environment of the test's own in place of the process's. */
export function platformWith(environment: Environment = {}, changes: Partial<Platform> = {}): Platform {
  return { ...nodePlatform, environment: (envFile) => nodeEnvironment(envFile, environment), ...changes };
}

/** What an Observable or an iterable came to. */
export interface Outcome<T> {
  readonly values: readonly T[];
  readonly completed: boolean;
  readonly error?: unknown;
}

export function outcomeOf<T>(source$: Observable<T>): Promise<Outcome<T>> {
  return new Promise((resolve) => {
    const values: T[] = [];
    source$.subscribe({
      next: (value) => values.push(value),
      error: (error: unknown) => {
        resolve({ values, completed: false, error });
      },
      complete: () => {
        resolve({ values, completed: true });
      },
    });
  });
}

export async function outcomeOfIterable<T>(source: AsyncIterable<T>): Promise<Outcome<T>> {
  const values: T[] = [];
  try {
    for await (const value of source) values.push(value);
    return { values, completed: true };
  } catch (error) {
    return { values, completed: false, error };
  }
}

/** The error of a call that must fail with one of ours. */
export async function errorOf(source$: Observable<unknown>): Promise<CompletionError> {
  const { error } = await outcomeOf(source$);
  if (!isCompletionError(error)) throw new Error(`expected a CompletionError, got ${String(error)}`);
  return error;
}

/** The thrown error of a synchronous call that must fail with one of ours. */
export function thrownBy(work: () => unknown): CompletionError {
  try {
    work();
  } catch (error) {
    if (isCompletionError(error)) return error;
    throw error;
  }
  throw new Error('expected a CompletionError, nothing was thrown');
}

/** A clock that moves only when told to. */
export class HandClock extends VirtualTimeScheduler {
  readonly #listeners = new Set<() => void>();

  constructor(startMs = 0) {
    super(VirtualAction, Number.POSITIVE_INFINITY);
    this.frame = startMs;
  }

  /** Timers that are set. */
  get pending(): number {
    return this.actions.length;
  }

  advance(ms: number): void {
    const target = this.frame + ms;
    this.maxFrames = target;
    this.flush();
    this.frame = target;
  }

  override schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay?: number, state?: T): Subscription {
    const timer = super.schedule(work, delay, state);
    timer.add(() => {
      this.#changed();
    });
    this.#changed();
    return timer;
  }

  /** Resolves as soon as that many timers are set. */
  async untilPending(count: number): Promise<void> {
    while (this.pending !== count) {
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
    }
  }

  #changed(): void {
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }
}

/** A fetch of the test's own, and every call it got. */
export interface RecordedFetch extends Fetch {
  readonly calls: readonly { readonly url: string; readonly init: RequestInit; readonly signal: AbortSignal }[];
}

export function recordedFetch(
  respond: (init: RequestInit, call: number) => Response | Promise<Response>,
): RecordedFetch {
  const calls: { url: string; init: RequestInit; signal: AbortSignal }[] = [];
  const fetch: Fetch = async (input, init = {}) => {
    const url = typeof input === 'string' ? input : 'href' in input ? input.href : input.url;
    calls.push({ url, init, signal: init.signal ?? new AbortController().signal });
    return respond(init, calls.length);
  };
  return Object.assign(fetch, { calls });
}

/** Lets everything run that is ready: one turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A response body that the test says piece by piece. */
export interface HandBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** Says something and lets it arrive. */
  readonly say: (text: string) => Promise<void>;
  readonly end: () => Promise<void>;
}

export function handBody(): HandBody {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start: (it) => {
      controller = it;
    },
  });
  return {
    stream,
    say: async (text) => {
      controller?.enqueue(new TextEncoder().encode(text));
      await turn();
    },
    end: async () => {
      controller?.close();
      await turn();
    },
  };
}

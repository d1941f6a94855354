/** Calls that somebody ends, the moments to do so, and the ways. */
import type { Observable } from 'rxjs';
import type { OpenAIChatCompletion } from '../../src/index.ts';
import { PromiseChatCompletion } from '../../src/promises.ts';
import { HandClock, turn, type ClientCase } from './client.ts';
import type { Ending, FaultServer, Handler } from './fault-server.ts';
import { NOW } from './faults-check.ts';
import { hang, head, inTurn, json, say, script, text } from './faults-steps.ts';
import { PROMPT } from './faults-ways.ts';

export const BUSY = json(503, { error: { message: 'no' } });
export const TALKING = script(head(), say(text('Hello') + text(', world')), hang);

/** Where a call is when somebody ends it. */
export interface Moment {
  readonly name: string;
  readonly answers: readonly [Handler, ...Handler[]];
  readonly reached: (call: Call, server: FaultServer) => Promise<unknown>;
  readonly endings: readonly Ending[];
  /** The text that the caller has by then. */
  readonly text?: string;
}

export const ANY: readonly Moment[] = [
  { name: 'while it connects', answers: [hang], reached: (_, server) => server.request(0), endings: ['aborted'] },
  {
    name: 'after the headers',
    answers: [script(head(), hang)],
    reached: ({ responded }) => responded,
    endings: ['aborted'],
  },
  {
    name: 'while a refusal is explained',
    answers: [script(head({}, 503), say('{"error":'), hang)],
    reached: ({ responded }) => responded,
    endings: ['aborted'],
  },
  { name: 'in the pause', answers: [BUSY], reached: ({ paused }) => paused, endings: ['finished'] },
  {
    name: 'while it connects again',
    answers: [BUSY, hang],
    reached: (_, server) => server.request(1),
    endings: ['finished', 'aborted'],
  },
];

export const STREAMED: readonly Moment[] = [
  {
    name: 'after some text',
    answers: [TALKING],
    reached: ({ shown }) => shown,
    endings: ['aborted'],
    text: 'Hello, world',
  },
  {
    name: 'after some text of the second attempt',
    answers: [BUSY, TALKING],
    reached: ({ shown }) => shown,
    endings: ['finished', 'aborted'],
    text: 'Hello, world',
  },
];

/** A call that has begun. */
export interface Call {
  readonly told: unknown[];
  readonly leave: () => void;
  readonly clock: HandClock;
  /** In the turn after each of these. */
  readonly responded: Promise<unknown>;
  readonly paused: Promise<unknown>;
  readonly shown: Promise<unknown>;
}

export type Started = (
  chat: OpenAIChatCompletion,
  told: Pick<Call, 'told'> & { readonly onNext: () => void },
) => () => void;

/** Begins a call. Pauses end at once, unless the moment is in one. */
export function begin(
  server: FaultServer,
  client: ClientCase['client'],
  answers: readonly [Handler, ...Handler[]],
  start: Started,
  at: InHook = {},
): Call {
  const clock = new HandClock(NOW);
  const [responded, paused, shown] = [signalled(), signalled(), signalled()];
  const hooks = {
    onResponse: responded.signal,
    onRetry: ({ delayMs }: { readonly delayMs: number }) => {
      paused.signal();
      at.onRetry?.(call);
      if (answers.length > 1) {
        queueMicrotask(() => {
          clock.advance(delayMs);
        });
      }
    },
  };
  const told: unknown[] = [];
  const onNext = (): void => {
    shown.signal();
    at.onNext?.(call);
  };
  const chat = client(server.route('fault', inTurn(...answers)), { retry: {}, scheduler: clock, hooks });
  const call: Call = {
    told,
    clock,
    leave: start(chat, { told, onNext }),
    responded: responded.promise,
    paused: paused.promise,
    shown: shown.promise,
  };
  return call;
}

interface InHook {
  readonly onRetry?: (call: Call) => void;
  readonly onNext?: (call: Call) => void;
}

function signalled(): { readonly promise: Promise<unknown>; readonly signal: () => void } {
  let signal: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    signal = resolve;
  }).then(turn);
  return {
    promise,
    signal: () => {
      signal();
    },
  };
}

export type Method = 'stream$' | 'events$' | 'chunks$' | 'generate$' | 'completion$';
export const STREAMS: readonly Method[] = ['stream$', 'events$', 'chunks$'];
export const METHODS: readonly Method[] = [...STREAMS, 'generate$', 'completion$'];

export function subscribed(method: Method, signal?: AbortSignal): Started {
  return (chat, { told, onNext }) => {
    const call$: Observable<unknown> = chat[method](PROMPT, {}, signal && { signal });
    const subscription = call$.subscribe({
      next: (value) => {
        told.push(value);
        onNext();
      },
      error: (error: unknown) => told.push(error),
      complete: () => told.push('complete'),
    });
    return () => {
      subscription.unsubscribe();
    };
  };
}

/** A loop over the iterable; leaving is what `break` does, from outside. */
export function iterated(signal?: AbortSignal): Started {
  return (chat, { told, onNext }) => {
    const texts = new PromiseChatCompletion(chat).streamCompletion(PROMPT, {}, signal && { signal });
    const iterator = texts[Symbol.asyncIterator]();
    const loop = async (): Promise<void> => {
      for await (const value of iterator) {
        told.push(value);
        onNext();
      }
    };
    loop().catch((error: unknown) => told.push(error));
    return () => void iterator.return();
  };
}

export function promised(signal?: AbortSignal): Started {
  return (chat, { told }) => {
    const answer = new PromiseChatCompletion(chat).generateCompletion(PROMPT, {}, signal && { signal });
    answer.catch((error: unknown) => told.push(error));
    return () => undefined;
  };
}

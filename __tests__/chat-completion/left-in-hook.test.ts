import { catchError, Subject, switchMap, takeUntil, throwError, type Observable } from 'rxjs';
import type { ChatCompletionOptions, OpenAIChatCompletion } from '../../src/index.ts';
import { createLimiter } from '../../src/operators/limiter.ts';
import { IDLE, stateOf } from '../operators/limiting.ts';
import { CLIENTS, HandClock, outcomeOf, recordedFetch, turn, type RecordedFetch } from '../support/client.ts';
import { sentence } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';
const URL = 'http://127.0.0.1:9/v1';

/** Answers each request at once, whatever its signal says. */
const answering = (): RecordedFetch => recordedFetch(() => new Response(sentence('Hello')));

const METHODS: readonly [string, (chat: OpenAIChatCompletion) => Observable<unknown>][] = [
  ['stream$', (chat) => chat.stream$(PROMPT)],
  ['generate$', (chat) => chat.generate$(PROMPT)],
  ['events$', (chat) => chat.events$(PROMPT)],
  ['chunks$', (chat) => chat.chunks$(PROMPT)],
  ['completion$', (chat) => chat.completion$(PROMPT)],
];

describe.each(CLIENTS)('who leaves before the call is subscribed, over the $name transport,', ({ client }) => {
  it.each(METHODS)('sends nothing, with the default retries: %s', async (_name, ask) => {
    const told: string[] = [];
    const [clock, fetch] = [new HandClock(), answering()];
    const limiter = createLimiter({ concurrency: 1, scheduler: clock });
    const hooks: ChatCompletionOptions['hooks'] = { onRequest: () => void told.push('request') };
    const chat = client(URL, { fetch, hooks, limiter, scheduler: clock, retry: {} });
    const go = new Subject<void>();
    const switching = go
      .pipe(
        switchMap(() => {
          switching.unsubscribe();
          return ask(chat);
        }),
      )
      .subscribe(() => told.push('next'));
    go.next();
    const catching = go
      .pipe(
        switchMap(() => throwError(() => new Error('lost'))),
        catchError(() => {
          catching.unsubscribe();
          return ask(chat);
        }),
      )
      .subscribe(() => told.push('next'));
    go.next();
    expect([clock.pending, stateOf(limiter)]).toEqual([0, IDLE]);
    // What would have been sent is sent before this one.
    expect(await outcomeOf(chat.stream$('probe'))).toEqual({ values: ['Hello'], completed: true });
    expect(told).toEqual(['request']);
    expect(fetch.calls).toHaveLength(1);
  });
});

describe.each(CLIENTS)('hooks.onRequest that makes the consumer leave, over the $name transport,', ({ client }) => {
  it.each(METHODS)('keeps the request from a fetch that ignores signals: %s', async (_name, ask) => {
    const [clock, fetch, left$] = [new HandClock(), answering(), new Subject<void>()];
    let leave = true;
    let responses = 0;
    const hooks: ChatCompletionOptions['hooks'] = {
      onRequest: () => {
        if (leave) left$.next();
        leave = false;
      },
      onResponse: () => void (responses += 1),
    };
    const chat = client(URL, { fetch, hooks, scheduler: clock, retry: {} });
    const outcome = await outcomeOf(ask(chat).pipe(takeUntil(left$)));
    await turn();
    expect(outcome).toEqual({ values: [], completed: true });
    expect([fetch.calls.length, responses, clock.pending]).toEqual([0, 0, 0]);
    expect(await outcomeOf(chat.stream$('probe'))).toEqual({ values: ['Hello'], completed: true });
    expect(fetch.calls).toHaveLength(1);
  });
});

describe.each(CLIENTS)('the body of a response, over the $name transport,', ({ client }) => {
  const reason = new RangeError('mine');

  /** A fetch that ties its body to no signal, and whether that was let go. */
  function held(status: number): { readonly fetch: RecordedFetch; readonly isCancelled: () => boolean } {
    let cancelled = false;
    const body = new ReadableStream({ cancel: () => void (cancelled = true) });
    const headers = status === 307 ? { location: 'http://else.test/' } : {};
    return {
      fetch: recordedFetch(() => new Response(body, { status, headers })),
      isCancelled: () => cancelled,
    };
  }

  it.each([200, 307, 400, 503])('is let go when hooks.onResponse throws: %i', async (status) => {
    const [{ fetch, isCancelled }, clock] = [held(status), new HandClock()];
    const onResponse = (): never => {
      throw reason;
    };
    const chat = client(URL, { fetch, hooks: { onResponse }, scheduler: clock, retry: {} });
    expect(await outcomeOf(chat.stream$(PROMPT))).toEqual({ values: [], completed: false, error: reason });
    await turn();
    expect([isCancelled(), fetch.calls.length, clock.pending]).toEqual([true, 1, 0]);
  });

  it.each([200, 307, 400])('is let go when hooks.onResponse makes the consumer leave: %i', async (status) => {
    const [{ fetch, isCancelled }, clock, left$] = [held(status), new HandClock(), new Subject<void>()];
    const onResponse = (): void => {
      left$.next();
    };
    const chat = client(URL, { fetch, hooks: { onResponse }, scheduler: clock, retry: {} });
    const outcome = await outcomeOf(chat.stream$(PROMPT).pipe(takeUntil(left$)));
    await turn();
    expect(outcome).toEqual({ values: [], completed: true });
    expect([isCancelled(), fetch.calls.length, clock.pending]).toEqual([true, 1, 0]);
  });
});

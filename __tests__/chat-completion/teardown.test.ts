import { Subject, Subscription, take, takeUntil, tap, type Observable } from 'rxjs';
import { CLIENTS, HandClock, outcomeOf, recordingLogger, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { completion, event, hang, head, json, say, script, sentence, stream, text } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({
    connecting: hang,
    silent: script(head(), hang),
    talking: script(head(), say(text('one')), hang),
    document: script(head({ 'content-type': 'application/json' }), say('{"choices":'), hang),
    busy: json(503, { error: { message: 'busy' } }),
    refusing: script(head({ 'content-type': 'application/json' }, 400), say('{"error":'), hang),
    // One write, so that the client decodes it all from one read.
    burst: script(head(), say(text('one') + text('two') + event('{malformed') + text('three')), hang),
    whole: stream(sentence('one', 'two')),
    complete: json(200, completion('one')),
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

/** Everything a subscriber was told. */
function recorded<T>(source$: Observable<T>): { readonly told: unknown[]; readonly subscription: Subscription } {
  const told: unknown[] = [];
  const subscription = source$.subscribe({
    next: (value) => told.push(value),
    error: (error: unknown) => told.push(error),
    complete: () => told.push('complete'),
  });
  return { told, subscription };
}

/** A clock, the log, and a promise for the first response. */
function watched() {
  const clock = new HandClock();
  const logger = recordingLogger();
  let answered: () => void = () => undefined;
  const response = new Promise<void>((resolve) => {
    answered = resolve;
  });
  const hooks = {
    onResponse: () => {
      answered();
    },
  };
  return { clock, logger, response, options: { scheduler: clock, logger, logLevel: 'debug', hooks } as const };
}

describe.each(CLIENTS)('unsubscribing over the $name transport', ({ name, client }) => {
  it('right after subscribing sends nothing that is not aborted', async () => {
    const { clock, logger, options } = watched();
    const { told, subscription } = recorded(client(server.baseURL('whole'), options).stream$(PROMPT));
    subscription.unsubscribe();
    expect(clock.pending).toBe(0);
    // For the SDK: by now it is loaded, and would have sent.
    if (name === 'sdk') await import('openai');
    await outcomeOf(client(server.baseURL('complete')).generate$(PROMPT));
    expect(told).toEqual([]);
    expect(server.requests.filter(({ ending }) => ending === 'finished').map(({ route }) => route)).toEqual([
      'complete',
    ]);
    expect(logger.lines.map((line) => line.replace(/.*outcome=/, ''))).toEqual(['unsubscribed']);
  });

  it('while connecting aborts the request', async () => {
    const { clock, options } = watched();
    const { told, subscription } = recorded(client(server.baseURL('connecting'), options).stream$(PROMPT));
    await server.request(0);
    expect(clock.pending).toBe(2);
    subscription.unsubscribe();
    expect(await server.closed(0)).toBe('aborted');
    expect(clock.pending).toBe(0);
    expect(told).toEqual([]);
  });

  it.each(['silent', 'document', 'refusing'])('after the headers aborts the request (%s)', async (route) => {
    const { clock, response, options } = watched();
    const chat = client(server.baseURL(route), options);
    const { told, subscription } = recorded(route === 'document' ? chat.generate$(PROMPT) : chat.stream$(PROMPT));
    await response;
    await turn();
    subscription.unsubscribe();
    expect(await server.closed(0)).toBe('aborted');
    expect(clock.pending).toBe(0);
    expect(told).toEqual([]);
  });

  it('while the server is silent after some text aborts the request', async () => {
    const { clock, options } = watched();
    const stop$ = new Subject<void>();
    const chat = client(server.baseURL('talking'), options);
    const { told, subscription } = recorded(chat.stream$(PROMPT).pipe(takeUntil(stop$)));
    const first = new Promise((resolve) => chat.stream$(PROMPT).pipe(take(1)).subscribe(resolve));
    await first;
    await turn();
    expect(subscription.closed).toBe(false);
    stop$.next();
    expect(await server.closed(0)).toBe('aborted');
    expect(clock.pending).toBe(0);
    expect(told.at(-1)).toBe('complete');
  });

  it('inside next aborts the request', async () => {
    const { clock, options } = watched();
    const outcome = await outcomeOf(client(server.baseURL('talking'), options).stream$(PROMPT).pipe(take(1)));
    expect(outcome).toEqual({ values: ['one'], completed: true });
    expect(await server.closed(0)).toBe('aborted');
    expect(clock.pending).toBe(0);
  });

  it('in the middle of a burst ends it: what stands behind is neither emitted nor logged', async () => {
    const { clock, logger, options } = watched();
    const chat = client(server.baseURL('burst'), options);
    const seen: string[] = [];
    const told: unknown[] = [];
    const subscription = new Subscription();
    await new Promise<void>((resolve) => {
      subscription.add(
        chat.events$(PROMPT).subscribe({
          next: ({ type }) => {
            seen.push(type);
            if (type !== 'text-delta') return;
            subscription.unsubscribe();
            resolve();
          },
          error: (error: unknown) => told.push(error),
        }),
      );
    });
    expect(await server.closed(0)).toBe('aborted');
    expect(seen).toEqual(['start', 'text-delta']);
    expect(told).toEqual([]);
    expect(logger.lines).toEqual([expect.stringMatching(/^info .* outcome=unsubscribed$/)]);
    expect(clock.pending).toBe(0);
  });

  it('while a gate is closed aborts the request', async () => {
    const { clock, options } = watched();
    const chat = client(server.baseURL('talking'), options);
    let waiting: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => {
      waiting = resolve;
    });
    const gate = (): Promise<void> => {
      waiting();
      return new Promise(() => undefined);
    };
    const { told, subscription } = recorded(chat.stream$(PROMPT, {}, { gate }));
    await reached;
    subscription.unsubscribe();
    expect(await server.closed(0)).toBe('aborted');
    expect(told).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it.each(['connecting', 'talking'])(
    'is what a clock does that runs out: the request is aborted (%s)',
    async (route) => {
      const { clock, options } = watched();
      let talks: () => void = () => undefined;
      const talking = new Promise<void>((resolve) => {
        talks = resolve;
      });
      const { told } = recorded(client(server.baseURL(route), options).stream$(PROMPT).pipe(tap(talks)));
      await (route === 'talking' ? talking : server.request(0));
      await turn();
      clock.advance(240_000);
      expect(await server.closed(0)).toBe('aborted');
      expect(told.at(-1)).toMatchObject({ kind: 'timeout', clock: route === 'talking' ? 'idle' : 'connect' });
    },
  );

  it.each(['unsubscribing', 'its signal'])('while it waits to try again ends the wait: %s', async (way) => {
    const { clock, logger, options } = watched();
    const controller = new AbortController();
    let waits: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      waits = resolve;
    });
    const hooks = {
      onRetry: () => {
        waits();
      },
    };
    const chat = client(server.baseURL('busy'), { ...options, retry: {}, hooks });
    const { told, subscription } = recorded(chat.stream$(PROMPT, {}, { signal: controller.signal }));
    await waiting;
    await turn();
    // The pause, and nothing else.
    expect(clock.pending).toBe(1);
    if (way === 'unsubscribing') subscription.unsubscribe();
    else controller.abort();
    expect(clock.pending).toBe(0);
    clock.advance(60_000);
    await turn();
    await outcomeOf(client(server.baseURL('complete')).generate$(PROMPT));
    expect(server.requests.map(({ route }) => route)).toEqual(['busy', 'complete']);
    expect(told).toMatchObject(way === 'unsubscribing' ? [] : [{ kind: 'aborted', attempts: 1 }]);
    expect(logger.lines.filter((line) => line.includes('outcome='))).toHaveLength(1);
  });

  it('one of two subscribers leaves the other alone', async () => {
    const chat = client(server.baseURL('whole'));
    const answer$ = chat.stream$(PROMPT);
    const [one, all] = await Promise.all([outcomeOf(answer$.pipe(take(1))), outcomeOf(answer$)]);
    expect(one.values).toEqual(['one']);
    expect(all).toEqual({ values: ['one', 'two'], completed: true });
  });

  it('from 50 streams at once closes 50 sockets', async () => {
    const chat = client(server.baseURL('talking'));
    const all = new Subscription();
    const started = Array.from(
      { length: 50 },
      () =>
        new Promise((resolve) => {
          all.add(chat.stream$(PROMPT).subscribe(resolve));
        }),
    );
    await Promise.all(started);
    all.unsubscribe();
    const endings = await Promise.all(server.requests.map(({ closed }) => closed));
    expect(endings).toEqual(Array(50).fill('aborted'));
  });
});

import { getEventListeners, once } from 'node:events';
import type { Socket } from 'node:net';
import {
  filter,
  firstValueFrom,
  startWith,
  Subject,
  Subscription,
  takeUntil,
  type Observable,
  type Observer,
} from 'rxjs';
import { CLIENTS, HandClock, turn, type ClientCase } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import { hang, head, json, say, script, text } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';
const STREAMS = 200;
// So many sockets take their time on a machine that does other work.
jest.setTimeout(30_000);

let server: FaultServer;
/** Every socket that brought a request. */
const sockets = new Set<Socket>();
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): number => unhandled.push(reason);

beforeEach(async () => {
  process.on('unhandledRejection', onUnhandled);
  server = await startFaultServer();
});
afterEach(async () => {
  sockets.clear();
  await server.close();
  // Node reports an unhandled rejection when the microtasks are done.
  await turn();
  process.off('unhandledRejection', onUnhandled);
  expect(unhandled.splice(0)).toEqual([]);
});

const talking = script(head(), say(text('one')), hang);
// Without this header the socket is kept for the next request, as it should be.
const refusing = json(503, { error: { message: 'busy' } }, { connection: 'close' });

/** Subscribes to all; what it returns tears all of them down. */
type Subscribing = (
  streams: readonly Observable<string>[],
  observer: Observer<string>,
  controller: AbortController,
) => () => void;

interface Way {
  readonly name: string;
  readonly subscribe: Subscribing;
  /** What the subscribers are told of it. */
  readonly told: 'nothing' | 'completion' | 'an error';
}

const WAYS: readonly Way[] = [
  {
    name: 'one Subject in takeUntil',
    subscribe: (streams, observer) => {
      const stop$ = new Subject<void>();
      for (const stream$ of streams) stream$.pipe(takeUntil(stop$)).subscribe(observer);
      return () => stop$.next();
    },
    told: 'completion',
  },
  {
    name: 'one Subscription',
    subscribe: (streams, observer) => {
      const all = new Subscription();
      for (const stream$ of streams) all.add(stream$.subscribe(observer));
      return () => all.unsubscribe();
    },
    told: 'nothing',
  },
  {
    name: 'the AbortSignal they share',
    subscribe: (streams, observer, controller) => {
      for (const stream$ of streams) stream$.subscribe(observer);
      return () => controller.abort();
    },
    told: 'an error',
  },
];

/** Subscribes to streams that are answered by the handlers in turn. */
function begin({ client }: ClientCase, { subscribe }: Way, handlers: readonly Handler[]) {
  const clock = new HandClock();
  const controller = new AbortController();
  const { signal } = controller;
  const told = { texts: [] as string[], errors: [] as unknown[], completions: 0, pauses: 0 };
  const changed$ = new Subject<void>();
  const tell = (record: () => unknown): void => {
    record();
    changed$.next();
  };
  const observer: Observer<string> = {
    next: (piece) => tell(() => told.texts.push(piece)),
    error: (error) => tell(() => told.errors.push(error)),
    complete: () => tell(() => (told.completions += 1)),
  };
  const baseURL = server.route('answer', (exchange) => {
    sockets.add(exchange.socket);
    return handlers[exchange.seen.index % handlers.length]?.(exchange);
  });
  const hooks = { onRetry: (): void => tell(() => (told.pauses += 1)) };
  const chat = client(baseURL, { scheduler: clock, hooks, retry: {}, logLevel: 'off' });
  const streams = Array.from({ length: STREAMS }, () => chat.stream$(PROMPT, {}, { signal }));
  const leave = subscribe(streams, observer, controller);
  /** Resolves when the subscribers were told so much. */
  const reached = (enough: () => boolean): Promise<void> =>
    firstValueFrom(changed$.pipe(startWith(undefined), filter(enough)));
  return { clock, signal, told, leave, reached };
}

/** What is told of the end of so many streams, besides their texts. */
function expectEnd({ told: way }: Way, { errors, completions }: { errors: unknown[]; completions: number }): void {
  expect(completions).toBe(way === 'completion' ? STREAMS : 0);
  expect(errors).toHaveLength(way === 'an error' ? STREAMS : 0);
  for (const error of errors) expect(error).toMatchObject({ kind: 'aborted', attempts: 1 });
}

/**
 * Each stream had a socket of its own, and the server's side of all of them is closed. Other sockets are undici's, which connects
 * anew when a request under way is aborted, sends nothing, and closes at once (Node 24) or after its keep-alive time.
 */
async function expectNoSocket(): Promise<void> {
  expect(sockets.size).toBe(STREAMS);
  await Promise.all([...sockets].filter(({ closed }) => !closed).map((socket) => once(socket, 'close')));
}

const SCENES = CLIENTS.flatMap((clientCase) =>
  WAYS.map((way) => ({ clientCase, way, title: `${way.name} (${clientCase.name} transport)` })),
);

describe(`${STREAMS} streams of one client`, () => {
  it.each(SCENES)('are torn down at once while they show text, by $title', async ({ clientCase, way }) => {
    const { clock, signal, told, leave, reached } = begin(clientCase, way, [talking]);
    await reached(() => told.texts.length === STREAMS);
    expect(getEventListeners(signal, 'abort')).toHaveLength(STREAMS);
    expect(clock.pending).toBeGreaterThanOrEqual(STREAMS);

    leave();
    expect(clock.pending).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);

    const endings = await Promise.all(server.requests.map(({ closed }) => closed));
    expect(endings).toEqual(Array(STREAMS).fill('aborted'));
    await expectNoSocket();
    expect(told.texts).toEqual(Array(STREAMS).fill('one'));
    expectEnd(way, told);
  });

  it.each(SCENES)('are torn down at once in a pause, connecting or talking, by $title', async ({ clientCase, way }) => {
    const third = Math.floor(STREAMS / 3);
    const { clock, signal, told, leave, reached } = begin(clientCase, way, [hang, refusing, talking]);
    await server.request(STREAMS - 1);
    await reached(() => told.texts.length >= third && told.pauses > third);
    expect([told.texts.length, told.pauses]).toEqual([third, third + 1]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(STREAMS);
    expect(clock.pending).toBeGreaterThanOrEqual(STREAMS);

    leave();
    expect(clock.pending).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);

    const endings = await Promise.all(server.requests.map(({ closed }) => closed));
    expect(endings.filter((ending) => ending === 'finished')).toHaveLength(told.pauses);
    expect(endings.filter((ending) => ending === 'aborted')).toHaveLength(STREAMS - told.pauses);
    await expectNoSocket();
    expect(server.requests).toHaveLength(STREAMS);
    expect(told.texts).toEqual(Array(third).fill('one'));
    expectEnd(way, told);
  });
});

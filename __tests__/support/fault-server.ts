import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** How an exchange ended: the answer was sent whole, we broke it off on purpose, or the client went away first. */
export type Ending = 'finished' | 'cut' | 'aborted';

/** What the server saw of one request. */
export interface SeenRequest {
  readonly index: number;
  readonly route: string;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Counted from 1: two requests of one number shared a socket. */
  readonly connection: number;
  readonly body: string;
  readonly json: Readonly<Record<string, unknown>>;
  /** Bytes of the answer given to the socket so far. */
  written: number;
  ending: Ending | undefined;
  readonly closed: Promise<Ending>;
}

/** Who waits for an answer, as far as one that takes its time must know. */
export interface Caller {
  /** Resolves when so many bytes of the body have been read by the request of that index, its headers included. */
  readonly hasRead: (index: number, bytes: number) => Promise<void>;
  /** Lets time pass on the caller's clock. */
  readonly advance: (ms: number) => void;
}

/** One request being answered. */
export interface Exchange {
  readonly seen: SeenRequest;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** Writes to the body; resolves when the socket wants more, or is gone. */
  readonly write: (data: string | Uint8Array) => Promise<void>;
  /** Announces that the answer is broken off on purpose. */
  readonly cutting: () => void;
  /** Resolves when the test says that something of the answer has reached the caller. */
  readonly shown: Promise<void>;
  readonly caller: Caller | undefined;
  /** The next request on this socket is cut off as soon as its headers have come. */
  readonly cutNext: () => void;
}

/** Answers one request. What it throws fails the test that closes the server. */
export type Handler = (exchange: Exchange) => void | Promise<void>;

export interface FaultServer {
  /** Every request so far: one counts when its body has come, or when it was cut off before. */
  readonly requests: readonly SeenRequest[];
  /** How many sockets were ever opened. */
  readonly connections: () => number;
  readonly origin: string;
  /** The base URL under which `name` answers. */
  readonly baseURL: (name: string) => string;
  readonly route: (name: string, handler: Handler) => string;
  /** Resolves to the request of that index, now or when it comes. */
  readonly request: (index: number) => Promise<SeenRequest>;
  readonly closed: (index: number) => Promise<Ending>;
  /** Tells the handlers that the caller has seen something. */
  readonly show: () => void;
  /** Who asks from now on. */
  readonly callFrom: (caller: Caller | undefined) => void;
  /** Forgets what was seen; sockets stay open. */
  readonly clear: () => void;
  readonly close: () => Promise<void>;
}

/** A real HTTP server on a free loopback port. Each first path segment is a route, whatever follows it. */
export async function startFaultServer(handlers: Readonly<Record<string, Handler>> = {}): Promise<FaultServer> {
  const routes = new Map(Object.entries(handlers));
  const failures: unknown[] = [];
  const requests: SeenRequest[] = [];
  const sockets = new Map<Socket, number>();
  const arrivals = new Set<() => void>();
  const awaitingShow = new Set<() => void>();
  const doomed = new Set<Socket>();
  let caller: Caller | undefined;
  let opened = 0;

  const server = createServer((incoming, response) => {
    void answer(incoming, response).catch((error: unknown) => failures.push(error));
  });
  server.on('connection', (socket) => {
    opened += 1;
    sockets.set(socket, opened);
    socket.on('error', ignore);
    socket.on('close', () => {
      sockets.delete(socket);
      doomed.delete(socket);
    });
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = incoming;
    if (doomed.has(socket)) {
      record(incoming, response, '').ending = 'cut';
      socket.destroy();
      return;
    }
    const body = await bodyOf(incoming);
    if (body === undefined) return;
    const seen = record(incoming, response, body);
    for (const arrived of arrivals) arrived();
    arrivals.clear();
    const handler = routes.get(seen.route);
    if (handler === undefined) throw new Error(`no fault is named ${seen.route}`);
    const cutNext = (): void => void doomed.add(socket);
    await handler(exchangeOf({ seen, response, socket, shown: shown(), caller, cutNext }));
  }

  function shown(): Promise<void> {
    return new Promise((resolve) => awaitingShow.add(resolve));
  }

  function record(incoming: IncomingMessage, response: ServerResponse, body: string): SeenRequest {
    const url = incoming.url ?? '';
    let settle: (ending: Ending) => void = ignore;
    const closed = new Promise<Ending>((resolve) => {
      settle = resolve;
    });
    const seen: SeenRequest = {
      index: requests.length,
      route: decodeURIComponent(url.split(/[/?]/)[1] ?? ''),
      method: incoming.method ?? '',
      url,
      headers: incoming.headers,
      connection: sockets.get(incoming.socket) ?? 0,
      body,
      json: parsed(body),
      written: 0,
      ending: undefined,
      closed,
    };
    response.on('close', () => {
      seen.ending ??= response.writableFinished ? 'finished' : 'aborted';
      settle(seen.ending);
    });
    requests.push(seen);
    return seen;
  }

  const request = async (index: number): Promise<SeenRequest> => {
    for (;;) {
      const seen = requests[index];
      if (seen !== undefined) return seen;
      await new Promise<void>((resolve) => arrivals.add(resolve));
    }
  };

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const baseURL = (name: string): string => `${origin}/${encodeURIComponent(name)}`;
  return {
    requests,
    connections: () => opened,
    origin,
    baseURL,
    route: (name, handler) => {
      routes.set(name, handler);
      return baseURL(name);
    },
    request,
    closed: async (index) => (await request(index)).closed,
    show: () => {
      for (const resolve of awaitingShow) resolve();
      awaitingShow.clear();
    },
    callFrom: (next) => {
      caller = next;
    },
    clear: () => {
      requests.length = 0;
    },
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      });
      if (failures.length > 0) throw new AggregateError(failures, `the fault server failed: ${String(failures[0])}`);
    },
  };
}

function exchangeOf(about: Omit<Exchange, 'write' | 'cutting'>): Exchange {
  const { seen, response, socket } = about;
  return {
    ...about,
    write: (data) =>
      new Promise((resolve) => {
        if (response.destroyed || socket.destroyed) {
          resolve();
          return;
        }
        seen.written += typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
        if (response.write(data)) {
          resolve();
          return;
        }
        const settle = (): void => {
          response.off('drain', settle);
          response.off('close', settle);
          resolve();
        };
        response.on('drain', settle);
        response.on('close', settle);
      }),
    cutting: () => {
      seen.ending = 'cut';
    },
  };
}

/** The body, or `undefined` if the client left before it was whole. */
async function bodyOf(incoming: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  try {
    for await (const part of incoming) parts.push(part as Buffer);
  } catch {
    return undefined;
  }
  return Buffer.concat(parts).toString();
}

function parsed(body: string): Record<string, unknown> {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return {};
  }
}

const ignore = (): void => undefined;

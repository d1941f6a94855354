/** A relay between a server and whoever asks: called as a function, or over a socket. */
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { ChatCompletionOptions } from '../../src/index.ts';
import { createRelay } from '../../src/relay/index.ts';
import type { RelayOptions } from '../../src/relay/index.ts';
import { fetchClient, recordingLogger, type ClientCase, type RecordingLogger } from '../support/client.ts';
import type { FaultServer } from '../support/fault-server.ts';
import { whole } from '../support/faults-steps.ts';

export const MODEL = 'gpt-4o-mini';
export const PROMPT = 'Say this is a test!';
export const MESSAGES = [{ role: 'user' as const, content: PROMPT }];
export const ASKED = { model: MODEL, messages: MESSAGES };
export const STREAMED = { ...ASKED, stream: true };
export const URL = 'http://relay.test/api/chat/completions';

export type Relay = (request: Request) => Promise<Response>;

export interface Setting {
  readonly relay: Relay;
  readonly logger: RecordingLogger;
}

/** A relay to one route of the server, which gives a whole answer unless it has been told otherwise. */
export function relayTo<User = undefined>(
  server: FaultServer,
  options: Partial<RelayOptions<User>> & {
    readonly route?: string;
    readonly via?: ClientCase;
    readonly client?: ChatCompletionOptions;
  } = {},
): Setting {
  const { route, via = fetchClient, client, ...rest } = options;
  const logger = recordingLogger();
  const baseURL = route === undefined ? server.route('whole', whole('one', 'two')) : server.baseURL(route);
  const relay = createRelay<User>({
    completion: via.client(baseURL, { logger, temperature: null, ...client }),
    models: [MODEL, 'other-model'],
    logger,
    logLevel: 'debug',
    ...rest,
  });
  return { relay, logger };
}

/** A request as a program would send it, changed. */
export function post(
  body: unknown = ASKED,
  headers: Readonly<Record<string, string>> = {},
  init: RequestInit = {},
): Request {
  return new Request(URL, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof ReadableStream ? body : JSON.stringify(body),
    ...(body instanceof ReadableStream ? { duplex: 'half' } : undefined),
    ...init,
  });
}

export interface Refused {
  readonly status: number;
  readonly headers: Headers;
  readonly error: { readonly message: string; readonly type: string; readonly param: unknown; readonly code: unknown };
}

/** An answer that must be an error in OpenAI's shape. */
export async function refused(response: Promise<Response>): Promise<Refused> {
  const { status, headers } = await response;
  const { error } = (await (await response).json()) as Pick<Refused, 'error'>;
  expect(Object.keys(error)).toEqual(['message', 'type', 'param', 'code']);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  return { status, headers, error };
}

/** The events of a streamed answer, as the wire has them. */
export async function events(response: Response): Promise<readonly string[]> {
  return (await response.text()).split('\n\n').filter((event) => event !== '');
}

export interface Front {
  readonly port: number;
  readonly origin: string;
  readonly close: () => Promise<void>;
}

/** The relay behind a real HTTP server of Node's. */
export async function listen(relay: Relay): Promise<Front> {
  const handle = getRequestListener(relay, { overrideGlobalObjects: false });
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${String(port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

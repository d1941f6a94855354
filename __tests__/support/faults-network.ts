/** Faults below HTTP: no server of ours is ever reached, or none that could be trusted. */
import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { selfSigned } from './certificate.ts';
import { startFaultServer } from './fault-server.ts';
import type { ExpectedError } from './faults.ts';
import type { Expected } from './faults-check.ts';
import { whole } from './faults-steps.ts';

/** Somebody at the address that was called. */
export interface Peer {
  readonly url: string;
  /** How often somebody connected. */
  readonly connections: () => number;
  /** Whatever came that can be read. */
  readonly heard: () => string;
  readonly close: () => Promise<void>;
}

export interface NetworkFault extends Expected {
  readonly peer: () => Promise<Peer>;
  /** How many connections are made. Default: one for each attempt. */
  readonly connections?: number;
}

const unreachable = (code?: string): ExpectedError => ({
  kind: 'connection',
  retryable: true,
  ...(code === undefined ? undefined : { code }),
});
const untrusted = (code?: string): ExpectedError => ({ ...unreachable(code), retryable: false });

export const PEERS: readonly NetworkFault[] = [
  {
    name: 'a certificate that nobody vouches for',
    peer: () => tlsPeer('https'),
    text: '',
    error: untrusted('DEPTH_ZERO_SELF_SIGNED_CERT'),
    message: /self-signed certificate/,
  },
  {
    name: 'https where plain HTTP is spoken',
    peer: httpPeer,
    text: '',
    error: untrusted(),
    anyCode: true,
  },
  {
    name: 'https where something else is spoken',
    peer: () => babblingPeer('https', '220 mail.test ESMTP\r\n'),
    text: '',
    error: untrusted(),
    anyCode: true,
  },
  {
    name: 'a TLS handshake that is broken off',
    peer: () => babblingPeer('https', ''),
    text: '',
    error: unreachable('ECONNRESET'),
  },
  {
    name: 'plain HTTP where TLS is spoken',
    peer: () => tlsPeer('http'),
    text: '',
    error: unreachable(),
    anyCode: true,
  },
  {
    name: 'a port that nobody listens to',
    peer: closedPeer,
    text: '',
    error: unreachable('ECONNREFUSED'),
    connections: 0,
  },
];

/** What undici rejects with: the reason is hidden in the cause. */
const fetchFailed = (code: string, message: string, details: object = {}): TypeError =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code, ...details }) });

const lookup = (code: string): TypeError =>
  fetchFailed(code, `getaddrinfo ${code} api.invalid`, { syscall: 'getaddrinfo', hostname: 'api.invalid' });

export interface FetchFault extends Expected {
  readonly failure: Error;
}

const rejected = (failure: Error, error: ExpectedError, name = error.code ?? ''): FetchFault => ({
  name,
  failure,
  text: '',
  error,
});

const certificate = (code: string): FetchFault =>
  rejected(fetchFailed(code, 'the certificate is bad'), untrusted(code));

/** As the runtime's fetch tells them; tests reach no name server. */
export const REJECTIONS: readonly FetchFault[] = [
  { ...rejected(lookup('ENOTFOUND'), unreachable('ENOTFOUND')), message: /getaddrinfo ENOTFOUND api\.invalid/ },
  rejected(lookup('EAI_AGAIN'), unreachable('EAI_AGAIN')),
  rejected(fetchFailed('ETIMEDOUT', 'connect ETIMEDOUT'), unreachable('ETIMEDOUT')),
  rejected(fetchFailed('EHOSTUNREACH', 'connect EHOSTUNREACH'), unreachable('EHOSTUNREACH')),
  rejected(fetchFailed('UND_ERR_CONNECT_TIMEOUT', 'Connect Timeout Error'), unreachable('UND_ERR_CONNECT_TIMEOUT')),
  rejected(
    new TypeError('fetch failed', {
      cause: new AggregateError([refusedAt('::1'), refusedAt('127.0.0.1')], ''),
    }),
    unreachable('ECONNREFUSED'),
    'ECONNREFUSED at each of two addresses',
  ),
  rejected(new TypeError('Failed to fetch'), unreachable(), 'a browser, which says nothing'),
  certificate('CERT_HAS_EXPIRED'),
  certificate('CERT_NOT_YET_VALID'),
  certificate('ERR_TLS_CERT_ALTNAME_INVALID'),
  certificate('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
  certificate('UNABLE_TO_GET_ISSUER_CERT_LOCALLY'),
  certificate('SELF_SIGNED_CERT_IN_CHAIN'),
  certificate('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'),
];

function refusedAt(address: string): Error {
  return Object.assign(new Error(`connect ECONNREFUSED ${address}:443`), { code: 'ECONNREFUSED' });
}

function tlsPeer(protocol: string): Promise<Peer> {
  const heard: string[] = [];
  const server = createTlsServer(selfSigned(), ({ headers }, response) => {
    heard.push(JSON.stringify(headers));
    response.end('{}');
  });
  return peerOf(server, protocol, heard);
}

/** Says something to whoever says something, and leaves. */
function babblingPeer(protocol: string, greeting: string): Promise<Peer> {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.once('data', (data) => {
      heard.push(data.toString('latin1'));
      socket.end(greeting);
    });
  });
  return peerOf(server, protocol, heard);
}

async function httpPeer(): Promise<Peer> {
  const server = await startFaultServer({ plain: whole('Hello') });
  return {
    url: server.baseURL('plain').replace('http:', 'https:'),
    connections: server.connections,
    heard: () => JSON.stringify(server.requests),
    close: server.close,
  };
}

/** The port of a socket that is connected elsewhere: nobody listens there, and nobody else can begin to. */
async function closedPeer(): Promise<Peer> {
  const peer = await peerOf(createServer(), 'http');
  const socket = connect(Number(new URL(peer.url).port), '127.0.0.1');
  await once(socket, 'connect');
  const close = async (): Promise<void> => {
    socket.destroy();
    await peer.close();
  };
  return { ...peer, url: `http://127.0.0.1:${String(socket.localPort)}/v1`, connections: () => 0, close };
}

async function peerOf(server: Server, protocol: string, heard: readonly string[] = []): Promise<Peer> {
  const sockets = new Set<{ destroy(): void }>();
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', ignore);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${protocol}://127.0.0.1:${String((server.address() as AddressInfo).port)}/v1`,
    connections: () => connections,
    heard: () => heard.join('\n'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

const ignore = (): void => undefined;

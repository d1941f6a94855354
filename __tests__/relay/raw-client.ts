import { connect, type Socket } from 'node:net';
import { ASKED } from './setting.ts';

/** An answer as far as it has come. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Without the framing of chunks. */
  readonly body: string;
  /** Whether the framing says that this is all. */
  readonly whole: boolean;
}

/** A client that says what it wants, byte by byte. */
export class RawClient {
  readonly socket: Socket;
  #received = '';
  #closed = false;
  readonly #listeners = new Set<() => void>();

  constructor(port: number) {
    // Half-closed on purpose is one thing, closed because the other side is, another.
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => {
      this.#received += text;
      this.#changed();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('end', () => {
      this.socket.end();
    });
    this.socket.on('close', () => {
      this.#closed = true;
      this.#changed();
    });
  }

  get received(): string {
    return this.#received;
  }

  send(text: string | Uint8Array): this {
    this.socket.write(text);
    return this;
  }

  /** A whole request with this body. */
  post(body: unknown = ASKED, headers: Readonly<Record<string, string>> = {}): this {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return this.send(head({ 'content-length': String(Buffer.byteLength(text)), ...headers }) + text);
  }

  /** Resolves as soon as the text has come; rejects if the connection ends before. */
  async shows(text: string): Promise<void> {
    while (!this.#received.includes(text)) {
      if (this.#closed) throw new Error(`closed before ${JSON.stringify(text)}: ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
    }
  }

  /** Resolves when the connection is over. */
  async closed(): Promise<RawAnswer> {
    while (!this.#closed) await new Promise<void>((resolve) => this.#listeners.add(resolve));
    return this.answer();
  }

  answer(): RawAnswer {
    const text = this.#received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
    const [top = '', ...rest] = text.split('\r\n\r\n');
    const [statusLine = '', ...lines] = top.split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const body = rest.join('\r\n\r\n');
    const chunked = headers['transfer-encoding'] === 'chunked';
    return {
      status: Number(statusLine.split(' ')[1]),
      headers,
      ...(chunked ? dechunked(body) : { body, whole: body.length === Number(headers['content-length']) }),
    };
  }

  #changed(): void {
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }
}

/** The request line and the headers, with the empty line behind them. */
export function head(
  headers: Readonly<Record<string, string>> = {},
  line = 'POST /v1/chat/completions HTTP/1.1',
): string {
  const all = { host: 'relay.test', 'content-type': 'application/json', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line}\r\n${lines.join('')}\r\n`;
}

function dechunked(framed: string): { readonly body: string; readonly whole: boolean } {
  let body = '';
  for (let at = 0; ;) {
    const end = framed.indexOf('\r\n', at);
    const size = end < 0 ? Number.NaN : Number.parseInt(framed.slice(at, end), 16);
    if (Number.isNaN(size)) return { body, whole: false };
    if (size === 0) return { body, whole: true };
    body += framed.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
}

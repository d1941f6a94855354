import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const CHUNK = { id: 'c', object: 'chat.completion.chunk', created: 0, model: 'm' };

/** One request, as the server saw it. */
export interface Served {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly response: ServerResponse;
  /** Settles when the connection is closed, by whomever. */
  readonly closed: Promise<void>;
}

/** A real server on loopback that answers as a test says. */
export class HttpServer {
  readonly served: Served[] = [];
  #answer: (request: Served) => void = () => undefined;
  readonly #waiting: ((request: Served) => void)[] = [];
  readonly #server = createServer((request, response) => {
    // A page of jsdom's is of another origin.
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', '*');
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => (body += text));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const closed = new Promise<void>((resolve) => response.once('close', resolve));
      const served: Served = { method, url, headers, body, response, closed };
      this.served.push(served);
      this.#answer(served);
      this.#waiting.shift()?.(served);
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** What becomes of requests from now on. Forgets those before. */
  answer(answer: (request: Served) => void): void {
    this.served.length = 0;
    this.#answer = answer;
  }

  /** The next request. */
  next(): Promise<Served> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A delta of text, as it goes over the wire. */
export function delta(content: string): string {
  return `data: ${JSON.stringify({ ...CHUNK, choices: [{ index: 0, delta: { content } }] })}\n\n`;
}

export const END = `data: ${JSON.stringify({ ...CHUNK, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`;

/** An answer that is whole. */
export function whole(text: string): (request: Served) => void {
  return ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(delta(text) + END);
  };
}

/** An error status, as OpenAI has it. */
export function refusal(status: number, message: string): (request: Served) => void {
  return ({ response }) => {
    response
      .writeHead(status, {
        'content-type': 'application/json',
        'x-request-id': 'req_1',
        'access-control-expose-headers': '*',
      })
      .end(JSON.stringify({ error: { message, type: 'some_error' } }));
  };
}

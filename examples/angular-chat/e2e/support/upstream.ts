import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the relay sends upstream, as far as tests look at it. */
export interface Question {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly { readonly role: string; readonly content: string | null }[];
}

/** One request, answered by the test step by step. */
export class Exchange {
  readonly question: Question;
  readonly headers: IncomingHttpHeaders;
  /** Settles when the connection is closed, by whomever. */
  readonly closed: Promise<void>;
  readonly #response: ServerResponse;

  constructor(question: Question, headers: IncomingHttpHeaders, response: ServerResponse) {
    this.question = question;
    this.headers = headers;
    this.#response = response;
    this.closed = new Promise((resolve) => response.once('close', resolve));
  }

  get wasAborted(): boolean {
    return this.#response.destroyed && !this.#response.writableEnded;
  }

  /** A delta of text. */
  text(content: string): void {
    this.#chunk({ delta: { content } });
  }

  /** Many deltas, as fast as they are taken. */
  async texts(pieces: Iterable<string>): Promise<void> {
    for (const content of pieces) {
      const isTaken = this.#response.write(framed({ choices: [{ index: 0, delta: { content } }] }));
      if (!isTaken) await new Promise((resolve) => this.#response.once('drain', resolve));
    }
  }

  toolCall(name: string, args: object): void {
    const call = { index: 0, id: 'call_1', type: 'function', function: { name, arguments: JSON.stringify(args) } };
    this.#chunk({ delta: { tool_calls: [call] } });
  }

  /** The answer is whole. */
  end(reason = 'stop'): void {
    this.#chunk({ delta: {}, finish_reason: reason });
    const usage = { prompt_tokens: 7, completion_tokens: 20, total_tokens: 27 };
    this.#response.write(framed({ choices: [], usage }));
    this.#response.end('data: [DONE]\n\n');
  }

  /** The connection breaks. */
  tear(): void {
    this.#response.destroy();
  }

  fail(status: number, message: string): void {
    this.#response.writeHead(status, { 'content-type': 'application/json', 'x-should-retry': 'false' });
    this.#response.end(JSON.stringify({ error: { message, type: 'server_error' } }));
  }

  #chunk(choice: object): void {
    if (!this.#response.headersSent) this.#response.writeHead(200, { 'content-type': 'text/event-stream' });
    this.#response.write(framed({ choices: [{ index: 0, ...choice }] }));
  }
}

/** An OpenAI-compatible server, answered for by the test. */
export class Upstream {
  readonly #asked: Exchange[] = [];
  readonly #waiting: ((exchange: Exchange) => void)[] = [];
  readonly #server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => (body += text));
    request.on('end', () => {
      this.requests += 1;
      const exchange = new Exchange(JSON.parse(body) as Question, request.headers, response);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#asked.push(exchange);
      else waiting(exchange);
    });
  });
  /** How often it was asked. */
  requests = 0;

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}/v1`;
  }

  /** The next request. */
  asked(): Promise<Exchange> {
    const exchange = this.#asked.shift();
    return exchange === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(exchange);
  }

  /** Drops what no test has taken: a failure must not be the next test's. */
  forget(): void {
    this.#asked.length = this.#waiting.length = 0;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function framed(chunk: object): string {
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 0, model: 'm', ...chunk })}\n\n`;
}

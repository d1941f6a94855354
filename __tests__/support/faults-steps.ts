/** What an answer is composed of: `script(head(), say('data: …'), cut())`. */
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import type { OutgoingHttpHeaders } from 'node:http';
import type { Exchange, Handler } from './fault-server.ts';

export type Step = (exchange: Exchange) => void | Promise<void>;

/** Runs the steps one after the other, as long as the client is there. */
export function script(...steps: readonly Step[]): Handler {
  return async (exchange) => {
    for (const step of steps) {
      if (exchange.socket.destroyed) return;
      await step(exchange);
    }
  };
}

/** Different answers for the first, second … request of the route; the last one for all that follow. */
export function inTurn(...handlers: readonly Handler[]): Handler {
  let count = 0;
  return (exchange) => handlers[Math.min(count++, handlers.length - 1)]?.(exchange);
}

/** Status line and headers, sent at once. */
export function head(headers: OutgoingHttpHeaders = {}, status = 200): Step {
  return ({ response }) => {
    response.writeHead(status, { 'content-type': 'text/event-stream; charset=utf-8', ...headers });
    response.flushHeaders();
  };
}

/** Pieces of the body, each a write of its own. */
export function say(...pieces: readonly (string | Uint8Array)[]): Step {
  return async ({ write }) => {
    for (const piece of pieces) await write(piece);
  };
}

/** The body in writes of `size` bytes, each in a turn of its own. */
export function drip(body: string | Uint8Array, size: number): Step {
  return async ({ write }) => {
    const bytes = Buffer.from(body);
    for (let at = 0; at < bytes.length; at += size) {
      await write(bytes.subarray(at, at + size));
      await new Promise(setImmediate);
    }
  };
}

/** The regular end of the body. */
export const end: Step = ({ response }) => {
  response.end();
};

/** The connection ends in the middle of the answer, after what was written has left. */
export const cut: Step = async ({ socket, cutting }) => {
  cutting();
  socket.end();
  if (!socket.destroyed) await once(socket, 'close');
};

/** The connection is reset: what is still under way is lost. */
export const reset: Step = ({ socket, cutting }) => {
  cutting();
  socket.resetAndDestroy();
};

/** Nothing more is said until the client leaves. */
export const hang: Step = async ({ seen }) => {
  await seen.closed;
};

/** Waits until what was said so far has reached the caller. */
export const untilShown: Step = async ({ shown, seen }) => {
  await Promise.race([shown, seen.closed]);
};

/** Waits for the test. */
export function until(signal: PromiseLike<unknown>): Step {
  return async ({ seen }) => {
    await Promise.race([signal, seen.closed]);
  };
}

/** Lets time pass on the caller's clock, once everything that was said has been read. */
export function pass(ms: number): Step {
  return async ({ seen, response, caller }) => {
    if (caller === undefined) throw new Error('nobody said whose time passes');
    if (response.headersSent) await Promise.race([caller.hasRead(seen.index, seen.written), seen.closed]);
    await new Promise(setImmediate);
    if (seen.ending === undefined) caller.advance(ms);
  };
}

/** The kept socket turns out to be dead when it is used again. */
export const cutNext: Step = (exchange) => {
  exchange.cutNext();
};

/** Bytes on the socket itself, past the HTTP layer. */
export function raw(...pieces: readonly (string | Uint8Array)[]): Step {
  return async ({ socket }) => {
    for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
  };
}

/** A whole answer of any type. */
export function answer(status: number, contentType: string, body: string, headers: OutgoingHttpHeaders = {}): Handler {
  return ({ response, seen }) => {
    seen.written += Buffer.byteLength(body);
    response.writeHead(status, { 'content-type': contentType, ...headers });
    response.end(body);
  };
}

export function json(status: number, body: unknown, headers: OutgoingHttpHeaders = {}): Handler {
  return answer(status, 'application/json', JSON.stringify(body), headers);
}

/** A whole answer to whatever was asked for. */
export function whole(...pieces: readonly string[]): Handler {
  const [streamed, inOnePiece] = [stream(sentence(...pieces)), json(200, completion(pieces.join('')))];
  return (exchange) => (exchange.seen.json['stream'] === true ? streamed : inOnePiece)(exchange);
}

/** A whole event stream, ended regularly. */
export function stream(...pieces: readonly (string | Uint8Array)[]): Handler {
  return script(head(), say(...pieces), end);
}

/** The body as gzip, its last `missing` bytes left out. */
export function gzipped(body: string | Uint8Array, missing = 0): Handler {
  const bytes = gzipSync(body);
  return script(head({ 'content-encoding': 'gzip' }), say(bytes.subarray(0, bytes.length - missing)), end);
}

export interface ChunkFields {
  readonly choices?: unknown;
  readonly [field: string]: unknown;
}

/** One event with OpenAI's envelope around these fields. */
export function chunk(fields: ChunkFields): string {
  const envelope = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'gpt-4o-mini' };
  return event({ ...envelope, ...fields });
}

/** One event with any data. */
export function event(data: unknown): string {
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

/** A chunk with a piece of text. */
export function text(content: string, index = 0): string {
  return chunk({ choices: [{ index, delta: { content }, finish_reason: null }] });
}

/** A chunk that ends a choice. */
export function finish(finish_reason: string | null = 'stop', index = 0): string {
  return chunk({ choices: [{ index, delta: {}, finish_reason }] });
}

export const USAGE = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };
export const DONE = 'data: [DONE]\n\n';

/** The whole of an ordinary answer. */
export function sentence(...pieces: readonly string[]): string {
  return pieces.map((piece) => text(piece)).join('') + finish() + chunk({ choices: [], usage: USAGE }) + DONE;
}

/** A non-streaming answer. */
export function completion(content: string | null, choice: object = {}, message: object = {}): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'gpt-4o-mini',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content, refusal: null, ...message },
        finish_reason: 'stop',
        ...choice,
      },
    ],
    usage: USAGE,
  };
}

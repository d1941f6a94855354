/**
 * The server, a process of its own so that its work is nobody's CPU time but its own. A request asks for a shape by `model` and
 * for a number of chunks by `max_tokens`. Prints its base URL once it listens; ends when its stdin does.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { piecesOf, type Shape } from './body.ts';

/** Made once, so that no contestant waits for its body to be made. */
const bodies = new Map<string, readonly Buffer[]>();

function bodyOf(shape: Shape, chunks: number): readonly Buffer[] {
  const key = `${shape} ${String(chunks)}`;
  const body = bodies.get(key) ?? piecesOf(shape, chunks);
  bodies.set(key, body);
  return body;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { model, max_tokens } = (await json(request)) as { model: Shape; max_tokens: number };
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  for (const bytes of bodyOf(model, max_tokens)) {
    if (!response.write(bytes)) await once(response, 'drain');
  }
  response.end();
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    response.destroy(error as Error);
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`http://127.0.0.1:${String(port)}/v1\n`);
});
process.stdin.resume().on('end', () => process.exit());

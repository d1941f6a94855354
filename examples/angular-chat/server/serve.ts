import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { serve, type ServerType } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import type { ChatCompletionOptions } from 'rxjs-openai';
import { createRelay } from 'rxjs-openai/relay';

/** What the build has made of src/server.ts. */
interface Rendering {
  readonly reqHandler: (request: Request) => Promise<Response | null>;
}

const DIST = new URL('../dist/', import.meta.url);
const MODELS = ['gpt-4o-mini', 'gpt-4o'];

/**
 * The relay at /api/chat, the files of the build, and pages rendered on the server. Resolves to its address when it listens.
 *
 * @param completion - options of the relay's client, or nothing: the environment
 * @param port - 0: a free one
 */
export async function startSite(completion: ChatCompletionOptions, port: number): Promise<string> {
  const { reqHandler } = (await import(new URL('server/server.mjs', DIST).href)) as Rendering;
  const relay = createRelay({ completion, models: MODELS });
  const app = new Hono()
    .all('/api/chat', (context) => relay(context.req.raw))
    .use(serveStatic({ root: fileURLToPath(new URL('browser', DIST)) }))
    .all('*', async (context) => (await reqHandler(context.req.raw)) ?? context.notFound());
  const { port: taken } = (await listening(app, port)).address() as AddressInfo;
  return `http://localhost:${String(taken)}`;
}

function listening({ fetch }: Hono, port: number): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: '127.0.0.1', port }, () => {
      resolve(server);
    });
    server.on('error', reject);
  });
}

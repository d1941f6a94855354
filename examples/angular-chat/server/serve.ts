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

/** Where it listens, and how to end it. */
export interface Site {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/**
 * The relay at /api/chat, the files of the build, and pages rendered on the server.
 *
 * @param completion - options of the relay's client, or nothing: the environment
 * @param port - 0: a free one
 */
export async function startSite(completion: ChatCompletionOptions, port: number): Promise<Site> {
  const { reqHandler } = (await import(new URL('server/server.mjs', DIST).href)) as Rendering;
  const relay = createRelay({ completion, models: MODELS });
  const app = new Hono()
    .all('/api/chat', (context) => relay(context.req.raw))
    .use(serveStatic({ root: fileURLToPath(new URL('browser', DIST)) }))
    .all('*', async (context) => (await reqHandler(context.req.raw)) ?? context.notFound());
  const server = await listening(app, port);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return {
    url: `http://localhost:${String(address.port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}

function listening({ fetch }: Hono, port: number): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: '127.0.0.1', port }, () => {
      resolve(server);
    });
    server.on('error', reject);
  });
}

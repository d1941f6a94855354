import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';

/** The project that has the tarball installed, made by build.ts. */
export const consumer = process.env['RXJS_OPENAI_CONSUMER'] ?? '';

export const ANSWER = 'This is a test!';

export interface Run {
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

/** Both ways into the package; `load` is what a script calls. */
export const FORMATS = [
  { format: 'ESM', flags: ['--input-type=module'], prelude: 'const load = (name) => import(name);' },
  { format: 'CommonJS', flags: ['--input-type=commonjs'], prelude: 'const load = async (name) => require(name);' },
] as const;

/** Runs a script of a process of its own, with nothing of this one's environment. Rejects if it fails. */
export function runNode(args: readonly string[], { cwd, environment, flags }: RunOptions = {}): Promise<Run> {
  return promisify(execFile)(process.execPath, [...(flags ?? []), ...args], {
    cwd: cwd ?? consumer,
    env: { ...environment },
  });
}

/** Runs the body of an async function in the consumer's project, in one of the formats. */
export function runScript(format: (typeof FORMATS)[number], body: string, options: RunOptions = {}): Promise<Run> {
  const script = `${format.prelude}\nvoid (async () => {\n${body}\n})();`;
  return runNode(['-e', script], { ...options, flags: [...format.flags, ...(options.flags ?? [])] });
}

export interface Server {
  /** The variables that lead a client here. */
  readonly environment: { readonly OPENAI_API_KEY: string; readonly OPENAI_BASE_URL: string };
  readonly close: () => Promise<void>;
}

/** Gives every request the same answer, streamed or not. */
export async function startServer(): Promise<Server> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => (body += text));
    request.on('end', () => {
      const stream = (JSON.parse(body) as { stream?: boolean }).stream === true;
      response.setHeader('content-type', stream ? 'text/event-stream' : 'application/json');
      response.end(stream ? `data: ${completion('delta')}\n\ndata: [DONE]\n\n` : completion('message'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    environment: { OPENAI_API_KEY: 'sk-test-0123456789', OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function completion(part: 'message' | 'delta'): string {
  const choice = { index: 0, [part]: { role: 'assistant', content: ANSWER }, finish_reason: 'stop' };
  return JSON.stringify({ id: 'chatcmpl-1', created: 1, model: 'gpt-4o-mini', choices: [choice] });
}

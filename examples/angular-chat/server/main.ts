/**
 * The chat in a page: `npm run demo:web` in the root of the repository. With OPENAI_API_KEY the relay asks OpenAI (or OPENAI_BASE_URL), without
 * one an embedded server, whose answers are canned. PORT: default 4200. Ctrl-C ends it.
 */
import { LLMock } from '@copilotkit/aimock';
import type { ChatCompletionOptions } from 'rxjs-openai';
import { prepare } from './canned-answers.ts';
import { startSite } from './serve.ts';

async function embedded(): Promise<ChatCompletionOptions> {
  const server = new LLMock({ host: '127.0.0.1', port: 0, chunkSize: 24 });
  prepare(server);
  await server.start();
  console.log('OPENAI_API_KEY is not set: an embedded server gives canned answers');
  return { apiKey: 'none-needed', baseURL: `${server.url}/v1` };
}

const hasKey = (process.env['OPENAI_API_KEY'] ?? '').trim() !== '';
const port = Number(process.env['PORT'] ?? 4200);
try {
  console.log(`Open ${await startSite(hasKey ? {} : await embedded(), port)}`);
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
  console.error(`Port ${String(port)} is taken: PORT=${String(port + 1)} npm run demo:web`);
  process.exit(1);
}
process.once('SIGINT', () => process.exit());

import { concatMap, defer, finalize, NEVER, startWith, type Observable } from 'rxjs';
import { cannedAnswer, tokensOf } from './canned-answers.ts';

/** About as fast as a model of middling size. */
const PACE = { ttft: 400, tps: 25, jitter: 0.4 };

/** An OpenAI-compatible server on a free port of this machine: emits its address, and stops when unsubscribed. */
export const embeddedServer$: Observable<string> = defer(start).pipe(
  concatMap((server) =>
    NEVER.pipe(
      startWith(`${server.url}/v1`),
      finalize(() => void server.stop()),
    ),
  ),
);

async function start() {
  const { LLMock } = await import('@copilotkit/aimock');
  const server = new LLMock({ host: '127.0.0.1', port: 0, chunkSize: 1000 });
  server.on(
    { endpoint: 'chat' },
    // A block a token: text alone would be cut every so many UTF-16 units, also inside an emoji.
    ({ messages }) => ({ blocks: tokensOf(cannedAnswer(messages)).map((text) => ({ type: 'text', text })) }),
    { streamingProfile: PACE },
  );
  await server.start();
  return server;
}

import type { LLMock } from '@copilotkit/aimock';
import { concatMap, defer, finalize, NEVER, startWith, type Observable } from 'rxjs';

/**
 * An OpenAI-compatible server on a free port of this machine, which answers as `prepare` has it: emits its address, and stops
 * when unsubscribed.
 *
 * @param chunkSize - in UTF-16 units: how texts and arguments are cut
 */
export function embeddedServer$(prepare: (server: LLMock) => void, chunkSize = 1000): Observable<string> {
  return defer(() => start(prepare, chunkSize)).pipe(
    concatMap((server) =>
      NEVER.pipe(
        startWith(`${server.url}/v1`),
        finalize(() => void server.stop()),
      ),
    ),
  );
}

async function start(prepare: (server: LLMock) => void, chunkSize: number): Promise<LLMock> {
  const { LLMock } = await import('@copilotkit/aimock');
  const server = new LLMock({ host: '127.0.0.1', port: 0, chunkSize });
  prepare(server);
  await server.start();
  return server;
}

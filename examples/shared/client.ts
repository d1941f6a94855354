import type { LLMock } from '@copilotkit/aimock';
import { catchError, defer, map, of, type Observable } from 'rxjs';
import { isCompletionError, OpenAIChatCompletion, type ChatCompletionOptions } from 'rxjs-openai';
import { embeddedServer$ } from './embedded-server.ts';

/** Where there is no key: a server of one's own. */
export interface Embedded {
  /** Teaches it its answers. */
  readonly prepare: (server: LLMock) => void;
  readonly chunkSize?: number;
  /** Told its address. */
  readonly onStart: (baseURL: string) => void;
}

/**
 * Emits the client to talk to: to OpenAI or `OPENAI_BASE_URL` with a key, to an embedded server without one. The server runs
 * until the subscription ends.
 */
export function client$(options: ChatCompletionOptions, embedded: Embedded): Observable<OpenAIChatCompletion> {
  return defer(() => of(new OpenAIChatCompletion(options))).pipe(
    catchError((error: unknown) => {
      if (!isKeyMissing(error)) throw error;
      return embeddedServer$(embedded.prepare, embedded.chunkSize).pipe(
        map((baseURL) => {
          const client = new OpenAIChatCompletion({ ...options, apiKey: 'none-needed', baseURL });
          embedded.onStart(baseURL);
          return client;
        }),
      );
    }),
  );
}

export function isKeyMissing(error: unknown): boolean {
  return isCompletionError(error) && error.kind === 'configuration' && error.param === 'apiKey';
}

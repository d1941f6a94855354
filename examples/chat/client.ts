import { Console } from 'node:console';
import { catchError, defer, map, of, type Observable } from 'rxjs';
import { isCompletionError, OpenAIChatCompletion, type ChatCompletionOptions } from 'rxjs-openai';
import { embeddedServer$ } from './embedded-server.ts';
import { note, type Terminal } from './terminal.ts';

/**
 * Emits the client to talk to: to OpenAI or `OPENAI_BASE_URL` with a key, to an embedded server without one. The server runs
 * until the subscription ends.
 */
export function client$(settings: ChatCompletionOptions, terminal: Terminal): Observable<OpenAIChatCompletion> {
  // By default log lines go to the console, whose lower levels are on stdout.
  const options = { ...settings, logger: new Console(terminal.stderr, terminal.stderr) };
  return defer(() => of(new OpenAIChatCompletion(options))).pipe(
    catchError((error: unknown) => {
      if (!isKeyMissing(error)) throw error;
      return embeddedServer$.pipe(
        map((baseURL) => {
          const client = new OpenAIChatCompletion({ ...options, apiKey: 'none-needed', baseURL });
          note(terminal, `OPENAI_API_KEY is not set: an embedded server at ${baseURL} gives canned answers`);
          return client;
        }),
      );
    }),
  );
}

export function isKeyMissing(error: unknown): boolean {
  return isCompletionError(error) && error.kind === 'configuration' && error.param === 'apiKey';
}

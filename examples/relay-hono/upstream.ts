import { catchError, concat, defer, map, NEVER, of, type Observable } from 'rxjs';
import { OpenAIChatCompletion, type ChatCompletionOptions } from 'rxjs-openai';
import { prepare } from '../chat/embedded-server.ts';
import { isKeyMissing } from '../shared/client.ts';
import { embeddedServer$ } from '../shared/embedded-server.ts';

/**
 * Emits the options of the relay's client: with a key they are left to the environment, without one they lead to an embedded server,
 * which runs until the subscription ends.
 */
export const upstream$: Observable<ChatCompletionOptions> = defer(() => {
  // Throws without a key.
  new OpenAIChatCompletion();
  return concat(of({}), NEVER);
}).pipe(
  catchError((error: unknown) => {
    if (!isKeyMissing(error)) throw error;
    return embeddedServer$(prepare).pipe(map((baseURL) => ({ apiKey: 'none-needed', baseURL })));
  }),
);

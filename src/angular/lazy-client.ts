import { catchError, defer, from, mergeMap, NEVER, throwError, type Observable } from 'rxjs';
import { CompletionError, describe, isCompletionError } from '../errors.ts';
import { jsonCopy } from '../json-copy.ts';
import type { ChatCompletionClient } from './config.ts';

/** A method of the client, whichever. */
type Method = (messages: unknown, params?: unknown, options?: unknown) => Observable<unknown>;

const METHODS = [
  'stream$',
  'generate$',
  'completion$',
  'events$',
  'chunks$',
  'json$',
  'runTools$',
] as const satisfies readonly (keyof ChatCompletionClient)[];

/**
 * A client whose code comes after the page. It is on its way from here on; what is asked before it is there waits for it, and is asked
 * with the messages and parameters of the time of the question. If it cannot be loaded, that is a retryable error of the call (kind
 * `connection`), and the next call tries again.
 */
export function lazyClient(load: () => Promise<ChatCompletionClient>): ChatCompletionClient {
  let loading: Promise<ChatCompletionClient> | undefined;
  const loaded = (): Promise<ChatCompletionClient> => {
    const client = (loading ??= load());
    client.catch(() => {
      loading = undefined;
    });
    return client;
  };
  void loaded();
  return clientOf(
    (name) => (messages, params, options) =>
      defer(() => {
        const asked = jsonCopy({ messages, params }, 'messages or params');
        // What is no object is refused with the rest.
        const given = typeof options === 'object' && options !== null ? { ...options } : options;
        const client$ = from(loaded()).pipe(catchError((error: unknown) => throwError(() => loadingError(error))));
        return client$.pipe(mergeMap((client) => (client[name] as Method)(asked.messages, asked.params, given)));
      }),
  );
}

/** For a server that renders the page: nothing is sent, and nothing emitted. */
export function silentClient(): ChatCompletionClient {
  return clientOf(() => () => NEVER);
}

function clientOf(method: (name: keyof ChatCompletionClient) => Method): ChatCompletionClient {
  return Object.fromEntries(METHODS.map((name) => [name, method(name)])) as unknown as ChatCompletionClient;
}

/** What is wrong with its options is none of the network's. */
function loadingError(error: unknown): CompletionError {
  if (isCompletionError(error)) return error;
  return new CompletionError(`The client could not be loaded: ${describe(error).message}`, {
    kind: 'connection',
    retryable: true,
    cause: error,
  });
}

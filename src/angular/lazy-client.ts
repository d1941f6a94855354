import { defer, mergeMap, NEVER, type Observable } from 'rxjs';
import { jsonCopy } from '../json-copy.ts';
import type { CallOptions } from '../request.ts';
import type { ChatCompletionClient } from './config.ts';
import { loaded$ } from './loaded.ts';

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
 * `connection`), and the next call tries again, as far as the browser does.
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
        const given = copied(options);
        return loaded$(loaded(), (given as CallOptions | undefined)?.signal ?? undefined).pipe(
          mergeMap((client) => (client[name] as Method)(asked.messages, asked.params, given)),
        );
      }),
  );
}

/** For a server that renders the page: nothing is sent, and nothing emitted. */
export function silentClient(): ChatCompletionClient {
  return clientOf(() => () => NEVER);
}

/** As they are now, with what they hold. What is no object is refused with the rest. */
function copied(options: unknown): unknown {
  if (typeof options !== 'object' || options === null) return options;
  const { headers, extraBody } = options as CallOptions;
  return { ...options, ...(headers && { headers: { ...headers } }), ...(extraBody && { extraBody: { ...extraBody } }) };
}

function clientOf(method: (name: keyof ChatCompletionClient) => Method): ChatCompletionClient {
  return Object.fromEntries(METHODS.map((name) => [name, method(name)])) as unknown as ChatCompletionClient;
}

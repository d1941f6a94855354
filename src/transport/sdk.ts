import type { ClientOptions } from 'openai';
import { configurationError, describe, isCompletionError, type CompletionError } from '../errors.ts';
import { redact } from '../redact.ts';
import type { Fetch, Transport } from './transport.ts';

/**
 * What is used of an SDK client, so that `OpenAI`, `AzureOpenAI` and those of a second copy of `openai` fit: the classes
 * themselves have private fields and are assignable to nothing but themselves.
 */
export interface OpenAIClientLike {
  withOptions(options: object): OpenAIClientLike;
  readonly chat: {
    readonly completions: {
      // Method syntax on purpose: parameters of methods compare bivariantly, and the SDK's are overloads.
      create(body: never, options?: never): { asResponse(): Promise<Response> };
    };
  };
}

/** The SDK bounds nothing but the headers, and our clocks bound those: its own must never be first. */
const NEVER_MS = 0x7fffffff;

/**
 * A transport over the official SDK: its URLs, authentication and Azure deployments, but our fetch rules, clocks, retries
 * and decoder (the SDK's decoder ends silently when the body is cut or aborted).
 *
 * The SDK is loaded on the first request, and only if options are given; a ready client is used as it is.
 *
 * ```ts
 * import { AzureOpenAI } from 'openai';
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { sdkTransport } from 'rxjs-openai/node';
 *
 * const azure = new AzureOpenAI({ endpoint, apiKey, apiVersion: '2024-10-21' });
 * const chat = new OpenAIChatCompletion({ transport: sdkTransport(azure), model: 'my-deployment' });
 * ```
 *
 * @param client - a ready `OpenAI` or `AzureOpenAI`, or the options for an `OpenAI`
 */
export function sdkTransport(client: OpenAIClientLike | ClientOptions): Transport {
  if (typeof client !== 'object' || client === null) {
    throw configurationError(
      'sdkTransport: give it an OpenAI or AzureOpenAI instance, or the options for one',
      'client',
    );
  }
  let loading: Promise<OpenAIClientLike> | undefined;
  const load = (): Promise<OpenAIClientLike> => {
    if (isClient(client)) return Promise.resolve(client);
    loading ??= construct(client).catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  const send: Transport = async ({ body, headers, signal, bound }) => {
    const sdk = await load();
    signal.throwIfAborted();
    const fetch = bound(fetchOf(sdk));
    const bounded = sdk.withOptions({
      maxRetries: 0,
      // The SDK's signal follows ours and its timer is off: ours alone is enough, and one listener less.
      fetch: ((input, init) => fetch(input, { ...init, signal: null })) satisfies Fetch,
    });
    const options = { headers, signal, maxRetries: 0, timeout: NEVER_MS };
    return bounded.chat.completions.create(body as never, options as never).asResponse();
  };
  return (request) =>
    send(request).catch((error: unknown) => {
      throw unsent(error);
    });
}

/** What the SDK threw of its own. What happened in its fetch is known from there, and preferred. */
function unsent(error: unknown): CompletionError {
  if (isCompletionError(error)) return error;
  const { name, message } = describe(error);
  // A header that cannot be sent is quoted by the runtime, and it may be a key.
  const said =
    name === 'TypeError' ? 'its key or one of its headers cannot be sent; check how they were read' : message;
  return configurationError(`The SDK could not send the request: ${redact(said)}`, 'client');
}

function isClient(client: OpenAIClientLike | ClientOptions): client is OpenAIClientLike {
  return 'withOptions' in client && typeof client.withOptions === 'function';
}

async function construct(options: ClientOptions): Promise<OpenAIClientLike> {
  const { OpenAI } = await import('openai');
  return new OpenAI(options);
}

/** The fetch the client was made with. The SDK keeps it in a property that its types hide. */
function fetchOf(client: OpenAIClientLike): Fetch {
  const fetch = (client as { fetch?: unknown }).fetch;
  return typeof fetch === 'function' ? (fetch as Fetch) : (input, init) => globalThis.fetch(input, init);
}

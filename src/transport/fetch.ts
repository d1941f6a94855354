import { configurationError } from '../errors.ts';
import { validBaseURL, validHeaders } from '../request-checks.ts';
import type { Fetch, Transport } from './transport.ts';

/** Options of {@link fetchTransport}. */
export interface FetchTransportOptions {
  /** Requests go to `{baseURL}/chat/completions`. In a browser it may be relative to the page (`/api`). Needed unless `url` is given. */
  readonly baseURL?: string | undefined;
  /** The whole address, for what is mounted elsewhere (`/api/chat`); instead of `baseURL`. */
  readonly url?: string | undefined;
  /** Headers of every request, or a function called for each: tokens expire. What it throws ends the call unchanged. */
  readonly headers?:
    | Readonly<Record<string, string>>
    | (() => Readonly<Record<string, string>> | PromiseLike<Readonly<Record<string, string>>>);
  /** The fetch to send with. Default: the runtime's. */
  readonly fetch?: Fetch;
  /** Whether cookies are sent, as in `fetch`. Default: the runtime's (`same-origin` in browsers). */
  readonly credentials?: 'omit' | 'same-origin' | 'include';
}

/**
 * A transport over plain `fetch`, without the SDK: for browsers, for relays, for everything that speaks OpenAI's wire.
 *
 * ```ts
 * import { fetchTransport, OpenAIChatCompletion } from 'rxjs-openai';
 *
 * const chat = new OpenAIChatCompletion({ transport: fetchTransport({ baseURL: '/api/chat' }) });
 * ```
 */
export function fetchTransport(options: FetchTransportOptions): Transport {
  const { headers, credentials } = options;
  const url = addressOf(options);
  // fetch would refuse a bad value with an error that quotes it, and it may be a key.
  const fixed = typeof headers === 'function' ? undefined : validHeaders(headers, 'fetchTransport: headers');
  return async ({ body, headers: callHeaders, signal, bound }) => {
    const own = typeof headers === 'function' ? validHeaders(await headers(), 'fetchTransport: headers') : fixed;
    const merged = new Headers({ accept: 'application/json, text/event-stream', ...own });
    merged.set('content-type', 'application/json');
    for (const [name, value] of Object.entries(callHeaders)) merged.set(name, value);
    // Looked up per request, and called as a method of nothing: both are what instrumentation and browsers need.
    const fetch = options.fetch ?? globalThis.fetch;
    const send = bound((input, init) => fetch(input, init));
    return send(url, {
      method: 'POST',
      headers: merged,
      body: JSON.stringify(body),
      signal,
      ...(credentials === undefined ? undefined : { credentials }),
    });
  };
}

function addressOf({ baseURL, url }: FetchTransportOptions): string {
  const given = url ?? baseURL;
  if (typeof given !== 'string' || given.trim() === '') {
    throw configurationError(
      'fetchTransport: baseURL is missing; set it to the address before /chat/completions, or url to the whole address',
      'baseURL',
    );
  }
  if (url !== undefined && baseURL !== undefined) {
    throw configurationError('fetchTransport: baseURL has no effect beside url: give one of them', 'baseURL');
  }
  // A page's address is known to fetch alone; any base will do to see whether there is a password in it.
  const address = validBaseURL(given.trim(), 'http://page.invalid', url === undefined ? 'baseURL' : 'url');
  return url === undefined ? `${address.replace(/\/+$/, '')}/chat/completions` : address;
}

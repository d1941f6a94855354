import type { Fetch, Transport } from './transport/transport.ts';
import { fetchTransport } from './transport/fetch.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the default transport sends. Keys and other headers travel with each request. */
export interface Endpoint {
  readonly baseURL: string;
  readonly fetch: Fetch | undefined;
}

/** What differs between Node and everywhere else. Given to the client by its entry point. */
export interface Platform {
  /** Process environment over `.env`; `envFile` as in the client's options. */
  readonly environment: (envFile: string | false | undefined) => Environment;
  /** The transport of a client that was given none. */
  readonly transport: (endpoint: Endpoint) => Transport;
  /** Whether anyone who opens the page can read what the program knows. */
  readonly isBrowser: () => boolean;
  /** What a relative `baseURL` is relative to; `undefined`: relative ones are refused. */
  readonly base: () => string | undefined;
}

/** Browsers, workers, Deno, Bun, edge runtimes: no environment, plain fetch. */
export const universalPlatform: Platform = {
  environment: () => ({}),
  transport: ({ baseURL, fetch }) => fetchTransport(fetch === undefined ? { baseURL } : { baseURL, fetch }),
  isBrowser: hasDocument,
  base: () => (hasDocument() ? globalThis.document.baseURI : (globalThis as { location?: Location }).location?.href),
};

/** A page, not a worker and not a server. */
export function hasDocument(): boolean {
  const { window, document } = globalThis as { window?: unknown; document?: unknown };
  return typeof window === 'object' && window !== null && typeof document === 'object' && document !== null;
}

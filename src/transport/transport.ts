/** The signature of `fetch`. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** What makes promises. */
export type PromiseClass = new <T>(
  executor: (resolve: (value: T | PromiseLike<T>) => void, reject: (reason?: unknown) => void) => void,
) => Promise<T>;

/** One HTTP request to be made. */
export interface TransportRequest {
  /** The JSON body, `model`, `messages` and `stream` included. A copy made for this call; not to be changed. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Headers of the client and of the call; they win over the transport's own. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborts the request. */
  readonly signal: AbortSignal;
  /**
   * Wraps the fetch the transport sends with: redirects are refused, error bodies are bounded, read and turned into typed
   * errors, clocks and hooks apply. A transport that sends by other means may leave it; the clocks still run. Its promises are of
   * the class `promise`, by default `Promise`: who answers in virtual time, where no microtask runs, gives one that calls back at
   * once.
   */
  readonly bound: (fetch: Fetch, promise?: PromiseClass) => Fetch;
}

/**
 * How a request reaches the server: resolves to the response as soon as its headers are there. What it throws passes
 * through unchanged, except for what the bounded fetch has reported, which is a `CompletionError`. A body that breaks is an error
 * of kind `interrupted`, unless it breaks with a `CompletionError`, which passes through.
 */
export type Transport = (request: TransportRequest) => Promise<Response>;

/** What is about to be sent. */
export interface RequestInfo {
  /** Without query: gateways take keys there. */
  readonly url: string;
  readonly model: string;
  readonly stream: boolean;
  /** 1 for the first request of a call. */
  readonly attempt: number;
}

/** What came back: the headers, of whatever status. */
export interface ResponseInfo extends RequestInfo {
  readonly status: number;
  readonly requestId?: string;
  /** From sending to the headers. */
  readonly durationMs: number;
}

/** Why a request is sent again. */
export interface RetryInfo {
  /** The attempt that follows. */
  readonly attempt: number;
  /** The failure of the one before. */
  readonly error: unknown;
  /** The pause before it; 0 when a default the server refused was dropped. */
  readonly delayMs: number;
}

/** Callbacks for telemetry. What they throw ends the call. */
export interface ClientHooks {
  /** Before each HTTP request. Headers it returns are added to it (`traceparent`). */
  readonly onRequest?: (request: RequestInfo) => Readonly<Record<string, string>> | undefined | void;
  /** When the headers of each response have come. */
  readonly onResponse?: (response: ResponseInfo) => void;
  /** Before each request after the first of a call. */
  readonly onRetry?: (retry: RetryInfo) => void;
}

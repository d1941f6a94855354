import type { SchedulerLike } from 'rxjs';
import { CompletionError, describe, isCompletionError, maskedCause } from '../errors.ts';
import { errorFromHttp, mayHelp, type ResponseFacts } from '../error-response.ts';
import { validHeaders } from '../request-checks.ts';
import { redact } from '../redact.ts';
import { awaited, walk, type Steps } from '../steps.ts';
import type { DeadlineClock } from '../deadline-clock.ts';
import { factsOf, requestIdOf } from './response-headers.ts';
import type { ClientHooks, Fetch, PromiseClass, RequestInfo } from './transport.ts';

/** Error bodies are read up to here: a report is short, and a gateway's page tells nothing after that. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;

/** What every fetch of one attempt is held to. */
export interface FetchBounds {
  readonly request: Omit<RequestInfo, 'url'>;
  readonly signal: AbortSignal;
  readonly clock: DeadlineClock;
  readonly idleMs: number | undefined;
  /** How long the body of a failure is awaited that another attempt will follow; `undefined`: none will. */
  readonly discardMs: ((facts: ResponseFacts) => number | undefined) | undefined;
  readonly scheduler: SchedulerLike;
  readonly hooks: ClientHooks;
  /** Values to mask; asked for only when an error is made. */
  readonly secrets: () => readonly string[];
  /** Told the headers as they leave, the transport's own included: their values must not be quoted. */
  readonly onSend: (headers: Headers) => void;
  /** Told what the headers say, before the body of an error is awaited. */
  readonly onFacts: (facts: ResponseFacts, headers: Headers) => void;
  /**
   * Keeps the error: what a transport throws afterwards (the SDK wraps, and quotes headers and bodies) is of no interest.
   */
  readonly report: (error: unknown) => void;
  /** What its promises are made by. Default: `Promise`. */
  readonly promise?: PromiseClass | undefined;
}

/**
 * The one fetch under every transport. Refuses redirects, so that neither key nor prompt reaches another origin and no POST
 * becomes a GET; reads error bodies under a cap and a clock; calls the hooks. Resolves to 2xx responses only.
 */
export function boundedFetch(fetch: Fetch, bounds: FetchBounds): Fetch {
  const { promise = Promise, report } = bounds;
  return (input, init) =>
    new promise((resolve, reject) => {
      walk(send(fetch, bounds, input, init), resolve, (error) => {
        report(error);
        reject(error);
      });
    });
}

function* send(
  fetch: Fetch,
  bounds: FetchBounds,
  input: string | URL | Request,
  init: RequestInit | undefined,
): Steps<Response> {
  const { hooks, scheduler, request, signal } = bounds;
  // The subscriber may have left while the transport was getting ready.
  signal.throwIfAborted();
  const info: RequestInfo = { url: shownUrl(input), ...request };
  const headers = withHeaders(init?.headers, hooks.onRequest?.(info));
  // Or left in the hook.
  signal.throwIfAborted();
  bounds.onSend(headers);
  const sentAt = scheduler.now();
  const response = yield* connect(fetch, bounds, input, {
    ...init,
    headers,
    signal: joined(signal, init?.signal),
    redirect: 'manual',
  });
  const requestId = requestIdOf(response.headers);
  try {
    hooks.onResponse?.({
      ...info,
      status: response.status,
      ...(requestId === undefined ? undefined : { requestId }),
      durationMs: scheduler.now() - sentAt,
    });
    signal.throwIfAborted();
  } catch (error) {
    discard(response);
    throw error;
  }
  return yield* accepted(response, bounds);
}

/** The response if it is a 2xx; any other becomes a typed error, its body read within the bounds. */
export function* accepted(
  response: Response,
  bounds: Pick<FetchBounds, 'clock' | 'idleMs' | 'discardMs' | 'scheduler' | 'secrets' | 'signal' | 'onFacts'>,
): Steps<Response> {
  const facts = factsOf(response, bounds.scheduler.now());
  bounds.onFacts(facts, response.headers);
  if (response.ok) return response;
  if (isRedirect(response)) {
    discard(response);
    throw redirectError(response, facts.requestId, bounds.secrets());
  }
  const body = yield* readErrorBody(response, bounds, errorBodyMs(facts, bounds));
  throw errorFromHttp(body, facts, bounds.secrets());
}

function* connect(
  fetch: Fetch,
  bounds: FetchBounds,
  input: string | URL | Request,
  init: RequestInit,
): Steps<Response> {
  try {
    return yield* awaited(orAborted(() => fetch(input, init), bounds));
  } catch (error) {
    throw connectionError(error, bounds.secrets());
  }
}

/** A fetch that ignores its signal must hold up nobody: the SDK keeps a timer of its own until its fetch settles. */
function orAborted(
  fetch: () => Promise<Response>,
  { signal, promise = Promise }: Pick<FetchBounds, 'signal' | 'promise'>,
): Promise<Response> {
  const response = new promise<Response>((resolve) => {
    resolve(fetch());
  });
  return new promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason as Error);
      void response.then(discard, ignore);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    response
      .finally(() => {
        signal.removeEventListener('abort', onAbort);
      })
      .then(resolve, reject);
  });
}

function joined(ours: AbortSignal, theirs: AbortSignal | null | undefined): AbortSignal {
  return theirs === null || theirs === undefined || theirs === ours ? ours : AbortSignal.any([ours, theirs]);
}

function withHeaders(
  before: RequestInit['headers'],
  added: Readonly<Record<string, string>> | undefined | void,
): Headers {
  const headers = new Headers(before);
  for (const [name, value] of Object.entries(validHeaders(added ?? undefined, 'hooks.onRequest'))) {
    headers.set(name, value);
  }
  return headers;
}

/** What every request says, or what a caller sends to find it again: nobody minds being quoted these. */
const PUBLIC_HEADER =
  /^(?:accept|content-|user-agent$|x-stainless-|traceparent$|tracestate$|idempotency-key$|x-(?:client-)?request-id$|x-correlation-id$)/;

/** Values of headers, with and without the word that says what kind of credential they are. */
export function headerSecrets(headers: Headers | Readonly<Record<string, string>> | undefined): readonly string[] {
  return [...new Headers(headers)]
    .filter(([name]) => !PUBLIC_HEADER.test(name))
    .flatMap(([, value]) => [value, value.replace(/^(?:Bearer|Basic)\s+/i, '')]);
}

function shownUrl(input: string | URL | Request): string {
  const url = typeof input === 'string' ? input : 'href' in input ? input.href : input.url;
  return url.replace(/[?#].*$/s, '');
}

/** With `redirect: 'manual'` Node gives the 3xx itself, browsers an opaque answer with status 0. */
function isRedirect(response: Response): boolean {
  return response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400);
}

function redirectError(response: Response, requestId: string | undefined, secrets: readonly string[]): CompletionError {
  const location = response.headers.get('location');
  const target = location === null ? 'another address' : redact(location.replace(/[?#].*$/s, ''), secrets, 120);
  return new CompletionError(
    `The server redirects to ${target} (status ${String(response.status)}), which is refused: it would carry the key and the prompt there. Set baseURL to the final address`,
    { kind: 'redirect', status: response.status, requestId: requestId && redact(requestId, secrets, 100) },
  );
}

/** Certificates do not get better by asking again. */
const CERTIFICATE =
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;
/** Refused before anything was sent, for what was asked. */
const UNSENDABLE = /^(?:ERR_INVALID_URL|ERR_UNKNOWN_SCHEME|UND_ERR_INVALID_ARG)$/;

/** Why no response came. */
function connectionError(error: unknown, secrets: readonly string[]): CompletionError {
  if (isCompletionError(error)) return error;
  const { code, message } = describe(error);
  return new CompletionError(`Connection failed: ${redact(message, secrets)}`, {
    kind: 'connection',
    retryable: code === undefined || !(CERTIFICATE.test(code) || UNSENDABLE.test(code)),
    code: code && redact(code, secrets, 100),
    cause: maskedCause(error, secrets),
  });
}

/** The explanation of a failure that is asked again about is worth a moment, not the patience for an answer. */
function errorBodyMs(
  facts: ResponseFacts,
  { idleMs, discardMs }: Pick<FetchBounds, 'idleMs' | 'discardMs'>,
): number | undefined {
  const withinMs = mayHelp(facts) ? discardMs?.(facts) : undefined;
  return withinMs === undefined ? idleMs : Math.min(withinMs, idleMs ?? Number.POSITIVE_INFINITY);
}

/** As much of the body as comes within the limits. One period bounds all of it: errors do not trickle. */
function* readErrorBody(
  response: Response,
  { clock, signal }: Pick<FetchBounds, 'clock' | 'signal'>,
  withinMs: number | undefined,
): Steps<string> {
  clock.watch('idle', withinMs);
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  const cancel = (): void => {
    void reader.cancel().catch(ignore);
  };
  // A fetch of the user's own may not have tied the body to the signal.
  signal.addEventListener('abort', cancel, { once: true });
  const utf8 = new TextDecoder();
  let text = '';
  let bytes = 0;
  try {
    while (bytes < MAX_ERROR_BODY_BYTES) {
      const { done, value } = yield* awaited(reader.read());
      if (done) return text + utf8.decode();
      bytes += value.byteLength;
      text += utf8.decode(value.subarray(0, MAX_ERROR_BODY_BYTES), { stream: true });
    }
    cancel();
  } catch {
    // The connection broke in the middle of the report: the status says enough.
  }
  return text;
}

/** Lets go of a body nobody will read. */
export function discard(response: Response): void {
  void response.body?.cancel().catch(ignore);
}

const ignore = (): void => undefined;

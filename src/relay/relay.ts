import { OpenAIChatCompletion } from '../chat-completion.ts';
import type { ChatCompletionOptions } from '../config.ts';
import { describe, isCompletionError } from '../errors.ts';
import { isFields } from '../fields.ts';
import { promptsOf } from '../prompts.ts';
import { redact } from '../redact.ts';
import { headerSecrets } from '../transport/bounded-fetch.ts';
import { emptyResponse, jsonResponse, leftResponse, streamedAnswer, wholeAnswer, type HeaderFields } from './answer.ts';
import type { RelayCall } from './call.ts';
import { resolveRelay, type RelayCompletion, type RelayConfig, type RelayOptions } from './options.ts';
import { checkOrigin, preflightHeaders } from './origin.ts';
import { Refusal, refusalOf } from './refusal.ts';
import { relayRequestOf } from './relay-request.ts';
import { checkContentLength, checkContentType, readBody } from './request-body.ts';

/** Answers one request. Never rejects. */
export type Relay = (request: Request) => Promise<Response>;

/**
 * A server handler that keeps the key: browsers send it the requests that they would send to OpenAI, and it sends those that are allowed
 * on. It speaks OpenAI's own protocol, so this package's client and any other of OpenAI's can point at it. The handler is web-standard,
 * whatever path it is mounted at: `(request: Request) => Promise<Response>`.
 *
 * Only what is allowed by name goes upstream: no header, query or other field of the client's. Of the answer come back the completion and
 * `Retry-After`; errors have OpenAI's shape. A client that leaves, or takes nothing for `timeout.stallMs`, aborts the upstream call; one that
 * is slow slows it down. A stream that breaks ends with an event that says so and a torn connection, never as if it were whole.
 *
 * ```ts
 * import { createRelay } from 'rxjs-openai/relay';
 *
 * const sessions = new Map([['Bearer t0ken', { id: 1 }]]);
 * const relay = createRelay({
 *   models: ['gpt-4o-mini'], // the key is OPENAI_API_KEY
 *   authorize: (request) => sessions.get(request.headers.get('authorization') ?? ''), // undefined: 401
 *   params: { max_completion_tokens: { max: 1000 }, max_tokens: false },
 * });
 * const response = await relay(new Request('https://app.example.com/api/chat/completions', { method: 'POST' }));
 * ```
 *
 * Throws an error of kind `configuration` for wrong options, at once.
 */
export function createRelay<User = undefined>(options: RelayOptions<User>): Relay {
  return relayOver(options, (completion) => new OpenAIChatCompletion(completion));
}

/** The relay over the client of a platform. */
export function relayOver<User>(
  options: RelayOptions<User>,
  clientOf: (options: ChatCompletionOptions) => RelayCompletion,
): Relay {
  const config = resolveRelay(options, clientOf);
  return (request) => new Exchange(config, request).answer();
}

/** One request, from its headers to its response. */
class Exchange<User> {
  readonly #config: RelayConfig<User>;
  readonly #request: Request;
  #headers: HeaderFields;
  #body: unknown;

  constructor(config: RelayConfig<User>, request: Request) {
    this.#config = config;
    this.#request = request;
    this.#headers = config.headers;
  }

  async answer(): Promise<Response> {
    try {
      return await this.#answer();
    } catch (error) {
      this.#tell(error);
      const refusal = refusalOf(error);
      return jsonResponse(refusal.status, refusal, { ...this.#headers, ...refusal.headers });
    }
  }

  async #answer(): Promise<Response> {
    const { origins, maxBodyBytes } = this.#config;
    const request = this.#request;
    this.#headers = { ...this.#headers, ...checkOrigin(request, origins) };
    const preflight = preflightHeaders(request);
    if (preflight !== undefined) return emptyResponse(204, { ...this.#headers, ...preflight });
    if (request.method !== 'POST') {
      throw new Refusal(405, 'The relay takes POST requests only', {
        code: 'method_not_allowed',
        headers: { allow: 'POST' },
      });
    }
    checkContentType(request.headers);
    checkContentLength(request.headers, maxBodyBytes);
    const user = await this.#authorized();
    return isResponse(user) ? this.#withHeaders(user) : this.#call(user);
  }

  async #authorized(): Promise<User | Response> {
    const { authorize } = this.#config;
    if (authorize === undefined) return undefined as User;
    const user = await authorize(this.#request);
    if (user === undefined || user === null || user === false || user === '') {
      throw new Refusal(401, 'Not authorized', { type: 'authentication_error', code: 'unauthorized' });
    }
    return user;
  }

  /** An answer of the operator's own is left as it is, but for the headers that let a page read it. */
  #withHeaders(response: Response): Response {
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries(this.#headers)) if (!headers.has(name)) headers.set(name, value);
    headers.append('vary', 'Origin');
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
  }

  async #call(user: User): Promise<Response> {
    const { maxBodyBytes, timeout, scheduler, models, params, limiterOf } = this.#config;
    const request = this.#request;
    this.#body = await readBody(request, { maxBodyBytes, bodyMs: timeout.bodyMs, scheduler });
    const asked = relayRequestOf(this.#body, models, params);
    const limiter = limiterOf(user, request);
    const { signal } = request;
    if (signal.aborted) return leftResponse();
    const onFailure = (error: unknown): void => {
      this.#tell(error);
    };
    const call: RelayCall<User> = { config: this.#config, asked, user, limiter, signal, onFailure };
    return asked.stream ? streamedAnswer(call, this.#headers) : wholeAnswer(call, this.#headers);
  }

  /** What the operator can mend is an error, what is upstream's a warning, what is the client's a line among others. */
  #tell(error: unknown): void {
    const { logger } = this.#config;
    if (error instanceof Refusal) {
      const { status, code = error.type } = error;
      logger.info(`rxjs-openai: relay refused a request: status=${String(status)} code=${code}`);
      return;
    }
    const { name, message } = describe(error);
    const what = isCompletionError(error) ? error.kind : redact(name, [], 80);
    const line = `rxjs-openai: relay: ${what}: ${redact(message, this.#secrets(), 200)}`;
    if (isCompletionError(error) && !MENDABLE.has(error.kind)) logger.warn(line);
    else logger.error(line);
  }

  /** A callback of the operator's may quote what it looked at. */
  #secrets(): readonly string[] {
    const { headers, url } = this.#request;
    const cookies = (headers.get('cookie') ?? '')
      .split(';')
      .map((cookie) => cookie.slice(cookie.indexOf('=') + 1).trim());
    const query = URL.canParse(url) ? new URL(url).searchParams.values() : [];
    return [
      ...headerSecrets(headers),
      ...cookies,
      ...query,
      ...(isFields(this.#body) ? promptsOf({ body: this.#body }) : []),
    ];
  }
}

/** By shape: the `Response` of another library, taken for a user, would let everybody in. */
function isResponse(value: unknown): value is Response {
  if (value instanceof Response) return true;
  const { status, headers } = (value ?? {}) as {
    readonly status?: unknown;
    readonly headers?: { get?: unknown } | null;
  };
  return typeof status === 'number' && typeof headers?.get === 'function';
}

const MENDABLE: ReadonlySet<string> = new Set([
  'authentication',
  'permission',
  'not-found',
  'configuration',
  'quota',
  'redirect',
]);

/** Whatever the relay does not answer with a completion, in the shape that OpenAI's clients read. */
import { isCompletionError, type CompletionError } from '../errors.ts';
import { redact } from '../redact.ts';

/** What a refusal says besides its status and its message. */
export interface RefusalDetails {
  readonly type?: string | undefined;
  readonly code?: string | undefined;
  readonly param?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** An answer that is an error. Thrown anywhere between the request and the call, caught in one place. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly type: string;
  readonly code: string | undefined;
  readonly param: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, details: RefusalDetails = {}) {
    super(message);
    this.status = status;
    this.type = details.type ?? (status < 500 ? 'invalid_request_error' : 'relay_error');
    this.code = details.code;
    this.param = details.param;
    this.headers = details.headers ?? {};
  }

  /** The body of an answer with this status. */
  toJSON(): object {
    return { error: this.#report() };
  }

  /** The same as an event of a stream whose status has been sent: there the status stands inside. */
  toEvent(): string {
    return `data: ${JSON.stringify({ error: { ...this.#report(), status: this.status } })}\n\n`;
  }

  #report(): object {
    return { message: this.message, type: this.type, param: this.param ?? null, code: this.code ?? null };
  }
}

/** The refusal that a failure of the call is for the client. What only the operator can mend is told to the operator alone. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (!isCompletionError(error)) return new Refusal(500, 'The relay failed');
  const refusal = BY_KIND[error.kind]?.(error);
  return refusal ?? upstream(502, 'The upstream server gave no usable answer', error);
}

type Kinds = Partial<Record<CompletionError['kind'], (error: CompletionError) => Refusal>>;

const BY_KIND: Kinds = {
  configuration: () => new Refusal(500, 'The relay is not set up for this request', { headers: FINAL }),
  authentication: (error) => upstream(502, 'The upstream server does not accept the relay', error),
  permission: (error) => upstream(502, 'The upstream server does not accept the relay', error),
  'bad-request': (error) => ofRequest(400, error),
  'too-large': (error) => ofRequest(error.status === 413 ? 413 : 400, error),
  'rate-limit': (error) =>
    new Refusal(429, 'The upstream server takes no more requests for now', {
      type: 'rate_limit_error',
      code: 'rate_limit_exceeded',
      headers: retryAfter(error.retryAfterMs),
    }),
  quota: () =>
    new Refusal(429, 'The quota of the relay is used up', {
      type: 'insufficient_quota',
      code: 'insufficient_quota',
      headers: FINAL,
    }),
  server: (error) => upstream(error.status === 503 || error.status === 504 ? error.status : 502, FAILED, error),
  timeout: (error) => upstream(504, 'The upstream server did not answer in time', error),
  connection: (error) => upstream(502, 'The upstream server cannot be reached', error),
  interrupted: (error) => upstream(502, 'The answer of the upstream server was cut off', error),
  limit: (error) =>
    error.attempts === 0
      ? upstream(503, 'Too many requests are waiting', error, 1000)
      : upstream(502, 'The answer of the upstream server is too large', error),
};

const FAILED = 'The upstream server failed';

/** Both the SDK and our client obey it. */
const FINAL = { 'x-should-retry': 'false' };

function upstream(status: number, message: string, error: CompletionError, byDefaultMs?: number): Refusal {
  const { kind, retryable, retryAfterMs } = error;
  const headers = {
    ...retryAfter(retryAfterMs ?? byDefaultMs),
    ...(retryable || byDefaultMs !== undefined ? undefined : FINAL),
  };
  return new Refusal(status, message, { type: 'upstream_error', code: kind, headers });
}

/** What the server objects to was the client's: its explanation is passed on. */
function ofRequest(status: number, { message, code, type, param }: CompletionError): Refusal {
  const said = shown(message.replace(/^(?:\d{3}|The server reported an error in its answer:) /, ''));
  return new Refusal(status, said, {
    type: type === undefined ? undefined : shown(type),
    code: code === undefined ? undefined : shown(code),
    param: param === undefined ? undefined : shown(param),
    headers: FINAL,
  });
}

/** Ids of accounts, and addresses: of servers, and of those who run them. */
const INTERNAL =
  /\b(?:org|proj|user|acct|team|ws|tenant|req|asst|key)[-_][\w-]{6,}|\b[a-z][a-z0-9+.-]*:\/\/\S+|\b[\w.+-]+@[\w-]+\.[\w.-]+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/gi;

function shown(text: string): string {
  return redact(text.replace(INTERNAL, '***'));
}

/** How long to wait, in whole seconds for everybody and in milliseconds for those who know the header. */
export function retryAfter(ms: number | undefined): Readonly<Record<string, string>> {
  if (ms === undefined) return {};
  return { 'retry-after': String(Math.ceil(ms / 1000)), 'retry-after-ms': String(Math.ceil(ms)) };
}

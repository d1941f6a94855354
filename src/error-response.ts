/**
 * What a server said went wrong → CompletionError. Used for HTTP errors and for errors inside a stream or a 200 alike,
 * so that a 429 means the same wherever it stands.
 */
import { CompletionError, type CompletionErrorKind } from './errors.ts';
import { masked, redact } from './redact.ts';

/** The parts of an error report that servers agree on, whatever shape they wrap them in. */
export interface ServerErrorReport {
  readonly message?: string | undefined;
  readonly code?: string | undefined;
  readonly type?: string | undefined;
  readonly param?: string | undefined;
  readonly status?: number | undefined;
}

/** What the transport knows about the answer that carried the report. */
export interface ResponseFacts {
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** The header `x-should-retry`, an order in either direction. */
  readonly shouldRetry?: boolean | undefined;
}

const QUOTA =
  /^(?:insufficient_quota|billing_hard_limit_reached|billing_not_active|insufficient_balance|insufficient_funds|insufficient_user_quota|quota_exceeded|exceeded_current_quota_error|credit_balance_too_low)$/i;
const TOO_LARGE = /^(?:context_length_exceeded|string_above_max_length|request_too_large)$/i;

/** Codes and types that mean an HTTP status, for errors inside a 200 that carry no number; spelt as `plainWord` does. */
const STATUS_OF_WORD: readonly (readonly [RegExp, number])[] = [
  [/ratelimit|toomanyrequests|tokensper|requestsper|resourceexhausted/, 429],
  [/^(?:invalidapikey|auth(?:entication)?|unauthenticated|unauthorized)$/, 401],
  [/^(?:permission(?:denied)?|forbidden|unsupportedcountryregionterritory)$/, 403],
  [/^(?:model|deployment)?notfound$/, 404],
  [/^(?:(?:engine)?overloaded|(?:service)?unavailable)$/, 503],
  [/^(?:timeout|deadlineexceeded|gatewaytimeout)$/, 504],
  [/^(?:server|internal(?:server)?|api|badgateway|upstream)$/, 500],
  [/^(?:invalidrequest|badrequest|invalidargument|contentpolicyviolation)$/, 400],
];

/** `rate_limit_error`, `RateLimitError` and `RATE_LIMIT` are one word. */
function plainWord(word: string): string {
  return word
    .toLowerCase()
    .replace(/[\s_-]/g, '')
    .replace(/error$/, '');
}

/** Kind and default retryability of an HTTP status (RFC 9110 §15), refined by the server's own code. */
export function classify(report: ServerErrorReport): { kind: CompletionErrorKind; retryable: boolean } {
  const words = [report.code, report.type].filter((word) => word !== undefined);
  const status = report.status;
  const says = (pattern: RegExp): boolean => words.some((word) => pattern.test(word));
  if (says(QUOTA) || status === 402) return { kind: 'quota', retryable: false };
  if (says(TOO_LARGE) || status === 413) return { kind: 'too-large', retryable: false };
  if (status === undefined) return { kind: 'server', retryable: true };
  if (status >= 300 && status < 400) return { kind: 'redirect', retryable: false };
  if (status === 408 || status === 409 || status >= 500) return { kind: 'server', retryable: true };
  switch (status) {
    case 401:
      return { kind: 'authentication', retryable: false };
    case 403:
      return { kind: 'permission', retryable: false };
    case 404:
      return { kind: 'not-found', retryable: false };
    case 429:
      return { kind: 'rate-limit', retryable: true };
    default:
      return { kind: status >= 400 ? 'bad-request' : 'protocol', retryable: false };
  }
}

/**
 * Reads the report out of a parsed body in any of the shapes seen in the wild: OpenAI's `{error:{…}}`, a string as
 * `error`, vLLM's `{object:'error'}`, FastAPI's `{detail}`, a bare `{message}`, a list of one (Gemini).
 */
export function readReport(body: unknown): ServerErrorReport {
  if (typeof body === 'string') return { message: body };
  const only: unknown = Array.isArray(body) ? body[0] : body;
  if (typeof only !== 'object' || only === null) return {};
  const outer = only as Record<string, unknown>;
  const error = outer['error'] ?? (Array.isArray(outer['errors']) ? (outer['errors'] as unknown[])[0] : undefined);
  if (typeof error === 'string') {
    const fields = reportFields(outer);
    // One word is a code, as in OAuth: `{error: 'insufficient_quota'}`.
    return {
      ...fields,
      message: fields.message ?? error,
      code: fields.code ?? (/^\w+$/.test(error) ? error : undefined),
    };
  }
  if (typeof error === 'object' && error !== null) return reportFields(error as Record<string, unknown>);
  return reportFields(outer);
}

function reportFields(it: Record<string, unknown>): ServerErrorReport {
  const code = word(it['code']);
  const type = word(it['type']);
  return {
    message: text(it['message']) ?? detailText(it['detail']) ?? text(it['title']) ?? text(it['error_description']),
    code: code ?? (typeof it['status'] === 'string' ? word(it['status']) : undefined),
    type,
    param: word(it['param']),
    status: httpStatus(it['status_code']) ?? httpStatus(it['status']) ?? httpStatus(it['code']),
  };
}

/** FastAPI and pydantic: `{detail: [{loc: ['body', 'stream_options'], msg: '…'}]}`. */
function detailText(detail: unknown): string | undefined {
  if (!Array.isArray(detail))
    return text(detail) ?? text((detail as { message?: unknown } | null | undefined)?.message);
  const lines = (detail as unknown[]).map((entry) => {
    const { loc, msg } = (entry ?? {}) as { loc?: unknown; msg?: unknown };
    const place = Array.isArray(loc) ? `${loc.join('.')}: ` : '';
    return place + (text(msg) ?? '');
  });
  return text(lines.filter((line) => line !== '').join('; '));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

function word(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : text(value);
}

function httpStatus(value: unknown): number | undefined {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof status === 'number' && Number.isInteger(status) && status >= 300 && status <= 599 ? status : undefined;
}

function statusOfWords(report: ServerErrorReport): number | undefined {
  for (const said of [report.code, report.type]) {
    if (said === undefined) continue;
    const known = STATUS_OF_WORD.find(([pattern]) => pattern.test(plainWord(said)));
    if (known !== undefined) return known[1];
  }
  return undefined;
}

/** The error an answer with a non-2xx status stands for. `body` is its text, as far as it was read. */
export function errorFromHttp(body: string, facts: ResponseFacts, secrets: readonly string[] = []): CompletionError {
  const report = { ...readReport(parseJson(body)), status: facts.status };
  const said = report.message ?? (body.trim() === '' ? 'no body' : excerpt(body, secrets));
  return toError(`${String(facts.status)} ${said}`, report, facts, secrets);
}

/** The error that stands inside a stream or in the body of a 200. `status` of the response (200) says nothing then. */
export function errorFromBody(body: unknown, facts: ResponseFacts, secrets: readonly string[] = []): CompletionError {
  const read = readReport(body);
  const report = { ...read, status: read.status ?? statusOfWords(read) };
  const said = report.message ?? excerpt(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''), secrets);
  return toError(`The server reported an error in its answer: ${said}`, report, facts, secrets);
}

function toError(
  message: string,
  report: ServerErrorReport,
  facts: ResponseFacts,
  secrets: readonly string[],
): CompletionError {
  const { kind, retryable } = classify(report);
  const mask = (value: string | undefined): string | undefined => value && redact(value, secrets, 100);
  return new CompletionError(redact(message, secrets), {
    kind,
    // Quota and redirects stay final even where a gateway orders a retry of every 429.
    retryable: kind === 'quota' || kind === 'redirect' ? false : (facts.shouldRetry ?? retryable),
    status: report.status,
    code: mask(report.code),
    type: mask(report.type),
    param: mask(report.param),
    requestId: mask(facts.requestId),
    retryAfterMs: facts.retryAfterMs,
  });
}

/** A short, masked piece of a body for a message. */
export function excerpt(body: string, secrets: readonly string[] = []): string {
  return (
    redact(masked(body, secrets, 4096).replace(/<(script|style)[\s\S]*?<\/\1>|<[^>]*>/gi, ' '), secrets, 120) ||
    'nothing readable'
  );
}

/** JSON or `undefined`; never throws. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

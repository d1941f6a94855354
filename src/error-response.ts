/**
 * What a server said went wrong → CompletionError. Used for HTTP errors and for errors inside a stream or a 200 alike,
 * so that a 429 means the same wherever it stands.
 */
import { CompletionError, type CompletionErrorKind } from './errors.ts';
import { isFields } from './fields.ts';
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

// Codes and types, spelt as `plainWord` does.
const QUOTA =
  /^(?:insufficient(?:user)?(?:quota|balance|funds)|billing(?:hardlimitreached|notactive)|quotaexceeded|exceededcurrentquota|creditbalancetoolow)$/;
const TOO_LARGE = /^(?:contextlengthexceeded|stringabovemaxlength|requesttoolarge)$/;

/** Codes and types that mean an HTTP status, for errors inside a 200 that carry no number. */
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

function wordsOf({ code, type }: ServerErrorReport): readonly string[] {
  return [code, type].filter((word) => word !== undefined).map(plainWord);
}

const KIND_OF_STATUS: Readonly<Record<number, CompletionErrorKind>> = {
  401: 'authentication',
  402: 'quota',
  403: 'permission',
  404: 'not-found',
  408: 'server',
  409: 'server',
  413: 'too-large',
  429: 'rate-limit',
};

/** Kind and default retryability of an HTTP status (RFC 9110 §15), refined by the server's own code. */
export function classify(report: ServerErrorReport): { kind: CompletionErrorKind; retryable: boolean } {
  const kind = kindOf(report);
  return { kind, retryable: kind === 'server' || kind === 'rate-limit' };
}

function kindOf(report: ServerErrorReport): CompletionErrorKind {
  const { status = 500 } = report;
  const says = (pattern: RegExp): boolean => wordsOf(report).some((word) => pattern.test(word));
  if (says(QUOTA)) return 'quota';
  if (says(TOO_LARGE)) return 'too-large';
  if (status >= 500) return 'server';
  return KIND_OF_STATUS[status] ?? (status >= 400 ? 'bad-request' : status >= 300 ? 'redirect' : 'protocol');
}

/** Whether asking again may help, before the explanation is read. */
export function mayHelp({ status, shouldRetry }: ResponseFacts): boolean {
  return shouldRetry ?? classify({ status }).retryable;
}

/**
 * Reads the report out of a parsed body in any of the shapes seen in the wild: OpenAI's `{error:{…}}`, a string as
 * `error`, vLLM's `{object:'error'}`, FastAPI's `{detail}`, a bare `{message}`, a list of one (Gemini).
 */
export function readReport(body: unknown): ServerErrorReport {
  if (typeof body === 'string') return { message: body };
  const outer: unknown = Array.isArray(body) ? body[0] : body;
  if (!isFields(outer)) return {};
  const error = outer['error'] ?? (Array.isArray(outer['errors']) ? (outer['errors'] as unknown[])[0] : undefined);
  const report = reportFields(isFields(error) ? error : outer);
  if (typeof error !== 'string') return report;
  // One word is a code, as in OAuth: `{error: 'insufficient_quota'}`.
  const { message = error, code = /^\w+$/.test(error) ? error : undefined } = report;
  return { ...report, message, code };
}

function reportFields(it: Readonly<Record<string, unknown>>): ServerErrorReport {
  return {
    message: text(it['message']) ?? detailText(it['detail']) ?? text(it['title']) ?? text(it['error_description']),
    code: word(it['code']) ?? text(it['status']),
    type: word(it['type']),
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
  return wordsOf(report)
    .map((word) => STATUS_OF_WORD.find(([pattern]) => pattern.test(word))?.[1])
    .find((status) => status !== undefined);
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

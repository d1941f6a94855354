import type { ResponseFacts } from '../error-response.ts';
import type { RateLimit, ResponseMeta } from '../events/event.ts';

type HeaderReader = Pick<Headers, 'get'>;

/** What the headers say that errors repeat. */
export function factsOf(response: Pick<Response, 'status' | 'headers'>, now: number): ResponseFacts {
  const shouldRetry = response.headers.get('x-should-retry');
  return {
    status: response.status,
    requestId: requestIdOf(response.headers),
    retryAfterMs: retryAfterMs(response.headers, now),
    shouldRetry: shouldRetry === 'true' ? true : shouldRetry === 'false' ? false : undefined,
  };
}

/** What the headers say that the `start` event repeats. */
export function metaOf(headers: HeaderReader, attempt: number): ResponseMeta {
  const requestId = requestIdOf(headers);
  const rateLimit = rateLimitOf(headers);
  return {
    attempt,
    ...(requestId === undefined ? undefined : { requestId }),
    ...(rateLimit === undefined ? undefined : { rateLimit }),
  };
}

/** OpenAI's header, then those of gateways and of Azure. */
export function requestIdOf(headers: HeaderReader): string | undefined {
  return headers.get('x-request-id') ?? headers.get('request-id') ?? headers.get('apim-request-id') ?? undefined;
}

/**
 * How long the server asks to wait: `retry-after-ms` (OpenAI, Azure), else `Retry-After` as seconds or as an HTTP date
 * (RFC 9110 §10.2.3). Past dates and negative numbers mean 0; what is no number and no date means nothing.
 */
export function retryAfterMs(headers: HeaderReader, now: number): number | undefined {
  const milliseconds = numberOf(headers.get('retry-after-ms'));
  if (milliseconds !== undefined) return wholeMs(milliseconds);
  const value = headers.get('retry-after');
  const seconds = numberOf(value);
  if (seconds !== undefined) return wholeMs(seconds * 1000);
  // Date.parse takes "later, 7" for a date; an HTTP date begins with the name of a day.
  if (value === null || !/^\s*(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s/i.test(value)) return undefined;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : wholeMs(date - now);
}

function numberOf(value: string | null): number | undefined {
  return value !== null && /^\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*$/.test(value) ? Number(value) : undefined;
}

function wholeMs(milliseconds: number): number {
  return Math.min(Math.max(0, Math.ceil(milliseconds)), Number.MAX_SAFE_INTEGER);
}

export const RATE_LIMIT_HEADERS = [
  ['limitRequests', 'x-ratelimit-limit-requests', numberOf],
  ['remainingRequests', 'x-ratelimit-remaining-requests', numberOf],
  ['resetRequestsMs', 'x-ratelimit-reset-requests', durationMs],
  ['limitTokens', 'x-ratelimit-limit-tokens', numberOf],
  ['remainingTokens', 'x-ratelimit-remaining-tokens', numberOf],
  ['resetTokensMs', 'x-ratelimit-reset-tokens', durationMs],
] as const satisfies readonly (readonly [keyof RateLimit, string, (value: string | null) => number | undefined])[];

/** What a server says of its own limits. */
export function rateLimitOf(headers: HeaderReader): RateLimit | undefined {
  const found: { -readonly [K in keyof RateLimit]: RateLimit[K] } = {};
  for (const [field, header, parse] of RATE_LIMIT_HEADERS) {
    const value = parse(headers.get(header));
    if (value !== undefined) found[field] = value;
  }
  return Object.keys(found).length > 0 ? found : undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Durations as OpenAI writes them (`6m0s`, `1.5s`, `20ms`); a bare number is seconds. */
function durationMs(value: string | null): number | undefined {
  const seconds = numberOf(value);
  if (seconds !== undefined) return wholeMs(seconds * 1000);
  if (value === null || !/^(?:\d+(?:\.\d+)?(?:ms|[dhms]))+$/.test(value)) return undefined;
  let total = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|[dhms])/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return wholeMs(total);
}

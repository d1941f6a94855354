import fc from 'fast-check';
import { factsOf, metaOf, requestIdOf, retryAfterMs } from '../../src/transport/response-headers.ts';

const NOW = Date.parse('2026-11-02T10:00:00Z');

const wait = (headers: Record<string, string>): number | undefined => retryAfterMs(new Headers(headers), NOW);

describe('how long the server asks to wait', () => {
  it.each<[string, string, number | undefined]>([
    ['seconds', '7', 7000],
    ['seconds with a fraction', '1.5', 1500],
    ['a part of a millisecond, rounded up', '0.0001', 1],
    ['no time at all', '0', 0],
    ['blanks around it', ' 7 ', 7000],
    ['a sign', '+7', 7000],
    ['a negative number', '-7', 0],
    ['an hour', '3600', 3_600_000],
    ['more than any clock holds', '9'.repeat(400), Number.MAX_SAFE_INTEGER],
    ['an HTTP date', 'Mon, 02 Nov 2026 10:01:30 GMT', 90_000],
    ['an HTTP date of old', 'Monday, 02-Nov-26 10:01:30 GMT', 90_000],
    ['a date with another zone', 'Mon, 02 Nov 2026 11:00:01 +0100', 1000],
    ['a date in lower case', 'mon, 02 nov 2026 10:00:01 gmt', 1000],
    ['a date that is past', 'Mon, 02 Nov 2026 09:00:00 GMT', 0],
    ['a date that is none', 'Mon, 99 Nov 2026 10:00:00 GMT', undefined],
    ['nothing', '', undefined],
    ['words', 'soon', undefined],
    ['words with a number', 'garbage 7', undefined],
    ['a number with a unit', '7s', undefined],
    ['several numbers', '7, 8', undefined],
    ['other spellings of numbers', '1e3', undefined],
    ['hexadecimal', '0x10', undefined],
    ['infinity', 'Infinity', undefined],
    ['a year', '2026-11-02', undefined],
  ])('is read from Retry-After: %s', (_name, value, expected) => {
    expect(wait({ 'retry-after': value })).toBe(expected);
  });

  it.each<[string, string, number | undefined]>([
    ['milliseconds', '1500', 1500],
    ['a fraction, rounded up', '1.2', 2],
    ['no time at all', '0', 0],
    ['a negative number', '-5', 0],
    ['words', 'soon', 30_000],
    ['nothing', '', 30_000],
  ])('is read from retry-after-ms first: %s', (_name, value, expected) => {
    expect(wait({ 'retry-after-ms': value, 'retry-after': '30' })).toBe(expected);
  });

  it('is unknown where no header says', () => {
    expect(wait({})).toBeUndefined();
  });

  it('is a whole number that is not negative, or unknown, whatever the header', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.double().map(String),
          fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
        ),
        (value) => {
          const result = retryAfterMs({ get: (name) => (name === 'retry-after' ? value : null) }, NOW) ?? 0;
          expect(Number.isSafeInteger(result) && result >= 0).toBe(true);
        },
      ),
    );
  });
});

describe('the request id', () => {
  it('is OpenAI’s, else a gateway’s, else Azure’s', () => {
    const all = { 'x-request-id': 'a', 'request-id': 'b', 'apim-request-id': 'c' };
    expect(requestIdOf(new Headers(all))).toBe('a');
    expect(requestIdOf(new Headers({ 'request-id': 'b', 'apim-request-id': 'c' }))).toBe('b');
    expect(requestIdOf(new Headers({ 'apim-request-id': 'c' }))).toBe('c');
    expect(requestIdOf(new Headers())).toBeUndefined();
  });
});

describe('the facts that errors repeat', () => {
  it('are status, request id, wait and the order to retry', () => {
    const headers = { 'x-request-id': 'req_1', 'retry-after': '2', 'x-should-retry': 'false' };
    expect(factsOf({ status: 503, headers: new Headers(headers) }, NOW)).toEqual({
      status: 503,
      requestId: 'req_1',
      retryAfterMs: 2000,
      shouldRetry: false,
    });
  });

  it.each([
    ['true', true],
    ['false', false],
    ['yes', undefined],
    ['', undefined],
  ])('take x-should-retry: %j for %p', (value, expected) => {
    expect(factsOf({ status: 500, headers: new Headers({ 'x-should-retry': value }) }, NOW).shouldRetry).toBe(expected);
  });
});

describe('what the start event repeats', () => {
  it('is the attempt alone, where the headers say nothing', () => {
    expect(metaOf(new Headers(), 2)).toEqual({ attempt: 2 });
  });

  it('are request id and rate limits', () => {
    const headers = new Headers({
      'x-request-id': 'req_1',
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-remaining-requests': '499',
      'x-ratelimit-reset-requests': '120ms',
      'x-ratelimit-limit-tokens': '30000',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '6m0s',
    });
    expect(metaOf(headers, 1)).toEqual({
      attempt: 1,
      requestId: 'req_1',
      rateLimit: {
        limitRequests: 500,
        remainingRequests: 499,
        resetRequestsMs: 120,
        limitTokens: 30_000,
        remainingTokens: 0,
        resetTokensMs: 360_000,
      },
    });
  });

  it('have no field for what is missing or unreadable', () => {
    const headers = new Headers({ 'x-ratelimit-limit-requests': 'many', 'x-ratelimit-remaining-tokens': '5' });
    expect(metaOf(headers, 1)).toEqual({ attempt: 1, rateLimit: { remainingTokens: 5 } });
    expect(metaOf(new Headers({ 'x-ratelimit-limit-requests': 'many' }), 1)).toEqual({ attempt: 1 });
  });

  it.each<[string, number | undefined]>([
    ['20ms', 20],
    ['1.5s', 1500],
    ['1s500ms', 1500],
    ['6m0s', 360_000],
    ['1h30m', 5_400_000],
    ['1d', 86_400_000],
    ['2', 2000],
    ['0.2ms', 1],
    ['0s', 0],
    ['s', undefined],
    ['5x', undefined],
    ['1m ', 60_000],
    ['1m 2s', undefined],
    ['-1s', undefined],
  ])('read the duration %j', (value, expected) => {
    const { rateLimit } = metaOf(new Headers({ 'x-ratelimit-reset-tokens': value }), 1);
    expect(rateLimit?.resetTokensMs).toBe(expected);
  });
});

/** What servers say about asking again, and what comes of it. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { Ending, Handler } from './fault-server.ts';
import { attemptsOf, fault, INTERRUPTED, type ExpectedError, type Fault } from './faults.ts';
import { NOW } from './faults-check.ts';
import { cut, event, json, reset, script, stream, text, whole } from './faults-steps.ts';

const ANSWER = 'Hello, world';
const WHOLE = whole('Hello, ', 'world');

/** For each row whose call is made again: the same fault once, and a whole answer after it. */
export function recoveries(rows: readonly Fault[]): Fault[] {
  return rows.filter((row) => attemptsOf(row) > 1 && row.then === undefined).map(recovery);
}

function recovery({ name, answer, error, endings, ...rest }: Fault): Fault {
  const { options, params, timed, anyEnding } = rest;
  return {
    ...Object.fromEntries(Object.entries({ options, params, timed, anyEnding }).filter(([, it]) => it !== undefined)),
    ...fault(name, answer, ANSWER, {
      then: [WHOLE],
      attempts: 2,
      endings: [endings?.[0] ?? 'finished', 'finished'],
      ...(error?.retryAfterMs === undefined ? undefined : { pausesMs: [error.retryAfterMs] }),
    }),
  };
}

const refuse = (status: number, headers: OutgoingHttpHeaders = {}, fields: object = {}): Handler =>
  json(status, { error: { message: 'wait', ...fields } }, headers);
const BUSY = refuse(503);

const RATE_LIMIT = { kind: 'rate-limit', retryable: true, status: 429 } as const;
const SERVER = { kind: 'server', retryable: true, status: 503 } as const;

const asks = (name: string, headers: OutgoingHttpHeaders, retryAfterMs: number | undefined): Fault =>
  fault(`429 with ${name}`, refuse(429, headers), '', {
    error: { ...RATE_LIMIT, ...(retryAfterMs === undefined ? undefined : { retryAfterMs }) },
  });

/** Waited for in full, or not known to be a time: then the pause is our own. */
export const RETRY_AFTER: readonly Fault[] = [
  asks('no header', {}, undefined),
  asks('Retry-After in seconds', { 'retry-after': '7' }, 7000),
  asks('Retry-After in parts of a second', { 'retry-after': '0.25' }, 250),
  asks('Retry-After between blanks', { 'retry-after': ' 7 ' }, 7000),
  asks('Retry-After of just the cap', { 'retry-after': '60' }, 60_000),
  asks('Retry-After: 0', { 'retry-after': '0' }, 0),
  asks('a negative Retry-After', { 'retry-after': '-3' }, 0),
  asks('the date of now', { 'retry-after': inDate(0) }, 0),
  asks('a date in the past', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, 0),
  asks('retry-after-ms', { 'retry-after-ms': '1500' }, 1500),
  asks('retry-after-ms beside other seconds', { 'retry-after-ms': '1500', 'retry-after': '7' }, 1500),
  asks('retry-after-ms beside seconds beyond the cap', { 'retry-after-ms': '1500', 'retry-after': '3600' }, 1500),
  asks('retry-after-ms in parts', { 'retry-after-ms': '1500.2' }, 1501),
  asks('a negative retry-after-ms', { 'retry-after-ms': '-1' }, 0),
  asks('an unreadable retry-after-ms beside seconds', { 'retry-after-ms': 'soon', 'retry-after': '7' }, 7000),
  asks('an unreadable Retry-After', { 'retry-after': 'later, 7' }, undefined),
  asks('an empty Retry-After', { 'retry-after': '' }, undefined),
  asks('two values of Retry-After', { 'retry-after': '7, 8' }, undefined),
  asks('Retry-After with a unit', { 'retry-after': '7s' }, undefined),
  asks('Retry-After: NaN', { 'retry-after': 'NaN' }, undefined),
  asks('Retry-After: Infinity', { 'retry-after': 'Infinity' }, undefined),
  asks('Retry-After: 1e300', { 'retry-after': '1e300' }, undefined),
  asks('Retry-After in hexadecimal', { 'retry-after': '0x10' }, undefined),
  asks('a date that is none', { 'retry-after': 'Wed, 99 Foo 2026 07:28:00 GMT' }, undefined),
  fault('503 with Retry-After', refuse(503, { 'retry-after': '7' }), '', { error: { ...SERVER, retryAfterMs: 7000 } }),
  fault(
    'Retry-After of an answer that is an error',
    json(200, { error: { message: 'slow down', code: 429 } }, { 'retry-after': '7' }),
    '',
    { error: { ...RATE_LIMIT, code: '429', retryAfterMs: 7000 } },
  ),
];

const beyond = (
  name: string,
  headers: OutgoingHttpHeaders,
  retryAfterMs: number,
  rest: Partial<Fault> = {},
): Fault => ({
  ...asks(name, headers, retryAfterMs),
  attempts: 1,
  ...rest,
});

/** Longer than anybody waits: the error at once, and never a shorter pause. */
export const TOO_LONG: readonly Fault[] = [
  beyond('Retry-After just beyond the cap', { 'retry-after': '60.001' }, 60_001),
  beyond('Retry-After of an hour', { 'retry-after': '3600' }, 3_600_000),
  beyond('retry-after-ms beyond the cap', { 'retry-after-ms': '60001' }, 60_001),
  beyond('a date in a day', { 'retry-after': inDate(86_400_000) }, 86_400_000),
  beyond('Retry-After of twenty nines', { 'retry-after': '9'.repeat(20) }, Number.MAX_SAFE_INTEGER),
  beyond('Retry-After of four hundred nines', { 'retry-after': '9'.repeat(400) }, Number.MAX_SAFE_INTEGER),
  beyond('retry-after-ms of 31 bits', { 'retry-after-ms': '2147483648' }, 2_147_483_648),
  beyond('Retry-After beyond a cap of our own', { 'retry-after': '7' }, 7000, {
    options: { retry: { maxRetryAfterMs: 6999 } },
  }),
  beyond('Retry-After beyond the time of the call', { 'retry-after': '7' }, 7000, {
    options: { timeout: { totalMs: 7000 } },
  }),
];

const ordered = (name: string, order: string, status: number, error: ExpectedError, rest: Partial<Fault> = {}): Fault =>
  fault(`${name} with x-should-retry: ${order}`, refuse(status, { 'x-should-retry': order }), '', { error, ...rest });

/** The server's order stands above the status. */
export const ORDERS: readonly Fault[] = [
  ordered('500', 'false', 500, { kind: 'server', retryable: false, status: 500 }),
  ordered('429', 'false', 429, { ...RATE_LIMIT, retryable: false }),
  ordered('400', 'true', 400, { kind: 'bad-request', retryable: true, status: 400 }),
  ordered('401', 'true', 401, { kind: 'authentication', retryable: true, status: 401 }),
  ordered('500', 'maybe', 500, { kind: 'server', retryable: true, status: 500 }),
  ordered('400', 'TRUE!', 400, { kind: 'bad-request', retryable: false, status: 400 }),
  fault(
    '429 for want of credit with x-should-retry: true',
    refuse(429, { 'x-should-retry': 'true' }, { code: 'insufficient_quota' }),
    '',
    { error: { kind: 'quota', retryable: false, status: 429, code: 'insufficient_quota' } },
  ),
  fault(
    'an error inside an answer with x-should-retry: false',
    json(200, { error: { message: 'no', code: 502 } }, { 'x-should-retry': 'false' }),
    '',
    { error: { kind: 'server', retryable: false, status: 502, code: '502' } },
  ),
  fault('x-should-retry: true with Retry-After', refuse(400, { 'x-should-retry': 'true', 'retry-after': '2' }), '', {
    error: { kind: 'bad-request', retryable: true, status: 400, retryAfterMs: 2000 },
  }),
];

const WAIT_30_S = refuse(429, { 'retry-after': inDate(30_000) });
const UNREACHABLE = { kind: 'connection', retryable: true, code: 'ECONNRESET' } as const;
const several = (name: string, handlers: readonly [Handler, ...Handler[]], rest: Partial<Fault>): Fault => {
  const [answer, ...then] = handlers;
  return fault(name, answer, '', { then, attempts: handlers.length, ...rest });
};
const endings = (...of: readonly Ending[]): Pick<Fault, 'endings'> => ({ endings: of });

/** One fault after another. */
export const SEQUENCES: readonly Fault[] = [
  several('a date in the future, then a whole answer', [WAIT_30_S, WHOLE], {
    text: ANSWER,
    pausesMs: [30_000],
  }),
  several('a date in the future, which is past after the first pause', [WAIT_30_S, WAIT_30_S, WAIT_30_S], {
    error: { ...RATE_LIMIT, retryAfterMs: 0 },
    pausesMs: [30_000, 0],
  }),
  several('two different faults, then a whole answer', [BUSY, reset, WHOLE], {
    text: ANSWER,
    ...endings('finished', 'cut', 'finished'),
  }),
  several('twice without an answer, then with a whole one', [reset, script(cut), WHOLE], {
    text: ANSWER,
    ...endings('cut', 'cut', 'finished'),
  }),
  several('the last of three faults is told', [BUSY, refuse(429), reset], {
    error: UNREACHABLE,
    ...endings('finished', 'finished', 'cut'),
  }),
  several('a fault that may pass, then one that does not', [BUSY, refuse(401)], {
    error: { kind: 'authentication', retryable: false, status: 401 },
  }),
  several('a fault, then a pause that is too long', [BUSY, refuse(429, { 'retry-after': '3600' })], {
    error: { ...RATE_LIMIT, retryAfterMs: 3_600_000 },
    pausesMs: [0],
  }),
];

/** Some of them in the middle of a stream. */
export const STREAMED_SEQUENCES: readonly Fault[] = [
  several('a fault, then one that is cut off in its text', [BUSY, stream(text('Hello'))], {
    text: 'Hello',
    error: INTERRUPTED,
  }),
  several('a cut before output, then an error after it', [stream(), stream(text('Hello'), event({ error: 'x' }))], {
    text: 'Hello',
    error: { kind: 'server', retryable: true, code: 'x' },
  }),
];

/** How often is up to the options. */
export const COUNTS: readonly Fault[] = [
  fault('retry: false', BUSY, '', { error: SERVER, attempts: 1, options: { retry: false } }),
  fault('maxRetries: 0', BUSY, '', { error: SERVER, attempts: 1, options: { retry: { maxRetries: 0 } } }),
  fault('maxRetries: 1', BUSY, '', { error: SERVER, attempts: 2, options: { retry: { maxRetries: 1 } } }),
  fault('maxRetries: 7, whose last pauses are of the longest', BUSY, '', {
    error: SERVER,
    attempts: 8,
    options: { retry: { maxRetries: 7 } },
  }),
  fault('a pause as long as the call has left', BUSY, '', {
    error: SERVER,
    attempts: 1,
    options: { retry: { jitter: 0 }, timeout: { totalMs: 500 } },
  }),
  fault('a second pause longer than the call has left', BUSY, '', {
    error: SERVER,
    attempts: 2,
    options: { retry: { jitter: 0 }, timeout: { totalMs: 1400 } },
  }),
];

function inDate(ms: number): string {
  return new Date(NOW + ms).toUTCString();
}

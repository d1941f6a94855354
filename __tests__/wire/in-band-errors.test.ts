import type { CompletionErrorKind } from '../../src/errors.ts';
import { errorFromHttp } from '../../src/error-response.ts';
import { chunk, delta, finished } from '../support/chunks.ts';
import { sse } from '../support/sse.ts';
import { contentOf, decode, errorOf } from './decode.ts';

const HI = delta('hi');
const REPORT = { message: 'Slow down', type: 'requests', code: 'rate_limit_exceeded', param: null };
const EXPECTED = { kind: 'rate-limit', status: 429, retryable: true };

describe('an error inside a stream', () => {
  it.each([
    ['{error}', sse([{ error: REPORT }])],
    ['{error} beside choices', sse([chunk({ error: REPORT, choices: [{ index: 0, delta: {} }] })])],
    ['{error} under a foreign name', `event: problem\n${sse([{ error: REPORT }])}`],
    ['{"type":"error"}', sse([{ type: 'error', error: REPORT }])],
    ['{"object":"error"}', sse([{ object: 'error', ...REPORT }])],
    ['choices[].error', sse([chunk({ choices: [{ index: 0, delta: {}, error: REPORT, finish_reason: 'error' }] })])],
    ['the second choice’s error', sse([chunk({ choices: [null, { index: 1, error: REPORT }] })])],
    ['event: error with {error}', `event: error\n${sse([{ error: REPORT }])}`],
    ['event: error with the report itself', `event: error\n${sse([REPORT])}`],
    ['a list of one', sse([[{ error: REPORT }]])],
  ])('%s', (_name, body) => {
    const { chunks, error } = decode(sse([HI]) + body + sse([finished(), '[DONE]']));
    expect(contentOf(chunks)).toBe('hi');
    expect(error).toMatchObject({ ...EXPECTED, code: 'rate_limit_exceeded', type: 'requests' });
    expect(error?.message).toContain('Slow down');
  });

  it.each([
    ['a string as error', sse([{ error: 'model crashed' }]), 'model crashed'],
    ['event: error with text', 'event: error\ndata: model crashed\n\n', 'model crashed'],
    ['event: error with a JSON string', 'event: error\ndata: "model crashed"\n\n', 'model crashed'],
    ['event: error with unknown JSON', 'event: error\ndata: {"why":"model crashed"}\n\n', 'model crashed'],
    ['finish_reason "error"', sse([finished('error')]), 'finish_reason "error"'],
    ['an error without a message', sse([{ error: { why: 'model crashed' } }]), 'model crashed'],
    ['error: true', sse([{ error: true, message: 'model crashed' }]), 'model crashed'],
  ])('that names no status is kind server: %s', (_name, body, message) => {
    const error = errorOf(sse([HI]) + body + sse([finished()]), { facts: { status: 200, requestId: 'req_1' } });
    expect(error).toMatchObject({ kind: 'server', retryable: true, requestId: 'req_1' });
    expect(error.message).toContain(message);
  });

  it.each([null, '', false, {}, []])('is none if it says %j', (nothing) => {
    const { chunks, error } = decode(
      sse([chunk({ error: nothing }), chunk({ choices: [{ error: nothing }] }), '[DONE]']),
    );
    expect(error).toBeUndefined();
    expect(chunks).toHaveLength(2);
  });

  it('is not one if [DONE] came first', () => {
    expect(decode(sse([HI, '[DONE]', { error: REPORT }])).error).toBeUndefined();
  });

  it('obeys x-should-retry and repeats what the headers said', () => {
    const facts = { status: 200, shouldRetry: false, retryAfterMs: 2000, requestId: 'req_1' };
    expect(errorOf(sse([{ error: REPORT }]), { facts })).toMatchObject({
      kind: 'rate-limit',
      retryable: false,
      retryAfterMs: 2000,
      requestId: 'req_1',
    });
  });

  it('is masked', () => {
    const error = errorOf(sse([{ error: { message: 'bad key my-own-secret', code: 'my-own-secret' } }]), {
      secrets: () => ['my-own-secret'],
    });
    expect(JSON.stringify(error)).not.toContain('my-own-secret');
  });
});

describe('the kind of a code is the same in a stream, in a 200 and as an HTTP status', () => {
  const CASES: readonly (readonly [Readonly<Record<string, unknown>>, number, CompletionErrorKind, boolean])[] = [
    [{ code: 429 }, 429, 'rate-limit', true],
    [{ code: '429' }, 429, 'rate-limit', true],
    [{ status: 429 }, 429, 'rate-limit', true],
    [{ status_code: 429 }, 429, 'rate-limit', true],
    [{ code: 502 }, 502, 'server', true],
    [{ code: '503' }, 503, 'server', true],
    [{ code: 408 }, 408, 'server', true],
    [{ code: 409 }, 409, 'server', true],
    [{ code: 401 }, 401, 'authentication', false],
    [{ code: 402 }, 402, 'quota', false],
    [{ code: 403 }, 403, 'permission', false],
    [{ code: 404 }, 404, 'not-found', false],
    [{ code: 413 }, 413, 'too-large', false],
    [{ code: 400 }, 400, 'bad-request', false],
    [{ code: 422 }, 422, 'bad-request', false],
    [{ code: 302 }, 302, 'redirect', false],
    [{ code: 'insufficient_quota' }, 429, 'quota', false],
    [{ type: 'insufficient_quota', code: 429 }, 429, 'quota', false],
    [{ code: 'billing_hard_limit_reached' }, 400, 'quota', false],
    [{ code: 'context_length_exceeded' }, 400, 'too-large', false],
    [{ code: 'invalid_api_key' }, 401, 'authentication', false],
    [{ type: 'authentication_error' }, 401, 'authentication', false],
    [{ type: 'AuthenticationError' }, 401, 'authentication', false],
    [{ status: 'UNAUTHENTICATED' }, 401, 'authentication', false],
    [{ type: 'permission_error' }, 403, 'permission', false],
    [{ type: 'PermissionDeniedError' }, 403, 'permission', false],
    [{ code: 'unsupported_country_region_territory' }, 403, 'permission', false],
    [{ code: 'model_not_found' }, 404, 'not-found', false],
    [{ type: 'NotFoundError' }, 404, 'not-found', false],
    [{ code: 'DeploymentNotFound' }, 404, 'not-found', false],
    [{ type: 'rate_limit_error' }, 429, 'rate-limit', true],
    [{ type: 'RateLimitError' }, 429, 'rate-limit', true],
    [{ code: 'too_many_requests' }, 429, 'rate-limit', true],
    [{ status: 'RESOURCE_EXHAUSTED' }, 429, 'rate-limit', true],
    [{ type: 'overloaded_error' }, 503, 'server', true],
    [{ type: 'ServiceUnavailableError' }, 503, 'server', true],
    [{ type: 'server_error' }, 500, 'server', true],
    [{ type: 'InternalServerError' }, 500, 'server', true],
    [{ status: 'INTERNAL' }, 500, 'server', true],
    [{ code: 'deadline_exceeded' }, 504, 'server', true],
    [{ type: 'invalid_request_error' }, 400, 'bad-request', false],
    [{ type: 'BadRequestError' }, 400, 'bad-request', false],
    [{ status: 'INVALID_ARGUMENT' }, 400, 'bad-request', false],
  ];

  it.each(CASES)('%j', (report, status, kind, retryable) => {
    const error = { message: 'no', ...report };
    const expected = { kind, retryable };
    expect(errorOf(sse([{ error }]))).toMatchObject(expected);
    expect(errorOf(`event: error\n${sse([error])}`)).toMatchObject(expected);
    expect(errorOf(JSON.stringify({ error }))).toMatchObject(expected);
    expect(errorFromHttp(JSON.stringify({ error }), { status })).toMatchObject({ ...expected, status });
  });

  it('takes a bare word as error for the code', () => {
    expect(errorOf(sse([{ error: 'insufficient_quota' }]))).toMatchObject({
      kind: 'quota',
      code: 'insufficient_quota',
    });
    expect(errorOf(sse([{ error: 'Unauthorized', message: 'bad key' }]))).toMatchObject({ kind: 'authentication' });
  });
});

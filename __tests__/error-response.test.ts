import fc from 'fast-check';
import { classify, errorFromBody, errorFromHttp, excerpt, parseJson, readReport } from '../src/error-response.ts';
import type { CompletionErrorKind } from '../src/errors.ts';

describe('the report of a server', () => {
  const REPORT = { message: 'No', code: 'c', type: 't', param: 'p' };

  it.each<[string, unknown]>([
    ['OpenAI', { error: REPORT }],
    ['vLLM', { object: 'error', ...REPORT }],
    ['a bare report', REPORT],
    ['a list of one', [{ error: REPORT }]],
    ['errors', { errors: [REPORT] }],
    ['a string beside the fields', { ...REPORT, error: 'No', message: undefined }],
  ])('is read in the shape of %s', (_name, body) => {
    expect(readReport(body)).toMatchObject(REPORT);
  });

  it.each<[string, unknown, string | undefined]>([
    ['text', 'No', 'No'],
    ['error as text', { error: 'No' }, 'No'],
    ['error as text, said better beside it', { error: 'Bad Request', message: 'No' }, 'No'],
    ['OAuth', { error: 'invalid_token', error_description: 'No' }, 'No'],
    ['detail', { detail: 'No' }, 'No'],
    ['detail with a message', { detail: { message: 'No' } }, 'No'],
    ['title', { title: 'No' }, 'No'],
    ['an empty detail', { detail: [], title: 'No' }, 'No'],
    [
      'pydantic',
      { detail: [{ loc: ['body', 'n'], msg: 'too big' }, { msg: 'worse' }, null] },
      'body.n: too big; worse',
    ],
    ['a blank message', { error: { message: '  ' } }, undefined],
    ['a number', 5, undefined],
    ['null', null, undefined],
    ['an empty list', [], undefined],
  ])('says why: %s', (_name, body, message) => {
    expect(readReport(body).message).toBe(message);
  });

  it.each<[unknown, number | undefined]>([
    [{ error: { code: 429 } }, 429],
    [{ error: { code: '429' } }, 429],
    [{ error: { status: 503, code: 14 } }, 503],
    [{ error: { status_code: 400, status: 'x', code: 500 } }, 400],
    [{ error: 'x', status: 502 }, 502],
    [{ error: { code: 1302 } }, undefined],
    [{ error: { code: 200 } }, undefined],
    [{ error: { code: 429.5 } }, undefined],
    [{ error: { code: '429x' } }, undefined],
  ])('names a status: %j', (body, status) => {
    expect(readReport(body).status).toBe(status);
  });

  it('has a word as code: the server’s, or its status', () => {
    expect(readReport({ error: { code: 14, status: 'UNAVAILABLE' } }).code).toBe('14');
    expect(readReport({ error: { status: 'UNAVAILABLE' } }).code).toBe('UNAVAILABLE');
    expect(readReport({ error: { code: {}, param: [] } })).toMatchObject({ code: undefined, param: undefined });
  });
});

describe('the kind of a status', () => {
  it.each<[number | undefined, CompletionErrorKind, boolean]>([
    [300, 'redirect', false],
    [304, 'redirect', false],
    [307, 'redirect', false],
    [400, 'bad-request', false],
    [401, 'authentication', false],
    [402, 'quota', false],
    [403, 'permission', false],
    [404, 'not-found', false],
    [405, 'bad-request', false],
    [408, 'server', true],
    [409, 'server', true],
    [413, 'too-large', false],
    [422, 'bad-request', false],
    [429, 'rate-limit', true],
    [499, 'bad-request', false],
    [500, 'server', true],
    [503, 'server', true],
    [529, 'server', true],
    [599, 'server', true],
    [200, 'protocol', false],
    [undefined, 'server', true],
  ])('%p is %s', (status, kind, retryable) => {
    expect(classify({ status })).toEqual({ kind, retryable });
  });

  it.each([
    'insufficient_quota',
    'INSUFFICIENT_QUOTA',
    'billing_hard_limit_reached',
    'billing_not_active',
    'insufficient_balance',
    'quota_exceeded',
    'exceeded_current_quota_error',
  ])('is quota where code or type is %s', (word) => {
    expect(classify({ status: 429, code: word })).toEqual({ kind: 'quota', retryable: false });
    expect(classify({ status: 429, code: '429', type: word })).toEqual({ kind: 'quota', retryable: false });
    expect(classify({ status: 403, type: word })).toEqual({ kind: 'quota', retryable: false });
  });

  it('is too-large where the context is exceeded', () => {
    for (const code of ['context_length_exceeded', 'string_above_max_length', 'request_too_large']) {
      expect(classify({ status: 400, code })).toEqual({ kind: 'too-large', retryable: false });
    }
  });
});

describe('an HTTP error', () => {
  const FACTS = { status: 429, requestId: 'req_1', retryAfterMs: 1500 };

  it('has what headers and report say; its status is that of the answer', () => {
    const body = JSON.stringify({ error: { message: 'Slow', code: 500, type: 'requests', param: 'model' } });
    expect(errorFromHttp(body, FACTS)).toMatchObject({
      message: '429 Slow',
      kind: 'rate-limit',
      retryable: true,
      status: 429,
      code: '500',
      type: 'requests',
      param: 'model',
      requestId: 'req_1',
      retryAfterMs: 1500,
    });
  });

  it.each([
    ['', '429 no body'],
    [' \n', '429 no body'],
    ['upstream connect error', '429 upstream connect error'],
    ['{"cut":', '429 {"cut":'],
    ['{"unknown":1}', '429 {"unknown":1}'],
    [
      '<html><head><title>Busy</title><style>a{}</style></head><script>x()</script><h1>Try later</h1>',
      '429 Busy Try later',
    ],
    ['<br>', '429 nothing readable'],
  ])('without a report shows its body: %j', (body, message) => {
    expect(errorFromHttp(body, FACTS).message).toBe(message);
  });

  it('is as retryable as x-should-retry orders, but quota and redirects never are', () => {
    const retryable = (status: number, shouldRetry: boolean, code?: string): boolean =>
      errorFromHttp(JSON.stringify({ error: { code } }), { status, shouldRetry }).retryable;
    expect(retryable(400, true)).toBe(true);
    expect(retryable(503, false)).toBe(false);
    expect(retryable(429, true, 'insufficient_quota')).toBe(false);
    expect(retryable(402, true)).toBe(false);
    expect(retryable(302, true)).toBe(false);
  });

  it('shows no secret in message, code, type, param or request id', () => {
    const secret = 'my-own-secret';
    const report = { message: `key ${secret}`, code: secret, type: secret, param: secret };
    const error = errorFromHttp(JSON.stringify({ error: report }), { status: 401, requestId: secret }, [secret]);
    expect(JSON.stringify(error)).not.toContain(secret);
    expect(error).toMatchObject({ message: '401 key ***', code: '***', requestId: '***' });
  });

  it('of two hundred kilobytes has a short message', () => {
    expect(errorFromHttp(`<html>${'<p>Bad gateway</p>'.repeat(12_000)}`, FACTS).message.length).toBeLessThan(150);
    expect(errorFromHttp(JSON.stringify({ error: { message: 'x'.repeat(200_000) } }), FACTS).message).toHaveLength(500);
  });

  it('is typed however deep its body is nested', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"error":', '}'],
      ['{"errors":[', ']}'],
    ] as const) {
      expect(errorFromHttp(open.repeat(20_000) + '1' + close.repeat(20_000), FACTS).kind).toBe('rate-limit');
    }
  });

  it('is typed whatever its body is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (body) => {
        expect(errorFromHttp(body, FACTS)).toMatchObject({ status: 429, requestId: 'req_1' });
        expect(['rate-limit', 'quota', 'too-large']).toContain(errorFromHttp(body, FACTS).kind);
      }),
    );
  });
});

describe('an error in a body', () => {
  it('says so, and stands for the status it names, not for the 200 it came in', () => {
    expect(errorFromBody({ error: { message: 'No', code: 404 } }, { status: 200, requestId: 'req_1' })).toMatchObject({
      message: 'The server reported an error in its answer: No',
      kind: 'not-found',
      status: 404,
      requestId: 'req_1',
    });
    expect(errorFromBody({ error: { message: 'No' } }, { status: 200 })).not.toHaveProperty('status');
  });

  it('is typed whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        expect(errorFromBody(body, {})).toHaveProperty('kind');
      }),
    );
  });
});

describe('an excerpt', () => {
  it('is short, and free of markup and secrets', () => {
    expect(excerpt(`<b>key</b> my-own-secret ${'x'.repeat(500)}`, ['my-own-secret'])).toMatch(/^key \*\*\* x+…$/);
    expect(excerpt('x'.repeat(500))).toHaveLength(120);
  });

  it('shows no part of a secret behind however much markup', () => {
    const secret = 'Zx9-very-secret-value';
    for (let before = 4050; before < 4110; before++) {
      expect(excerpt('<br>'.repeat(1000) + 'x'.repeat(before - 4000) + secret, [secret])).not.toContain('Zx9-');
    }
  });
});

it('parseJson never throws', () => {
  expect(parseJson('{"a":1}')).toEqual({ a: 1 });
  for (const text of ['', '{', 'undefined', '{"a":1}}']) expect(parseJson(text)).toBeUndefined();
});

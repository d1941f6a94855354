import { inspect } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { OpenAIError } from 'openai/core/error';
import {
  COMPLETION_ERROR_KINDS,
  CompletionError,
  configurationError,
  describe as describeError,
  isCompletionError,
  maskedCause,
  withDetails,
  type CompletionErrorDetails,
} from '../src/errors.ts';

const KEY = 'sk-proj-abcdefgh12345678';
const PARTIAL = { text: 'what the model said', reasoning: '', refusal: '', toolCalls: [] };
const FULL: CompletionErrorDetails = {
  kind: 'rate-limit',
  retryable: true,
  status: 429,
  code: 'rate_limit_exceeded',
  type: 'requests',
  param: 'model',
  requestId: 'req_1',
  retryAfterMs: 1500,
  clock: 'idle',
  attempts: 2,
  previous: [new CompletionError('first', { kind: 'server' })],
  partial: PARTIAL,
  cause: new Error('why'),
};

describe('a CompletionError', () => {
  it('is an OpenAIError and an Error, with the name of its class', () => {
    const error = new CompletionError('no', { kind: 'server' });
    expect(error).toBeInstanceOf(OpenAIError);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe('CompletionError: no');
    expect(error.stack).toContain('errors.test.ts');
  });

  it('knows what it was told, and has no field for what nobody knows', () => {
    expect(new CompletionError('no', FULL)).toMatchObject(FULL);
    const bare = new CompletionError('no', { kind: 'server' });
    expect(Object.keys(bare).sort()).toEqual(['kind', 'retryable']);
    expect(bare).toMatchObject({ retryable: false, partial: { text: '', reasoning: '', refusal: '', toolCalls: [] } });
    expect('cause' in bare).toBe(false);
  });

  it('has a message of one masked, short line', () => {
    const { message } = new CompletionError(`bad\r\nkey\u0000 ${KEY}\u001b[31m ${'x'.repeat(1000)}`, {
      kind: 'server',
    });
    expect(message).toMatch(/^bad key \*\*\* x+…$/);
    expect(message).toHaveLength(500);
  });

  it('is JSON with its message and fields, without partial and cause', () => {
    const json = JSON.stringify(new CompletionError(`bad ${KEY}`, FULL));
    expect(JSON.parse(json)).toEqual({
      name: 'CompletionError',
      message: 'bad ***',
      kind: 'rate-limit',
      retryable: true,
      status: 429,
      code: 'rate_limit_exceeded',
      type: 'requests',
      param: 'model',
      requestId: 'req_1',
      retryAfterMs: 1500,
      clock: 'idle',
      attempts: 2,
      previous: [{ name: 'CompletionError', message: 'first', kind: 'server', retryable: false }],
    });
  });

  it.each<[string, (error: CompletionError) => string]>([
    ['String', String],
    ['JSON.stringify', (error) => JSON.stringify({ error, again: [error] })],
    ['util.inspect', (error) => inspect(error, { depth: 9 })],
    ['a copy of its fields', (error) => inspect(Object.assign({}, error)) + JSON.stringify(Object.entries(error))],
  ])('shows neither key nor partial to %s', (_name, show) => {
    const shown = show(new CompletionError(`bad ${KEY}`, { ...FULL, cause: maskedCause(new Error(`bad ${KEY}`)) }));
    expect(shown).not.toContain('abcdefgh');
    expect(shown).not.toContain('what the model said');
  });

  it('cannot be made to say something else', () => {
    const error = new CompletionError('no', FULL);
    expect(() => {
      Object.assign(error, { status: 200 });
    }).toThrow(TypeError);
    expect(() => {
      Object.assign(error, { partial: undefined });
    }).toThrow(TypeError);
  });
});

describe('isCompletionError', () => {
  it('knows those of another copy of the package, of which they are no instance', async () => {
    await jest.isolateModulesAsync(async () => {
      const copy = await import('../src/errors.ts');
      const foreign = new copy.CompletionError('no', { kind: 'server' });
      expect(foreign instanceof CompletionError).toBe(false);
      expect(isCompletionError(foreign)).toBe(true);
      expect(copy.isCompletionError(new CompletionError('no', { kind: 'server' }))).toBe(true);
    });
  });

  it('knows those of another realm by name and kind', () => {
    const source = `Object.assign(new Error('no'), { name: 'CompletionError', kind: 'server' })`;
    expect(isCompletionError(runInContext(source, createContext({})))).toBe(true);
    for (const kind of COMPLETION_ERROR_KINDS) expect(isCompletionError({ name: 'CompletionError', kind })).toBe(true);
  });

  it.each([
    [undefined],
    [null],
    ['CompletionError'],
    [0],
    [() => undefined],
    [{}],
    [new Error('no')],
    [new OpenAIError('no')],
    [{ name: 'CompletionError' }],
    [{ name: 'CompletionError', kind: 'unknown' }],
    [{ name: 'Error', kind: 'server' }],
  ])('does not take %p for one', (value) => {
    expect(isCompletionError(value)).toBe(false);
  });
});

describe('withDetails', () => {
  it('is the same error with more known; the original stays as it was', () => {
    const original = new CompletionError('no', { ...FULL, attempts: 1 });
    const copy = withDetails(original, { attempts: 3, partial: { ...PARTIAL, text: 'more' } });
    expect(copy).toMatchObject({ ...FULL, message: 'no', attempts: 3, partial: { ...PARTIAL, text: 'more' } });
    expect(copy.stack).toBe(original.stack);
    expect(isCompletionError(copy)).toBe(true);
    expect(original).toMatchObject({ attempts: 1, partial: PARTIAL });
  });

  it('invents nothing', () => {
    const copy = withDetails(new CompletionError('no', { kind: 'aborted' }), {});
    expect(Object.keys(copy).sort()).toEqual(['kind', 'retryable']);
    expect('cause' in copy).toBe(false);
  });
});

it('a configuration error names its option', () => {
  const error = configurationError('apiKey is missing', 'apiKey');
  expect(error).toMatchObject({ kind: 'configuration', param: 'apiKey', retryable: false });
});

/** As undici nests them. */
function fetchFailed(cause: unknown): TypeError {
  return new TypeError('fetch failed', { cause });
}
const withCode = (message: string, code: string): Error => Object.assign(new Error(message), { code });

describe('what a foreign error says of itself', () => {
  it.each<[string, unknown, Partial<ReturnType<typeof describeError>>]>([
    [
      'a refused connection',
      fetchFailed(withCode('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED')),
      { name: 'TypeError', message: 'connect ECONNREFUSED 127.0.0.1:1', code: 'ECONNREFUSED' },
    ],
    [
      'a refused connection to several addresses',
      fetchFailed(
        Object.assign(new AggregateError([withCode('connect ECONNREFUSED ::1:1', 'ECONNREFUSED')]), {
          code: 'ECONNREFUSED',
        }),
      ),
      { message: 'connect ECONNREFUSED ::1:1', code: 'ECONNREFUSED' },
    ],
    [
      'silence before the headers',
      fetchFailed(withCode('Headers Timeout Error', 'UND_ERR_HEADERS_TIMEOUT')),
      { message: 'Headers Timeout Error', code: 'UND_ERR_HEADERS_TIMEOUT' },
    ],
    [
      'a connection lost in the body',
      new TypeError('terminated', { cause: withCode('other side closed', 'UND_ERR_SOCKET') }),
      { name: 'TypeError', message: 'terminated', code: 'UND_ERR_SOCKET' },
    ],
    [
      'a bad certificate',
      fetchFailed(withCode('self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT')),
      { message: 'self-signed certificate', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    ],
    [
      'an HTTP error of the SDK',
      Object.assign(new Error('400 no'), { status: 400 }),
      { message: '400 no', status: 400 },
    ],
    [
      'the outermost status and the innermost code',
      Object.assign(new Error('a', { cause: Object.assign(withCode('b', 'INNER'), { status: 2 }) }), {
        status: 1,
        code: 'OUTER',
      }),
      { message: 'a', status: 1, code: 'INNER' },
    ],
    [
      'a DOMException',
      new DOMException('This operation was aborted', 'AbortError'),
      { name: 'AbortError', code: undefined },
    ],
    ['an error with a code alone', { code: 'EPIPE' }, { message: 'EPIPE', code: 'EPIPE' }],
    ['a text', 'just text', { name: 'Error', message: 'just text' }],
    ['an empty error', new RangeError(), { message: 'RangeError' }],
    ['nothing to read', 42, { name: 'Error', message: 'Error', code: undefined, status: undefined }],
    ['null', null, { message: 'Error' }],
  ])('%s', (_name, error, expected) => {
    expect(describeError(error)).toMatchObject(expected);
  });

  it('ends, also where causes go round', () => {
    const error = new Error('') as Error & { cause?: unknown };
    error.cause = error;
    expect(describeError(error)).toMatchObject({ message: 'Error' });
  });
});

describe('maskedCause', () => {
  it('is a copy with name, message, code and status, and nothing else', () => {
    const foreign = Object.assign(new TypeError(`Bearer ${KEY} is bad\n${KEY}`), {
      code: 'E_CODE',
      status: 401,
      headers: { authorization: `Bearer ${KEY}` },
      request: { body: 'prompt' },
    });
    const cause = maskedCause(foreign);
    expect(cause).toBeInstanceOf(Error);
    expect(cause).not.toBe(foreign);
    expect(Object.entries(cause ?? {})).toEqual([
      ['code', 'E_CODE'],
      ['status', 401],
    ]);
    expect(String(cause)).toBe('TypeError: Bearer *** is bad ***');
    expect(cause?.stack).toBe('TypeError: Bearer *** is bad ***');
    expect(inspect(cause, { showHidden: true })).not.toMatch(/abcdefgh|prompt/);
  });

  it('masks given secrets in name, message and code', () => {
    const secret = 'my-own-secret';
    const cause = maskedCause({ name: `E ${secret}`, message: `m ${secret}`, code: `c ${secret}` }, [secret]);
    expect(inspect(cause, { showHidden: true })).not.toContain(secret);
    expect(cause).toMatchObject({ name: 'E ***', message: 'm ***', code: 'c ***' });
  });

  it('of nothing is nothing', () => {
    expect(maskedCause(undefined)).toBeUndefined();
    expect(maskedCause(null)).toBeUndefined();
  });
});

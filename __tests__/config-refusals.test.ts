import { inspect } from 'node:util';
import { OpenAIChatCompletion } from '../src/chat-completion.ts';
import type { ChatCompletionOptions } from '../src/config.ts';
import type { Environment } from '../src/platform.ts';
import { platformWith, thrownBy } from './support/client.ts';

const SECRET = 'sk-4f7Qm2Zx9LwVt0Rb8Yc3';

const clientOf = (option: ChatCompletionOptions, process: Environment = {}): OpenAIChatCompletion =>
  new OpenAIChatCompletion({ envFile: false, ...option }, platformWith(process));

describe('wrong options are thrown by the constructor, which names them and quotes no value', () => {
  const key = { apiKey: SECRET };
  const hooks = { onRequest: 1 };
  it.each<[string, object, string, RegExp]>([
    ['a key with a line break inside', { apiKey: `${SECRET}\n${SECRET}` }, 'apiKey', /apiKey.*control character/],
    ['a key with NUL', { apiKey: `${SECRET}\0x` }, 'apiKey', /control character/],
    ['a key outside Latin-1', { apiKey: `${SECRET}✓` }, 'apiKey', /no HTTP header can carry/],
    ['a key that is no string', { apiKey: 7 }, 'apiKey', /string/],
    ['an organization with a line break', { ...key, organization: 'a\nb' }, 'organization', /organization/],
    ['a project with a line break', { ...key, project: 'a\nb' }, 'project', /project/],
    ['a header value with a line break', { ...key, headers: { 'x-key': `a\r\n${SECRET}` } }, 'headers', /x-key/],
    ['a header value that is no string', { ...key, headers: { 'x-key': 7 } }, 'headers', /x-key/],
    ['a header name with a blank', { ...key, headers: { 'x key': SECRET } }, 'headers', /header name/],
    ['headers that are a list', { ...key, headers: [] }, 'headers', /object/],
    ['a baseURL that is none', { ...key, baseURL: 'api.openai.com' }, 'baseURL', /not a valid address/],
    ['a baseURL of another protocol', { ...key, baseURL: 'ftp://files.test' }, 'baseURL', /http/],
    ['a relative baseURL in Node', { ...key, baseURL: '/api' }, 'baseURL', /not a valid address/],
    ['a baseURL with a password', { ...key, baseURL: `http://me:${SECRET}@host.test` }, 'baseURL', /password/],
    ['a baseURL with a query', { ...key, baseURL: `http://host.test/v1?key=${SECRET}` }, 'baseURL', /query/],
    ['a baseURL with a fragment', { ...key, baseURL: 'http://host.test/v1#x' }, 'baseURL', /query/],
    ['an empty model', { ...key, model: ' ' }, 'model', /model is empty/],
    ['a temperature above 2', { ...key, temperature: 2.1 }, 'temperature', /0 to 2/],
    ['a temperature below 0', { ...key, temperature: -0.1 }, 'temperature', /0 to 2/],
    ['a temperature that is no number', { ...key, temperature: NaN }, 'temperature', /0 to 2/],
    ['a temperature without end', { ...key, temperature: Infinity }, 'temperature', /0 to 2/],
    ['a temperature as text', { ...key, temperature: '1' }, 'temperature', /0 to 2/],
    ['maxEventBytes of 0', { ...key, maxEventBytes: 0 }, 'maxEventBytes', /at least 1/],
    ['maxEventBytes of a half', { ...key, maxEventBytes: 0.5 }, 'maxEventBytes', /whole number/],
    ['a clock of 0', { ...key, timeout: { idleMs: 0 } }, 'timeout.idleMs', /positive/],
    ['a clock that is no number', { ...key, timeout: { connectMs: '5' } }, 'timeout.connectMs', /positive/],
    ['a clock that is unknown', { ...key, timeout: { idle: 5 } }, 'idle', /did you mean idleMs/],
    ['a clock that is not a number', { ...key, timeout: { outputMs: NaN } }, 'timeout.outputMs', /positive/],
    ['a clock that runs backwards', { ...key, timeout: { totalMs: -1 } }, 'timeout.totalMs', /positive/],
    ['a clock that is true', { ...key, timeout: { totalMs: true } }, 'timeout.totalMs', /or false/],
    ['a clock that is misspelt', { ...key, timeout: { totalMS: 5 } }, 'totalMS', /did you mean totalMs/],
    ['a timeout that is a list', { ...key, timeout: [] }, 'timeout', /object/],
    ['a timeout that is a number', { ...key, timeout: 5 }, 'timeout', /object/],
    ['a retry that is a number', { ...key, retry: 5 }, 'retry', /\{ maxRetries: 5 \}, or false/],
    ['a retry that is true', { ...key, retry: true }, 'retry', /or false/],
    ['a retry that is null', { ...key, retry: null }, 'retry', /object/],
    ['a retry that is a list', { ...key, retry: [] }, 'retry', /object/],
    ['a part of a retry', { ...key, retry: { maxRetries: 1.5 } }, 'retry.maxRetries', /whole number, at least 0/],
    ['fewer retries than none', { ...key, retry: { maxRetries: -1 } }, 'retry.maxRetries', /at least 0/],
    ['retries as text', { ...key, retry: { maxRetries: '2' } }, 'retry.maxRetries', /number/],
    ['retries that are no number', { ...key, retry: { maxRetries: NaN } }, 'retry.maxRetries', /number/],
    ['a pause below 0', { ...key, retry: { baseDelayMs: -1 } }, 'retry.baseDelayMs', /at least 0/],
    ['a longest pause that is no number', { ...key, retry: { maxDelayMs: NaN } }, 'retry.maxDelayMs', /at least 0/],
    ['more chance than there is', { ...key, retry: { jitter: 1.01 } }, 'retry.jitter', /from 0 to 1/],
    ['less chance than none', { ...key, retry: { jitter: -0.1 } }, 'retry.jitter', /from 0 to 1/],
    ['a Retry-After below 0', { ...key, retry: { maxRetryAfterMs: -1 } }, 'retry.maxRetryAfterMs', /at least 0/],
    ['a rule that is none', { ...key, retry: { when: true } }, 'retry.when', /function/],
    ['chance that is none', { ...key, retry: { random: 0.5 } }, 'retry.random', /function/],
    ['a mode that is unknown', { ...key, retry: { mode: 'always' } }, 'retry.mode', /'before-output' or 'restart'/],
    [
      'a misspelt option of retry',
      { ...key, retry: { maxRetrys: 1 } },
      'maxRetrys',
      /retry; did you mean maxRetries\?/,
    ],
    ['an option retry has not', { ...key, retry: { scheduler: {} } }, 'scheduler', /retry; known are baseDelayMs/],
    ['a log level that is unknown', { ...key, logLevel: 'loud' }, 'logLevel', /off, error, warn, info, debug/],
    ['a logger without warn', { ...key, logger: { error: hooks, info: hooks } }, 'logger', /logger/],
    ['a scheduler that is none', { ...key, scheduler: {} }, 'scheduler', /schedule/],
    ['a hook that is no function', { ...key, hooks }, 'hooks', /onRequest/],
    [
      'a hook that is unknown',
      { ...key, hooks: { onRequests: () => undefined } },
      'onRequests',
      /did you mean onRequest/,
    ],
    ['a hook for retries that is none', { ...key, hooks: { onRetry: true } }, 'hooks', /onRetry/],
    ['a fetch that is none', { ...key, fetch: 'node-fetch' }, 'fetch', /function/],
    ['a transport that is none', { transport: {} }, 'transport', /fetchTransport/],
    ['a baseURL beside a transport', { transport: () => hooks, baseURL: 'http://x' }, 'baseURL', /no effect/],
    ['a fetch beside a transport', { transport: () => hooks, fetch: () => hooks }, 'fetch', /no effect/],
    ['an envFile that is a number', { ...key, envFile: 1 }, 'envFile', /path/],
    ['an envFile that is true', { ...key, envFile: true }, 'envFile', /false/],
    ['an envFile that is not there', { ...key, envFile: '/nowhere/.env' }, 'envFile', /ENOENT/],
    ['a misspelt option', { apikey: SECRET }, 'apikey', /did you mean apiKey\?/],
    ['another misspelt option', { ...key, baseUrl: 'http://x' }, 'baseUrl', /did you mean baseURL\?/],
    ['an option of the SDK', { ...key, maxRetries: 1 }, 'maxRetries', /known are apiKey, model/],
  ])('%s', (_, option, param, message) => {
    const error = thrownBy(() => clientOf(option));
    expect(error).toMatchObject({ kind: 'configuration', retryable: false, param });
    expect(error.message).toMatch(message);
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain(SECRET);
  });

  it.each([
    ['OPENAI_API_KEY', `${SECRET}\n${SECRET}`],
    ['OPENAI_ORG_ID', `a\n${SECRET}`],
    ['OPENAI_BASE_URL', `a\n${SECRET}`],
  ])('variables too: %s', (name, value) => {
    const error = thrownBy(() => clientOf({}, { OPENAI_API_KEY: 'from-process', [name]: value }));
    expect(error).toMatchObject({ kind: 'configuration', param: name });
    expect(inspect(error)).not.toContain(SECRET);
  });

  it.each([null, 'sk-key', 7, []])('options that are %p', (options) => {
    expect(thrownBy(() => new OpenAIChatCompletion(options as never, platformWith({})))).toMatchObject({
      kind: 'configuration',
    });
  });
});

describe('options of retry and timeout that are at the edge are taken', () => {
  it.each<[string, ChatCompletionOptions]>([
    ['no retries', { retry: false }],
    ['no retries, in numbers', { retry: { maxRetries: 0 } }],
    ['retries without end', { retry: { maxRetries: Infinity } }],
    ['no pause', { retry: { baseDelayMs: 0, maxDelayMs: 0 } }],
    ['no Retry-After, or any', { retry: { maxRetryAfterMs: Infinity } }],
    ['no chance', { retry: { jitter: 0 } }],
    ['nothing but chance', { retry: { jitter: 1 } }],
    ['what is undefined', { retry: { maxRetries: undefined, when: undefined, mode: undefined }, timeout: undefined }],
    ['a restart', { retry: { mode: 'restart' } }],
    ['no clocks', { timeout: false }],
    ['clocks of part of a millisecond', { timeout: { outputMs: 0.5, totalMs: 0.5 } }],
    ['clocks that never end', { timeout: { outputMs: Infinity, totalMs: Infinity } }],
    ['each clock off', { timeout: { connectMs: false, idleMs: false, outputMs: false, totalMs: false } }],
  ])('%s', (_, option) => {
    expect(() => clientOf({ apiKey: SECRET, ...option })).not.toThrow();
  });
});

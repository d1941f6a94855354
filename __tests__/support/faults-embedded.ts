/** Errors that stand where an answer should, under the status 200. */
import { fault, PROTOCOL, type ExpectedError, type Fault } from './faults.ts';
import { answer, chunk, event, finish, head, json, say, script, stream, text, hang } from './faults-steps.ts';

const reported = (name: string, body: unknown, error: ExpectedError): Fault =>
  fault(name, stream(text('so far'), event(body), text('never shown'), finish()), 'so far', { error });

const SERVER = { kind: 'server', retryable: true } as const;

const REPORTS: readonly Fault[] = [
  reported(
    'code 429',
    { error: { message: 'slow down', code: 429 } },
    { kind: 'rate-limit', retryable: true, status: 429, code: '429' },
  ),
  reported('code "502"', { error: { message: 'upstream', code: '502' } }, { ...SERVER, status: 502, code: '502' }),
  reported(
    'rate_limit_exceeded',
    { error: { message: 'slow down', type: 'tokens', code: 'rate_limit_exceeded' } },
    { kind: 'rate-limit', retryable: true, status: 429, code: 'rate_limit_exceeded', type: 'tokens' },
  ),
  reported(
    'insufficient_quota',
    { error: { message: 'pay', type: 'insufficient_quota', code: 'insufficient_quota' } },
    { kind: 'quota', retryable: false, code: 'insufficient_quota', type: 'insufficient_quota' },
  ),
  reported(
    'invalid_api_key',
    { error: { message: 'who?', code: 'invalid_api_key' } },
    { kind: 'authentication', retryable: false, status: 401, code: 'invalid_api_key' },
  ),
  reported(
    'context_length_exceeded',
    { error: { message: 'long', type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded' } },
    {
      kind: 'too-large',
      retryable: false,
      status: 400,
      code: 'context_length_exceeded',
      type: 'invalid_request_error',
      param: 'messages',
    },
  ),
  reported(
    'overloaded_error',
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    { ...SERVER, status: 503, type: 'overloaded_error' },
  ),
  reported('a message alone', { error: { message: 'something broke' } }, SERVER),
  reported('a string', { error: 'something broke' }, SERVER),
  reported(
    'object "error"',
    { object: 'error', message: 'bad', type: 'BadRequestError', param: null, code: 400 },
    { kind: 'bad-request', retryable: false, status: 400, code: '400', type: 'BadRequestError' },
  ),
  reported(
    'an error of a choice',
    { choices: [{ index: 0, delta: {}, finish_reason: 'error', error: { code: 502, message: 'provider' } }] },
    { ...SERVER, status: 502, code: '502' },
  ),
  reported('finish_reason "error"', { choices: [{ index: 0, delta: {}, finish_reason: 'error' }] }, SERVER),
];

const NAMED = (data: string): Fault['answer'] =>
  stream(text('so far'), `event: error\n${event(data)}`, text('never'), finish());

export const EMBEDDED: readonly Fault[] = [
  ...REPORTS.map((row) => ({ ...row, name: `an error inside the stream: ${row.name}` })),
  fault('event: error with a report', NAMED('{"message":"slow down","code":429}'), 'so far', {
    error: { kind: 'rate-limit', retryable: true, status: 429, code: '429' },
  }),
  fault('event: error with plain text', NAMED('something broke'), 'so far', {
    error: SERVER,
    message: /something broke/,
  }),
  fault(
    'an error inside the stream, the connection left open',
    script(head(), say(text('so far'), event({ error: { message: 'x' } })), hang),
    'so far',
    { error: SERVER, endings: ['aborted'] },
  ),
  fault(
    'malformed JSON',
    script(head(), say(text('so far'), 'data: {"choices":[{]}\n\n', text('never shown')), hang),
    'so far',
    { error: PROTOCOL, message: /"choices":\[\{\]/, endings: ['aborted'] },
  ),
  fault('an event of plain text', stream(text('so far'), event('Internal error'), finish()), 'so far', {
    error: PROTOCOL,
    message: /Internal error/,
  }),
  fault('an event of a number', stream(event('42'), finish()), '', { error: PROTOCOL }),
  fault(
    'a JSON error in place of the stream',
    json(200, { error: { message: 'no such model', code: 'model_not_found' } }),
    '',
    {
      error: { kind: 'not-found', retryable: false, status: 404, code: 'model_not_found' },
      message: /no such model/,
    },
  ),
  fault(
    'an HTML page in place of the stream',
    answer(200, 'text/html', '<html><style>b{}</style><body><h1>Sign in</h1></body></html>'),
    '',
    {
      error: PROTOCOL,
      message: /Sign in/,
      never: /<h1>|b\{\}/,
    },
  ),
  fault('a string in place of the stream', json(200, 'hello'), '', { error: PROTOCOL }),
  fault('an object in place of the stream', json(200, {}), '', { error: PROTOCOL }),
  fault('a cut JSON document in place of the stream', answer(200, 'application/json', '{"choices":[{"mess'), '', {
    error: { kind: 'interrupted', retryable: true },
  }),
  fault('an empty 204 in place of the stream', ({ response }) => void response.writeHead(204).end(), '', {
    error: { kind: 'interrupted', retryable: true },
  }),
  fault('a completion without choices in a chunk of its own', stream(chunk({ choices: [] })), '', {
    error: { kind: 'interrupted', retryable: true },
  }),
];

/** Answers to a request that does not stream. */
import { gzipSync } from 'node:zlib';
import { fault, INTERRUPTED, PROTOCOL, type Fault } from './faults.ts';
import {
  answer,
  completion,
  cut,
  drip,
  end,
  hang,
  head,
  json,
  reset,
  say,
  script,
  sentence,
  stream,
} from './faults-steps.ts';

const TEXT = 'Hello, wörld ✓';
const WHOLE = JSON.stringify(completion(TEXT));
const JSON_HEAD = { 'content-type': 'application/json' };
const none = (name: string, respond: Fault['answer'], message?: RegExp): Fault =>
  fault(name, respond, '', { error: PROTOCOL, ...(message === undefined ? undefined : { message }) });

export const DOCUMENTS: readonly Fault[] = [
  fault('a completion', answer(200, 'application/json', WHOLE), TEXT),
  fault('a completion one byte at a time', script(head(JSON_HEAD), drip(WHOLE, 1), end), TEXT),
  fault(
    'a completion as gzip',
    script(head({ ...JSON_HEAD, 'content-encoding': 'gzip' }), say(gzipSync(WHOLE)), end),
    TEXT,
  ),
  fault(
    'a completion after a byte order mark and blanks',
    answer(200, 'application/json', `\ufeff \n${WHOLE}\n`),
    TEXT,
  ),
  fault('a completion of another Content-Type', answer(200, 'text/plain', WHOLE), TEXT),
  fault('content null', json(200, completion(null)), ''),
  fault('content as parts', json(200, completion(null, {}, { content: [{ type: 'text', text: TEXT }] })), TEXT),
  fault('an answer cut at the token limit', json(200, completion(TEXT, { finish_reason: 'length' })), TEXT),
  none('an empty body', answer(200, 'application/json', ''), /empty body/),
  none('an empty object', json(200, {}), /\{\}/),
  none('null', json(200, null), /null/),
  none('a number', json(200, 42)),
  none('a string', json(200, 'hello'), /hello/),
  none('a list', json(200, [])),
  none('no choices', json(200, { id: 'x', object: 'chat.completion' })),
  none('an empty list of choices', json(200, { choices: [] })),
  none('choices null', json(200, { choices: null })),
  none('malformed JSON', answer(200, 'application/json', '{"choices": nope}')),
  none('plain text', answer(200, 'text/plain', 'It works!'), /It works!/),
  none('an HTML page', answer(200, 'text/html', '<html><body><h1>Sign in</h1></body></html>'), /Sign in/),
  none('an event stream', stream(sentence('Hello'))),
  fault('204', ({ response }) => void response.writeHead(204).end(), '', { error: { ...PROTOCOL, status: 204 } }),
  fault('a JSON error', json(200, { error: { message: 'slow down', code: 429 } }), '', {
    error: { kind: 'rate-limit', retryable: true, status: 429, code: '429' },
    message: /slow down/,
  }),
  fault('object "error"', json(200, { object: 'error', message: 'bad', code: 400 }), '', {
    error: { kind: 'bad-request', retryable: false, status: 400, code: '400' },
  }),
  fault(
    'an error of a choice',
    json(200, { choices: [{ index: 0, error: { code: 502, message: 'up' }, finish_reason: 'error' }] }),
    '',
    {
      error: { kind: 'server', retryable: true, status: 502, code: '502' },
    },
  ),
  fault('a body that ends in the middle', answer(200, 'application/json', WHOLE.slice(0, 90)), '', {
    error: INTERRUPTED,
  }),
  fault(
    'a body shorter than its length',
    script(head({ ...JSON_HEAD, 'content-length': WHOLE.length * 2 }), say(WHOLE.slice(0, 90)), cut),
    '',
    {
      error: { ...INTERRUPTED, code: 'UND_ERR_SOCKET' },
      endings: ['cut'],
    },
  ),
  fault(
    'a body cut after a whole document',
    script(head({ ...JSON_HEAD, 'content-length': WHOLE.length * 2 }), say(WHOLE), cut),
    '',
    {
      error: { ...INTERRUPTED, code: 'UND_ERR_SOCKET' },
      endings: ['cut'],
    },
  ),
  fault('a connection reset after the headers', script(head(JSON_HEAD), reset), '', {
    error: { ...INTERRUPTED, code: 'ECONNRESET' },
    endings: ['cut'],
  }),
  fault('a body beyond the limit', script(head(JSON_HEAD), say(`{"choices":["${'x'.repeat(70_000)}`), hang), '', {
    error: { kind: 'limit', retryable: false },
    message: /65536 bytes; raise maxEventBytes/,
    endings: ['aborted'],
    options: { maxEventBytes: 65_536 },
  }),
];

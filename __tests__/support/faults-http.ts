/** Answers with an error status: the same error, streaming or not. */
import { gzipSync } from 'node:zlib';
import { fault, type ExpectedError, type Fault } from './faults.ts';
import { answer, cut, head, json, say, script, type Step } from './faults-steps.ts';

const openai = (message: string, fields: object = {}): object => ({
  error: { message, type: 'invalid_request_error', param: null, code: null, ...fields },
});
const TYPE = { type: 'invalid_request_error' } as const;

const refused = (name: string, respond: Fault['answer'], error: ExpectedError, rest: Partial<Fault> = {}): Fault =>
  fault(name, respond, '', { error, ...rest });

const status = (code: number, kind: ExpectedError['kind'], retryable = false): Fault =>
  refused(
    String(code),
    json(code, openai('no')),
    { kind, retryable, status: code, ...TYPE },
    { message: new RegExp(`^${String(code)} no$`) },
  );

const STATUSES: readonly Fault[] = [
  status(400, 'bad-request'),
  status(401, 'authentication'),
  status(402, 'quota'),
  status(403, 'permission'),
  status(404, 'not-found'),
  status(405, 'bad-request'),
  status(408, 'server', true),
  status(409, 'server', true),
  status(413, 'too-large'),
  status(418, 'bad-request'),
  status(422, 'bad-request'),
  status(429, 'rate-limit', true),
  status(500, 'server', true),
  status(502, 'server', true),
  status(503, 'server', true),
  status(504, 'server', true),
  status(529, 'server', true),
];

const PAGE = `<!doctype html><html><head><style>body{color:red}</style></head><body><h1>502 Bad Gateway</h1>${'<p>nginx</p>'.repeat(20_000)}</body></html>`;
const SERVER_500 = { kind: 'server', retryable: true, status: 500 } as const;

const BODIES: readonly Fault[] = [
  refused(
    '401 with a code and a request id',
    json(401, openai('Incorrect API key', { code: 'invalid_api_key' }), { 'x-request-id': 'req_1' }),
    { kind: 'authentication', retryable: false, status: 401, code: 'invalid_api_key', requestId: 'req_1', ...TYPE },
  ),
  refused(
    '429 for want of credit',
    json(429, openai('pay', { type: 'insufficient_quota', code: 'insufficient_quota' })),
    { kind: 'quota', retryable: false, status: 429, code: 'insufficient_quota', type: 'insufficient_quota' },
  ),
  refused(
    '400 for a long prompt',
    json(400, openai('too long', { code: 'context_length_exceeded', param: 'messages' })),
    { kind: 'too-large', retryable: false, status: 400, code: 'context_length_exceeded', param: 'messages', ...TYPE },
  ),
  refused(
    'an HTML page of 240 kB',
    answer(502, 'text/html', PAGE),
    { kind: 'server', retryable: true, status: 502 },
    { message: /^502 502 Bad Gateway nginx/, never: /<|color|.{501}/, anyEnding: true },
  ),
  refused(
    'an error body of a mebibyte',
    script(
      head({ 'content-type': 'text/plain' }, 500),
      say('x'.repeat(1024 * 1024)),
      ({ response }) => void response.end(),
    ),
    SERVER_500,
    { message: /^500 x{100,}…$/, never: /.{501}/, anyEnding: true },
  ),
  refused(
    'an error body without end',
    script(head({ 'content-type': 'text/plain' }, 500), endless('no '.repeat(1000))),
    SERVER_500,
    { message: /^500 no no/, endings: ['aborted'] },
  ),
  refused(
    'an error body cut off',
    script(head({ 'content-type': 'application/json', 'content-length': 500 }, 500), say('{"error":{"mess'), cut),
    SERVER_500,
    { endings: ['cut'] },
  ),
  refused(
    'an error without a body',
    ({ response }) => void response.writeHead(503).end(),
    { kind: 'server', retryable: true, status: 503 },
    { message: /^503 no body$/ },
  ),
  refused(
    'an error as gzip',
    ({ response }) =>
      void response
        .writeHead(400, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync(JSON.stringify(openai('zipped')))),
    { kind: 'bad-request', retryable: false, status: 400, ...TYPE },
    { message: /^400 zipped$/ },
  ),
  refused(
    'escape sequences and line breaks',
    json(400, openai('a\u001b[31mred\u001b[0m\r\nb\u0000c')),
    { kind: 'bad-request', retryable: false, status: 400, ...TYPE },
    { message: /^400 ared b c$/ },
  ),
  refused(
    'a list of one report',
    json(400, [{ error: { code: 400, message: 'API key not valid', status: 'INVALID_ARGUMENT' } }]),
    { kind: 'bad-request', retryable: false, status: 400, code: '400' },
    { message: /API key not valid/ },
  ),
  refused(
    'a detail of FastAPI',
    json(422, { detail: [{ loc: ['body', 'messages'], msg: 'field required', type: 'value_error' }] }),
    { kind: 'bad-request', retryable: false, status: 422 },
    { message: /body\.messages: field required/ },
  ),
  refused('a string as error', json(500, { error: 'out of memory' }), SERVER_500, { message: /out of memory/ }),
  refused(
    'a bare message',
    json(404, { message: 'no route' }),
    { kind: 'not-found', retryable: false, status: 404 },
    { message: /no route/ },
  ),
  refused('an event stream as error body', answer(400, 'text/event-stream', 'data: {"error":"x"}\n\n'), {
    kind: 'bad-request',
    retryable: false,
    status: 400,
  }),
];

function endless(piece: string): Step {
  return async ({ write, response }) => {
    while (!response.destroyed) {
      await write(piece);
      await new Promise(setImmediate);
    }
  };
}

export const HTTP: readonly Fault[] = [...STATUSES, ...BODIES];

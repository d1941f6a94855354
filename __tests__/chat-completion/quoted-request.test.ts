import { inspect } from 'node:util';
import { CompletionError } from '../../src/index.ts';
import { CLIENTS, errorOf, HandClock, outcomeOf, recordedFetch, recordingLogger, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import { completion, cut, event, head, inTurn, json, say, script, text, whole } from '../support/faults-steps.ts';
import { patient } from './patient.ts';

const PROMPT = 'My account number is 0123 456789';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

/** Refuses a request as often as it comes. */
const refusing = (error: (body: string) => object): Handler => {
  return (exchange) => json(400, { error: error(exchange.seen.body) })(exchange);
};

describe.each(CLIENTS)('a 400 that quotes the request, over the $name transport,', ({ client }) => {
  it.each<[string, (body: string) => object]>([
    ['whole', (body) => ({ message: `Invalid request: ${body}` })],
    ['in few words', () => ({ message: 'Cannot read {"temperature":0.7,"stream_options":{"include_usage":true}}' })],
    ['with blanks', () => ({ message: 'In { "temperature": 0.7, "stream_options" : { "include_usage": true } }' })],
    [
      'as another language writes it',
      () => ({ message: "{'temperature': 0.7, 'stream_options': {'include_usage': True}}" }),
    ],
    ['beside another parameter', (body) => ({ message: `temperature? ${body}`, param: 'messages' })],
  ])('does not make it drop its defaults: %s', async (_name, error) => {
    const chat = client(server.route('quoting', refusing(error)));
    expect(await errorOf(chat.stream$('hi'))).toMatchObject({ kind: 'bad-request', status: 400, attempts: 1 });
    expect(server.requests).toHaveLength(1);
    server.route('quoting', whole('Hello'));
    await outcomeOf(chat.stream$('hi'));
    expect(['temperature', 'stream_options'].every((name) => name in server.requests[1]!.json)).toBe(true);
  });

  it.each<[string, object, 'temperature' | 'stream_options']>([
    ['by a field of it', { message: 'no', param: 'stream_options.include_usage' }, 'stream_options'],
    ['by its name', { message: 'no', param: 'stream_options' }, 'stream_options'],
    ['by its name alone', { message: 'no', param: 'temperature' }, 'temperature'],
    ['in words', { message: "Unsupported value: 'temperature' does not support 0.7" }, 'temperature'],
  ])('makes it drop the one that it names %s', async (_name, error, name) => {
    const url = server.route('naming', inTurn(json(400, { error }), whole('Hello')));
    expect(await outcomeOf(client(url).stream$('hi'))).toEqual({ values: ['Hello'], completed: true });
    expect(server.requests.map((seen) => name in seen.json)).toEqual([true, false]);
    const other = name === 'temperature' ? 'stream_options' : 'temperature';
    expect(server.requests.map((seen) => other in seen.json)).toEqual([true, true]);
  });

  it('is not taken for a parameter of which a default is but the beginning', async () => {
    const url = server.route('naming', json(400, { error: { message: 'no', param: 'temperature_max' } }));
    expect(await errorOf(client(url).stream$('hi'))).toMatchObject({ kind: 'bad-request', attempts: 1 });
    expect(server.requests).toHaveLength(1);
  });
});

describe.each(CLIENTS)('a prompt in the id of a response, over the $name transport,', ({ client }) => {
  const id = { 'x-request-id': `echo ${PROMPT} 7` };

  it.each<[string, Handler, string]>([
    ['a 400', json(400, { error: { message: 'no' } }, id), 'bad-request'],
    ['a 503', json(503, { error: { message: 'no' } }, id), 'server'],
    ['a redirect', json(307, {}, { ...id, location: 'http://else.test/' }), 'redirect'],
    [
      'an error in the stream',
      script(head(id), say(text('so far'), event({ error: { message: 'no' } })), cut),
      'server',
    ],
    ['a malformed event', script(head(id), say(event('{'))), 'protocol'],
    ['an answer that is cut', script(head(id), say(text('so far')), cut), 'interrupted'],
    [
      'a stream that only ends',
      script(head(id), say(text('so far')), ({ response }) => void response.end()),
      'interrupted',
    ],
  ])('is masked in the error and in the log: %s', async (_name, handler, kind) => {
    const logger = recordingLogger();
    const error = await errorOf(client(server.route('echo', handler), { logger }).events$(PROMPT));
    expect(error).toMatchObject({ kind, requestId: 'echo *** 7' });
    expectNoPrompt(error, logger.lines);
    expect(logger.lines.filter((line) => line.includes('requestId=echo *** 7'))).toHaveLength(1);
  });

  it('is masked in the cause of a retry, and in the log of each attempt', async () => {
    const logger = recordingLogger();
    const { options, told } = patient({ logger });
    const url = server.route('echo', inTurn(json(503, {}, id), json(200, completion('Hello'), id)));
    expect(await outcomeOf(client(url, options).generate$(PROMPT))).toEqual({ values: ['Hello'], completed: true });
    expect(told).toMatchObject([{ error: { status: 503, requestId: 'echo *** 7' } }]);
    expectNoPrompt(told[0]?.error, logger.lines);
    expect(logger.lines.filter((line) => line.includes('requestId=echo *** 7'))).toHaveLength(2);
  });

  it('is masked in a timeout', async () => {
    const [logger, clock] = [recordingLogger(), new HandClock()];
    let asked: () => void = () => undefined;
    const sent = new Promise<void>((resolve) => (asked = resolve));
    const fetch = recordedFetch(() => {
      asked();
      return new Response(new ReadableStream(), { headers: id });
    });
    const chat = client('http://127.0.0.1:9/v1', { logger, fetch, scheduler: clock, timeout: { idleMs: 50 } });
    const error = errorOf(chat.stream$([{ role: 'user', content: [{ type: 'text', text: PROMPT }] }]));
    await sent;
    await turn();
    clock.advance(50);
    expect(await error).toMatchObject({ kind: 'timeout', clock: 'idle', requestId: 'echo *** 7' });
    expectNoPrompt(await error, logger.lines);
  });
});

function expectNoPrompt(error: unknown, lines: readonly string[]): void {
  const shown = [inspect(error, { depth: Infinity, showHidden: true, getters: true }), JSON.stringify(error)];
  if (error instanceof CompletionError) shown.push(String(error.stack));
  for (const each of [...shown, ...lines]) expect(each).not.toContain(PROMPT);
}

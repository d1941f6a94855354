import type { Observable } from 'rxjs';
import { OpenAIChatCompletion, type CompletionError } from '../../src/index.ts';
import { answer, connectionFailure, fakeTransport, httpError, type FakeExchange } from '../../src/testing/index.ts';
import { timelineOf } from '../../src/testing/timeline.ts';
import { errorOf, fetchClient, outcomeOf } from '../support/client.ts';
import { plainError } from '../support/events.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import { cut } from '../support/faults-steps.ts';

const USAGE = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };

const EXCHANGES: Readonly<Record<string, FakeExchange>> = {
  'an answer': answer('Hello', ' world', { usage: USAGE }),
  'an empty answer': answer(),
  'tool calls': answer({ toolCall: { name: 'f', arguments: '{"a"' } }, { toolCall: { arguments: ':1}' } }),
  'two choices': answer('a', { choice: 1, text: 'b' }, { choice: 1, finish: 'length' }),
  'a refusal after reasoning': answer({ reasoning: 'hm' }, { refusal: 'no' }),
  'a filter': answer('a', { finish: 'content_filter' }),
  headers: { ...answer('a'), headers: { 'x-request-id': 'r', 'x-ratelimit-limit-requests': '7' } },
  'a cut': answer('Hello', { end: 'close' }),
  'a cut before anything': answer({ end: 'close' }),
  'a broken connection': answer('Hello', { end: 'reset' }),
  'a finish without [DONE]': answer('Hello', { finish: 'stop', end: 'close' }),
  'an error in the stream': answer('Hello', { chunk: { error: { message: 'overloaded', code: 503 } } }),
  'a page': { ...answer({ bytes: '<html>Sign in</html>' }), headers: { 'content-type': 'text/html' } },
  'a limit': httpError(429, { headers: { 'retry-after': '7' }, error: { code: 'rate_limit_exceeded' } }),
  'a bad key': httpError(401, { error: { message: 'Incorrect API key', code: 'invalid_api_key' } }),
  'a gateway': httpError(502, { body: '<h1>Bad gateway</h1>' }),
  'a redirect': httpError(307, { headers: { location: 'https://else.test/?key=x' } }),
};

/** A real server that does what the script says. */
function serving(exchange: FakeExchange): Handler {
  return async (caller) => {
    const { seen, response, write } = caller;
    for (const { head, bytes = [], end } of timelineOf(exchange, { index: 0, body: seen.json })) {
      if (head !== undefined) {
        response.writeHead(head.status, Object.fromEntries(head.headers));
        response.flushHeaders();
      }
      for (const piece of bytes) await write(piece);
      if (end === 'close') response.end();
      else if (end !== undefined) await cut(caller);
    }
  };
}

const METHODS = ['stream$', 'generate$', 'completion$', 'events$', 'chunks$'] as const;

async function allOf(chat: OpenAIChatCompletion): Promise<readonly unknown[]> {
  const outcomes: unknown[] = [];
  for (const method of METHODS) {
    const { values, completed, error } = await outcomeOf(chat[method]('Hi', { n: 2 }) as Observable<unknown>);
    outcomes.push({ method, values, completed, error: plainError(error) });
  }
  return outcomes;
}

describe('a fake gives what a network gives:', () => {
  let server: FaultServer;
  beforeAll(async () => {
    server = await startFaultServer();
  });
  afterAll(() => server.close());

  it.each(Object.entries(EXCHANGES))('%s', async (name, given) => {
    const exchange = given.type === 'answer' ? { ...given, id: 'x' } : given;
    const options = { model: 'gpt-test', retry: false } as const;
    const fake = new OpenAIChatCompletion({ ...options, transport: fakeTransport(() => exchange) });
    const real = fetchClient.client(server.route(name, serving(exchange)), options);
    expect(await allOf(fake)).toEqual(await allOf(real));
  });

  it('nobody there', async () => {
    const closed = await startFaultServer();
    await closed.close();
    const fake = new OpenAIChatCompletion({ retry: false, transport: fakeTransport(() => connectionFailure()) });
    const [ours, theirs] = [fake, fetchClient.client(closed.baseURL('x'))].map((chat) => errorOf(chat.stream$('Hi')));
    const { kind, code, retryable, attempts } = (await theirs) as CompletionError;
    expect(await ours).toMatchObject({ kind, code, retryable, attempts });
  });
});

import { inspect } from 'node:util';
import type { Observable } from 'rxjs';
import { OpenAIChatCompletion, isCompletionError, type ChatCompletionOptions } from '../src/index.ts';
import { PromiseChatCompletion } from '../src/promises.ts';
import {
  API_KEY,
  CLIENTS,
  fetchClient,
  outcomeOf,
  outcomeOfIterable,
  recordingLogger,
  thrownBy,
} from './support/client.ts';
import { startFaultServer, type FaultServer, type Handler, type SeenRequest } from './support/fault-server.ts';
import { answer, cut, event, hang, head, json, say, script, stream, text } from './support/faults-steps.ts';

const TENANT = 'tenant-9d41c07be2';
const CALL_TOKEN = 'call-token-5f0a77e1';
const PROMPT = 'My account number is "0123 456789",\nkeep it to yourself';
const SECRETS = [API_KEY, TENANT, CALL_TOKEN, PROMPT, JSON.stringify(PROMPT).slice(1, -1), '0123 456789'];
const MESSAGES = [
  { role: 'system' as const, content: [{ type: 'text' as const, text: PROMPT }] },
  { role: 'user' as const, content: 'hello' },
];

/** Everything of the request that should have stayed between the two. */
function said({ headers, body }: SeenRequest): string {
  const { authorization, 'x-tenant': tenant, 'x-call': call } = headers;
  const [message] = (JSON.parse(body) as { messages: { content: { text: string }[] }[] }).messages;
  return [authorization, String(tenant), String(call), message?.content[0]?.text].join(' ');
}

type Echo = (what: string) => Handler;

/** Where a server may quote what it was sent. */
const ECHOES: Readonly<Record<string, Echo>> = {
  'an error body': (what) => json(400, { error: { message: `bad: ${what}`, code: what, type: what, param: what } }),
  'an error body that is no JSON': (what) => answer(500, 'text/plain', what),
  'an error page': (what) => answer(502, 'text/html', `<html><body><pre>${what}</pre></body></html>`),
  'an error inside the stream': (what) => stream(text('so far'), event({ error: { message: what, code: what } })),
  'an error event': (what) => stream(`event: error\n${event(JSON.stringify(what))}`),
  'a malformed event': (what) => stream(text('so far'), event(`{"error": ${JSON.stringify(what)}`)),
  'an event of something else': (what) => stream(event(JSON.stringify([what]))),
  'a page in place of the answer': (what) => answer(200, 'text/html', `<p>${what}</p>`),
  'a JSON error in place of the answer': (what) => json(200, { error: { message: what, type: what } }),
  'a document that is no answer': (what) => json(200, { echo: what }),
  'headers of an error': (what) => json(401, { error: 'no' }, quoting(what)),
  'headers of an answer that is cut': (what) => script(head(quoting(what)), say(text('so far')), cut),
  'the target of a redirect':
    (what) =>
    ({ response }) =>
      void response.writeHead(307, { location: `http://else.test/${inHeader(what)}`, ...quoting(what) }).end(),
};

const quoting = (what: string): Record<string, string> => ({ 'x-request-id': inHeader(what), server: inHeader(what) });

function inHeader(what: string): string {
  return what.replaceAll('\n', ' ').replaceAll(PROMPT.replaceAll('\n', ' '), '');
}

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
  for (const [name, echo] of Object.entries(ECHOES)) {
    server.route(name, (exchange) => echo(said(exchange.seen))(exchange));
  }
});
afterAll(() => server.close());

/** Every way in which a program may show a value. */
function shown(value: unknown): string {
  const parts = [inspect(value, { depth: Infinity, showHidden: true, getters: true }), asJson(value), String(value)];
  if (typeof value !== 'object' || value === null) return parts.join('\n');
  const { stack, cause } = value as { stack?: unknown; cause?: unknown };
  const keys = [...Object.getOwnPropertyNames(value), ...Object.getOwnPropertySymbols(value)];
  const own = keys.map((key) =>
    inspect((value as Record<PropertyKey, unknown>)[key], { depth: Infinity, showHidden: true }),
  );
  return [...parts, String(stack), inspect(cause, { depth: Infinity, showHidden: true }), ...own].join('\n');
}

/** Subscriptions go round in circles. */
function asJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    return String(error);
  }
}

function expectNoSecret(what: string): void {
  for (const secret of SECRETS) expect(what).not.toContain(secret);
}

describe.each(CLIENTS)('secrets over the $name transport', ({ client }) => {
  const options = (): ChatCompletionOptions & { logger: ReturnType<typeof recordingLogger> } => ({
    headers: { 'x-tenant': TENANT },
    logger: recordingLogger(),
    logLevel: 'debug',
  });
  const call = { headers: { 'x-call': CALL_TOKEN } };

  it.each(Object.keys(ECHOES))('are masked where the server quotes them: %s', async (name) => {
    const { logger, ...rest } = options();
    const chat = client(server.baseURL(name), { ...rest, logger });
    const facade = new PromiseChatCompletion(chat);
    const outcomes = [
      await outcomeOf(chat.stream$(MESSAGES, {}, call)),
      await outcomeOf(chat.generate$(MESSAGES, {}, call)),
      await outcomeOf(chat.completion$(MESSAGES, {}, call)),
      await outcomeOf(chat.events$(MESSAGES, {}, call)),
      await outcomeOf(chat.chunks$(MESSAGES, {}, call)),
      await outcomeOfIterable(facade.streamCompletion(MESSAGES, {}, call)),
    ];
    for (const { error } of outcomes) {
      expect(isCompletionError(error)).toBe(true);
      expectNoSecret(shown(error));
    }
    expect(logger.lines).toHaveLength(outcomes.length);
    expectNoSecret(logger.lines.join('\n'));
  });

  it('are masked where the runtime quotes them', async () => {
    const { logger, ...rest } = options();
    const fetch = (url: unknown, init?: RequestInit): Promise<Response> => {
      const quoted = `${String(url)} ${String(init?.body)} ${JSON.stringify([...new Headers(init?.headers)])}`;
      const cause = Object.assign(new Error(quoted), { code: quoted, headers: new Headers(init?.headers), init });
      return Promise.reject(Object.assign(new TypeError(quoted, { cause }), { request: init }));
    };
    const { error } = await outcomeOf(
      client('http://127.0.0.1:9', { ...rest, logger, fetch }).stream$(MESSAGES, {}, call),
    );
    expect(isCompletionError(error)).toBe(true);
    expectNoSecret(shown(error));
    expectNoSecret(logger.lines.join('\n'));
  });

  it('are not seen in the client, its Observables, its subscriptions or its iterators', async () => {
    server.route('hang', script(head(), say(text('so far')), hang));
    const chat = client(server.baseURL('hang'), options());
    const call$: Observable<string> = chat.stream$(MESSAGES, {}, call);
    const facade = new PromiseChatCompletion(chat);
    const iterable = facade.streamCompletion(MESSAGES, {}, call);
    const iterator = iterable[Symbol.asyncIterator]();
    await iterator.next();
    const subscription = call$.subscribe({ error: () => undefined });
    for (const value of [chat, facade]) expectNoSecret(shown(value));
    // What the caller passed in is the caller's own; the key is not part of it.
    for (const value of [call$, subscription, iterable, iterator]) expect(shown(value)).not.toContain(API_KEY);
    subscription.unsubscribe();
    await iterator.return(undefined);
  });
});

describe('secrets', () => {
  it('of options that are refused are not quoted', () => {
    const refused = thrownBy(() => new OpenAIChatCompletion({ apiKey: `${API_KEY}\n${TENANT}` }));
    expectNoSecret(shown(refused));
  });

  it('hide no request id that the caller has chosen', async () => {
    const url = server.route('own id', (exchange) =>
      json(
        400,
        { error: { message: 'no' } },
        { 'x-request-id': String(exchange.seen.headers['x-request-id']) },
      )(exchange),
    );
    const chat = fetchClient.client(url, { headers: { 'x-request-id': 'my-own-id-42' } });
    const { error } = await outcomeOf(chat.generate$('hi'));
    expect(error).toMatchObject({ requestId: 'my-own-id-42' });
  });

  it('leave the message readable: only they are masked', async () => {
    const url = server.route('readable', (exchange) =>
      json(401, { error: { message: `Incorrect API key provided: ${API_KEY}. Find yours at /keys.` } })(exchange),
    );
    const { error } = await outcomeOf(fetchClient.client(url).generate$('hi'));
    expect(error).toMatchObject({ message: '401 Incorrect API key provided: ***. Find yours at /keys.' });
  });
});

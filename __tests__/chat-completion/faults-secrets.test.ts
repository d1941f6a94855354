import { inspect } from 'node:util';
import { isCompletionError } from '../../src/index.ts';
import { API_KEY, outcomeOf, recordingLogger, sdkClient } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler, type SeenRequest } from '../support/fault-server.ts';
import { patience } from '../support/faults-check.ts';
import {
  answer,
  chunk,
  event,
  head,
  inTurn,
  json,
  reset,
  say,
  script,
  stream,
  text,
  whole,
} from '../support/faults-steps.ts';
import { ALL, PROMPT, STREAMING, type Way } from '../support/faults-ways.ts';

const TENANT = 'tenant-9d41c07be2';
const SECRETS = [API_KEY, PROMPT, TENANT];

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());

/** Everything of the request that should have stayed between the two. */
function quoted({ headers, json: { messages } }: SeenRequest): string {
  return [headers.authorization, headers['x-tenant'], JSON.stringify(messages)].join(' ');
}

/** Of that, what a header of the request was: an id made of the prompt is unheard of. */
function keysOf(said: string): string {
  return said.replace(/\[.*/, '');
}

/** An answer that quotes what it was sent. */
const quoting =
  (respond: (quote: string) => Handler): Handler =>
  (exchange) =>
    respond(quoted(exchange.seen))(exchange);

interface Quote {
  readonly name: string;
  readonly answer: Handler;
  readonly ways: readonly Way[];
  readonly attempts: number;
}

const quote = (name: string, attempts: number, respond: (quote: string) => Handler, ways = ALL): Quote => ({
  name,
  attempts,
  answer: quoting(respond),
  ways,
});

const QUOTES: readonly Quote[] = [
  quote('a 429', 3, (said) => json(429, { error: { message: said, code: said, type: said, param: said } })),
  quote('a 503 of plain text', 3, (said) => answer(503, 'text/plain', said)),
  quote('a 502 with a page', 3, (said) => answer(502, 'text/html', `<html><body><pre>${said}</pre></body></html>`)),
  quote('a 400 that is to be asked again', 3, (said) =>
    json(400, { error: { message: said, param: said } }, { 'x-should-retry': 'true' }),
  ),
  quote('a 401', 1, (said) => json(401, { error: { message: `Incorrect API key provided: ${said}` } })),
  quote('headers', 3, (said) => json(503, { error: 'no' }, { 'x-request-id': keysOf(said), server: said })),
  quote('a JSON error under status 200', 3, (said) => json(200, { error: { message: said, code: 503, type: said } })),
  quote('an error before the text', 3, (said) => stream(event({ error: { message: said, type: said } })), STREAMING),
  quote('an error after some text', 1, (said) => stream(text('Hello'), event({ error: { message: said } })), STREAMING),
  quote('a malformed event', 1, (said) => stream(text('Hello'), event(`{"x": ${said}`)), STREAMING),
  quote(
    'the id of a request that is cut off',
    3,
    (said) => script(head({ 'x-request-id': keysOf(said) }), say(chunk({ choices: [] })), reset),
    STREAMING,
  ),
];

/** Every way in which a program may show a value. */
function shown(value: unknown): string {
  const deeply = { depth: Infinity, showHidden: true, getters: true };
  const { stack, cause } = value as { readonly stack?: unknown; readonly cause?: unknown };
  return [inspect(value, deeply), JSON.stringify(value), String(value), String(stack), inspect(cause, deeply)].join(
    '\n',
  );
}

function expectNoSecret(what: string): void {
  for (const secret of SECRETS) expect(what).not.toContain(secret);
}

describe('what a server quotes of a request is masked', () => {
  it.each(QUOTES)('in the error, in onRetry and in the log: $name', async ({ answer: respond, ways, attempts }) => {
    const url = server.route('quote', respond);
    for (const way of ways) {
      const logger = recordingLogger();
      const { options, told } = patience();
      const watched = { ...options, headers: { 'x-tenant': TENANT }, logger };
      const { error } = await way.ask({ url, params: {}, options: watched, onShown: server.show });
      expect(isCompletionError(error) && { way: way.name, attempts: error.attempts }).toEqual({
        way: way.name,
        attempts,
      });
      expect(told).toHaveLength(attempts - 1);
      expect(told.every((retry) => isCompletionError(retry.error))).toBe(true);
      for (const failure of [error, ...told.map((retry) => retry.error)]) expectNoSecret(shown(failure));
      // A line for each attempt, and one before each retry.
      expect(logger.lines).toHaveLength(2 * attempts - 1);
      expectNoSecret(logger.lines.join('\n'));
    }
  });

  it('in onRetry, where a whole answer follows', async () => {
    for (const way of ALL) {
      const url = server.route('once', inTurn(QUOTES[0]!.answer, whole('Hello')));
      const { options, told } = patience();
      const watched = { ...options, headers: { 'x-tenant': TENANT } };
      const { completed } = await way.ask({ url, params: {}, options: watched, onShown: server.show });
      expect({ way: way.name, completed, retries: told.length }).toEqual({
        way: way.name,
        completed: true,
        retries: 1,
      });
      expectNoSecret(shown(told[0]?.error));
    }
  });

  it('in the cause of a restart', async () => {
    const quotesLate = quoting((said) => stream(text('Hello'), event({ error: { message: said, type: said } })));
    const { options } = patience();
    const chat = sdkClient.client(server.route('late', inTurn(quotesLate, whole('Hello'))), {
      ...options,
      headers: { 'x-tenant': TENANT },
      retry: { mode: 'restart' },
    });
    const { values, completed } = await outcomeOf(chat.events$(PROMPT));
    const restart = values.find((shownEvent) => shownEvent.type === 'restart');
    expect({ completed, cause: isCompletionError(restart?.cause) }).toEqual({ completed: true, cause: true });
    expectNoSecret(shown(restart?.cause));
  });
});

describe('what the runtime quotes of a request is masked', () => {
  it.each(ALL)('in the error and in onRetry: $name', async ({ ask }) => {
    const { options, told } = patience();
    const fetch = (_: unknown, init?: RequestInit): Promise<Response> => {
      const said = `${String(init?.body)} ${JSON.stringify([...new Headers(init?.headers)])}`;
      return Promise.reject(new TypeError(said, { cause: Object.assign(new Error(said), { code: said, init }) }));
    };
    const watched = { ...options, headers: { 'x-tenant': TENANT }, fetch };
    const { error } = await ask({ url: server.origin, params: {}, options: watched, onShown: server.show });
    expect(error).toMatchObject({ kind: 'connection', attempts: 3 });
    for (const failure of [error, ...told.map((retry) => retry.error)]) expectNoSecret(shown(failure));
    expect(told).toHaveLength(2);
  });
});

import { PromiseChatCompletion } from '../../src/promises.ts';
import type { Fetch } from '../../src/index.ts';
import { API_KEY, CLIENTS, errorOf, outcomeOfIterable, recordedFetch } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { completion, json } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test, and tell nobody!';

let server: FaultServer;
let elsewhere: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
  elsewhere = await startFaultServer({ landing: json(200, completion('from a stranger')) });
});
afterAll(() => Promise.all([server.close(), elsewhere.close()]));
beforeEach(() => {
  server.clear();
});

describe.each(CLIENTS)('redirects over the $name transport', ({ client }) => {
  describe.each([300, 301, 302, 303, 307, 308])('%i', (status) => {
    it('to another origin is refused: neither key nor prompt gets there', async () => {
      const target = `${elsewhere.baseURL('landing')}?session=abc#top`;
      const url = server.route(
        'redirect',
        ({ response }) => void response.writeHead(status, { location: target }).end(),
      );
      const chat = client(url);
      for (const call$ of [chat.stream$(PROMPT), chat.generate$(PROMPT), chat.completion$(PROMPT)]) {
        const error = await errorOf(call$);
        expect(error).toMatchObject({ kind: 'redirect', retryable: false, status, attempts: 1 });
        expect(error.message).toContain(elsewhere.baseURL('landing'));
        expect(error.message).not.toContain('session=abc');
      }
      const facade = new PromiseChatCompletion(chat);
      const { error } = await outcomeOfIterable(facade.streamCompletion(PROMPT));
      expect(error).toMatchObject({ kind: 'redirect', status });
      expect(server.requests).toHaveLength(4);
      expect(elsewhere.connections()).toBe(0);
    });

    it('to the same origin is refused too: the POST becomes no GET', async () => {
      const url = server.route(
        'here',
        ({ response }) => void response.writeHead(status, { location: '/landing' }).end(),
      );
      const error = await errorOf(client(url).stream$(PROMPT));
      expect(error).toMatchObject({ kind: 'redirect', status });
      expect(error.message).toContain('/landing');
      expect(server.requests.map(({ method }) => method)).toEqual(['POST']);
    });
  });

  it('without a target is refused', async () => {
    const url = server.route('nowhere', ({ response }) => void response.writeHead(307).end());
    expect(await errorOf(client(url).generate$(PROMPT))).toMatchObject({ kind: 'redirect', status: 307 });
  });

  it('is refused as browsers show it: an opaque response of status 0', async () => {
    const opaque = Object.defineProperties(new Response(null), {
      type: { value: 'opaqueredirect' },
      status: { value: 0 },
      ok: { value: false },
    });
    const fetch = recordedFetch(() => opaque);
    const error = await errorOf(client('http://127.0.0.1:9/v1', { fetch }).stream$(PROMPT));
    expect(error).toMatchObject({ kind: 'redirect', retryable: false });
    expect(fetch.calls.map(({ init }) => init.redirect)).toEqual(['manual']);
  });
});

/** Fetch's errors hide the reason below `cause`. */
function failing(code: string, message: string): Fetch {
  return () => Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) }));
}

describe.each(CLIENTS)('connections that fail over the $name transport', ({ client }) => {
  it('refused: nobody listens', async () => {
    const closed = await startFaultServer();
    await closed.close();
    const error = await errorOf(client(closed.baseURL('x')).stream$(PROMPT));
    expect(error).toMatchObject({ kind: 'connection', retryable: true, code: 'ECONNREFUSED', attempts: 1 });
    expect(error.message).toMatch(/^Connection failed: connect ECONNREFUSED/);
    expect(error.cause).toMatchObject({ name: 'TypeError', code: 'ECONNREFUSED' });
  });

  it.each([
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND api.openai.com', true],
    ['EAI_AGAIN', 'getaddrinfo EAI_AGAIN api.openai.com', true],
    ['ETIMEDOUT', 'connect ETIMEDOUT 203.0.113.1:443', true],
    ['UND_ERR_CONNECT_TIMEOUT', 'Connect Timeout Error', true],
    ['UND_ERR_HEADERS_TIMEOUT', 'Headers Timeout Error', true],
    ['ECONNRESET', 'read ECONNRESET', true],
    ['CERT_HAS_EXPIRED', 'certificate has expired', false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate', false],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate', false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', "Hostname/IP does not match certificate's altnames", false],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number', false],
  ])('%s', async (code, message, retryable) => {
    const chat = client('http://127.0.0.1:9/v1', { fetch: failing(code, message) });
    const error = await errorOf(chat.stream$(PROMPT));
    expect(error).toMatchObject({ kind: 'connection', retryable, code, attempts: 1 });
    expect(error.status).toBeUndefined();
    expect(error.message).toBe(`Connection failed: ${message}`);
  });

  it('an address that names several hosts, none of which answers', async () => {
    const errors = ['::1', '127.0.0.1'].map((host) =>
      Object.assign(new Error(`connect ECONNREFUSED ${host}:1`), { code: 'ECONNREFUSED' }),
    );
    const fetch: Fetch = () => Promise.reject(new TypeError('fetch failed', { cause: new AggregateError(errors) }));
    const error = await errorOf(client('http://127.0.0.1:9/v1', { fetch }).generate$(PROMPT));
    expect(error).toMatchObject({ kind: 'connection', retryable: true, code: 'ECONNREFUSED' });
  });

  it('quotes neither key nor prompt, whatever the runtime says', async () => {
    const fetch: Fetch = (_, init) =>
      Promise.reject(
        new TypeError(`cannot send Bearer ${API_KEY} ${String(init?.body)}`, { cause: `with ${API_KEY}` }),
      );
    const error = await errorOf(client('http://127.0.0.1:9/v1', { fetch }).stream$(PROMPT));
    expect(error.kind).toBe('connection');
    for (const said of [error.message, error.stack, String(error.cause)]) {
      expect(said).not.toContain(API_KEY);
      expect(said).not.toContain(PROMPT);
    }
  });
});

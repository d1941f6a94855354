import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { json } from '../support/faults-steps.ts';
import { post, refused, relayTo, STREAMED, URL } from './setting.ts';

const APP = 'https://app.test';
const origins = [APP];

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

describe('a request', () => {
  it.each([
    ['of no page', {}],
    ['of a page of the same origin', { origin: 'https://relay.test', 'sec-fetch-site': 'same-origin' }],
    ['of the same host, from a browser of old', { origin: 'http://relay.test' }],
    ['of the same host, behind a proxy that ends TLS', { origin: 'https://relay.test', host: 'relay.test' }],
    ['of a listed page', { origin: APP, 'sec-fetch-site': 'cross-site' }],
  ])('%s is answered', async (_, headers) => {
    expect((await relayTo(server, { origins }).relay(post(undefined, headers))).status).toBe(200);
  });

  it.each([
    ['of another page', { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' }],
    ['of another page, from a browser of old', { origin: 'https://evil.test' }],
    ['of a page of the same site', { origin: 'https://other.relay.test', 'sec-fetch-site': 'same-site' }],
    ['of a page that says nothing of itself', { 'sec-fetch-site': 'cross-site' }],
    ['of no origin', { origin: 'null' }],
    ['of a page whose name ends alike', { origin: 'https://evil-relay.test' }],
    ['of a page whose name begins alike', { origin: 'https://relay.test.evil.test' }],
    ['of another port', { origin: 'https://relay.test:8443' }],
    ['of the listed page by another scheme', { origin: 'http://app.test' }],
    ['of the listed page in capitals', { origin: 'HTTPS://APP.TEST' }],
    ['of nonsense', { origin: 'relay.test' }],
    ['of a file', { origin: 'file://' }],
  ])('%s is 403, before anybody is asked', async (_, headers) => {
    const authorize = jest.fn();
    const {
      status,
      error,
      headers: sent,
    } = await refused(relayTo(server, { origins, authorize }).relay(post(undefined, headers)));
    expect([status, error.code]).toEqual([403, 'origin_not_allowed']);
    expect(sent.get('access-control-allow-origin')).toBeNull();
    expect(sent.get('vary')).toBe('Origin');
    expect(authorize).not.toHaveBeenCalled();
    expect(server.requests).toEqual([]);
  });
});

describe('a listed page', () => {
  const cors = {
    'access-control-allow-origin': APP,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'retry-after, retry-after-ms, x-should-retry',
    vary: 'Origin',
  };

  it('may read an answer, a stream and an error', async () => {
    server.route('busy', json(429, {}, { 'retry-after': '7' }));
    const ask = (body: unknown, route?: string): Promise<Response> =>
      relayTo(server, { origins, ...(route === undefined ? undefined : { route }) }).relay(post(body, { origin: APP }));
    const responses = [await ask(undefined), await ask(STREAMED), await ask({}), await ask(undefined, 'busy')];
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 400, 429]);
    for (const { headers } of responses) expect(Object.fromEntries(headers)).toMatchObject(cors);
  });

  it('may read what authorize answers', async () => {
    const authorize = (): Response => Response.json({ login: '/login' }, { status: 401, headers: { 'x-own': '1' } });
    const response = await relayTo(server, { origins, authorize }).relay(post(undefined, { origin: APP }));
    expect(Object.fromEntries(response.headers)).toMatchObject({ ...cors, 'x-own': '1' });
    expect([response.status, await response.json()]).toEqual([401, { login: '/login' }]);
  });

  it('may ask first', async () => {
    const response = await relayTo(server, { origins }).relay(
      new Request(URL, {
        method: 'OPTIONS',
        headers: {
          origin: APP,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'Content-Type, x-stainless-lang, bad name',
        },
      }),
    );
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      ...cors,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type, x-stainless-lang',
    });
  });

  it('is the only one that may', async () => {
    const response = await relayTo(server, { origins }).relay(
      new Request(URL, {
        method: 'OPTIONS',
        headers: { origin: 'https://evil.test', 'access-control-request-method': 'POST' },
      }),
    );
    expect(response.status).toBe(403);
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

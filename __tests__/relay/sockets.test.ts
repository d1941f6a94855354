/** The relay behind Node's HTTP server, asked over bare sockets. */
import { fetchTransport, OpenAIChatCompletion } from '../../src/index.ts';
import { API_KEY, CLIENTS, HandClock, outcomeOf, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer, type SeenRequest } from '../support/fault-server.ts';
import {
  cut,
  finish,
  hang,
  head as respondWith,
  json,
  say,
  script,
  stream,
  text,
  type Step,
} from '../support/faults-steps.ts';
import { head, RawClient } from './raw-client.ts';
import { ASKED, listen, MESSAGES, relayTo, STREAMED, type Front, type Setting } from './setting.ts';

const MIB = 1024 * 1024;
const PIECE = text('x'.repeat(64 * 1024));
/** Offers that much text, as fast as it is taken. */
const offering =
  (bytes: number): Step =>
  async ({ write, response, seen }) => {
    while (seen.written < bytes && !response.destroyed) await write(PIECE);
  };

let server: FaultServer;
let front: Front;
let setting: Setting;
let clock: HandClock;
/** What Node's adapter of Hono prints of streams that are torn. */
let printed: jest.SpyInstance;
const clients: RawClient[] = [];

beforeAll(async () => {
  server = await startFaultServer({
    hang,
    talking: script(respondWith(), say(text('so far')), hang),
    offering: script(respondWith(), offering(256 * MIB)),
    broken: script(respondWith(), say(text('so far')), cut),
    refusing: json(429, {}, { 'retry-after': '7', 'set-cookie': 'a=b' }),
    cut: stream(text('so far')),
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
  printed = jest.spyOn(console, 'error').mockImplementation(() => undefined);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  await front.close();
  for (const call of printed.mock.calls) expect(String(call)).toMatch(/^CompletionError: (?!.*sk-)/);
  printed.mockRestore();
});

async function serve(route?: string, options: object = {}): Promise<void> {
  clock = new HandClock();
  setting = relayTo(server, { ...(route === undefined ? undefined : { route }), scheduler: clock, ...options });
  front = await listen(setting.relay);
}

function connect(): RawClient {
  const client = new RawClient(front.port);
  clients.push(client);
  return client;
}

/** How much the server got rid of, once it can get rid of no more. */
async function taken(seen: SeenRequest): Promise<number> {
  let before = -1;
  for (let still = 0; still < 100; still++) {
    await turn();
    if (seen.written !== before) still = 0;
    before = seen.written;
  }
  return before;
}

describe('over a socket', () => {
  it('a stream is whole, flushed at once, and nobody may keep or buffer it', async () => {
    await serve();
    const answer = await connect().post(STREAMED, { connection: 'close' }).closed();
    expect(answer).toMatchObject({ status: 200, whole: true });
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store, no-transform',
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'transfer-encoding': 'chunked',
    });
    expect(answer.body).toBe(`${text('one')}${text('two')}${finish()}data: [DONE]\n\n`);
  });

  it('each chunk comes when it comes', async () => {
    await serve('talking');
    await connect().post(STREAMED).shows('so far');
  });

  it('a kept connection brings one answer after another', async () => {
    await serve();
    const client = connect().post(ASKED);
    await client.shows('onetwo');
    client.post({ nonsense: 1 });
    await client.shows('unknown_parameter');
    client.post(STREAMED, { connection: 'close' });
    expect((await client.closed()).status).toBe(200);
    expect(client.received).toContain('[DONE]');
  });

  it('a refusal of the server has its status and no header of it', async () => {
    await serve('refusing');
    const { status, headers, body } = await connect().post(STREAMED, { connection: 'close' }).closed();
    expect([status, headers['retry-after'], headers['set-cookie']]).toEqual([429, '7', undefined]);
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'rate_limit_exceeded' } });
  });

  it.each(['broken', 'cut'])('a stream of a server that is %s says so, and has no clean end', async (route) => {
    await serve(route);
    const client = connect().post(STREAMED, { connection: 'close' });
    await client.shows('"code":"interrupted"');
    await turn();
    clock.advance(1000);
    const answer = await client.closed();
    expect(answer).toMatchObject({ status: 200, whole: false });
    expect(answer.body).not.toContain('[DONE]');
  });

  it('keep-alive comments come while the server is silent', async () => {
    await serve('hang');
    const client = connect().post(STREAMED);
    await server.request(0);
    clock.advance(10_000);
    await client.shows('HTTP/1.1 200 OK');
    await turn();
    clock.advance(15_000);
    await client.shows(': keep-alive\n\n');
  });

  it('our client reads through the comments', async () => {
    let goOn: () => void = () => undefined;
    const going = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    server.route('late', async (exchange) => {
      await going;
      await stream(text('late'), finish())(exchange);
    });
    await serve('late');
    const transport = fetchTransport({ baseURL: front.origin });
    const outcome = outcomeOf(new OpenAIChatCompletion({ transport, logLevel: 'off' }).stream$(MESSAGES));
    await server.request(0);
    clock.advance(10_000);
    for (let count = 0; count < 3; count++) {
      await turn();
      clock.advance(15_000);
    }
    goOn();
    expect(await outcome).toEqual({ values: ['late'], completed: true });
  });
});

describe.each(CLIENTS)('over the $name transport, a client that leaves', (via) => {
  const LEAVING: Readonly<Record<string, (client: RawClient) => void>> = {
    'closes its socket': ({ socket }) => socket.destroy(),
    'resets it': ({ socket }) => socket.resetAndDestroy(),
    'closes its half': ({ socket }) => socket.end(),
  };

  describe.each(Object.keys(LEAVING))('and %s', (how) => {
    const leave = LEAVING[how]!;

    it.each([
      ['a stream', STREAMED],
      ['an answer in one piece', ASKED],
    ])('aborts the call before the first byte of %s', async (_, body) => {
      await serve('hang', { via });
      const client = connect().post(body);
      await server.request(0);
      leave(client);
      expect(await server.closed(0)).toBe('aborted');
    });

    it('aborts the call in the middle of a stream', async () => {
      await serve('talking', { via });
      const client = connect().post(STREAMED);
      await client.shows('so far');
      leave(client);
      expect(await server.closed(0)).toBe('aborted');
      expect(setting.logger.lines.join()).not.toContain('warn');
    });

    it('aborts nothing while its body is not whole, for nothing was sent', async () => {
      await serve();
      const client = connect().send(head({ 'content-length': '100' }) + '{"messages":');
      await turn();
      leave(client);
      await client.closed();
      expect(server.requests).toEqual([]);
    });
  });

  it.each(['closes its socket', 'resets it'])('and %s aborts the call while it blocks it', async (how) => {
    await serve('offering', { via });
    const client = connect();
    client.socket.pause();
    client.post(STREAMED);
    const seen = await server.request(0);
    await taken(seen);
    expect(seen.ending).toBeUndefined();
    LEAVING[how]!(client);
    expect(await server.closed(0)).toBe('aborted');
  });
});

describe.each(CLIENTS)('over the $name transport, a client that reads nothing', (via) => {
  async function blocking(): Promise<{ client: RawClient; seen: SeenRequest }> {
    await serve('offering', { via });
    const client = connect();
    client.socket.pause();
    client.post(STREAMED);
    return { client, seen: await server.request(0) };
  }

  it('is sent at most what fits in the buffers on the way', async () => {
    const { seen } = await blocking();
    const bytes = await taken(seen);
    expect(bytes).toBeGreaterThan(64 * 1024);
    expect(bytes).toBeLessThan(48 * MIB);
  });

  it('gets the rest when it reads again', async () => {
    const { client, seen } = await blocking();
    const before = await taken(seen);
    client.socket.resume();
    while (seen.written < before + 8 * MIB) await turn();
    client.socket.destroy();
    expect(await seen.closed).toBe('aborted');
  });

  it('is let go after stallMs, also if it has closed its half', async () => {
    const { client, seen } = await blocking();
    await taken(seen);
    client.socket.end();
    await taken(seen);
    clock.advance(119_000);
    await turn();
    expect(seen.ending).toBeUndefined();
    clock.advance(1_001);
    expect(await seen.closed).toBe('aborted');
  });
});

describe('a hostile client', () => {
  it('that announces too much is told so before it sends it', async () => {
    await serve();
    const client = connect().send(head({ 'content-length': '999999999' }));
    await client.shows('request_too_large');
    expect(client.answer().status).toBe(413);
  });

  it('that sends too much in chunks is told so while it sends', async () => {
    await serve();
    const client = connect().send(head({ 'transfer-encoding': 'chunked' }));
    const piece = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    for (let sent = 0; sent < 1.5 * MIB; sent += 0x10000) client.send(piece);
    await client.shows('request_too_large');
    expect(client.answer().status).toBe(413);
    expect(server.requests).toEqual([]);
  });

  it('that sends its body too slowly is told so', async () => {
    await serve();
    const client = connect().send(head({ 'content-length': '100' }) + '{"messages"');
    await clock.untilPending(1);
    clock.advance(30_000);
    await client.shows('request_timeout');
    expect(client.answer().status).toBe(408);
  });

  it('that asks for an absolute address, with another host, is answered as any other', async () => {
    await serve();
    const client = connect();
    const body = JSON.stringify(ASKED);
    client.send(
      head(
        { host: 'evil.test', 'content-length': String(body.length), connection: 'close' },
        'POST http://evil.test/v1/admin?base_url=http://evil.test HTTP/1.1',
      ) + body,
    );
    expect((await client.closed()).status).toBe(200);
    expect(server.requests.map(({ url }) => url)).toEqual(['/whole/chat/completions']);
    expect(JSON.stringify(server.requests)).not.toContain('evil');
  });

  it.each([
    ['garbage', '\u0000\u0001\u0002garbage\r\n\r\n'],
    ['a handshake', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001'],
    ['two lengths', head({ 'content-length': '5', 'Content-Length': '6' }) + '{}'],
    ['a length and chunks', head({ 'content-length': '5', 'transfer-encoding': 'chunked' }) + '0\r\n\r\n'],
    ['chunks that are none', head({ 'transfer-encoding': 'chunked' }) + 'zz\r\n{}'],
    ['a header without end', `POST / HTTP/1.1\r\nx: ${'x'.repeat(100_000)}`],
    ['no host', 'POST / HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'],
  ])('that sends %s does not harm the next one', async (_, bytes) => {
    await serve();
    const client = connect().send(bytes);
    client.socket.end();
    await client.closed();
    expect(server.requests).toEqual([]);
    const next = await connect().post(ASKED, { connection: 'close' }).closed();
    expect([next.status, next.whole]).toEqual([200, true]);
  });

  it('gets nothing of the key, whatever it asks', async () => {
    await serve('refusing');
    for (const body of [ASKED, STREAMED, '{', { api_key: 'x' }]) {
      expect((await connect().post(body, { connection: 'close' }).closed()).body).not.toContain(API_KEY);
    }
    expect(setting.logger.lines.join('\n')).not.toContain(API_KEY);
  });
});

it('a hundred clients that leave leave nothing behind', async () => {
  await serve('talking');
  const all = Array.from({ length: 100 }, () => connect().post(STREAMED));
  await Promise.all(all.map((client) => client.shows('so far')));
  for (const { socket } of all) socket.destroy();
  const endings = await Promise.all(all.map((_, index) => server.closed(index)));
  expect(new Set(endings)).toEqual(new Set(['aborted']));
  await turn();
  expect(clock.pending).toBe(0);
});

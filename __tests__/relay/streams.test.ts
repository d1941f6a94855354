/** A streamed answer in the time of a clock that moves only when told to, its reader in the hand of the test. */
import { HandClock, handBody, recordedFetch, turn, type HandBody } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { completion, finish, text } from '../support/faults-steps.ts';
import { ASKED, post, refused, relayTo, STREAMED, type Setting } from './setting.ts';
import type { RelayOptions } from '../../src/relay/index.ts';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());

interface Stage extends Setting {
  readonly clock: HandClock;
  readonly upstream: HandBody;
  /** Sends the headers of the server. */
  readonly respond: (response?: Response) => void;
  readonly signal: () => AbortSignal;
}

function stage(options: Partial<RelayOptions> = {}): Stage {
  const clock = new HandClock();
  const upstream = handBody();
  let respond: (response: Response) => void = () => undefined;
  const fetch = recordedFetch(
    () =>
      new Promise((resolve) => {
        respond = resolve;
      }),
  );
  return {
    ...relayTo(server, { scheduler: clock, client: { fetch }, ...options }),
    clock,
    upstream,
    respond: (response) => {
      respond(response ?? new Response(upstream.stream, { headers: { 'content-type': 'text/event-stream' } }));
    },
    signal: () => fetch.calls[0]!.signal,
  };
}

/** Resolves to what has come of it by now. */
async function now<T>(promise: Promise<T>): Promise<T | 'pending'> {
  await turn();
  return Promise.race([promise, turn().then(() => 'pending' as const)]);
}

const decoded = ({ value }: ReadableStreamReadResult<Uint8Array>): string => new TextDecoder().decode(value);

describe('the status of a stream', () => {
  it('waits for the first chunk', async () => {
    const { relay, upstream, respond } = stage();
    const answer = relay(post(STREAMED));
    expect(await now(answer)).toBe('pending');
    respond();
    expect(await now(answer)).toBe('pending');
    await upstream.say(text('one'));
    const { status, body } = await answer;
    expect(status).toBe(200);
    await body?.cancel();
  });

  it('waits for headersMs, and is 200 then; comments fill the silence', async () => {
    const { relay, clock } = stage();
    const answer = relay(post(STREAMED));
    await turn();
    clock.advance(9_999);
    expect(await now(answer)).toBe('pending');
    clock.advance(1);
    const { status, body } = await answer;
    expect(status).toBe(200);
    const reader = body!.getReader();
    for (let count = 0; count < 3; count++) {
      const read = reader.read();
      clock.advance(14_999);
      expect(await now(read)).toBe('pending');
      clock.advance(1);
      expect(decoded(await read)).toBe(': keep-alive\n\n');
    }
    await reader.cancel();
  });

  it('waits for longer than a timer can', async () => {
    const { relay, clock, respond } = stage({ timeout: { headersMs: 1e12, bodyMs: 1e12 } });
    const delays: unknown[] = [];
    const schedule = clock.schedule.bind(clock);
    jest.spyOn(clock, 'schedule').mockImplementation((work, delay, state) => {
      delays.push(delay);
      return schedule(work, delay, state as undefined);
    });
    const answer = relay(post(STREAMED));
    await turn();
    expect(delays).toEqual([0x7fffffff, 0x7fffffff]);
    respond(new Response('{}', { status: 500 }));
    expect((await refused(answer)).status).toBe(502);
  });

  it('waits for ever where headersMs is false', async () => {
    const { relay, clock, respond } = stage({ timeout: { headersMs: false } });
    const answer = relay(post(STREAMED));
    await turn();
    clock.advance(1_000_000);
    expect(await now(answer)).toBe('pending');
    respond(new Response('{}', { status: 500 }));
    expect((await refused(answer)).status).toBe(502);
  });

  it('once sent, a failure is an event, and the connection is torn when it has been taken', async () => {
    const { relay, clock, respond } = stage();
    const answer = relay(post(STREAMED));
    await turn();
    clock.advance(10_000);
    const reader = (await answer).body!.getReader();
    const first = reader.read();
    respond(new Response('{"error":{"message":"who?"}}', { status: 401 }));
    expect(JSON.parse(decoded(await first).slice(6))).toEqual({
      error: {
        message: 'The upstream server does not accept the relay',
        type: 'upstream_error',
        param: null,
        code: 'authentication',
        status: 502,
      },
    });
    const second = reader.read();
    await turn();
    clock.advance(999);
    expect(await now(second)).toBe('pending');
    clock.advance(1);
    await expect(second).rejects.toThrow('ended before it was whole');
    expect(clock.pending).toBe(0);
  });

  it('of an answer in one piece is always its own, and no byte comes before it', async () => {
    const { relay, clock, respond } = stage();
    const answer = relay(post(ASKED));
    await turn();
    clock.advance(60_000);
    expect(await now(answer)).toBe('pending');
    respond(Response.json(completion('yes')));
    expect((await answer).status).toBe(200);
  });
});

describe('a stream that has begun', () => {
  it('is kept alive while the server is silent, and each chunk puts that off', async () => {
    const { relay, clock, upstream, respond } = stage();
    const answer = relay(post(STREAMED));
    await turn();
    respond();
    await upstream.say(text('one'));
    const reader = (await answer).body!.getReader();
    expect(decoded(await reader.read())).toBe(text('one'));
    let read = reader.read();
    clock.advance(14_000);
    await upstream.say(text('two'));
    expect(decoded(await read)).toBe(text('two'));
    read = reader.read();
    clock.advance(14_999);
    expect(await now(read)).toBe('pending');
    clock.advance(1);
    expect(decoded(await read)).toBe(': keep-alive\n\n');
    await upstream.say(finish());
    await upstream.end();
    expect(decoded(await reader.read())).toBe(finish());
    expect(decoded(await reader.read())).toBe('data: [DONE]\n\n');
    expect((await reader.read()).done).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('is not kept alive for a reader that takes nothing', async () => {
    const { relay, clock, upstream, respond } = stage();
    const answer = relay(post(STREAMED));
    await turn();
    respond();
    await upstream.say(text('one'));
    const { body } = await answer;
    clock.advance(60_000);
    const reader = body!.getReader();
    expect(decoded(await reader.read())).toBe(text('one'));
    expect(await now(reader.read())).toBe('pending');
    await reader.cancel();
  });

  it('is given up, the server with it, for a reader that takes nothing for stallMs', async () => {
    const { relay, clock, upstream, respond, signal, logger } = stage({ timeout: { stallMs: 5000 } });
    const answer = relay(post(STREAMED));
    await turn();
    respond();
    await upstream.say(text('one') + text('two'));
    const reader = (await answer).body!.getReader();
    await reader.read();
    await reader.read();
    const third = reader.read();
    // Silence of the server is none of the reader's.
    clock.advance(14_000);
    expect(signal().aborted).toBe(false);
    await upstream.say(text('three'));
    await third;
    await upstream.say(text('four'));
    clock.advance(4_999);
    await turn();
    expect(signal().aborted).toBe(false);
    clock.advance(1);
    expect(signal().aborted).toBe(true);
    await turn();
    await expect(reader.read()).rejects.toThrow('takes no more');
    expect(clock.pending).toBe(0);
    expect(logger.lines.at(-1)).toContain('outcome=left');
  });

  it('asks the server for no more than its reader asks for', async () => {
    const { relay, upstream, respond } = stage();
    const answer = relay(post(STREAMED));
    await turn();
    let pulled = 0;
    const source = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          pulled += 1;
          controller.enqueue(new TextEncoder().encode(text('x')));
        },
      },
      { highWaterMark: 0 },
    );
    respond(new Response(source, { headers: { 'content-type': 'text/event-stream' } }));
    const { body } = await answer;
    await turn();
    const before = pulled;
    expect(before).toBeLessThanOrEqual(2);
    const reader = body!.getReader();
    for (let count = 0; count < 10; count++) await reader.read();
    await turn();
    expect(pulled).toBeLessThanOrEqual(before + 10);
    await reader.cancel();
    await upstream.end();
  });

  it.each([
    ['cancels the body', 'cancel'],
    ['aborts the request', 'abort'],
  ])('is aborted upstream in the same tick when the server %s', async (_, how) => {
    const { relay, clock, upstream, respond, signal } = stage();
    const leave = new AbortController();
    const answer = relay(post(STREAMED, {}, { signal: leave.signal }));
    await turn();
    respond();
    await upstream.say(text('one'));
    const reader = (await answer).body!.getReader();
    await reader.read();
    const read = reader.read();
    await turn();
    if (how === 'cancel') {
      void reader.cancel();
      expect(signal().aborted).toBe(true);
      expect((await read).done).toBe(true);
    } else {
      leave.abort();
      expect(signal().aborted).toBe(true);
      clock.advance(1000);
      await expect(read).rejects.toThrow('ended before it was whole');
    }
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['streamed', STREAMED],
    ['in one piece', ASKED],
  ])('or has not, is aborted upstream in the same tick, %s', async (_, asked) => {
    const { relay, clock, signal } = stage();
    const leave = new AbortController();
    const answer = relay(post(asked, {}, { signal: leave.signal }));
    await turn();
    expect(signal().aborted).toBe(false);
    leave.abort();
    expect(signal().aborted).toBe(true);
    expect((await answer).status).toBe(499);
    expect(clock.pending).toBe(0);
  });
});

describe('the body of a request', () => {
  it('must come within bodyMs', async () => {
    const { relay, clock } = stage();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode('{"messages":'));
      },
    });
    const answer = relay(post(body));
    await turn();
    clock.advance(29_999);
    expect(await now(answer)).toBe('pending');
    clock.advance(1);
    const { status, error } = await refused(answer);
    expect([status, error.code]).toEqual([408, 'request_timeout']);
    expect(clock.pending).toBe(0);
  });

  it('may come byte by byte', async () => {
    const bytes = new TextEncoder().encode(JSON.stringify({ messages: [{ role: 'user', content: 'ä'.repeat(5000) }] }));
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (at === bytes.length) controller.close();
        else controller.enqueue(bytes.subarray(at, ++at));
      },
    });
    const { relay } = relayTo(server);
    expect((await relay(post(body))).status).toBe(200);
    expect(server.requests.at(-1)?.json['messages']).toEqual([{ role: 'user', content: 'ä'.repeat(5000) }]);
  });

  it('that breaks is 400', async () => {
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.error(new Error('reset'));
      },
    });
    const { relay, clock } = stage();
    const { status, error } = await refused(relay(post(body)));
    expect([status, error.code]).toEqual([400, 'unreadable_body']);
    expect(clock.pending).toBe(0);
  });

  it('is not waited for when the client has left', async () => {
    const leave = new AbortController();
    const { relay, clock } = stage();
    const answer = relay(post(new ReadableStream<Uint8Array>(), {}, { signal: leave.signal }));
    await turn();
    leave.abort();
    expect((await answer).status).toBe(400);
    expect(clock.pending).toBe(0);
  });

  it("that somebody has read before is the operator's mistake", async () => {
    const { relay, logger } = stage();
    const request = post('', { 'content-length': '80' });
    expect((await refused(relay(request))).status).toBe(500);
    expect(logger.lines).toEqual([expect.stringMatching(/^error .*before body parsers/)]);
  });
});

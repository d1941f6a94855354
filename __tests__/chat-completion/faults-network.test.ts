import { lastValueFrom } from 'rxjs';
import type { Fetch } from '../../src/index.ts';
import { API_KEY, CLIENTS, HandClock, outcomeOf, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { ask, NOW } from '../support/faults-check.ts';
import { attemptsOf } from '../support/faults.ts';
import { PEERS, REJECTIONS, type Peer } from '../support/faults-network.ts';
import { cutNext, end, head, inTurn, say, script, sentence, whole } from '../support/faults-steps.ts';
import { ALL, PROMPT } from '../support/faults-ways.ts';

const ignore = (): void => undefined;

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({ whole: whole('Hello, ', 'world') });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

describe('whoever answers at the address is not who was meant', () => {
  let peer: Peer | undefined;
  afterEach(() => peer?.close());

  it.each(PEERS)('$name', async ({ peer: open, connections, ...row }) => {
    for (const way of ALL) {
      peer = await open();
      await ask(way, row, { url: peer.url, onShown: ignore });
      expect({ way: way.name, connections: peer.connections() }).toEqual({
        way: way.name,
        connections: connections ?? attemptsOf(row),
      });
      // The key is in every request's headers; a peer that is not trusted must not get as far as that.
      if (peer.url.startsWith('https:')) expect(peer.heard()).not.toContain(API_KEY);
      await peer.close();
      peer = undefined;
    }
  });
});

/** Fails so many times before it sends anything. */
function failing(failure: Error, times: number): { readonly fetch: Fetch; readonly calls: () => number } {
  let calls = 0;
  return {
    calls: () => calls,
    fetch: (input, init) => {
      calls += 1;
      return calls <= times ? Promise.reject(failure) : fetch(input, init);
    },
  };
}

describe('no address, no way, no trust', () => {
  it.each(REJECTIONS)('$name', async ({ failure, ...row }) => {
    for (const way of ALL) {
      const { fetch, calls } = failing(failure, Infinity);
      await ask(way, { ...row, options: { fetch } }, { url: server.baseURL('whole'), onShown: ignore });
      expect({ way: way.name, calls: calls() }).toEqual({ way: way.name, calls: attemptsOf(row) });
    }
    expect(server.requests).toHaveLength(0);
  });

  it.each(REJECTIONS.filter((row) => attemptsOf(row) > 1))('$name, then a whole answer', async ({ name, failure }) => {
    for (const way of ALL) {
      const { fetch, calls } = failing(failure, 1);
      const row = { name, text: 'Hello, world', attempts: 2, options: { fetch } };
      await ask(way, row, { url: server.baseURL('whole'), onShown: ignore });
      expect({ way: way.name, calls: calls() }).toEqual({ way: way.name, calls: 2 });
    }
    expect(server.requests.map(({ ending }) => ending)).toEqual(ALL.map(() => 'finished'));
  });
});

describe('a kept socket that has died meanwhile', () => {
  /** The end of the body has been read, and undici, which takes a turn for it, has taken the socket back. */
  async function freed(clock: HandClock): Promise<void> {
    await clock.untilPending(0);
    await turn();
    await turn();
  }

  it.each(ALL)('is replaced, and the text is shown once: $name', async (way) => {
    const stale = await startFaultServer();
    const lastOnSocket = script(cutNext, whole('before'));
    const url = stale.route('stale', inTurn(lastOnSocket, whole('Hello, ', 'world')));
    const clock = new HandClock(NOW);
    await ask(way, { name: 'before', text: 'before' }, { url, onShown: ignore, clock });
    await freed(clock);
    await ask(way, { name: 'after', text: 'Hello, world', attempts: 2 }, { url, onShown: ignore, clock });
    const seen = stale.requests.map(({ ending, connection }) => ({ ending, connection }));
    await stale.close();
    expect(seen).toEqual([
      { ending: 'finished', connection: 1 },
      { ending: 'cut', connection: 1 },
      { ending: 'finished', connection: 2 },
    ]);
  });

  it.each(CLIENTS)('is told where nothing is asked for again, over the $name transport', async ({ client }) => {
    const stale = await startFaultServer();
    const clock = new HandClock(NOW);
    const chat = client(stale.route('stale', script(cutNext, head(), say(sentence('before')), end)), {
      scheduler: clock,
    });
    await lastValueFrom(chat.stream$(PROMPT));
    await freed(clock);
    const { error } = await outcomeOf(chat.stream$(PROMPT));
    expect(error).toMatchObject({ kind: 'connection', retryable: true, attempts: 1 });
    await stale.close();
  });
});

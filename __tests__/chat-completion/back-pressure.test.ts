import { PromiseChatCompletion } from '../../src/promises.ts';
import { CLIENTS, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer, type SeenRequest } from '../support/fault-server.ts';
import { hang, head, script, text, type Step } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

describe.each(CLIENTS)('a slow consumer over the $name transport', ({ client }) => {
  const MIB = 1024 * 1024;
  const PIECE = text('x'.repeat(64 * 1024));

  /** Offers that much text, as fast as the client takes it. */
  const offering =
    (bytes: number): Step =>
    async ({ write, response, seen }) => {
      while (seen.written < bytes && !response.destroyed) await write(PIECE);
    };

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

  it('slows the server down: of 256 MiB some are taken, not all', async () => {
    const url = server.route('offer', script(head(), offering(256 * MIB)));
    const iterator = new PromiseChatCompletion(client(url)).streamCompletion(PROMPT)[Symbol.asyncIterator]();
    for (let count = 0; count < 3; count++) expect((await iterator.next()).done).toBe(false);
    const seen = await server.request(0);
    expect(await taken(seen)).toBeLessThan(32 * MIB);
    await iterator.return(undefined);
    expect(await seen.closed).toBe('aborted');
  });

  it('does not if it subscribes: all of 48 MiB are taken', async () => {
    let offered: () => void = () => undefined;
    const all = new Promise<void>((resolve) => {
      offered = resolve;
    });
    const url = server.route(
      'offer',
      script(
        head(),
        offering(48 * MIB),
        () => {
          offered();
        },
        hang,
      ),
    );
    const subscription = client(url).stream$(PROMPT).subscribe();
    await all;
    subscription.unsubscribe();
    expect(await server.closed(0)).toBe('aborted');
  });
});

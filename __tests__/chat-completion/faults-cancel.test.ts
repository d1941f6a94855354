import { take, type Observable } from 'rxjs';
import type { CompletionError } from '../../src/index.ts';
import { CLIENTS, HandClock, outcomeOf, turn, type ClientCase } from '../support/client.ts';
import { startFaultServer, type Ending, type FaultServer } from '../support/fault-server.ts';
import {
  ANY,
  begin,
  BUSY,
  iterated,
  METHODS,
  promised,
  STREAMED,
  STREAMS,
  subscribed,
  TALKING,
  type Call,
  type Moment,
  type Started,
} from '../support/faults-cancel.ts';
import { NOW, patience } from '../support/faults-check.ts';
import { inTurn } from '../support/faults-steps.ts';
import { PROMPT } from '../support/faults-ways.ts';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

/** The server saw these requests and no more, nothing runs any longer, and no time brings it back. */
async function expectOver({ clock }: Call, endings: readonly Ending[]): Promise<void> {
  expect(clock.pending).toBe(0);
  expect(await Promise.all(server.requests.map(({ closed }) => closed))).toEqual(endings);
  clock.advance(1e9);
  await turn();
  await turn();
  expect(server.requests).toHaveLength(endings.length);
}

describe.each(CLIENTS)('a call that is left over the $name transport', ({ client }) => {
  describe.each(METHODS)('%s', (method) => {
    it.each(STREAMS.includes(method) ? [...ANY, ...STREAMED] : ANY)(
      'unsubscribed from $name: nothing more is told or sent',
      async (moment) => {
        const call = begin(server, client, moment.answers, subscribed(method));
        await moment.reached(call, server);
        const before = call.told.length;
        call.leave();
        await expectOver(call, moment.endings);
        expect(call.told).toHaveLength(before);
        expect(before > 0).toBe(moment.text !== undefined);
      },
    );

    it.each(STREAMS.includes(method) ? [...ANY, ...STREAMED] : ANY)('aborted by its signal $name', async (moment) => {
      await expectAborted(moment, client, (signal) => subscribed(method, signal));
    });

    it('unsubscribed from inside onRetry: no pause begins', async () => {
      const left = {
        onRetry: (call: Call) => {
          call.leave();
        },
      };
      const call = begin(server, client, [BUSY], subscribed(method), left);
      await call.paused;
      await expectOver(call, ['finished']);
      expect(call.told).toEqual([]);
    });
  });

  it.each(STREAMS)('%s, unsubscribed from inside its first next', async (method) => {
    for (const answers of [[TALKING], [BUSY, TALKING]] as const) {
      server.clear();
      const call = begin(server, client, answers, subscribed(method), {
        onNext: ({ leave }) => {
          leave();
        },
      });
      await call.shown;
      await expectOver(call, answers.length === 1 ? ['aborted'] : ['finished', 'aborted']);
      expect(call.told).toHaveLength(1);
    }
  });

  it.each(STREAMS)('%s, aborted inside its first next', async (method) => {
    const controller = new AbortController();
    const call = begin(server, client, [BUSY, TALKING], subscribed(method, controller.signal), {
      onNext: () => {
        controller.abort();
      },
    });
    await call.shown;
    await expectOver(call, ['finished', 'aborted']);
    expect(call.told).toEqual([expect.anything(), expect.objectContaining({ kind: 'aborted', attempts: 2 })]);
  });

  it.each(STREAMS)('%s with take(1) completes and ends the request', async (method) => {
    const clock = new HandClock(NOW);
    const chat = client(server.route('fault', inTurn(BUSY, TALKING)), patience(clock).options);
    const first$ = (chat[method](PROMPT) as Observable<unknown>).pipe(take(1));
    const { values, completed } = await outcomeOf(first$);
    expect({ count: values.length, completed }).toEqual({ count: 1, completed: true });
    expect(clock.pending).toBe(0);
    expect(await server.closed(1)).toBe('aborted');
    expect(server.requests).toHaveLength(2);
  });

  it.each([...ANY, ...STREAMED])('streamCompletion, its loop left $name', async (moment) => {
    const call = begin(server, client, moment.answers, iterated());
    await moment.reached(call, server);
    const before = call.told.length;
    call.leave();
    await expectOver(call, moment.endings);
    expect(call.told).toHaveLength(before);
  });

  it.each([...ANY, ...STREAMED])('streamCompletion, aborted by its signal $name', async (moment) => {
    await expectAborted(moment, client, iterated);
  });

  it.each(ANY)('generateCompletion, aborted by its signal $name', async (moment) => {
    await expectAborted(moment, client, promised);
  });
});

async function expectAborted(
  moment: Moment,
  client: ClientCase['client'],
  start: (signal: AbortSignal) => Started,
): Promise<void> {
  const controller = new AbortController();
  const reason = new RangeError('mine');
  const call = begin(server, client, moment.answers, start(controller.signal));
  await moment.reached(call, server);
  const before = call.told.length;
  controller.abort(reason);
  await expectOver(call, moment.endings);
  expect(call.told.slice(before)).toEqual([
    expect.objectContaining({ kind: 'aborted', retryable: false, attempts: moment.endings.length }),
  ]);
  const { cause, partial } = call.told.at(-1) as CompletionError;
  expect(cause).toBe(reason);
  expect(partial.text).toBe(moment.text ?? '');
}

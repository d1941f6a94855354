import { concat, NEVER, Subscription } from 'rxjs';
import { DeadlineClock } from '../../src/deadline-clock.ts';
import { attempt$, type AttemptRequest } from '../../src/transport/attempt.ts';
import { eventDecoder } from '../../src/wire/body-decoder.ts';
import { HandClock, handBody, recordingLogger, turn, type HandBody } from '../support/client.ts';
import { DONE, event, finish, text } from '../support/faults-steps.ts';

const TOTAL_MS = 10_000;

interface Running {
  readonly scheduler: HandClock;
  readonly total: DeadlineClock;
  readonly body: HandBody;
  readonly told: unknown[];
  readonly subscription: Subscription;
}

/** An attempt under the clock of a call that may have more of them. */
async function run(changes: Partial<AttemptRequest> = {}, inNext?: (running: Running) => void): Promise<Running> {
  const scheduler = new HandClock();
  const total = new DeadlineClock(scheduler, () => undefined);
  total.watch('total', TOTAL_MS);
  const body = handBody();
  const told: unknown[] = [];
  const subscription = new Subscription();
  const running = { scheduler, total, body, told, subscription };
  const request: AttemptRequest = {
    transport: () => Promise.resolve(new Response(body.stream)),
    body: { model: 'm', stream: true },
    headers: {},
    model: 'm',
    attempt: 1,
    connectMs: 1000,
    idleMs: 1000,
    outputMs: 1000,
    discardMs: undefined,
    total,
    maxEventBytes: 1_000_000,
    gate: undefined,
    scheduler,
    hooks: {},
    logger: recordingLogger(),
    secrets: () => [],
    onBody: () => undefined,
    ...changes,
  };
  // The call goes on when the attempt is over.
  subscription.add(
    concat(attempt$(request, eventDecoder), NEVER).subscribe({
      next: (value) => {
        told.push(value);
        inNext?.(running);
      },
      error: (error: unknown) => told.push(error),
    }),
  );
  await turn();
  return running;
}

/** Whether the clock of the call runs: then ten milliseconds take ten from it. */
function runs({ scheduler, total }: Running): boolean {
  const before = total.leftMs ?? 0;
  scheduler.advance(10);
  return total.leftMs === before - 10;
}

const closed = (): Promise<void> => new Promise(() => undefined);

describe('the clock of the call', () => {
  it('runs while an attempt connects, and while it waits for the body', async () => {
    expect(runs(await run({ transport: () => new Promise(() => undefined) }))).toBe(true);
    expect(runs(await run())).toBe(true);
  });

  it('stands still inside next', async () => {
    let ran: boolean | undefined;
    const running = await run({}, (it) => {
      ran = runs(it);
    });
    await running.body.say(text('one'));
    expect(ran).toBe(false);
    expect(running.total.leftMs).toBe(TOTAL_MS);
    expect(runs(running)).toBe(true);
  });

  it('stands still while a gate is closed', async () => {
    const running = await run({ gate: closed });
    expect(runs(running)).toBe(false);
    expect(running.total.leftMs).toBe(TOTAL_MS);
  });

  it.each<[string, (running: Running) => void | Promise<void>, Partial<AttemptRequest>]>([
    ['an error in a read', ({ body }) => body.say(event({ error: { message: 'no' } })), {}],
    ['the end of the answer', ({ body }) => body.say(text('one') + finish() + DONE), {}],
    ['the end of the body', ({ body }) => body.end(), {}],
    [
      'an unsubscribe while a gate is closed',
      ({ subscription }) => {
        subscription.unsubscribe();
      },
      { gate: closed },
    ],
    ['a gate that throws', () => undefined, { gate: () => Promise.reject(new Error('mine')) }],
  ])('runs again after %s', async (_, end, changes) => {
    const running = await run(changes);
    await end(running);
    await turn();
    expect(runs(running)).toBe(true);
    running.total.stop();
    // The wait for what stands behind [DONE].
    running.scheduler.advance(100);
    expect(running.scheduler.pending).toBe(0);
  });

  it('runs again after an unsubscribe inside next', async () => {
    const running = await run({}, ({ subscription }) => {
      subscription.unsubscribe();
    });
    await running.body.say(text('one'));
    expect(runs(running)).toBe(true);
  });
});

describe('the clock of the output', () => {
  it.each<[string, Partial<AttemptRequest>]>([
    ['before the headers', { transport: () => new Promise(() => undefined) }],
    ['in silence', {}],
  ])('ends an attempt %s', async (_, changes) => {
    const { scheduler, told } = await run({ connectMs: 5000, idleMs: 5000, ...changes });
    scheduler.advance(999);
    expect(told).toEqual([]);
    scheduler.advance(1);
    expect(told).toMatchObject([{ kind: 'timeout', clock: 'output', retryable: true }]);
  });

  it('is not set without a limit', async () => {
    const { scheduler, told, total } = await run({ connectMs: undefined, idleMs: undefined, outputMs: undefined });
    total.stop();
    expect(scheduler.pending).toBe(0);
    expect(told).toEqual([]);
  });

  it('is not set for a subscriber who has left before', async () => {
    const { scheduler, subscription, total } = await run();
    subscription.unsubscribe();
    total.stop();
    expect(scheduler.pending).toBe(0);
  });
});

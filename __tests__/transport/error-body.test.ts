import { DeadlineClock } from '../../src/deadline-clock.ts';
import type { CompletionError } from '../../src/errors.ts';
import { accepted, type FetchBounds } from '../../src/transport/bounded-fetch.ts';
import { HandClock, handBody } from '../support/client.ts';
import { inSteps } from '../support/steps.ts';

/** A response that is an error: what it comes to, and the clock that watches its body. */
function accepting(response: Response, changes: Partial<FetchBounds> = {}) {
  const scheduler = new HandClock();
  const expired: (readonly [string, number])[] = [];
  const clock = new DeadlineClock(scheduler, (name, afterMs) => expired.push([name, afterMs]));
  const bounds = {
    signal: new AbortController().signal,
    clock,
    idleMs: 5000,
    discardMs: undefined,
    scheduler,
    secrets: () => [],
    onFacts: () => undefined,
    ...changes,
  };
  const failure = inSteps(accepted(response, bounds)).then(
    () => {
      throw new Error('was accepted');
    },
    (error: unknown) => error as CompletionError,
  );
  return { failure, scheduler, clock, expired };
}

describe('an error body', () => {
  it('is read up to 64 KiB, then let go', async () => {
    let cancelled = false;
    let given = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        given += 10_000;
        controller.enqueue(new Uint8Array(10_000).fill(0x78));
      },
      cancel: () => void (cancelled = true),
    });
    const error = await accepting(new Response(body, { status: 500 })).failure;
    expect(error.message).toMatch(/^500 x+…$/);
    expect(cancelled).toBe(true);
    expect(given).toBeLessThan(100_000);
  });

  it('that breaks says what it said until then', async () => {
    const body = handBody();
    const { failure } = accepting(new Response(body.stream, { status: 503 }));
    await body.say('overloaded, please');
    await body.end();
    expect((await failure).message).toBe('503 overloaded, please');
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.error(new Error('reset'));
      },
    });
    expect(await accepting(new Response(broken, { status: 503 })).failure).toMatchObject({
      kind: 'server',
      status: 503,
    });
  });

  it('is let go of on an abort, by whatever fetch', async () => {
    const controller = new AbortController();
    let cancelled = false;
    const body = new ReadableStream({ cancel: () => void (cancelled = true) });
    const { failure } = accepting(new Response(body, { status: 500 }), { signal: controller.signal });
    controller.abort();
    await failure;
    expect(cancelled).toBe(true);
  });
});

/** `x-should-retry` as the server sends it, if it does. */
interface Row {
  readonly status: number;
  readonly order?: boolean;
  readonly idleMs?: number | undefined;
  readonly discardMs: number | undefined;
  readonly awaitedMs: number | undefined;
}

describe('the time for an error body', () => {
  const rows: readonly Row[] = [
    ...[408, 409, 429, 500, 502, 503, 504, 529].flatMap((status) => [
      { status, discardMs: 1000, awaitedMs: 1000 },
      { status, discardMs: undefined, awaitedMs: 5000 },
      { status, order: false, discardMs: 1000, awaitedMs: 5000 },
    ]),
    ...[400, 401, 402, 403, 404, 413, 422].flatMap((status) => [
      { status, discardMs: 1000, awaitedMs: 5000 },
      { status, order: true, discardMs: 1000, awaitedMs: 1000 },
      { status, order: true, discardMs: undefined, awaitedMs: 5000 },
    ]),
    { status: 503, idleMs: 300, discardMs: 1000, awaitedMs: 300 },
    { status: 503, idleMs: undefined, discardMs: 1000, awaitedMs: 1000 },
    { status: 503, idleMs: undefined, discardMs: undefined, awaitedMs: undefined },
    { status: 400, idleMs: undefined, discardMs: 1000, awaitedMs: undefined },
  ];

  it.each(rows)('%j', async ({ status, order, awaitedMs, discardMs, ...times }) => {
    const headers = order === undefined ? undefined : { 'x-should-retry': String(order) };
    const body = handBody();
    const response = new Response(body.stream, { status, ...(headers && { headers }) });
    const { clock, failure } = accepting(response, { ...times, discardMs: () => discardMs });
    expect(clock.leftMs).toBe(awaitedMs);
    await body.end();
    expect(await failure).toMatchObject({ status });
  });

  it('is not renewed by what comes of it', async () => {
    const body = handBody();
    const response = new Response(body.stream, { status: 503 });
    const { scheduler, expired } = accepting(response, { discardMs: () => 1000 });
    for (let read = 0; read < 3; read++) {
      await body.say('x');
      scheduler.advance(333);
    }
    expect(expired).toEqual([]);
    scheduler.advance(1);
    expect(expired).toEqual([['idle', 1000]]);
  });
});

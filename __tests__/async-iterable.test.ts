import { getEventListeners } from 'node:events';
import {
  concat,
  defer,
  EMPTY,
  finalize,
  from,
  map,
  NEVER,
  Observable,
  of,
  range,
  repeat,
  Subject,
  throwError,
} from 'rxjs';
import { iterableOf, toAsyncIterable, type AsyncIterableOptions } from '../src/async-iterable.ts';

const BOOM = new Error('boom');

/** A subject that counts who is subscribed to it. */
function counted<T>(source: Observable<T>): { source$: Observable<T>; started: () => number; running: () => number } {
  let started = 0;
  let running = 0;
  const source$ = defer(() => {
    started += 1;
    running += 1;
    return source.pipe(
      finalize(() => {
        running -= 1;
      }),
    );
  });
  return { source$, started: () => started, running: () => running };
}

function iterate<T>(source$: Observable<T>, options?: AsyncIterableOptions): AsyncGenerator<T, void, undefined> {
  return toAsyncIterable(source$, options)[Symbol.asyncIterator]();
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of source) values.push(value);
  return values;
}

const DONE = { done: true, value: undefined };
const yielded = <T>(value: T): { done: false; value: T } => ({ done: false, value });

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => {
  unhandled.push(reason);
};
beforeAll(() => process.on('unhandledRejection', onUnhandled));
afterAll(() => process.off('unhandledRejection', onUnhandled));
afterEach(async () => {
  // Node reports an unhandled rejection when the microtasks are done.
  await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled.splice(0)).toEqual([]);
});

describe('an iteration', () => {
  it('begins with the first next(), and not before', async () => {
    const { source$, started } = counted(of(1));
    const iterable = toAsyncIterable(source$);
    const iterator = iterable[Symbol.asyncIterator]();
    expect(started()).toBe(0);
    await iterator.next();
    expect(started()).toBe(1);
  });

  it('is one subscription, and each is its own', async () => {
    const { source$, started, running } = counted(of(1, 2));
    const iterable = toAsyncIterable(source$);
    expect(await all(iterable)).toEqual([1, 2]);
    expect(await all(iterable)).toEqual([1, 2]);
    const [a, b] = [iterable[Symbol.asyncIterator](), iterable[Symbol.asyncIterator]()];
    expect([await a.next(), await b.next(), await b.next(), await a.next()].map(({ value }) => value)).toEqual([
      1, 1, 2, 2,
    ]);
    expect([started(), running()]).toEqual([4, 0]);
  });

  it('may be continued: an iterator is its own iterable', async () => {
    const iterator = iterate(of(1, 2, 3));
    await iterator.next();
    expect(await all(iterator)).toEqual([2, 3]);
  });

  it('delivers values as they arrive, in order, and those that came meanwhile', async () => {
    const subject = new Subject<number>();
    const iterator = iterate(subject);
    const first = iterator.next();
    subject.next(1);
    expect(await first).toEqual(yielded(1));
    subject.next(2);
    subject.next(3);
    expect(await iterator.next()).toEqual(yielded(2));
    subject.next(4);
    subject.complete();
    expect([await iterator.next(), await iterator.next()]).toEqual([yielded(3), yielded(4)]);
    expect([await iterator.next(), await iterator.next()]).toEqual([DONE, DONE]);
  });

  it('answers several next() at once, in order', async () => {
    const subject = new Subject<number>();
    const { source$, started } = counted(subject);
    const iterator = iterate(source$);
    const asked = [iterator.next(), iterator.next(), iterator.next(), iterator.next()];
    subject.next(1);
    subject.next(2);
    subject.complete();
    expect(await Promise.all(asked)).toEqual([yielded(1), yielded(2), DONE, DONE]);
    expect(started()).toBe(1);
  });

  it('takes values that are undefined, and promises as they are', async () => {
    expect(await all(toAsyncIterable(of(undefined, null, 0)))).toEqual([undefined, null, 0]);
  });

  it('takes a synchronous source, empty or long', async () => {
    expect(await all(toAsyncIterable(EMPTY))).toEqual([]);
    expect(await all(toAsyncIterable(range(0, 60_000)))).toHaveLength(60_000);
  });
});

describe('an error', () => {
  it('is thrown once, after the values before it; then the iteration is over', async () => {
    const iterator = iterate(
      concat(
        of(1, 2),
        throwError(() => BOOM),
      ),
    );
    expect([await iterator.next(), await iterator.next()]).toEqual([yielded(1), yielded(2)]);
    await expect(iterator.next()).rejects.toBe(BOOM);
    expect([await iterator.next(), await iterator.next()]).toEqual([DONE, DONE]);
  });

  it('goes to the first of several that wait; for the others it is over', async () => {
    const subject = new Subject<number>();
    const iterator = iterate(subject);
    const asked = [iterator.next(), iterator.next(), iterator.next()];
    subject.error(BOOM);
    expect(await Promise.allSettled(asked)).toEqual([
      { status: 'rejected', reason: BOOM },
      { status: 'fulfilled', value: DONE },
      { status: 'fulfilled', value: DONE },
    ]);
  });

  it('comes out of for await, whatever it is', async () => {
    for (const error of [BOOM, undefined, 'text', null]) {
      await expect(all(toAsyncIterable(throwError(() => error)))).rejects.toBe(error);
    }
  });

  it('that nobody asks for is no unhandled rejection', async () => {
    const subject = new Subject<number>();
    const iterator = iterate(subject);
    const first = iterator.next();
    subject.next(1);
    subject.error(BOOM);
    expect(await first).toEqual(yielded(1));
  });
});

describe('leaving early', () => {
  const endless = (): ReturnType<typeof counted<number>> => counted(concat(of(1, 2, 3), NEVER));

  it('by break unsubscribes', async () => {
    const { source$, running } = endless();
    for await (const value of toAsyncIterable(source$)) if (value === 2) break;
    expect(running()).toBe(0);
  });

  it('by throwing unsubscribes', async () => {
    const { source$, running } = endless();
    const run = async (): Promise<void> => {
      for await (const value of toAsyncIterable(source$)) if (value === 2) throw BOOM;
    };
    await expect(run()).rejects.toBe(BOOM);
    expect(running()).toBe(0);
  });

  it('by return() unsubscribes at once, drops what waits, and lets go who waits', async () => {
    const { source$, running } = endless();
    const iterator = iterate(source$);
    await iterator.next();
    const returned = iterator.return();
    expect(running()).toBe(0);
    expect(await returned).toEqual(DONE);
    expect(await iterator.next()).toEqual(DONE);
    const silent = counted(NEVER);
    const waiting = iterate(silent.source$);
    const asked = [waiting.next(), waiting.next()];
    await waiting.return();
    expect(await Promise.all(asked)).toEqual([DONE, DONE]);
    expect(silent.running()).toBe(0);
  });

  it('by throw() unsubscribes and rejects with what was thrown', async () => {
    const { source$, running } = endless();
    const iterator = iterate(source$);
    await iterator.next();
    await expect(iterator.throw(BOOM)).rejects.toBe(BOOM);
    expect(running()).toBe(0);
    expect(await iterator.next()).toEqual(DONE);
  });

  it('before it began never subscribes', async () => {
    for (const leave of [
      (it: AsyncGenerator<number>) => it.return(undefined),
      (it: AsyncGenerator<number>) => it.throw(BOOM),
    ]) {
      const { source$, started } = endless();
      const iterator = iterate(source$);
      await leave(iterator).catch(() => undefined);
      expect(await iterator.next()).toEqual(DONE);
      expect(started()).toBe(0);
    }
  });

  it('after the end changes nothing', async () => {
    const iterator = iterate(of(1));
    await iterator.next();
    await iterator.next();
    expect([await iterator.return(), await iterator.next()]).toEqual([DONE, DONE]);
  });

  it('from inside a synchronous source stops it', async () => {
    let emitted = 0;
    const iterator = iterate(
      range(0, 1000).pipe(
        map((value) => {
          emitted += 1;
          if (value === 10) void iterator.return();
          return value;
        }),
      ),
    );
    await iterator.next();
    expect(emitted).toBe(11);
  });

  it('by await using disposes of an iterator, and of all iterations of an iterable', async () => {
    const one = endless();
    {
      await using iterator = iterate(one.source$);
      await iterator.next();
      expect(one.running()).toBe(1);
    }
    expect(one.running()).toBe(0);
    const several = endless();
    {
      await using iterable = toAsyncIterable(several.source$);
      await iterable[Symbol.asyncIterator]().next();
      await iterable[Symbol.asyncIterator]().next();
      expect(several.running()).toBe(2);
    }
    expect(several.running()).toBe(0);
  });
});

describe('a signal', () => {
  const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;
  const ABORTED = { kind: 'aborted', cause: BOOM };

  it('that has aborted before subscribes to nothing', async () => {
    const { source$, started } = counted(of(1));
    await expect(iterate(source$, { signal: AbortSignal.abort(BOOM) }).next()).rejects.toMatchObject(ABORTED);
    expect(started()).toBe(0);
  });

  it('ends the iteration with an error, after the values before it, and unsubscribes', async () => {
    const controller = new AbortController();
    const { source$, running } = counted(concat(of(1, 2), NEVER));
    const iterator = iterate(source$, { signal: controller.signal });
    await iterator.next();
    controller.abort(BOOM);
    expect([running(), listeners(controller.signal)]).toEqual([0, 0]);
    expect(await iterator.next()).toEqual(yielded(2));
    await expect(iterator.next()).rejects.toMatchObject(ABORTED);
    expect(await iterator.next()).toEqual(DONE);
  });

  it('wakes who waits', async () => {
    const controller = new AbortController();
    const waiting = iterate(NEVER, { signal: controller.signal }).next();
    controller.abort(BOOM);
    await expect(waiting).rejects.toMatchObject(ABORTED);
  });

  it('keeps no listener, however the iteration ends', async () => {
    const { signal } = new AbortController();
    await all(toAsyncIterable(of(1), { signal }));
    await expect(
      all(
        toAsyncIterable(
          throwError(() => BOOM),
          { signal },
        ),
      ),
    ).rejects.toBe(BOOM);
    for await (const value of toAsyncIterable(concat(of(1), NEVER), { signal })) if (value === 1) break;
    const iterator = iterate(NEVER, { signal });
    const waiting = iterator.next();
    expect(listeners(signal)).toBe(1);
    await iterator.return();
    await waiting;
    await expect(all(toAsyncIterable(range(0, 9), { signal, maxBuffered: 1 }))).rejects.toMatchObject({
      kind: 'limit',
    });
    expect(listeners(signal)).toBe(0);
  });

  it('may be null or left out', async () => {
    expect(await all(toAsyncIterable(of(1), { signal: null }))).toEqual([1]);
    expect(await all(toAsyncIterable(of(1), { signal: undefined, maxBuffered: undefined }))).toEqual([1]);
  });
});

describe('the buffer', () => {
  it('holds maxBuffered values; past them the iteration ends with kind limit, values first', async () => {
    const subject = new Subject<number>();
    const { source$, running } = counted(subject);
    const iterator = iterate(source$, { maxBuffered: 2 });
    const first = iterator.next();
    for (const value of [1, 2, 3]) subject.next(value);
    expect(running()).toBe(1);
    subject.next(4);
    expect(running()).toBe(0);
    expect([await first, await iterator.next(), await iterator.next()]).toEqual([1, 2, 3].map(yielded));
    await expect(iterator.next()).rejects.toMatchObject({
      kind: 'limit',
      message: expect.stringMatching(/More than 2 .*maxBuffered/) as string,
    });
    expect(await iterator.next()).toEqual(DONE);
  });

  it('has room again for what is taken', async () => {
    const subject = new Subject<number>();
    const iterator = iterate(subject, { maxBuffered: 2 });
    const first = iterator.next();
    subject.next(0);
    await first;
    for (let value = 1; value < 100; value++) {
      subject.next(value);
      subject.next(-value);
      expect([await iterator.next(), await iterator.next()]).toEqual([yielded(value), yielded(-value)]);
    }
  });

  it('ends a synchronous source without an end', async () => {
    const { source$, running } = counted(of(1).pipe(repeat()));
    const iterator = iterate(source$, { maxBuffered: 5 });
    expect(await iterator.next()).toEqual(yielded(1));
    expect(running()).toBe(0);
    for (let count = 0; count < 5; count++) await iterator.next();
    await expect(iterator.next()).rejects.toMatchObject({ kind: 'limit' });
  });

  it('holds 65,536 values unless told otherwise', async () => {
    const taken = async (count: number): Promise<number> => (await all(toAsyncIterable(range(0, count)))).length;
    // The first goes to who waits for it.
    expect(await taken(65_537)).toBe(65_537);
    await expect(taken(65_538)).rejects.toMatchObject({ kind: 'limit' });
  });

  it('may be none', async () => {
    const subject = new Subject<number>();
    const iterator = iterate(subject, { maxBuffered: 0 });
    const asked = iterator.next();
    subject.next(1);
    expect(await asked).toEqual(yielded(1));
    subject.next(2);
    await expect(iterator.next()).rejects.toMatchObject({ kind: 'limit' });
  });
});

describe('the gate of a source that can be slowed', () => {
  /** A source that reads a batch whenever its gate opens, and counts its reads. */
  function gated(batches: readonly (readonly number[])[]): {
    readonly iterator: AsyncGenerator<number, void, undefined>;
    readonly reads: number[];
  } {
    const reads: number[] = [];
    const iterable = iterableOf<number>(
      (gate) =>
        new Observable((subscriber) => {
          const read = async (): Promise<void> => {
            for (const [at, batch] of batches.entries()) {
              await gate();
              if (subscriber.closed) return;
              reads.push(at);
              for (const value of batch) subscriber.next(value);
            }
            subscriber.complete();
          };
          void read();
        }),
      Number.POSITIVE_INFINITY,
    );
    return { iterator: iterable[Symbol.asyncIterator](), reads };
  }
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('is open while someone waits, and closed while values do', async () => {
    const { iterator, reads } = gated([[1, 2], [], [3], [4]]);
    await settled();
    expect(reads).toEqual([]);
    expect(await iterator.next()).toEqual(yielded(1));
    await settled();
    expect(reads).toEqual([0]);
    expect(await iterator.next()).toEqual(yielded(2));
    await settled();
    expect(reads).toEqual([0]);
    expect(await iterator.next()).toEqual(yielded(3));
    await settled();
    expect(reads).toEqual([0, 1, 2]);
    expect([await iterator.next(), await iterator.next()]).toEqual([yielded(4), DONE]);
  });

  it('is opened by return(), so that the source can see that it is over', async () => {
    const passed: string[] = [];
    const iterator = iterableOf<number>(
      (gate) =>
        new Observable((subscriber) => {
          subscriber.next(1);
          void gate().then(() => passed.push(subscriber.closed ? 'closed' : 'open'));
        }),
      10,
    )[Symbol.asyncIterator]();
    await iterator.next();
    await settled();
    expect(passed).toEqual([]);
    await iterator.return();
    await settled();
    expect(passed).toEqual(['closed']);
  });

  it('stays open after the end', async () => {
    let gateOf: (() => Promise<void>) | undefined;
    const iterator = iterableOf<number>((gate) => {
      gateOf = gate;
      return from([1]);
    }, 10)[Symbol.asyncIterator]();
    await iterator.next();
    await expect(gateOf?.()).resolves.toBeUndefined();
  });

  it('is one for each iterator', async () => {
    const gates: unknown[] = [];
    const iterable = iterableOf<number>((gate) => {
      gates.push(gate);
      return of(1);
    }, 10);
    await iterable[Symbol.asyncIterator]().next();
    await iterable[Symbol.asyncIterator]().next();
    expect(new Set(gates).size).toBe(2);
  });
});

import { Subject, takeUntil, type Observable } from 'rxjs';
import { CompletionError } from './errors.ts';
import { abortedBy } from './operators/aborted-by.ts';

/** Options of {@link toAsyncIterable}. */
export interface AsyncIterableOptions {
  /** Ends the iteration with an error of kind `aborted`, and unsubscribes. */
  readonly signal?: AbortSignal | null | undefined;
  /** How many values may wait for the consumer. More are an error of kind `limit`. Default: 65,536. */
  readonly maxBuffered?: number | undefined;
}

export const ASYNC_ITERABLE_DEFAULTS = { maxBuffered: 65_536 } as const;

/**
 * `Symbol.asyncDispose`, where the consumer's own TypeScript `lib` knows it (`ESNext.Disposable`): declared by name here, the
 * types of this package would not compile anywhere else.
 */
type Disposing<T> = Pick<
  AsyncGenerator<T, void, undefined>,
  Exclude<
    keyof AsyncGenerator<T, void, undefined>,
    'next' | 'return' | 'throw' | typeof Symbol.asyncIterator | typeof Symbol.toStringTag
  >
>;

/** Each iteration is a subscription of its own; disposing ends those that still run. */
export type ObservableIterable<T> = Disposing<T> & {
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined>;
};

/** An Observable made for one iterator: `gate` resolves while the consumer waits for a value. */
export type GatedSource<T> = (gate: () => Promise<void>) => Observable<T>;

/**
 * Any Observable as an AsyncIterable. Each iterator is one subscription, begun by the first `next()`; `break`, `return` and
 * `throw` unsubscribe. Values that arrive faster than they are taken wait in a queue; an error is thrown after the values
 * before it. A source cannot be slowed down: past `maxBuffered` waiting values the iteration ends with kind `limit`.
 *
 * ```ts
 * import { interval, take } from 'rxjs';
 * import { toAsyncIterable } from 'rxjs-openai';
 *
 * for await (const n of toAsyncIterable(interval(100).pipe(take(3)))) console.log(n);
 * ```
 */
export function toAsyncIterable<T>(source$: Observable<T>, options: AsyncIterableOptions = {}): ObservableIterable<T> {
  const signal = options.signal ?? undefined;
  const bounded$ = signal === undefined ? source$ : source$.pipe(abortedBy(signal));
  return iterableOf(() => bounded$, options.maxBuffered ?? ASYNC_ITERABLE_DEFAULTS.maxBuffered);
}

/** The same for a source that reads only while its gate is open: the queue holds what one read brought. */
export function iterableOf<T>(source: GatedSource<T>, maxBuffered: number): ObservableIterable<T> {
  const running = new Set<ObservableIterator<T>>();
  const iterable = {
    [Symbol.asyncIterator]: (): AsyncGenerator<T, void, undefined> => {
      const iterator = new ObservableIterator<T>(source, maxBuffered, {
        started: () => running.add(iterator),
        ended: () => running.delete(iterator),
      });
      return iterator;
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await Promise.all([...running].map((iterator) => iterator.return()));
    },
  };
  return iterable;
}

interface Waiting<T> {
  readonly resolve: (result: IteratorResult<T, void>) => void;
  readonly reject: (error: unknown) => void;
}

interface Lifecycle {
  readonly started: () => void;
  readonly ended: () => void;
}

class ObservableIterator<T> {
  readonly #source: GatedSource<T>;
  readonly #maxBuffered: number;
  readonly #lifecycle: Lifecycle;
  #queue: T[] = [];
  /** The queue's first value: taking from the front of an array of thousands costs as much as copying it. */
  #head = 0;
  #waiting: Waiting<T>[] = [];
  #openGate: (() => void) | undefined;
  readonly #stop$ = new Subject<void>();
  #started = false;
  #ended: { readonly error?: unknown; readonly failed: boolean } | undefined;

  constructor(source: GatedSource<T>, maxBuffered: number, lifecycle: Lifecycle) {
    this.#source = source;
    this.#maxBuffered = maxBuffered;
    this.#lifecycle = lifecycle;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  next(): Promise<IteratorResult<T, void>> {
    if (this.#head < this.#queue.length) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#ended !== undefined) return this.#endedResult();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#openGate?.();
      this.#openGate = undefined;
      if (!this.#started) this.#start();
    });
  }

  /** Unsubscribes; what was queued is dropped, whoever waits gets the end. */
  return(): Promise<IteratorResult<T, void>> {
    this.#stop();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Unsubscribes and rejects with `error`. */
  throw(error?: unknown): Promise<IteratorResult<T, void>> {
    this.#stop();
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's own value, as generators do
    return Promise.reject(error);
  }

  #start(): void {
    this.#started = true;
    this.#lifecycle.started();
    // takeUntil, not the subscription: a synchronous source is still inside subscribe when it passes the limit.
    const source$ = this.#source(() => this.#gate()).pipe(takeUntil(this.#stop$));
    source$.subscribe({
      next: (value) => {
        this.#push(value);
      },
      error: (error: unknown) => {
        this.#end({ failed: true, error });
      },
      complete: () => {
        this.#end({ failed: false });
      },
    });
  }

  #gate(): Promise<void> {
    if (this.#waiting.length > 0 || this.#ended !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#openGate = resolve;
    });
  }

  #push(value: T): void {
    if (this.#ended !== undefined) return;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting.resolve({ done: false, value });
    } else if (this.#queue.length - this.#head >= this.#maxBuffered) {
      this.#end({ failed: true, error: overflow(this.#maxBuffered) });
    } else {
      this.#queue.push(value);
    }
  }

  #take(): T {
    const value = this.#queue[this.#head] as T;
    this.#head += 1;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    }
    return value;
  }

  /** The source is over; what is queued is still delivered first. */
  #end(ended: { readonly error?: unknown; readonly failed: boolean }): void {
    if (this.#ended !== undefined) return;
    this.#ended = ended;
    this.#release();
    const [first, ...others] = this.#waiting;
    this.#waiting = [];
    if (first !== undefined) void this.#endedResult().then(first.resolve, first.reject);
    for (const waiting of others) waiting.resolve({ done: true, value: undefined });
  }

  /** The error is told once; after that the iterator is just over, as a generator is. */
  #endedResult(): Promise<IteratorResult<T, void>> {
    const ended = this.#ended;
    this.#ended = { failed: false };
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever the source erred with
    return ended?.failed === true ? Promise.reject(ended.error) : Promise.resolve({ done: true, value: undefined });
  }

  #stop(): void {
    this.#started = true;
    this.#ended = { failed: false };
    this.#queue = [];
    this.#head = 0;
    this.#release();
    for (const waiting of this.#waiting) waiting.resolve({ done: true, value: undefined });
    this.#waiting = [];
  }

  #release(): void {
    this.#stop$.next();
    this.#openGate?.();
    this.#openGate = undefined;
    this.#lifecycle.ended();
  }
}

function overflow(maxBuffered: number): CompletionError {
  return new CompletionError(
    `More than ${String(maxBuffered)} values wait to be taken: consume faster, raise maxBuffered, or thin out the source`,
    { kind: 'limit' },
  );
}

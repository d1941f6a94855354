type Settled<T> = { readonly failed: false; readonly value: T } | { readonly failed: true; readonly error: unknown };

/**
 * A promise that calls back in the tick in which it settles, or at once if it has. No microtask runs while virtual time does, so
 * a real promise would settle when the test is over. `await` takes it as it takes any other.
 */
export class Immediate<T> implements Promise<T> {
  readonly [Symbol.toStringTag] = 'Immediate';
  #settled: Settled<T> | undefined;
  #isResolved = false;
  #waiting: (() => void)[] = [];

  constructor(executor: (resolve: (value: T | PromiseLike<T>) => void, reject: (reason?: unknown) => void) => void) {
    const once = <A>(work: (argument: A) => void) => {
      return (argument: A): void => {
        if (this.#isResolved) return;
        this.#isResolved = true;
        work(argument);
      };
    };
    const reject = once((error: unknown) => {
      this.#settle({ failed: true, error });
    });
    const resolve = once((value: T | PromiseLike<T>) => {
      this.#adopt(value);
    });
    try {
      executor(resolve, reject);
    } catch (error) {
      reject(error);
    }
  }

  static of<T>(value: T): Immediate<T> {
    return new Immediate((resolve) => {
      resolve(value);
    });
  }

  static failed(error: unknown): Immediate<never> {
    return new Immediate((_resolve, reject) => {
      reject(error);
    });
  }

  then<R = T, E = never>(
    onValue?: ((value: T) => R | PromiseLike<R>) | null,
    onError?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Immediate<R | E> {
    return new Immediate<R | E>((resolve, reject) => {
      this.#whenSettled((settled) => {
        try {
          if (settled.failed) {
            if (onError) resolve(onError(settled.error));
            else reject(settled.error);
          } else if (onValue) resolve(onValue(settled.value));
          else resolve(settled.value as unknown as R);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  catch<E = never>(onError?: ((error: unknown) => E | PromiseLike<E>) | null): Immediate<T | E> {
    return this.then(undefined, onError);
  }

  finally(onSettled?: (() => void) | null): Immediate<T> {
    return this.then(
      (value) => {
        onSettled?.();
        return value;
      },
      (error: unknown) => {
        onSettled?.();
        throw error;
      },
    );
  }

  #adopt(value: T | PromiseLike<T>): void {
    if (typeof (value as { then?: unknown } | null | undefined)?.then !== 'function') {
      this.#settle({ failed: false, value: value as T });
      return;
    }
    (value as PromiseLike<T>).then(
      (result) => {
        this.#settle({ failed: false, value: result });
      },
      (error: unknown) => {
        this.#settle({ failed: true, error });
      },
    );
  }

  #settle(settled: Settled<T>): void {
    this.#settled = settled;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback();
  }

  #whenSettled(callback: (settled: Settled<T>) => void): void {
    const settled = this.#settled;
    if (settled !== undefined) callback(settled);
    else {
      this.#waiting.push(() => {
        callback(this.#settled as Settled<T>);
      });
    }
  }
}

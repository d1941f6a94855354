/**
 * Work that waits in between, as an async function does, but goes on in the tick in which what it waits for calls back. Promises
 * call back in a microtask, so over a network nothing differs. Virtual time runs no microtasks: what a fake gives there calls
 * back at once, and is not waited for.
 */
export type Steps<T> = Generator<PromiseLike<unknown>, T, unknown>;

/** What `await` is in an async function. */
export function* awaited<T>(value: PromiseLike<T> | T): Steps<T> {
  return isPromiseLike(value) ? ((yield value) as T) : value;
}

/** Takes the steps up to where something has to be waited for, and on from there when it calls back. */
export function walk<T>(steps: Steps<T>, done: (value: T) => void, failed: (error: unknown) => void): void {
  // A loop: a thousand answers that are there already must not go a thousand calls deep.
  const goOn = (from: Resume<T>): void => {
    let resume: Resume<T> | undefined = from;
    while (resume !== undefined) {
      let step: IteratorResult<PromiseLike<unknown>, T>;
      try {
        step = resume();
      } catch (error) {
        failed(error);
        return;
      }
      if (step.done === true) {
        done(step.value);
        return;
      }
      resume = settled(step.value, steps, goOn);
    }
  };
  goOn(() => steps.next());
}

type Resume<T> = () => IteratorResult<PromiseLike<unknown>, T>;

/** How to go on, if that is known at once; otherwise `later` is told. */
function settled<T>(
  waited: PromiseLike<unknown>,
  steps: Steps<T>,
  later: (resume: Resume<T>) => void,
): Resume<T> | undefined {
  let atOnce: Resume<T> | undefined;
  let isLater = false;
  const settle = (resume: Resume<T>): void => {
    if (isLater) later(resume);
    else atOnce = resume;
  };
  waited.then(
    (value) => {
      settle(() => steps.next(value));
    },
    (error: unknown) => {
      settle(() => steps.throw(error));
    },
  );
  isLater = true;
  return atOnce;
}

function isPromiseLike<T>(value: PromiseLike<T> | T): value is PromiseLike<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

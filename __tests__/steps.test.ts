import { awaited, walk, type Steps } from '../src/steps.ts';
import { Immediate } from '../src/testing/immediate.ts';
import { inSteps } from './support/steps.ts';

/** What steps have come to by now. */
function outcomeNow<T>(steps: Steps<T>): readonly unknown[] {
  const seen: unknown[] = [];
  walk(
    steps,
    (value) => seen.push(value),
    (error) => seen.push('failed', error),
  );
  return seen;
}

function* sum(...terms: readonly (number | PromiseLike<number>)[]): Steps<number> {
  let total = 0;
  for (const term of terms) total += yield* awaited(term);
  return total;
}

function* caught(source: PromiseLike<unknown>): Steps<unknown> {
  try {
    return yield* awaited(source);
  } catch (error) {
    return ['caught', error];
  }
}

describe('steps', () => {
  it('go on in the same tick over what is there', () => {
    expect(outcomeNow(sum(1, Immediate.of(2), 3))).toEqual([6]);
  });

  it('go on in the tick in which what they wait for calls back', () => {
    let say: (value: number) => void = () => undefined;
    const later = new Immediate<number>((resolve) => {
      say = resolve;
    });
    const seen = outcomeNow(sum(1, later, Immediate.of(3)));
    expect(seen).toEqual([]);
    say(2);
    expect(seen).toEqual([6]);
  });

  it('wait for promises as an async function does', async () => {
    const seen = outcomeNow(sum(Promise.resolve(1), 2));
    expect(seen).toEqual([]);
    await Promise.resolve();
    expect(seen).toEqual([3]);
  });

  it.each([
    ['promises', (error: Error) => Promise.reject(error)],
    ['what calls back at once', (error: Error) => Immediate.failed(error)],
  ])('throw where they wait, for %s', async (_, failed) => {
    const error = new Error('no');
    expect(await inSteps(caught(failed(error)))).toEqual(['caught', error]);
    await expect(inSteps(sum(1, failed(error)))).rejects.toBe(error);
  });

  it('fail with what is thrown in them', () => {
    const error = new Error('no');
    // eslint-disable-next-line require-yield -- it never comes to that
    function* broken(): Steps<void> {
      throw error;
    }
    expect(outcomeNow(broken())).toEqual(['failed', error]);
  });

  it('are no deeper the more there is', () => {
    const ones = Array.from({ length: 100_000 }, () => Immediate.of(1));
    expect(outcomeNow(sum(...ones))).toEqual([100_000]);
  });
});

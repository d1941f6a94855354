import { Immediate } from '../../src/testing/immediate.ts';

const ERROR = new Error('no');

/** What a promise has come to by now. */
function now<T>(promise: PromiseLike<T>): readonly unknown[] {
  const seen: unknown[] = [];
  promise.then(
    (value) => seen.push('value', value),
    (error: unknown) => seen.push('error', error),
  );
  return seen;
}

describe('a promise that calls back at once', () => {
  it('has settled when it is made, or when it is told', () => {
    expect(now(Immediate.of(1))).toEqual(['value', 1]);
    expect(now(Immediate.failed(ERROR))).toEqual(['error', ERROR]);
    let resolve: (value: number) => void = () => undefined;
    const later = new Immediate<number>((settle) => {
      resolve = settle;
    });
    const seen = [now(later), now(later.then((value) => value + 1))];
    expect(seen).toEqual([[], []]);
    resolve(1);
    expect(seen).toEqual([
      ['value', 1],
      ['value', 2],
    ]);
  });

  it('settles once', () => {
    const twice = new Immediate<number>((resolve, reject) => {
      resolve(1);
      resolve(2);
      reject(ERROR);
      throw ERROR;
    });
    expect(now(twice)).toEqual(['value', 1]);
  });

  it('fails with what its executor or a callback throws', () => {
    const thrown = (): never => {
      throw ERROR;
    };
    expect(now(new Immediate(thrown))).toEqual(['error', ERROR]);
    expect(now(Immediate.of(1).then(thrown))).toEqual(['error', ERROR]);
    expect(now(Immediate.failed('other').catch(thrown))).toEqual(['error', ERROR]);
    expect(now(Immediate.of(1).finally(thrown))).toEqual(['error', ERROR]);
  });

  it('takes over what it is resolved with', async () => {
    expect(now(Immediate.of(1).then((value) => Immediate.of(value + 1)))).toEqual(['value', 2]);
    expect(now(Immediate.of(1).then(() => Immediate.failed(ERROR)))).toEqual(['error', ERROR]);
    expect(
      await new Immediate<number>((resolve) => {
        resolve(Promise.resolve(3));
      }),
    ).toBe(3);
  });

  it('passes on what nobody handles, and goes on after what somebody has', () => {
    expect(
      now(
        Immediate.of(1)
          .then(null)
          .catch(() => 2)
          .finally(null),
      ),
    ).toEqual(['value', 1]);
    expect(
      now(
        Immediate.failed(ERROR)
          .then(() => 1)
          .finally(() => undefined),
      ),
    ).toEqual(['error', ERROR]);
    expect(now(Immediate.failed(ERROR).catch(() => 2))).toEqual(['value', 2]);
  });

  it('is awaited as any other', async () => {
    expect(await Immediate.of(1)).toBe(1);
    await expect(Promise.resolve(Immediate.failed(ERROR))).rejects.toBe(ERROR);
  });
});

import { CompletionError } from '../src/errors.ts';
import { checkNames, validFunction, validNumber, validWord } from '../src/option-checks.ts';
import { validTimeouts } from '../src/clock-options.ts';

/** The configuration error of a check that must fail. */
function refusal(check: () => unknown): CompletionError {
  try {
    check();
  } catch (error) {
    if (error instanceof CompletionError && error.kind === 'configuration') return error;
    throw error;
  }
  throw new Error('was accepted');
}

const CLOCKS = { connectMs: 1000, idleMs: 2000 };

describe('timeouts', () => {
  it.each([
    [undefined, { connectMs: 1000, idleMs: 2000 }],
    [{}, { connectMs: 1000, idleMs: 2000 }],
    [{ idleMs: undefined }, { connectMs: 1000, idleMs: 2000 }],
    [{ idleMs: 5 }, { connectMs: 1000, idleMs: 5 }],
    [{ idleMs: false }, { connectMs: 1000, idleMs: undefined }],
    [{ connectMs: Infinity }, { connectMs: undefined, idleMs: 2000 }],
    [false, { connectMs: undefined, idleMs: undefined }],
  ] as const)('%j', (given, expected) => {
    expect(validTimeouts(given, CLOCKS)).toEqual(expected);
  });

  it('keep a clock off that is off by default', () => {
    expect(validTimeouts({}, { ...CLOCKS, idleMs: undefined })).toEqual({ connectMs: 1000, idleMs: undefined });
  });

  it.each([0, -1, NaN, -Infinity, '5', true, {}])('of %p are refused by name', (idleMs) => {
    expect(refusal(() => validTimeouts({ idleMs } as never, CLOCKS))).toMatchObject({
      param: 'timeout.idleMs',
      message: expect.stringContaining('positive number of milliseconds') as string,
    });
  });

  it.each([null, 5, 'no', true])('that are %p are refused', (timeout) => {
    expect(refusal(() => validTimeouts(timeout as never, CLOCKS)).param).toBe('timeout');
  });

  it.each([
    ['outputMs', { outputMs: 0 }],
    ['totalMs', { totalMs: -1 }],
  ])('are each refused under its own name: %s', (name, given) => {
    const all = { ...CLOCKS, outputMs: 3000, totalMs: undefined };
    expect(refusal(() => validTimeouts(given, all)).param).toBe(`timeout.${name}`);
    expect(refusal(() => validTimeouts(given, all, '')).param).toBe(name);
    expect(refusal(() => validTimeouts(given, all, '')).message).toBe(
      `${name} must be a positive number of milliseconds, or false`,
    );
  });

  it('turn on a clock that is off by default', () => {
    expect(validTimeouts({ totalMs: 5 }, { ...CLOCKS, totalMs: undefined })).toEqual({ ...CLOCKS, totalMs: 5 });
  });

  it('are none but those there are defaults for', () => {
    expect(refusal(() => validTimeouts({ outputMs: 5 } as never, CLOCKS)).message).toMatch(
      /known are connectMs, idleMs/,
    );
  });

  it('with an unknown name are refused', () => {
    expect(refusal(() => validTimeouts({ idleMS: 5 } as never, CLOCKS)).message).toMatch(/idleMS.*mean idleMs\?/);
  });
});

describe('a number', () => {
  it.each([
    [undefined, {}, 7],
    [0, {}, 0],
    [0.5, {}, 0.5],
    [Infinity, {}, Infinity],
    [1, { max: 1 }, 1],
    [3, { whole: true }, 3],
    [Infinity, { whole: true }, Infinity],
  ])('%p within %j is taken', (value, bounds, expected) => {
    expect(validNumber('retry.x', value, 7, { min: 0, ...bounds })).toBe(expected);
  });

  it.each([
    [-0.001, {}, 'number, at least 0'],
    [-Infinity, {}, 'number, at least 0'],
    [NaN, {}, 'number, at least 0'],
    [null, {}, 'number, at least 0'],
    [false, {}, 'number, at least 0'],
    ['1', {}, 'number, at least 0'],
    [1.001, { max: 1 }, 'number, from 0 to 1'],
    [Infinity, { max: 1 }, 'number, from 0 to 1'],
    [0.5, { whole: true }, 'whole number, at least 0'],
    [0.5, { whole: true, max: 3 }, 'whole number, from 0 to 3'],
  ])('%p within %j is refused by name', (value, bounds, what) => {
    expect(refusal(() => validNumber('retry.x', value, 7, { min: 0, ...bounds }))).toMatchObject({
      param: 'retry.x',
      message: `retry.x must be a ${what}`,
    });
  });
});

describe('a function', () => {
  const [given, byDefault] = [() => true, () => false];

  it('is the very one that was given, or the default', () => {
    expect(validFunction('when', given, byDefault)).toBe(given);
    expect(validFunction('when', undefined, byDefault)).toBe(byDefault);
  });

  it.each([null, true, 'always', {}])('that is %p is refused by name', (value) => {
    expect(refusal(() => validFunction('when', value as never, byDefault))).toMatchObject({
      param: 'when',
      message: 'when must be a function',
    });
  });
});

describe('a word', () => {
  it('is one of those there are; the first if it was left out', () => {
    expect(validWord('mode', 'b', ['a', 'b'])).toBe('b');
    expect(validWord('mode', undefined, ['a', 'b'])).toBe('a');
  });

  it.each(['', 'A', 'c', null, true])('that is %p is refused by name', (value) => {
    expect(refusal(() => validWord('mode', value as never, ['a', 'b']))).toMatchObject({
      param: 'mode',
      message: "mode must be 'a' or 'b'",
    });
  });
});

describe('the options of a function', () => {
  it('are an object with names that are known', () => {
    expect(() => {
      checkNames({}, ['size'], 'chunked');
      checkNames({ size: undefined }, ['size'], 'chunked');
    }).not.toThrow();
    const error = refusal(() => {
      checkNames({ sise: 1 }, ['size'], 'chunked');
    });
    expect(error).toMatchObject({ param: 'sise', message: 'Unknown option sise of chunked; did you mean size?' });
  });

  it.each([null, undefined, 5, 'size', [], () => undefined])('that are %p are refused', (options) => {
    const error = refusal(() => {
      checkNames(options, ['size'], 'chunked');
    });
    expect(error).toMatchObject({ param: 'options', message: 'The options of chunked must be an object' });
  });
});

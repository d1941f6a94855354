import { NEVER, of, Subject, type ObservableInput } from 'rxjs';
import { CompletionError } from '../../src/errors.ts';
import { fallbackTo } from '../../src/operators/fallback.ts';
import { hedge } from '../../src/operators/hedge.ts';
import { HandClock, thrownBy, turn } from '../support/client.ts';
import { CAUSE, seenBy } from '../support/events.ts';

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => {
  unhandled.push(reason);
};
beforeAll(() => process.on('unhandledRejection', onUnhandled));
afterAll(() => process.off('unhandledRejection', onUnhandled));
afterEach(async () => {
  // Node reports an unhandled rejection when the microtasks are done.
  await turn();
  expect(unhandled.splice(0)).toEqual([]);
});

describe('what is no source', () => {
  const NONE: readonly (readonly [string, unknown])[] = [
    ['a function', () => of('a')],
    ['null', null],
    ['undefined', undefined],
    ['a number', 5],
    ['a switch', true],
    ['a symbol', Symbol.iterator],
  ];

  it.each(NONE)('is refused when fallbackTo is made, by its place: %s', (_name, other) => {
    const others = [of('a'), ['b'], other, of('c')] as readonly ObservableInput<string>[];
    expect(thrownBy(() => fallbackTo(others))).toMatchObject({
      kind: 'configuration',
      param: 'others[2]',
      message: 'others[2] must be an Observable, or what RxJS makes one of: a promise, an array …',
    });
  });

  it.each(NONE)('is refused when hedge is made: %s', (_name, backup) => {
    expect(thrownBy(() => hedge(backup as ObservableInput<string>, { afterMs: 5 }))).toMatchObject({
      kind: 'configuration',
      param: 'backup',
      message: 'backup must be an Observable, or what RxJS makes one of: a promise, an array …',
    });
  });
});

describe('a list that the caller changes later', () => {
  it('is that which fallbackTo was made with', () => {
    const others = [of('a')];
    const result = fallbackTo<string>(others);
    others[0] = of('b');
    const source = new Subject<string>();
    const seen = seenBy(source.pipe(result));
    source.error(CAUSE);
    expect(seen).toEqual(['a', '|']);
  });
});

describe('a promise that is rejected before its turn', () => {
  const error = new CompletionError('too late', { kind: 'server' });

  it('is nothing unhandled where its turn never comes', async () => {
    seenBy(of('a').pipe(fallbackTo([Promise.reject(error), Promise.reject(error)])));
    seenBy(of('a').pipe(hedge(Promise.reject(error), { afterMs: 5, scheduler: new HandClock() })));
    fallbackTo([Promise.reject(error)]);
    hedge(Promise.reject(error), { afterMs: 5 });
    fallbackTo([thenable(error)]);
    await turn();
    expect(unhandled).toEqual([]);
  });

  it('is the error of that source when its turn comes, in fallbackTo', async () => {
    const source = new Subject<string>();
    const seen = seenBy(source.pipe(fallbackTo([Promise.reject(error)])));
    await turn();
    expect(unhandled).toEqual([]);
    source.error(CAUSE);
    await turn();
    expect(seen).toMatchObject([{ message: 'too late', kind: 'server', attempts: 2, previous: [CAUSE] }]);
  });

  it('is followed by the next one in fallbackTo', async () => {
    const source = new Subject<string>();
    const seen = seenBy(source.pipe(fallbackTo([Promise.reject(error), ['at last']])));
    await turn();
    source.error(CAUSE);
    await turn();
    expect(seen).toEqual(['at last', '|']);
  });

  it('is a backup that failed when its turn comes, in hedge', async () => {
    const [clock, source] = [new HandClock(), new Subject<string>()];
    const seen = seenBy(source.pipe(hedge(Promise.reject(error), { afterMs: 5, scheduler: clock })));
    await turn();
    clock.advance(5);
    await turn();
    expect(seen).toEqual([]);
    source.error(new CompletionError('lost', { kind: 'connection' }));
    expect(seen).toMatchObject([{ message: 'lost', attempts: 2, previous: [error] }]);
  });

  it('is not silenced for others who hold it', async () => {
    const rejected = Promise.reject(error);
    NEVER.pipe(fallbackTo([rejected]))
      .subscribe()
      .unsubscribe();
    await expect(rejected).rejects.toBe(error);
  });
});

/** A promise of another make. */
function thenable(error: Error): PromiseLike<string> {
  return { then: (onFulfilled, onRejected) => Promise.reject(error).then(onFulfilled, onRejected) };
}

import { from, NEVER, of } from 'rxjs';
import { fallbackTo } from '../../src/operators/fallback.ts';
import { hedge } from '../../src/operators/hedge.ts';
import { retryCompletion } from '../../src/operators/retry.ts';
import { HandClock } from '../support/client.ts';
import { seenBy } from '../support/events.ts';

describe('a value that is undefined', () => {
  it.each([
    ['retryCompletion', retryCompletion<number | undefined>()],
    ['fallbackTo', fallbackTo<number | undefined>([of(9)])],
    ['hedge', hedge<number | undefined>(NEVER, { afterMs: 10, scheduler: new HandClock() })],
  ])('is a value like any other to %s', (_, operator) => {
    expect(seenBy(from([undefined, 1, undefined]).pipe(operator))).toEqual([undefined, 1, undefined, '|']);
    expect(seenBy(of(undefined).pipe(operator))).toEqual([undefined, '|']);
  });
});

describe('a source that begins when its then is called', () => {
  it.each(['fallbackTo', 'hedge'])('is left alone by %s until its turn comes', async (name) => {
    let begun = 0;
    const query = {
      then: (resolve: (value: number) => void) => {
        begun += 1;
        resolve(2);
      },
    } as PromiseLike<number>;
    const operator =
      name === 'hedge' ? hedge<number>(query, { afterMs: 5, scheduler: new HandClock() }) : fallbackTo<number>([query]);
    await Promise.resolve();
    expect(seenBy(of(1).pipe(operator))).toEqual([1, '|']);
    await Promise.resolve();
    expect(begun).toBe(0);
  });
});

import { concat, EMPTY, from, Observable, of, Subject, throwError } from 'rxjs';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { outcomeOf } from '../support/client.ts';
import { marbles, seenBy } from '../support/events.ts';
import { calling, lines, model, ofTools, saying, told, watched } from './conversation.ts';

const CALL = { id: 'a', name: 'look' };
const RESULT = { type: 'tool-result', round: 1, toolCallId: 'a', name: 'look' } as const;

/** What comes of one call of a tool that returns this. */
async function resultsOf(output: unknown): Promise<{ events: readonly unknown[]; content: unknown }> {
  const chat = model(calling(CALL), saying('Fine'));
  const options = { tools: [watched('look', () => output).tool] };
  const { values } = await outcomeOf(runTools$(chat, 'Go', {}, options));
  return {
    events: values.filter(({ type }) => ['tool-progress', 'tool-result', 'tool-error'].includes(type)),
    content: told(chat.asked[1]!)[0]?.[1],
  };
}

const VALUES: readonly (readonly [name: string, value: unknown, content: string])[] = [
  ['a text, as it is', 'sunny "today"', 'sunny "today"'],
  ['an empty text', '', ''],
  ['an object', { a: [1, null] }, '{"a":[1,null]}'],
  ['a list, which is one result', [1, 2], '[1,2]'],
  ['a number', 3, '3'],
  ['zero', 0, '0'],
  ['false', false, 'false'],
  ['null', null, 'null'],
  ['nothing', undefined, 'null'],
  ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ['what JSON makes nothing of', Symbol('x'), 'null'],
];

describe('the model is told the result of a tool:', () => {
  it.each(VALUES)('%s', async (_name, value, content) => {
    const result = { ...RESULT, value, content };
    const expected = { events: [result], content };
    expect(await resultsOf(value)).toStrictEqual(expected);
    expect(await resultsOf(Promise.resolve(value))).toStrictEqual(expected);
    const thenable = {
      then: (resolve: (it: unknown) => void): void => {
        resolve(value);
      },
    };
    expect(await resultsOf(thenable)).toStrictEqual(expected);
  });

  it.each(VALUES)('%s, as the last value of an Observable', async (_name, value, content) => {
    const { round, toolCallId, name } = RESULT;
    const progress = { type: 'tool-progress', round, toolCallId, name };
    expect(await resultsOf(of('first', value))).toStrictEqual({
      events: [
        { ...progress, value: 'first' },
        { ...progress, value },
        { ...RESULT, value, content },
      ],
      content,
    });
  });

  it.each<[string, () => unknown]>([
    ['a Promise of an Observable', async () => of('first', { last: true })],
    [
      'an async iterable',
      async function* () {
        yield 'first';
        yield { last: true };
      },
    ],
    [
      'a Promise of an async iterable',
      async () =>
        (async function* () {
          yield 'first';
          yield { last: true };
        })(),
    ],
  ])('the last value of %s, each of which is progress', async (_name, execute) => {
    const { round, toolCallId, name } = RESULT;
    const progress = { type: 'tool-progress', round, toolCallId, name };
    const value = { last: true };
    expect(await resultsOf(execute())).toStrictEqual({
      events: [
        { ...progress, value: 'first' },
        { ...progress, value },
        { ...RESULT, value, content: '{"last":true}' },
      ],
      content: '{"last":true}',
    });
  });

  it('null, of an Observable that was empty', async () => {
    const expected = { events: [{ ...RESULT, value: undefined, content: 'null' }], content: 'null' };
    expect(await resultsOf(EMPTY)).toStrictEqual(expected);
  });

  it('what JSON makes of it at the end, so that later changes reach nobody', async () => {
    const value = { city: 'Oslo' };
    const chat = model(calling(CALL), saying('Fine'));
    const options = { tools: [watched('look', () => value).tool] };
    runTools$(chat, 'Go', {}, options).subscribe((event) => {
      if (event.type === 'tool-result') value.city = 'Rome';
    });
    expect(told(chat.asked[1]!)).toEqual([['a', '{"city":"Oslo"}']]);
  });
});

describe('a tool that returns an Observable', () => {
  it('shows each value as it comes, and its result when it completes', () => {
    marbles(({ cold, flush, expectSubscriptions }, scheduler) => {
      const progress = cold('--x-y---|');
      const chat = model(calling(CALL), saying('Fine'));
      const seen = lines(runTools$(chat, 'Go', {}, { tools: [watched('look', () => progress).tool] }), scheduler);
      flush();
      expect(ofTools(seen)).toEqual([
        '0 round 1',
        '2 a: progress "x"',
        '4 a: progress "y"',
        '8 a: result y',
        ...['8 round 2', '8 messages 4', '8 |'],
      ]);
      expectSubscriptions(progress.subscriptions).toBe('^-------!');
    });
  });

  it('is subscribed once for each call', () => {
    marbles(({ cold, flush, expectSubscriptions }) => {
      const progress = cold('--(x|)');
      const chat = model(calling(CALL, { ...CALL, id: 'b' }), saying('Fine'));
      lines(runTools$(chat, 'Go', {}, { tools: [watched('look', () => progress).tool] }));
      flush();
      expectSubscriptions(progress.subscriptions).toBe(['^-!', '^-!']);
    });
  });

  it('shows what came before it failed', async () => {
    const { events, content } = await resultsOf(
      concat(
        of(1),
        throwError(() => new Error('broken')),
      ),
    );
    expect(events).toMatchObject([
      { type: 'tool-progress', value: 1 },
      { type: 'tool-error', error: new Error('broken') },
    ]);
    expect(content).toBe('Error: broken');
  });

  it('may be an Observable of another copy of RxJS', async () => {
    const foreign = {
      lift: () => undefined,
      subscribe: (observer: { next: (it: unknown) => void; complete: () => void }) => {
        observer.next('sunny');
        observer.complete();
        return { unsubscribe: () => undefined };
      },
      [Symbol.observable ?? '@@observable']: function (this: unknown) {
        return this;
      },
    };
    expect((await resultsOf(foreign)).content).toBe('sunny');
  });

  it('mixes with other tools side by side', () => {
    const [one, two] = [new Subject<number>(), new Subject<number>()];
    const tools = [watched('one', () => one).tool, watched('two', () => two).tool];
    const chat = model(calling({ id: 'a', name: 'one' }, { id: 'b', name: 'two' }), saying('Fine'));
    const seen = lines(runTools$(chat, 'Go', {}, { tools }));
    one.next(1);
    two.next(2);
    one.next(3);
    two.complete();
    expect(ofTools(seen)).toEqual(['round 1', 'a: progress 1', 'b: progress 2', 'a: progress 3', 'b: result 2']);
    one.complete();
    expect(ofTools(seen).slice(5)).toEqual(['a: result 3', 'round 2', 'messages 5', '|']);
    expect([one.observed, two.observed]).toEqual([false, false]);
  });

  it('has one long result where it emits many, all of them shown', () => {
    const chat = model(calling(CALL), saying('Fine'));
    const numbers$ = from(Array.from({ length: 1000 }, (_, index) => index));
    const seen = seenBy(runTools$(chat, 'Go', {}, { tools: [watched('look', () => numbers$).tool] }));
    const shown = seen.filter((event) => (event as { type?: string }).type === 'tool-progress');
    expect(shown).toHaveLength(1000);
    expect(told(chat.asked[1]!)).toEqual([['a', '999']]);
  });

  it('says in its teardown that nobody listens any more, exactly once, when it is done', () => {
    let torn = 0;
    const source$ = new Observable<number>((subscriber) => {
      subscriber.next(1);
      subscriber.complete();
      return () => (torn += 1);
    });
    lines(runTools$(model(calling(CALL), saying('Fine')), 'Go', {}, { tools: [watched('look', () => source$).tool] }));
    expect(torn).toBe(1);
  });
});

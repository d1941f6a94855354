import { map, NEVER, timer, type Observable } from 'rxjs';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { marbles } from '../support/events.ts';
import { calling, lines, model, ofTools, saying, told, watched, type Model, type Watched } from './conversation.ts';

const CALLS = calling({ id: 'a', name: 'wait' }, { id: 'b', name: 'wait' }, { id: 'c', name: 'wait' });
const SECOND_ROUND = ['round 2', 'messages 6', '|'];

interface Scene {
  readonly chat: Model;
  readonly wait: Watched;
  /** `begin` and `end` of each call, and what the consumer saw, with their times. */
  readonly told: readonly string[];
}

/** Three calls that take their time, each as long as its id says. */
function scene(lasting: Readonly<Record<string, number>>, concurrency?: number): Scene {
  const chat = model(CALLS, saying('Fine'));
  const began: string[] = [];
  let seen: readonly string[] = [];
  let wait = watched('wait');
  marbles(({ flush }, scheduler) => {
    wait = watched('wait', (_args, { toolCallId }): Observable<string> => {
      began.push(`${scheduler.now()} ${toolCallId}`);
      return timer(lasting[toolCallId] ?? 0).pipe(map(() => toolCallId.toUpperCase()));
    });
    seen = lines(runTools$(chat, 'Go', {}, { tools: [wait.tool], concurrency }), scheduler);
    flush();
  });
  const results = ofTools(seen).filter((each) => !each.includes('progress'));
  return { chat, wait, told: [...began, ...results] };
}

describe('the calls of a round', () => {
  it.each<[string, number | undefined, readonly string[]]>([
    [
      'run all at once, and end as they end',
      undefined,
      ['0 a', '0 b', '0 c', '0 round 1', '1 c: result C', '3 b: result B', '5 a: result A', '5 round 2'],
    ],
    [
      'run all at once where as many are allowed as there are',
      3,
      ['0 a', '0 b', '0 c', '0 round 1', '1 c: result C', '3 b: result B', '5 a: result A', '5 round 2'],
    ],
    [
      'run two at a time: the third begins when one is done',
      2,
      ['0 a', '0 b', '3 c', '0 round 1', '3 b: result B', '4 c: result C', '5 a: result A', '5 round 2'],
    ],
    [
      'run one after the other, in the order of the calls',
      1,
      ['0 a', '5 b', '8 c', '0 round 1', '5 a: result A', '8 b: result B', '9 c: result C', '9 round 2'],
    ],
  ])('%s', (_name, concurrency, expected) => {
    const { told: seen } = scene({ a: 5, b: 3, c: 1 }, concurrency);
    expect(seen.slice(0, expected.length)).toEqual(expected);
    expect(seen.slice(expected.length).map((each) => each.replace(/^\d+ /, ''))).toEqual(SECOND_ROUND.slice(1));
  });

  it.each([
    { a: 1, b: 2, c: 3 },
    { a: 3, b: 2, c: 1 },
    { a: 2, b: 1, c: 3 },
    { a: 1, b: 1, c: 1 },
  ])('are answered in the order of the calls, whatever order they end in: %j', (lasting) => {
    for (const concurrency of [undefined, 2, 1]) {
      const { chat, wait } = scene(lasting, concurrency);
      expect(told(chat.asked[1]!)).toEqual([
        ['a', 'A'],
        ['b', 'B'],
        ['c', 'C'],
      ]);
      expect(wait.runs).toHaveLength(3);
    }
  });

  it('run all at once by default, however many there are', () => {
    const wait = watched('wait', () => NEVER);
    const many = Array.from({ length: 50 }, (_, index) => ({ id: `call ${index}`, name: 'wait' }));
    const seen = lines(runTools$(model(calling(...many)), 'Go', {}, { tools: [wait.tool] }));
    expect(wait.runs).toHaveLength(50);
    expect(ofTools(seen)).toEqual(['round 1']);
  });

  it('are limited in each round anew', () => {
    marbles(({ flush }, scheduler) => {
      const began: string[] = [];
      const wait = watched('wait', (_args, { toolCallId }) => {
        began.push(`${scheduler.now()} ${toolCallId}`);
        return timer(2);
      });
      const next = calling({ id: 'd', name: 'wait' }, { id: 'e', name: 'wait' });
      const chat = model(CALLS, next, saying('Fine'));
      const seen = lines(runTools$(chat, 'Go', {}, { tools: [wait.tool], concurrency: 2 }), scheduler);
      flush();
      expect(began).toEqual(['0 a', '0 b', '2 c', '4 d', '4 e']);
      expect(seen.at(-1)).toBe('6 |');
    });
  });

  it('that fail make room for others too', () => {
    const wait = watched('wait', () => {
      throw new Error('broken');
    });
    const seen = lines(runTools$(model(CALLS, saying('Fine')), 'Go', {}, { tools: [wait.tool], concurrency: 1 }));
    expect(ofTools(seen)).toEqual([
      'round 1',
      'a: error Error: broken',
      'b: error Error: broken',
      'c: error Error: broken',
      ...SECOND_ROUND,
    ]);
  });
});

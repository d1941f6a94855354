import { defer, from, take, type SchedulerLike } from 'rxjs';
import { CompletionError } from '../../src/errors.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { measure, type CompletionMeasurement, type MeasureObserver } from '../../src/operators/measure.ts';
import { CAUSE, EVENTS, inOrder, marbles, seenBy, untilEnd } from '../support/events.ts';

/** Notes what is told, in its order. */
function notebook(): { observer: Required<MeasureObserver>; told: unknown[] } {
  const told: unknown[] = [];
  const observer: Required<MeasureObserver> = {
    firstOutput: (ms) => told.push(['first', ms]),
    output: (ms) => told.push(['output', ms]),
    end: (measurement) => told.push(measurement),
  };
  return { observer, told };
}

/** What is told of a completion of which nothing is known. */
const NOTHING: CompletionMeasurement = {
  ending: 'complete',
  totalMs: 0,
  timeToFirstOutputMs: undefined,
  outputs: 0,
  betweenOutputsMs: undefined,
  outputsPerSecond: undefined,
  tokensPerSecond: undefined,
  attempts: 1,
  usage: undefined,
};

/** What is told of a source of marbles; `leave` says when its consumer does. */
function toldOf(
  source: string,
  values: Readonly<Record<string, unknown>> = EVENTS,
  error?: unknown,
  leave?: string,
): unknown[] {
  const { observer, told } = notebook();
  marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
    const source$ = cold(source, values, error);
    expectObservable(source$.pipe(measure(observer, { scheduler })), leave).toBe(
      leave === undefined ? source : source.slice(0, leave.length),
      values,
      error,
    );
    expectSubscriptions(source$.subscriptions).toBe(leave ?? untilEnd(source));
  });
  return told;
}

describe('measure', () => {
  it.each<[string, string, readonly unknown[], Partial<CompletionMeasurement>]>([
    ['nothing', '----|', [], { totalMs: 4 }],
    ['nothing at all', '|', [], {}],
    ['what is no output', '-slxXuf-|', [], { totalMs: 8, usage: EVENTS.u.usage, tokensPerSecond: 125 }],
    ['one output', '--a-|', [['first', 2]], { totalMs: 4, timeToFirstOutputMs: 2, outputs: 1 }],
    ['an output at once', 'a|', [['first', 0]], { totalMs: 1, timeToFirstOutputMs: 0, outputs: 1 }],
    [
      'two outputs',
      '-s-a-b-f|',
      [
        ['first', 3],
        ['output', 2],
      ],
      {
        totalMs: 8,
        timeToFirstOutputMs: 3,
        outputs: 2,
        betweenOutputsMs: { min: 2, mean: 2, max: 2 },
        outputsPerSecond: 500,
      },
    ],
    [
      'outputs of every kind, at uneven times',
      '-r-n----t-d--wF|',
      [
        ['first', 1],
        ['output', 2],
        ['output', 5],
        ['output', 2],
        ['output', 3],
      ],
      {
        totalMs: 15,
        timeToFirstOutputMs: 1,
        outputs: 5,
        betweenOutputsMs: { min: 2, mean: 3, max: 5 },
        outputsPerSecond: 4000 / 12,
      },
    ],
    [
      'outputs that come together',
      '--(ab)|',
      [
        ['first', 2],
        ['output', 0],
      ],
      { totalMs: 6, timeToFirstOutputMs: 2, outputs: 2, betweenOutputsMs: { min: 0, mean: 0, max: 0 } },
    ],
    [
      'a whole answer that comes together',
      '(abu|)',
      [
        ['first', 0],
        ['output', 0],
      ],
      { timeToFirstOutputMs: 0, outputs: 2, betweenOutputsMs: { min: 0, mean: 0, max: 0 }, usage: EVENTS.u.usage },
    ],
    ['the tokens that were counted last', '-u-U----|', [], { totalMs: 8, usage: EVENTS.U.usage, tokensPerSecond: 500 }],
    [
      'more than one attempt',
      '-s-a-u-R-s-b--|',
      [
        ['first', 3],
        ['output', 8],
      ],
      {
        totalMs: 14,
        timeToFirstOutputMs: 3,
        outputs: 2,
        betweenOutputsMs: { min: 8, mean: 8, max: 8 },
        outputsPerSecond: 125,
        attempts: 2,
      },
    ],
    [
      'the tokens of the attempt that is shown',
      '-u-R-U--|',
      [],
      { totalMs: 8, usage: EVENTS.U.usage, tokensPerSecond: 500, attempts: 2 },
    ],
    ['types it does not know, as output', '-?|', [['first', 1]], { totalMs: 2, timeToFirstOutputMs: 1, outputs: 1 }],
  ])('measures %s, and passes it on', (_name, source, outputs, measurement) => {
    expect(toldOf(source)).toStrictEqual([...outputs, { ...NOTHING, ...measurement }]);
  });

  it('takes every value that is no event for output', () => {
    const values = { t: 'text', n: null, o: { type: 1 }, z: 0 };
    expect(toldOf('-t-n-(oz)|', values)).toStrictEqual([
      ['first', 1],
      ['output', 2],
      ['output', 2],
      ['output', 0],
      {
        ...NOTHING,
        totalMs: 9,
        timeToFirstOutputMs: 1,
        outputs: 4,
        betweenOutputsMs: { min: 0, mean: 4 / 3, max: 2 },
        outputsPerSecond: 750,
      },
    ]);
  });

  it('knows no rate of no tokens', () => {
    const none: CompletionEvent = { type: 'usage', usage: { ...EVENTS.u.usage, completion_tokens: 0 } };
    expect(toldOf('-u-|', { u: none })).toMatchObject([
      { tokensPerSecond: undefined, usage: { completion_tokens: 0 } },
    ]);
  });

  it.each<[string, string, unknown, number]>([
    ['an event', '-s-#', CAUSE, 3],
    ['an error', '-#', new CompletionError('x', { kind: 'server', attempts: 4 }), 4],
    [
      'an error that knows of more than the events',
      '-s-#',
      new CompletionError('x', { kind: 'server', attempts: 5 }),
      5,
    ],
    ['events that know of more than the error', '-s-#', new CompletionError('x', { kind: 'server', attempts: 2 }), 3],
    ['an error that does not say', '-#', new CompletionError('x', { kind: 'server' }), 1],
    ['not from an error that is none of ours', '-#', { attempts: 7 }, 1],
  ])('has the number of attempts from %s', (_name, source, error, attempts) => {
    expect(toldOf(source, { s: { ...EVENTS.s, attempt: 3 } }, error)).toMatchObject([{ ending: 'error', attempts }]);
  });
});

describe('the time of measure', () => {
  it('is that of the default scheduler where none is given', () => {
    const { observer, told } = notebook();
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold<CompletionEvent>('--a-|', EVENTS).pipe(measure(observer))).toBe('--a-|', EVENTS);
    });
    expect(told).toMatchObject([['first', 2], { totalMs: 4 }]);
  });

  it('counts from each subscription for itself', () => {
    const { observer, told } = notebook();
    marbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const source$ = cold<CompletionEvent>('-a-b|', EVENTS);
      const result$ = source$.pipe(measure(observer, { scheduler }));
      expectObservable(result$).toBe('-a-b|', EVENTS);
      expectObservable(result$, '------^').toBe('-------a-b|', EVENTS);
      expectSubscriptions(source$.subscriptions).toBe(['^---!', '------^---!']);
    });
    expect(told).toHaveLength(6);
    expect(told.slice(3)).toStrictEqual(told.slice(0, 3));
    expect(told[2]).toMatchObject({ totalMs: 4, outputs: 2 });
  });

  it('knows nothing of the subscription before', () => {
    const turns = ['sabuR', ''];
    const { observer, told } = notebook();
    const source$ = defer(() => from(inOrder(turns.shift() ?? ''))).pipe(measure(observer, { scheduler: still(7) }));
    expect(seenBy(source$)).toHaveLength(6);
    expect(seenBy(source$)).toEqual(['|']);
    expect(told.at(-1)).toStrictEqual(NOTHING);
  });

  it('sets no timer', () => {
    const { observer, told } = notebook();
    expect(seenBy(from(inOrder('sab')).pipe(measure(observer, { scheduler: still(1) })))).toHaveLength(4);
    seenBy(from(inOrder('sab')).pipe(measure(observer, { scheduler: still(1) }), take(2)));
    expect(told).toHaveLength(5);
  });
});

/** A clock that stands, and sets no timers. */
function still(now: number): SchedulerLike {
  return {
    now: () => now,
    schedule: () => {
      throw new Error('a timer was set');
    },
  };
}

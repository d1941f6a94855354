import fc from 'fast-check';
import { from } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { PartialBuffer } from '../../src/events/partial.ts';
import { accumulate, type CompletionSnapshot, type ToolCallSnapshot } from '../../src/operators/accumulate.ts';
import { answers } from '../events/answers.ts';
import { eventsOf, only } from '../support/chunks.ts';
import { EVENTS, inOrder } from '../support/events.ts';

/** The snapshots of a source that says all at once, and what each looked like when it came. */
function snapshotsOf(
  events: readonly CompletionEvent[],
  choice = 0,
): { seen: CompletionSnapshot[]; copies: unknown[] } {
  const seen: CompletionSnapshot[] = [];
  const copies: unknown[] = [];
  from(events)
    .pipe(accumulate({ choice }))
    .subscribe((snapshot) => {
      seen.push(snapshot);
      copies.push(structuredClone(snapshot));
    });
  return { seen, copies };
}

const started = (index: number): CompletionEvent => ({ ...EVENTS.t, index, id: `c${index}`, name: `f${index}` });
const piece = (index: number, json: string): CompletionEvent => ({ ...EVENTS.d, index, arguments: json });
const whole = (index: number, json: string): CompletionEvent => ({
  ...EVENTS.w,
  index,
  id: `c${index}`,
  name: `f${index}`,
  arguments: json,
});
const shown = (index: number, json: string, isWhole = false): ToolCallSnapshot => ({
  index,
  id: `c${index}`,
  name: `f${index}`,
  arguments: json,
  whole: isWhole,
});

describe('the tool calls of a snapshot', () => {
  it('are told apart by their index, also where one is missing', () => {
    const { seen } = snapshotsOf([started(2), piece(2, '{'), started(0), piece(2, '}'), piece(0, '1'), whole(2, '{}')]);
    expect(seen.at(-1)?.toolCalls).toStrictEqual([shown(2, '{}', true), shown(0, '1')]);
  });

  it('grow beside each other, and are whole only when that is known', () => {
    const steps: readonly (readonly [CompletionEvent, ...ToolCallSnapshot[]])[] = [
      [started(0), shown(0, '')],
      [piece(0, '{"a'), shown(0, '{"a')],
      [started(1), shown(0, '{"a'), shown(1, '')],
      [piece(1, '{'), shown(0, '{"a'), shown(1, '{')],
      [piece(0, '":1}'), shown(0, '{"a":1}'), shown(1, '{')],
      [started(2), shown(0, '{"a":1}'), shown(1, '{'), shown(2, '')],
      [piece(1, '}'), shown(0, '{"a":1}'), shown(1, '{}'), shown(2, '')],
      [whole(1, '{}'), shown(0, '{"a":1}'), shown(1, '{}', true), shown(2, '')],
      [whole(0, '{"a":1}'), shown(0, '{"a":1}', true), shown(1, '{}', true), shown(2, '')],
    ];
    const { seen } = snapshotsOf([EVENTS.s, ...steps.map(([event]) => event)]);
    expect(seen.slice(2, -1).map(({ toolCalls }) => toolCalls)).toStrictEqual(steps.map(([, ...calls]) => calls));
    expect(seen.at(-1)).toMatchObject({
      status: 'stopped',
      toolCalls: [{ whole: true }, { whole: true }, { whole: false }],
    });
  });

  it('are there where nobody told their beginning', () => {
    const { seen } = snapshotsOf([whole(0, '{}'), whole(1, '[]')]);
    expect(seen.at(-1)?.toolCalls).toStrictEqual([shown(0, '{}', true), shown(1, '[]', true)]);
  });
});

describe('a snapshot', () => {
  it('shares with the one before what has not changed', () => {
    const { seen } = snapshotsOf([started(0), started(1), ...inOrder('abrnu'), piece(1, '{'), EVENTS.f]);
    const calls = seen.map(({ toolCalls }) => toolCalls);
    // connecting, start 0, start 1, then what leaves the calls alone: a b r n u.
    for (const same of calls.slice(3, 8)) expect(same).toBe(calls[2]);
    expect(calls[8]).not.toBe(calls[2]);
    expect(calls[8]?.[0]).toBe(calls[2]?.[0]);
    expect(calls.slice(9)).toEqual([calls[8], calls[8]]);
    for (const same of calls.slice(9)) expect(same).toBe(calls[8]);
    for (const { usage } of seen.slice(7)) expect(usage).toBe(EVENTS.u.usage);
  });

  it('is another object for each change, never the same twice', () => {
    const { seen } = snapshotsOf(inOrder('sablxXAfu'));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.map(({ status }) => status)).toEqual([
      'connecting',
      'streaming',
      'streaming',
      'streaming',
      'streaming',
      'streaming',
      'done',
    ]);
  });

  it('is never changed later', () => {
    const { seen, copies } = snapshotsOf([
      ...inOrder('sarn'),
      started(0),
      piece(0, '{'),
      started(1),
      piece(0, '}'),
      whole(0, '{}'),
      ...inOrder('fuRsatdwfU'),
    ]);
    expect(seen).toStrictEqual(copies);
  });

  it('cannot be changed for other subscribers: the first one is the same for all', () => {
    const [first] = snapshotsOf([]).seen;
    expect(Object.isFrozen(first)).toBe(true);
    expect(Object.isFrozen(first?.toolCalls)).toBe(true);
  });
});

/** What the last snapshot is, said without a fold. */
function specified(events: readonly CompletionEvent[], choice: number): CompletionSnapshot {
  const since = events.slice(events.findLastIndex(({ type }) => type === 'restart') + 1);
  const own = since.filter((event) => 'choice' in event && event.choice === choice);
  const finish = only(own, 'finish').at(-1);
  const toolCalls = only(own, 'tool-call-start').map(({ index, id, name }) => {
    const pieces = only(own, 'tool-call-delta').filter((event) => event.index === index);
    const known = only(own, 'tool-call').some((event) => event.index === index);
    return { index, id, name, arguments: pieces.map((event) => event.arguments).join(''), whole: known };
  });
  return {
    status: finish === undefined ? 'stopped' : 'done',
    text: textOf(only(own, 'text-delta')),
    reasoning: textOf(only(own, 'reasoning-delta')),
    refusal: textOf(only(own, 'refusal-delta')),
    toolCalls,
    finishReason: finish?.reason,
    usage: only(since, 'usage').at(-1)?.usage,
  };
}

const textOf = (deltas: readonly { readonly text: string }[]): string => deltas.map(({ text }) => text).join('');

/** The events of an attempt, all of them or cut anywhere. */
const attempt = fc.tuple(answers, fc.option(fc.nat())).map(([{ chunks }, place]) => {
  const events = eventsOf(chunks);
  return place === null ? events : events.slice(0, place % (events.length + 1));
});

/** One attempt, or two with a restart between them. */
const attempts = fc
  .array(attempt, { minLength: 1, maxLength: 2 })
  .map((list) => list.flatMap((events, index) => (index === 0 ? events : [EVENTS.R, ...events])));

describe('for any answer, whole, cut or begun anew', () => {
  it('the last snapshot is what the events say, and no snapshot was changed on the way', () => {
    fc.assert(
      fc.property(attempts, fc.nat(2), (events, choice) => {
        const { seen, copies } = snapshotsOf(events, choice);
        expect(seen.at(-1)).toStrictEqual(specified(events, choice));
        expect(seen).toEqual(copies);
        expect(seen[0]?.status).toBe('connecting');
        expect(seen.length).toBeLessThanOrEqual(events.length + 2);
      }),
      { numRuns: 100 },
    );
  });

  it('the last snapshot has what an error would have in its partial', () => {
    fc.assert(
      fc.property(attempts, fc.nat(2), (events, choice) => {
        const partial = new PartialBuffer(choice);
        for (const event of events) partial.add(event);
        const { text, reasoning, refusal, toolCalls } = snapshotsOf(events, choice).seen.at(-1)!;
        const calls = toolCalls.map(({ id, name, arguments: json }) => ({ id, name, arguments: json }));
        expect({ text, reasoning, refusal, toolCalls: calls }).toStrictEqual(partial.toPartial());
      }),
      { numRuns: 100 },
    );
  });
});

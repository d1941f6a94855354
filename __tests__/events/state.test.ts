import fc from 'fast-check';
import { Collector } from '../../src/events/collector.ts';
import type { CompletionEvent, ExtraEvent } from '../../src/events/event.ts';
import { PartialBuffer } from '../../src/events/partial.ts';
import { CompletionState } from '../../src/events/state.ts';
import { calls, chunk, delta, eventsOf, finished, only, USAGE } from '../support/chunks.ts';
import { EVENTS, inOrder } from '../support/events.ts';
import { answers, ownFields } from './answers.ts';

function stateOf(events: readonly CompletionEvent[]): CompletionState {
  const state = new CompletionState();
  for (const event of events) state.add(event);
  return state;
}

/** What is said again of these events. */
function inShort(events: readonly CompletionEvent[]): CompletionEvent[] {
  return stateOf(events).events();
}

const text = (said: string, choice = 0): CompletionEvent => ({ type: 'text-delta', choice, text: said });
const call = (index: number): CompletionEvent => ({ ...EVENTS.t, index, id: `c${index}` });
const json = (index: number, said: string): CompletionEvent => ({ ...EVENTS.d, index, arguments: said });
const token = (said: string) => ({ token: said, logprob: -1, bytes: null, top_logprobs: [] });
const logprobs = (tokens: string, refusalTokens = '', choice = 0): CompletionEvent => ({
  type: 'logprobs',
  choice,
  tokens: Array.from(tokens, token),
  refusalTokens: Array.from(refusalTokens, token),
});
const extra = (scope: ExtraEvent['scope'], fields: Record<string, unknown>, choice?: number): CompletionEvent =>
  choice === undefined ? { type: 'extra', scope, fields } : { type: 'extra', choice, scope, fields };

describe('what has been said, in short,', () => {
  it('is nothing before the first event', () => {
    expect(inShort([])).toEqual([]);
  });

  it.each<[string, readonly CompletionEvent[], readonly CompletionEvent[]]>([
    ['a start', inOrder('s'), inOrder('s')],
    ['the last start, if a source has several', [EVENTS.s, { ...EVENTS.s, id: 'y' }], [{ ...EVENTS.s, id: 'y' }]],
    ['one text', inOrder('saba'), [EVENTS.s, text('aba')]],
    [
      'one reasoning, under the name of its last piece',
      [EVENTS.r, { ...EVENTS.r, text: ' well', field: 'both' }],
      [{ type: 'reasoning-delta', choice: 0, text: 'hm well', field: 'both' }],
    ],
    ['one refusal', inOrder('nn'), [{ ...EVENTS.n, text: 'nono' }]],
    ['one of each kind', inOrder('naranr'), [{ ...EVENTS.r, text: 'hmhm' }, text('aa'), { ...EVENTS.n, text: 'nono' }]],
    ['one of each kind and choice', inOrder('aAQNAb'), [text('ab'), EVENTS.Q, text('AA', 1), EVENTS.N]],
    ['an empty text for pieces that say nothing', inOrder('see'), inOrder('se')],
    ['a tool call that has begun', inOrder('st'), inOrder('st')],
    ['a tool call in two events', inOrder('stdd'), [...inOrder('st'), { ...EVENTS.d, arguments: '{}{}' }]],
    ['a whole tool call as such', inOrder('tdTDw'), inOrder('tdTDw')],
    [
      'tool calls in their order, whatever the order of their pieces',
      [call(0), call(1), json(0, '{'), json(1, '['), json(0, '}')],
      [call(0), json(0, '{}'), call(1), json(1, '[')],
    ],
    ['no pieces of a call that never began', inOrder('sda'), inOrder('sa')],
    ['only what came since a call began anew', inOrder('tdtd'), inOrder('td')],
    ['one list of log probabilities', [logprobs('ab'), logprobs('c', 'x'), logprobs('', 'y')], [logprobs('abc', 'xy')]],
    ['those of each choice', [logprobs('a'), logprobs('', 'b', 1)], [logprobs('a'), logprobs('', 'b', 1)]],
    ['no log probabilities of nothing', inOrder('l'), []],
    ['the last usage', inOrder('uU'), inOrder('U')],
    ['the last finish of a choice', inOrder('Lf'), inOrder('f')],
    ['all there is, in the order of the grammar', inOrder('ufwTtAFWXas'), inOrder('sXatATwfWFu')],
    ['events it does not know as they are, in their order', inOrder('s?af*u'), inOrder('sa?*fu')],
    ['nothing after a restart', inOrder('saAXx?wfuR'), []],
    ['only what came since a restart', inOrder('saAX?wfuRsbL'), inOrder('sbL')],
  ])('is %s', (_name, said, expected) => {
    expect(inShort(said)).toEqual(expected);
  });
});

describe('fields that no other event carries', () => {
  it.each<[string, readonly CompletionEvent[], readonly CompletionEvent[]]>([
    [
      'of the completion: the last of a name stands',
      [extra('completion', { a: 'x', b: { c: 1 } }), extra('completion', { a: 'y', b: { d: 2 } })],
      [extra('completion', { a: 'y', b: { c: 1, d: 2 } })],
    ],
    [
      'beside a message: the last of a name stands',
      [extra('choice', { a: 'x' }, 0), extra('choice', { a: 'y', b: [1] }, 0), extra('choice', { b: [2] }, 0)],
      [extra('choice', { a: 'y', b: [2] }, 0)],
    ],
    [
      'in a message: they are pieces',
      [extra('message', { audio: { id: 'i', data: 'A' } }, 0), extra('message', { audio: { id: 'i', data: 'B' } }, 0)],
      [extra('message', { audio: { id: 'i', data: 'AB' } }, 0)],
    ],
    [
      'in each place and of each choice for itself',
      [
        extra('message', { a: 'x' }, 0),
        extra('message', { a: 'x' }, 1),
        extra('choice', { a: 'x' }, 0),
        extra('completion', { a: 'x' }),
        extra('message', { a: 'y' }, 0),
      ],
      [
        extra('completion', { a: 'x' }),
        extra('message', { a: 'xy' }, 0),
        extra('choice', { a: 'x' }, 0),
        extra('message', { a: 'x' }, 1),
      ],
    ],
    [
      'under any name',
      [extra('message', ownFields([['__proto__', 'a']]), 0), extra('message', ownFields([['__proto__', 'b']]), 0)],
      [extra('message', ownFields([['__proto__', 'ab']]), 0)],
    ],
  ])('are one event: %s', (_name, said, expected) => {
    expect(inShort(said)).toEqual(expected);
    expect(JSON.stringify(inShort(said))).toBe(JSON.stringify(expected));
  });
});

const EVERYTHING = eventsOf([
  chunk({
    provider: { name: 'p' },
    choices: [{ index: 0, delta: { content: 'a', audio: { data: 'A' } }, logprobs: { content: [token('a')] } }],
  }),
  delta({ content: 'b', audio: { data: 'B' }, reasoning: 'r', annotations: [{ url: 'u' }] }),
  calls({ index: 0, id: 'x', function: { name: 'f', arguments: '{}' }, extra_content: { sign: 's' } }),
  chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls', filter: { hate: 'low' } }], usage: USAGE }),
  finished('stop', 1),
]);

describe('what was handed out', () => {
  it('does not change when more is said', () => {
    for (let count = 0; count <= EVERYTHING.length; count++) {
      const state = stateOf(EVERYTHING.slice(0, count));
      const told = state.events();
      const copy = structuredClone(told);
      for (const event of EVERYTHING) state.add(event);
      expect(told).toEqual(copy);
    }
  });

  it('can be changed in what was put together, without harm to the next one or to the events', () => {
    const said = structuredClone(EVERYTHING);
    const state = stateOf(said);
    for (const event of state.events()) {
      if (event.type === 'extra') Object.assign(event.fields, { ruined: true, audio: 'ruined' });
      if (event.type === 'logprobs') (event.tokens as unknown[]).length = 0;
    }
    expect(state.events()).toEqual(inShort(EVERYTHING));
    expect(said).toEqual(EVERYTHING);
  });
});

describe('the state of a long answer', () => {
  const PIECES = 20_000;
  const long = (event: CompletionEvent): CompletionEvent[] => Array<CompletionEvent>(PIECES).fill(event);

  it('is as short as that of a short one', () => {
    const said = [EVENTS.s, EVENTS.t, ...[EVENTS.a, EVENTS.r, EVENTS.n, EVENTS.d, logprobs('x')].flatMap(long)];
    const told = inShort([...said, ...long(extra('message', { audio: { data: 'A' } }, 0)), ...inOrder('fu')]);
    expect(told.map(({ type }) => type)).toEqual([
      'start',
      'reasoning-delta',
      'text-delta',
      'refusal-delta',
      'tool-call-start',
      'tool-call-delta',
      'logprobs',
      'extra',
      'finish',
      'usage',
    ]);
    expect(only(told, 'text-delta')[0]?.text).toBe('a'.repeat(PIECES));
    expect(only(told, 'tool-call-delta')[0]?.arguments).toBe('{}'.repeat(PIECES));
    expect(only(told, 'logprobs')[0]?.tokens).toHaveLength(PIECES);
    expect(only(told, 'extra')[0]?.fields).toEqual({ audio: { data: 'A'.repeat(PIECES) } });
  });

  it('takes as many tokens at once as there are', () => {
    const tokens = Array.from({ length: 200_000 }, () => token('x'));
    const [told] = inShort([{ type: 'logprobs', choice: 0, tokens, refusalTokens: tokens }]);
    expect(told).toMatchObject({ tokens: { length: 200_000 }, refusalTokens: { length: 200_000 } });
  });
});

describe('at any moment of any answer, what is said again', () => {
  /** One letter an event. */
  const LETTERS: Readonly<Record<CompletionEvent['type'], string>> = {
    start: 's',
    'text-delta': 'o',
    'reasoning-delta': 'o',
    'refusal-delta': 'o',
    'tool-call-start': 'o',
    'tool-call-delta': 'o',
    logprobs: 'l',
    extra: 'x',
    'tool-call': 'T',
    finish: 'F',
    usage: 'u',
    restart: 'r',
  };

  /** Runs a test with what was said before each moment, and after it. */
  function atAnyMoment(test: (before: CompletionEvent[], after: CompletionEvent[]) => void): void {
    fc.assert(
      fc.property(answers, fc.nat({ max: 1000 }), ({ chunks }, at) => {
        const events = eventsOf(chunks);
        const moment = at % (events.length + 1);
        test(events.slice(0, moment), events.slice(moment));
      }),
      { numRuns: 200 },
    );
  }

  it('follows the grammar', () => {
    atAnyMoment((before) => {
      const told = inShort(before);
      expect(told.map(({ type }) => LETTERS[type]).join('')).toMatch(/^(?:s[olx]*(?:T*F)*T*u?)?$/);
    });
  });

  it('says nothing twice', () => {
    atAnyMoment((before) => {
      const keys = inShort(before).map(({ type, ...event }) => {
        const { choice, index, scope } = event as { choice?: number; index?: number; scope?: string };
        return JSON.stringify([type, choice, index, scope]);
      });
      expect(new Set(keys).size).toBe(keys.length);
    });
  });

  it('comes to the same as what was said, with what follows', () => {
    atAnyMoment((before, after) => {
      const [late, first] = [inShort(before), before];
      expect(JSON.stringify(collected(late))).toBe(JSON.stringify(collected(first)));
      expect(collected([...late, ...after])).toEqual(collected([...first, ...after]));
      for (const choice of [0, 1, 2]) {
        expect(partial([...late, ...after], choice)).toEqual(partial([...first, ...after], choice));
      }
    });
  });

  it('stays as it is', () => {
    atAnyMoment((before, after) => {
      const state = stateOf(before);
      const told = state.events();
      const copy = JSON.stringify(told);
      for (const event of after) state.add(event);
      state.events();
      expect(JSON.stringify(told)).toBe(copy);
    });
  });

  it('is said in as few events again when it is put together again', () => {
    atAnyMoment((before) => {
      expect(inShort(inShort(before))).toEqual(inShort(before));
    });
  });
});

function collected(events: readonly CompletionEvent[]): unknown {
  const collector = new Collector();
  for (const event of events) collector.add(event);
  return collector.toCompletion();
}

function partial(events: readonly CompletionEvent[], choice: number): unknown {
  const buffer = new PartialBuffer(choice);
  for (const event of events) buffer.add(event);
  return buffer.toPartial();
}

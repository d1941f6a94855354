import { Assembler } from '../../src/events/assembler.ts';
import { calls, chunk, delta, eventsOf, finished, only } from '../support/chunks.ts';
import { piece, whole } from './calls.ts';

const END = finished('tool_calls');
const JSON_A = '{"city":"Paris"}';
const JSON_B = '{"city":"Rome"}';

describe('while they arrive', () => {
  it('a start, then the pieces, each in its chunk; the whole call only at the end', () => {
    const chunks = [
      calls(piece(0, 'a', 'f', '')),
      calls(piece(0, undefined, undefined, '{"a"')),
      calls(piece(0, undefined, undefined, ':1}')),
    ];
    expect(eventsOf([...chunks, END]).slice(1)).toEqual([
      { type: 'tool-call-start', choice: 0, index: 0, id: 'a', name: 'f' },
      { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"a"' },
      { type: 'tool-call-delta', choice: 0, index: 0, arguments: ':1}' },
      { type: 'tool-call', choice: 0, index: 0, id: 'a', name: 'f', arguments: '{"a":1}' },
      { type: 'finish', choice: 0, reason: 'tool_calls' },
    ]);
  });

  it('nothing of a call before its name; then its start and what was held back', () => {
    const events = eventsOf([
      calls(piece(0, 'a', undefined, '{"a"')),
      calls(piece(0, undefined, undefined, ':1}')),
      calls(piece(0, undefined, 'f')),
    ]);
    expect(events.slice(1, 4)).toEqual([
      { type: 'tool-call-start', choice: 0, index: 0, id: 'a', name: 'f' },
      { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{"a":1}' },
      expect.objectContaining({ type: 'tool-call', arguments: '{"a":1}' }),
    ]);
  });

  it('a call has one id from its start to its end, also if the server names it late or never', () => {
    for (const late of [
      piece(0, 'late', undefined, '1}'),
      piece(0, 'late', 'f', '1}'),
      piece(0, undefined, undefined, '1}'),
    ]) {
      const events = eventsOf([calls(piece(0, undefined, 'f', '{"a":')), calls(late), END]);
      const [start] = only(events, 'tool-call-start');
      expect(only(events, 'tool-call')).toEqual([expect.objectContaining({ id: start?.id, arguments: '{"a":1}' })]);
    }
  });

  it('an id of ours is unique in the completion, and short enough for OpenAI', () => {
    const unnamed = (index: number): Record<string, unknown> => piece(index, undefined, 'f', '{}');
    const first = chunk({
      id: 'x'.repeat(200),
      choices: [{ index: 0, delta: { tool_calls: [unnamed(0), unnamed(1)] } }],
    });
    const second = delta({ tool_calls: [unnamed(0)] }, 1);
    const ids = only(eventsOf([first, second]), 'tool-call').map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    expect(Math.max(...ids.map((id) => id.length))).toBeLessThanOrEqual(40);
  });
});

describe('a call that is not known to be whole is never emitted as such', () => {
  it.each([
    ['cut at the token limit', JSON_A, 'length'],
    ['stopped by the content filter', JSON_A, 'content_filter'],
    ['cut inside its JSON', '{"city":"Par', 'tool_calls'],
    ['cut, and the server says stop', '{"city"', 'stop'],
    ['no JSON', 'Paris', 'tool_calls'],
    ['two objects in one', JSON_A + JSON_B, 'tool_calls'],
  ])('%s', (_name, text, reason) => {
    const events = eventsOf([calls(piece(0, 'a', 'f', text)), finished(reason)]);
    expect(only(events, 'tool-call')).toEqual([]);
    expect(only(events, 'finish')).toEqual([{ type: 'finish', choice: 0, reason }]);
  });

  it('without a name', () => {
    expect(eventsOf([calls(piece(0, 'a', undefined, '{}')), END]).map(({ type }) => type)).toEqual(['start', 'finish']);
  });

  it('and a whole one beside it is', () => {
    expect(whole(calls(piece(0, 'a', 'f', '{"cut'), piece(1, 'b', 'g', '{}')), END)).toEqual([[1, 'b', 'g', '{}']]);
  });

  it('but the partial has it as far as it came', () => {
    const assembler = new Assembler({ attempt: 1 });
    assembler.add(calls(piece(0, 'a', 'f', '{"ci'), piece(1, undefined, undefined, '{"no name')), () => undefined);
    expect(assembler.partial().toolCalls).toEqual([
      { id: 'a', name: 'f', arguments: '{"ci' },
      { id: 'call_chatcmpl-1_0_1', name: '', arguments: '{"no name' },
    ]);
    assembler.add(calls(piece(1, undefined, 'g', ' yet')), () => undefined);
    expect(assembler.partial().toolCalls[1]).toMatchObject({ name: 'g', arguments: '{"no name yet' });
  });
});

describe('custom tools', () => {
  const custom = (input: unknown): Record<string, unknown> => ({
    index: 0,
    id: 'a',
    type: 'custom',
    custom: { name: 'sql', input },
  });

  it('have free text for arguments, which needs to be no JSON', () => {
    const events = eventsOf([calls(custom('SELECT ')), calls({ index: 0, custom: { input: '1' } }), END]);
    expect(only(events, 'tool-call')).toEqual([
      {
        type: 'tool-call',
        choice: 0,
        index: 0,
        id: 'a',
        name: 'sql',
        arguments: 'SELECT 1',
        extra: { type: 'custom' },
      },
    ]);
  });

  it('may say so late', () => {
    expect(whole(calls({ index: 0, id: 'a' }, custom('SELECT')), END)).toEqual([[0, 'a', 'sql', 'SELECT']]);
  });

  it('may be called with nothing, and are cut by the token limit too', () => {
    expect(whole(calls(custom('')), END)).toEqual([[0, 'a', 'sql', '']]);
    expect(whole(calls(custom('SELECT')), finished('length'))).toEqual([]);
  });
});

describe('provider fields of a call', () => {
  it('come with the whole call, put together', () => {
    const google = { extra_content: { google: { thought_signature: 'AB' } } };
    const [call] = only(
      eventsOf([
        calls({ ...piece(0, 'a', 'f', '{}'), ...google }),
        calls({ index: 0, extra_content: { google: { thought_signature: 'CD' } } }),
        END,
      ]),
      'tool-call',
    );
    expect(call?.extra).toEqual({ extra_content: { google: { thought_signature: 'ABCD' } } });
  });

  it('that are null are none', () => {
    const [call] = only(
      eventsOf([calls({ ...piece(0, 'a', 'f', '{}'), note: null, more: undefined }), END]),
      'tool-call',
    );
    expect(call).toEqual({ type: 'tool-call', choice: 0, index: 0, id: 'a', name: 'f', arguments: '{}' });
  });

  it('are harmless whatever their names', () => {
    const hostile = JSON.parse(
      '{"index":0,"id":"a","function":{"name":"f","arguments":"{}","__proto__":{"x":1}},"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    ) as object;
    const [call] = only(eventsOf([calls(hostile), calls({ ...hostile, function: {} }), END]), 'tool-call');
    expect(Object.keys(call?.extra ?? {})).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(call?.extra)).toBe(Object.prototype);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

it('a mebibyte of arguments in small pieces, the name in each, is put together', () => {
  const text = `{"code":"${'{}'.repeat(512 * 1024)}"}`;
  const assembler = new Assembler({ attempt: 1 });
  const texts: string[] = [];
  for (let at = 0; at < text.length; at += 9) {
    assembler.add(calls(piece(0, undefined, 'f', text.slice(at, at + 9))), () => undefined);
  }
  assembler.finish((event) => {
    if (event.type === 'tool-call') texts.push(event.arguments);
  });
  expect(texts).toEqual([text]);
});

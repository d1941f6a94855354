import type { CompletionEvent } from '../../src/events/event.ts';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { CAUSE } from '../support/events.ts';
import {
  begun,
  calling,
  ending,
  finish,
  lines,
  model,
  ofTools,
  saying,
  START,
  told,
  watched,
  whole,
  type Called,
} from './conversation.ts';

const CALL = { id: 'a', name: 'look' };

/** The ids of the calls of an assistant message, as its results must name them. */
function idsOf(messages: readonly object[]): readonly unknown[] {
  const calls = messages.flatMap(
    (message) => (message as { tool_calls?: readonly { id: unknown }[] }).tool_calls ?? [],
  );
  return calls.map(({ id }) => id);
}

describe('a call that is cut off', () => {
  const cut: readonly CompletionEvent[] = [
    START,
    ...begun({ ...CALL, arguments: '{"city":"Os' }),
    ...begun({ ...CALL, id: 'b' }, 1),
    whole({ ...CALL, id: 'b' }, 1),
  ];
  const CUT = 'Error: The arguments of the call to look are cut off; it was not executed';

  it.each(['stop', 'tool_calls', null])('is never executed, and those beside it are (%s)', (reason) => {
    const look = watched('look');
    const chat = model([...cut, finish(reason)], saying('Fine'));
    const seen = lines(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
    expect(ofTools(seen).slice(1, 3)).toEqual([`a: error ${CUT}`, 'b: result done']);
    expect(look.runs.map(({ context }) => context.toolCallId)).toEqual(['b']);
  });

  it('is in the conversation without its arguments, and answered', () => {
    const chat = model([...cut, finish('stop')], saying('Fine'));
    lines(runTools$(chat, 'Go', {}, { tools: [watched('look').tool] }));
    expect(chat.asked[1]?.messages).toEqual([
      { role: 'user', content: 'Go' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } },
          { id: 'b', type: 'function', function: { name: 'look', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: CUT },
      { role: 'tool', tool_call_id: 'b', content: 'done' },
    ]);
  });

  it('is nothing anybody is asked about', () => {
    const approve = jest.fn(() => true);
    lines(
      runTools$(model([...cut, finish('stop')], saying('Fine')), 'Go', {}, { tools: [watched('look').tool], approve }),
    );
    expect(approve).toHaveBeenCalledTimes(1);
  });
});

describe('a turn that was not ended by the model', () => {
  it.each([
    ['cut at the token limit', 'length', '# limit'],
    ['stopped by a filter', 'content_filter', '# content-filter'],
  ])('executes none of its calls: %s', (_name, reason, error) => {
    const look = watched('look');
    const chat = model(ending(reason, CALL, { ...CALL, id: 'b' }), saying('Fine'));
    expect(ofTools(lines(runTools$(chat, 'Go', {}, { tools: [look.tool] })))).toEqual(['round 1', error]);
    expect(look.runs).toEqual([]);
    expect(chat.asked).toHaveLength(1);
  });
});

describe('a tool that is not known', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', 'Look', 'look ', '', 'size', 'get'])(
    'is never executed, whatever it is called: %j',
    (name) => {
      const look = watched('look');
      const chat = model(calling({ id: 'a', name }), saying('Fine'));
      lines(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
      expect(look.runs).toEqual([]);
      expect(told(chat.asked[1]!)).toEqual([
        ['a', expect.stringMatching(/^Error: There is no tool .*; known are look$/)],
      ]);
    },
  );
});

describe('ids', () => {
  const twice = (...ids: readonly string[]): readonly Called[] => ids.map((id) => ({ ...CALL, id }));

  it('that several calls have execute none of them, and the conversation tells them apart', () => {
    const look = watched('look');
    const chat = model(calling(...twice('a', 'a', 'b')), saying('Fine'));
    lines(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
    expect(look.runs.map(({ context }) => context.toolCallId)).toEqual(['b']);
    const refused = 'Error: Several calls have the id of this call to look; none was executed';
    expect(told(chat.asked[1]!)).toEqual([
      ['a', refused],
      ['a_2', refused],
      ['b', 'done'],
    ]);
    expect(idsOf(chat.asked[1]!.messages)).toEqual(['a', 'a_2', 'b']);
  });

  it.each([
    ['three times one', ['a', 'a', 'a'], 0],
    ['one that is taken by a made one', ['a', 'a', 'a_2'], 1],
    ['one that a made one would take', ['a_2', 'a', 'a'], 1],
    ['two times two', ['a', 'b', 'b', 'a'], 0],
    ['none at all', [''], 1],
    ['none, beside what we would make', ['call_1', ''], 2],
    ['none twice', ['', ''], 0],
  ])('are distinct in the conversation, and each is answered once: %s', (_name, ids, executed) => {
    const look = watched('look');
    const chat = model(calling(...twice(...ids)), saying('Fine'));
    lines(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
    const sent = idsOf(chat.asked[1]!.messages);
    expect(new Set(sent).size).toBe(ids.length);
    expect(sent).not.toContain('');
    expect(told(chat.asked[1]!).map(([id]) => id)).toEqual(sent);
    expect(look.runs).toHaveLength(executed);
    for (const { context } of look.runs) expect(sent).toContain(context.toolCallId);
  });

  it('of which one call is cut off execute none of them', () => {
    const look = watched('look');
    const events = [START, ...begun(CALL), ...begun(CALL, 1), whole(CALL, 1), finish('stop')];
    const chat = model(events, saying('Fine'));
    lines(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
    expect(look.runs).toEqual([]);
    expect(told(chat.asked[1]!).map(([id]) => id)).toEqual(['a', 'a_2']);
  });

  it('may come again in another round', () => {
    const look = watched('look');
    const chat = model(calling(CALL), calling(CALL), saying('Fine'));
    lines(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
    expect(look.runs).toHaveLength(2);
  });
});

describe('arguments', () => {
  it.each([
    ['__proto__', '{"__proto__":{"admin":true}}'],
    ['__proto__ in an escape', '{"\\u005f_proto__":{"admin":true}}'],
    ['__proto__ that is no object', '{"__proto__":1}'],
    ['__proto__ deep down', '{"a":[{"b":{"__proto__":null}}]}'],
    ['constructor.prototype', '{"constructor":{"prototype":{"admin":true}}}'],
    ['constructor.prototype in escapes', '{"c\\u006fnstructor":{"proto\\u0074ype":1}}'],
    ['constructor.prototype deep down', '{"a":{"b":[0,{"constructor":{"x":1,"prototype":null}}]}}'],
  ])('with a key that changes prototypes are refused: %s', (_name, json) => {
    const look = watched('look');
    const chat = model(calling({ ...CALL, arguments: json }), saying('Fine'));
    lines(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
    expect(look.runs).toEqual([]);
    expect(told(chat.asked[1]!)).toEqual([
      [
        'a',
        'Error: The arguments of the call to look hold a key that would change the prototype of an object; it was not executed',
      ],
    ]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it.each([
    ['a constructor without a prototype', '{"constructor":{"name":"x"}}'],
    ['a constructor that is a text', '{"constructor":"prototype"}'],
    ['a constructor that is null', '{"constructor":null}'],
    ['a prototype by itself', '{"prototype":{"constructor":1}}'],
    ['the words as values', '{"a":"__proto__","b":["constructor","prototype"]}'],
    ['a key that is like one', '{"proto":1,"__proto":2,"toString":3}'],
  ])('are taken with %s', (_name, json) => {
    const look = watched('look');
    lines(runTools$(model(calling({ ...CALL, arguments: json }), saying('Fine')), 'Go', {}, { tools: [look.tool] }));
    expect(look.runs.map(({ args }) => args)).toEqual([JSON.parse(json)]);
  });

  it.each(['[]', '[{}]', '"text"', '7', 'true', 'null'])('that are no object are refused: %s', (json) => {
    const look = watched('look');
    const chat = model(calling({ ...CALL, arguments: json }), saying('Fine'));
    lines(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
    expect(look.runs).toEqual([]);
    expect(told(chat.asked[1]!)[0]?.[1]).toMatch(/do not satisfy its schema.*\n- .*object/);
  });

  it.each(['', '{', '{}}', '{a:1}', 'NaN', '{"a":undefined}'])('that are no JSON are refused: %j', (json) => {
    const look = watched('look');
    const chat = model(calling({ ...CALL, arguments: json }), saying('Fine'));
    lines(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
    expect(look.runs).toEqual([]);
    expect(told(chat.asked[1]!)[0]?.[1]).toMatch(/are no valid JSON/);
  });

  it('of a custom tool, which are free text, reach no function', () => {
    const look = watched('look');
    const chat = model(calling({ ...CALL, arguments: '{}', extra: { type: 'custom' } }), saying('Fine'));
    lines(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
    expect(look.runs).toEqual([]);
    expect(told(chat.asked[1]!)).toHaveLength(1);
  });
});

describe('a restart inside a round', () => {
  const restart: CompletionEvent = { type: 'restart', attempt: 2, cause: CAUSE, discarded: 3 };
  const lost = { id: 'lost', name: 'look' };

  it.each<[string, readonly CompletionEvent[]]>([
    ['a call that had begun', [START, ...begun(lost), ...begun({ ...CALL, id: 'also' }, 1)]],
    ['a call that was whole', [START, ...begun(lost), whole(lost), finish('tool_calls')]],
    ['a call of the same id', [START, ...begun(CALL), whole(CALL)]],
  ])('withdraws %s: nothing is executed twice', (_name, failed) => {
    const look = watched('look');
    const chat = model([...failed, restart, ...calling(CALL)], saying('Fine'));
    const seen = lines(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
    expect(look.runs.map(({ context }) => context.toolCallId)).toEqual(['a']);
    expect(idsOf(chat.asked[1]!.messages)).toEqual(['a']);
    expect(told(chat.asked[1]!)).toEqual([['a', 'done']]);
    expect(seen).toContain('restart');
    expect(ofTools(seen).filter((each) => each.startsWith('round'))).toEqual(['round 1', 'round 2']);
  });

  it('withdraws the text and the end of the answer too', () => {
    const chat = model([...saying('lost', 'content_filter'), restart, START, ...saying('found', null).slice(1, 2)]);
    const seen: unknown[] = [];
    runTools$(chat, 'Go', {}, { tools: [watched('look').tool] }).subscribe((event) => seen.push(event));
    expect(seen.at(-1)).toMatchObject({
      messages: [{ role: 'user' }, { role: 'assistant', content: 'found' }],
      reason: null,
    });
  });

  it('does not take a call for whole because one in its place was', () => {
    const look = watched('look');
    const other = { ...CALL, id: 'b', arguments: '{"b":1}' };
    const again = [START, ...begun({ ...CALL, arguments: '{"a":' }), ...begun(other, 1), whole(other, 1)];
    const chat = model([...calling(lost), restart, ...again, finish('stop')], saying('Fine'));
    lines(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
    expect(look.runs).toMatchObject([{ args: { b: 1 }, context: { toolCallId: 'b' } }]);
    expect(told(chat.asked[1]!)).toEqual([
      ['a', expect.stringContaining('cut off')],
      ['b', 'done'],
    ]);
  });

  it('withdraws calls where none come again', () => {
    const look = watched('look');
    const chat = model([...calling(lost), restart, ...saying('Fine')]);
    expect(lines(runTools$(chat, 'Go', {}, { tools: [look.tool] })).slice(-2)).toEqual(['messages 2', '|']);
    expect(look.runs).toEqual([]);
  });
});

import { of } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { outcomeOf } from '../support/client.ts';
import { marbles, seenBy } from '../support/events.ts';
import { begun, calling, finish, lines, model, saying, START, told, watched, whole } from './conversation.ts';

const A = { id: 'a', name: 'weather', arguments: '{"city":"Oslo"}' };
const B = { id: 'b', name: 'weather', arguments: '{"city":"Rome"}' };

describe('a run', () => {
  it('goes on round by round until the model stops calling, and ends with the messages', () => {
    const weather = watched('weather', () => 'sunny');
    const chat = model(calling(A, B), calling({ ...A, id: 'c' }), saying('Fine'));
    expect(lines(runTools$(chat, 'Coat?', {}, { tools: [weather.tool] }))).toEqual([
      'round 1',
      ...['start', 'tool-call-start', 'tool-call-delta', 'tool-call-start', 'tool-call-delta'],
      ...['call a', 'call b', 'finish tool_calls'],
      ...['a: result sunny', 'b: result sunny'],
      'round 2',
      ...['start', 'tool-call-start', 'tool-call-delta', 'call c', 'finish tool_calls'],
      'c: result sunny',
      'round 3',
      ...['start', 'text Fine', 'finish stop'],
      'messages 7',
      '|',
    ]);
  });

  it('says of everything which round and call it belongs to', () => {
    const weather = watched('weather', () => of('rain', 'sun'));
    const options = { tools: [weather.tool], approve: () => true };
    const seen = seenBy(runTools$(model(calling(A), calling(B), saying('Fine')), 'Coat?', {}, options));
    const second = { round: 2, toolCallId: 'b', name: 'weather' };
    const asked = { type: 'tool-approval', ...second, arguments: { city: 'Rome' } };
    expect(seen.filter((event) => (event as { round?: number }).round === 2)).toStrictEqual([
      { type: 'round-start', round: 2 },
      { ...asked, status: 'requested' },
      { ...asked, status: 'approved' },
      { type: 'tool-progress', ...second, value: 'rain' },
      { type: 'tool-progress', ...second, value: 'sun' },
      { type: 'tool-result', ...second, value: 'sun', content: 'sun' },
    ]);
  });

  it('asks again with what was said and done, and gives the whole of it at the end', () => {
    const weather = watched('weather', (args) => ({ of: args }));
    const chat = model(calling(A, B), saying('Fine', 'length'));
    const seen = seenBy(runTools$(chat, 'Coat?', {}, { tools: [weather.tool] }));
    const conversation = [
      { role: 'user', content: 'Coat?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [A, B].map(({ id, name, arguments: json }) => {
          return { id, type: 'function', function: { name, arguments: json } };
        }),
      },
      { role: 'tool', tool_call_id: 'a', content: '{"of":{"city":"Oslo"}}' },
      { role: 'tool', tool_call_id: 'b', content: '{"of":{"city":"Rome"}}' },
    ];
    expect(chat.asked[1]?.messages).toStrictEqual(conversation);
    expect(seen.at(-2)).toStrictEqual({
      type: 'messages',
      messages: [...conversation, { role: 'assistant', content: 'Fine' }],
      reason: 'length',
      rounds: 2,
    });
  });

  it('keeps the messages it was given before its own', () => {
    const chat = model(calling(A), saying('Fine'));
    const given = [
      { role: 'system', content: 'Be brief' },
      { role: 'user', content: 'Coat?' },
    ] as const;
    lines(runTools$(chat, given, {}, { tools: [watched('weather').tool] }));
    expect(chat.asked.map(({ messages }) => messages.length)).toEqual([2, 4]);
    expect(chat.asked[1]?.messages.slice(0, 2)).toEqual(given);
  });

  it('is one round where nothing is called, and executes nothing', () => {
    const weather = watched('weather');
    const chat = model(saying('Hello'));
    expect(lines(runTools$(chat, 'Hi', {}, { tools: [weather.tool] }))).toEqual([
      'round 1',
      'start',
      'text Hello',
      'finish stop',
      'messages 2',
      '|',
    ]);
    expect(weather.runs).toEqual([]);
  });

  it('tells each tool its arguments and its call', () => {
    const weather = watched('weather');
    lines(runTools$(model(calling(A, B), saying('Fine')), 'Coat?', {}, { tools: [weather.tool] }));
    expect(weather.runs).toMatchObject([
      { args: { city: 'Oslo' }, context: { toolCallId: 'a' } },
      { args: { city: 'Rome' }, context: { toolCallId: 'b' } },
    ]);
  });

  it('calls each tool by its name', () => {
    const tools = [watched('one', () => 1), watched('two', () => 2)];
    const chat = model(calling({ id: 'a', name: 'two' }, { id: 'b', name: 'one' }), saying('Fine'));
    lines(runTools$(chat, 'Count', {}, { tools: tools.map((each) => each.tool) }));
    expect(told(chat.asked[1]!)).toEqual([
      ['a', '2'],
      ['b', '1'],
    ]);
  });

  it('executes nothing before the answer is known to be whole', () => {
    marbles(({ cold, flush }, scheduler) => {
      const weather = watched('weather', () => scheduler.now());
      const values = { s: START, b: begun(A)[0]!, d: begun(A)[1]!, w: whole(A), f: finish('tool_calls') };
      const chat = model(cold<CompletionEvent>('-sbdw-f--|', values), saying('Fine'));
      const seen = lines(runTools$(chat, 'Coat?', {}, { tools: [weather.tool] }), scheduler);
      flush();
      expect(seen).toEqual([
        '0 round 1',
        ...['1 start', '2 tool-call-start', '3 tool-call-delta', '4 call a', '6 finish tool_calls'],
        ...['9 a: result 9', '9 round 2', '9 start', '9 text Fine', '9 finish stop', '9 messages 4', '9 |'],
      ]);
    });
  });

  it('asks again only when every tool is done', () => {
    marbles(({ cold, flush }, scheduler) => {
      const tools = [watched('slow', () => cold('-----(s|)')), watched('fast', () => cold('-(f|)'))];
      const calls = calling({ id: 'a', name: 'slow' }, { id: 'b', name: 'fast' });
      const seen = lines(
        runTools$(model(calls, saying('Fine')), 'Go', {}, { tools: tools.map((each) => each.tool) }),
        scheduler,
      );
      flush();
      expect(seen).toContain('5 round 2');
      expect(seen.indexOf('5 round 2')).toBe(seen.indexOf('5 a: result s') + 1);
      expect(seen).toContain('1 b: result f');
    });
  });

  it('passes on what other choices say, and events it does not know, and goes on with the first choice', () => {
    const other = { ...whole({ id: 'z', name: 'weather' }), choice: 1 } as CompletionEvent;
    const unknown = { type: 'new' } as unknown as CompletionEvent;
    const weather = watched('weather');
    const chat = model([
      START,
      unknown,
      other,
      ...saying('Fine').slice(1),
      { type: 'finish', choice: 1, reason: null },
    ]);
    const seen = lines(runTools$(chat, 'Hi', {}, { tools: [weather.tool] }));
    expect(seen).toEqual([
      'round 1',
      ...['start', 'new', 'call z', 'text Fine', 'finish stop', 'finish null'],
      'messages 2',
      '|',
    ]);
    expect(weather.runs).toEqual([]);
  });

  it('does not take another choice for the first, where the first says nothing', () => {
    const weather = watched('weather');
    const other = [...calling(A)].map((event) => ('choice' in event ? { ...event, choice: 1 } : event));
    const seen = lines(runTools$(model(other), 'Hi', {}, { tools: [weather.tool] }));
    expect(seen.slice(-2)).toEqual(['messages 1', '|']);
    expect(weather.runs).toEqual([]);
  });

  it('takes Promises in its stride', async () => {
    const weather = watched('weather', async () => 'sunny');
    const chat = model(calling(A, B), saying('Fine'));
    const { values, completed } = await outcomeOf(runTools$(chat, 'Coat?', {}, { tools: [weather.tool] }));
    expect(completed).toBe(true);
    expect(values.at(-1)).toMatchObject({ type: 'messages', rounds: 2 });
    expect(told(chat.asked[1]!)).toEqual([
      ['a', 'sunny'],
      ['b', 'sunny'],
    ]);
  });

  it('adds nothing to the conversation where the server said nothing at all', () => {
    const seen = seenBy(runTools$(model([START]), 'Hi', {}, { tools: [watched('weather').tool] }));
    expect(seen.slice(-2)).toStrictEqual([
      { type: 'messages', messages: [{ role: 'user', content: 'Hi' }], reason: null, rounds: 1 },
      '|',
    ]);
  });
});

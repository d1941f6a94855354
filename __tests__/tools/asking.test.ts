import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { ToolRunParams } from '../../src/tools/run-options.ts';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { errorOf, fetchClient } from '../support/client.ts';
import { calling, lines, model, ofTools, saying, watched } from './conversation.ts';

const CALL = { id: 'a', name: 'look' };
const MODE = { type: 'function', function: { name: 'look' } } as const;

/** What each of three rounds was asked with. */
function askedWith(
  params: ToolRunParams | undefined,
  options: object = {},
): readonly { params: object; options: object }[] {
  const chat = model(calling(CALL), calling(CALL), saying('Fine'));
  lines(runTools$(chat, 'Go', params, { tools: [watched('look').tool], ...options }));
  expect(chat.asked).toHaveLength(3);
  return chat.asked;
}

describe('a round', () => {
  it('is asked with the tools as they are defined, and with the parameters given', () => {
    const [look, listen] = [watched('look'), watched('listen')];
    const chat = model(calling(CALL), saying('Fine'));
    lines(runTools$(chat, 'Go', { temperature: 0.3 }, { tools: [look.tool, listen.tool] }));
    for (const { params } of chat.asked) {
      expect(params).toStrictEqual({
        temperature: 0.3,
        tools: [look.tool.definition, listen.tool.definition],
      });
    }
  });

  it('may be asked without parameters', () => {
    for (const { params } of askedWith(undefined)) expect(Object.keys(params)).toEqual(['tools']);
  });

  it('is asked with the options of a call, and none of the run', () => {
    const call = { timeout: { idleMs: 5 }, retry: { maxRetries: 1 }, headers: { 'x-run': '1' }, extraBody: { a: 1 } };
    const run = { maxRounds: 3, concurrency: 1, toolTimeoutMs: 5, onToolError: 'fail', onLength: 'error' };
    const gate = (): undefined => undefined;
    for (const { options } of askedWith({}, { ...call, ...run, gate, approve: () => true })) {
      expect(options).toEqual({ ...call, gate, signal: undefined });
    }
  });
});

describe('tool_choice', () => {
  it.each([
    ['required', 'required'],
    ['a named function', MODE],
    ['a named custom tool', { type: 'custom', custom: { name: 'look' } }],
  ] as const)('that forces a call holds for the first round: %s', (_name, tool_choice) => {
    const [first, ...others] = askedWith({ tool_choice });
    expect(first?.params).toMatchObject({ tool_choice });
    for (const { params } of others) expect(params).not.toHaveProperty('tool_choice');
  });

  it.each(['auto', 'none'] as const)('that forces nothing is kept: %s', (tool_choice) => {
    for (const { params } of askedWith({ tool_choice })) expect(params).toMatchObject({ tool_choice });
  });

  it('of some tools allows the same after the first round, and forces none', () => {
    const allowed = { mode: 'required' as const, tools: [MODE] };
    const tool_choice = { type: 'allowed_tools' as const, allowed_tools: allowed };
    const [first, ...others] = askedWith({ tool_choice });
    expect(first?.params).toMatchObject({ tool_choice });
    for (const { params } of others) {
      expect(params).toMatchObject({ tool_choice: { ...tool_choice, allowed_tools: { ...allowed, mode: 'auto' } } });
    }
    expect(allowed.mode).toBe('required');
  });

  it('is left out where it was', () => {
    for (const { params } of askedWith({})) expect(params).not.toHaveProperty('tool_choice');
  });
});

describe('a run is cold', () => {
  it('nothing is asked and no option is checked before it is subscribed', () => {
    const chat = model(saying('Fine'));
    void runTools$(chat, 'Go', {}, { tools: [] });
    void runTools$(chat, 'Go', {}, { tools: [watched('look').tool] });
    expect(chat.asked).toEqual([]);
  });

  it('two subscriptions are two runs, each from the beginning', () => {
    const look = watched('look');
    const chat = model(calling(CALL), saying('Fine'), calling(CALL), saying('Fine'));
    const run$ = runTools$(chat, 'Go', {}, { tools: [look.tool] });
    const expected = ['round 1', 'a: result done', 'round 2', 'messages 4', '|'];
    expect(ofTools(lines(run$))).toEqual(expected);
    expect(ofTools(lines(run$))).toEqual(expected);
    expect(look.runs).toHaveLength(2);
    expect(chat.asked.map(({ messages }) => messages.length)).toEqual([1, 3, 1, 3]);
  });

  it('each subscription takes the messages as they are then, and no later change reaches it', () => {
    const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: 'one' }];
    const look = watched('look', () => {
      messages[0] = { role: 'user', content: 'changed' };
      messages.push({ role: 'user', content: 'added' });
    });
    const chat = model(calling(CALL), saying('Fine'));
    const run$ = runTools$(chat, messages, {}, { tools: [look.tool] });
    messages[0]!.content = 'two';
    lines(run$);
    expect(chat.asked.map((asked) => asked.messages[0])).toEqual([
      { role: 'user', content: 'two' },
      { role: 'user', content: 'two' },
    ]);
    expect(chat.asked[1]?.messages).toHaveLength(3);
  });

  it('changes nothing of what it was given', () => {
    const messages = Object.freeze([Object.freeze({ role: 'user', content: 'Go' } as const)]);
    const params = Object.freeze({ tool_choice: 'required' } as const);
    const options = Object.freeze({ tools: Object.freeze([watched('look').tool]) });
    expect(lines(runTools$(model(calling(CALL), saying('Fine')), messages, params, options)).at(-1)).toBe('|');
  });
});

describe('parameters', () => {
  it.each([NaN, Infinity])('that JSON cannot hold are refused by the client: %d', async (temperature) => {
    const chat = fetchClient.client('http://127.0.0.1:9');
    const error = await errorOf(chat.runTools$('Go', { temperature }, { tools: [watched('look').tool] }));
    expect(error).toMatchObject({ kind: 'configuration', param: 'temperature' });
  });
});

describe('messages', () => {
  it.each<[string, unknown]>([
    ['an empty prompt', ''],
    ['an empty list', []],
    ['a list of texts', ['Go']],
    ['a number', 7],
    ['nothing', undefined],
    ['what JSON cannot write', [{ role: 'user', content: 1n }]],
  ])('that are %s are refused by the client', async (_name, messages) => {
    const chat = fetchClient.client('http://127.0.0.1:9');
    const tools = [watched('look').tool];
    for (const run$ of [
      chat.runTools$(messages as string, {}, { tools }),
      runTools$(chat, messages as string, {}, { tools }),
    ]) {
      expect((await errorOf(run$)).kind).toBe('configuration');
    }
  });
});

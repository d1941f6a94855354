import type { ToolRunOptions, ToolRunParams } from '../../src/tools/run-options.ts';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { errorOf, fetchClient } from '../support/client.ts';
import { calling, lines, model, saying, watched } from './conversation.ts';

const look = watched('look');
const tools = [look.tool];

const REFUSED: readonly (readonly [name: string, options: unknown, param: string, message: RegExp])[] = [
  ['no tools', {}, 'tools', /at least one tool; make it by tool\(\)/],
  ['an empty list of tools', { tools: [] }, 'tools', /at least one tool/],
  ['one tool that is in no list', { tools: look.tool }, 'tools', /list/],
  ['tools by their names', { tools: { look: look.tool } }, 'tools', /list/],
  ['a tool that is undefined', { tools: [undefined] }, 'tools', /made by tool\(\)/],
  ['a tool that is null', { tools: [null] }, 'tools[]', /tools\[\]/],
  ['a definition in place of a tool', { tools: [look.tool.definition] }, 'tools[]', /validate/],
  ['a tool that cannot be executed', { tools: [{ ...look.tool, execute: 1 }] }, 'tools[]', /execute/],
  ['two tools of one name', { tools: [look.tool, watched('look').tool] }, 'tools', /two tools of the name look/],
  ['one tool twice', { tools: [look.tool, look.tool] }, 'tools', /two tools of the name look/],
  ['an option that is misspelt', { tools, maxRound: 3 }, 'maxRound', /did you mean maxRounds\?/],
  ['an option that is misspelt badly', { tools, toolTimeout: 3 }, 'toolTimeout', /did you mean toolTimeoutMs\?/],
  ['an unknown option', { tools, whatever: 3 }, 'whatever', /known are .*tools.*approve/],
  ['a choice', { tools, choice: 1 }, 'choice', /Unknown option choice of runTools\$/],
  ['maxRounds 0', { tools, maxRounds: 0 }, 'maxRounds', /whole number, at least 1/],
  ['maxRounds 1.5', { tools, maxRounds: 1.5 }, 'maxRounds', /whole/],
  ['maxRounds NaN', { tools, maxRounds: NaN }, 'maxRounds', /whole/],
  ['maxRounds as a text', { tools, maxRounds: '3' }, 'maxRounds', /whole/],
  ['maxRounds null', { tools, maxRounds: null }, 'maxRounds', /whole/],
  ['concurrency 0', { tools, concurrency: 0 }, 'concurrency', /whole number, at least 1/],
  ['concurrency -1', { tools, concurrency: -1 }, 'concurrency', /whole/],
  ['concurrency 1.5', { tools, concurrency: 1.5 }, 'concurrency', /whole/],
  ['toolTimeoutMs 0', { tools, toolTimeoutMs: 0 }, 'toolTimeoutMs', /from 1 to/],
  ['toolTimeoutMs NaN', { tools, toolTimeoutMs: NaN }, 'toolTimeoutMs', /from 1 to/],
  ['a toolTimeoutMs that no timer can count', { tools, toolTimeoutMs: 2 ** 31 }, 'toolTimeoutMs', /from 1 to/],
  ['toolTimeoutMs false', { tools, toolTimeoutMs: false }, 'toolTimeoutMs', /from 1 to/],
  ['an unknown onToolError', { tools, onToolError: 'ignore' }, 'onToolError', /'report' or 'fail'/],
  ['an unknown onLength', { tools, onLength: 'ignore' }, 'onLength', /'complete' or 'error'/],
  ['approve that is no function', { tools, approve: true }, 'approve', /function/],
  ['approve null', { tools, approve: null }, 'approve', /function/],
  ['a scheduler that is none', { tools, scheduler: {} }, 'scheduler', /schedule/],
  ['a signal that is none', { tools, signal: {} }, 'signal', /AbortSignal/],
  ['a gate that is no function', { tools, gate: 1 }, 'gate', /function/],
];

const REFUSED_PARAMS: readonly (readonly [name: string, params: unknown, param: string])[] = [
  ['tools', { tools: [look.tool.definition] }, 'tools'],
  ['no tools at all', { tools: [] }, 'tools'],
  ['tools null', { tools: null }, 'tools'],
  ['n 2', { n: 2 }, 'n'],
  ['n 0', { n: 0 }, 'n'],
  ['n as a text', { n: '1' }, 'n'],
  ['a text', 'gpt', 'params'],
  ['a list', ['x'], 'params'],
  ['null', null, 'params'],
  ['a function', () => ({}), 'params'],
  ['no number', { temperature: NaN }, 'temperature'],
];

describe('the options of a run', () => {
  it.each(REFUSED)(
    'are refused on the error channel, before anything is sent: %s',
    async (_name, given, param, message) => {
      const chat = model(saying('Fine'));
      const options = given as ToolRunOptions;
      const error = await errorOf(runTools$(chat, 'Go', {}, options));
      expect(error).toMatchObject({ kind: 'configuration', param, message: expect.stringMatching(message) as unknown });
      expect(chat.asked).toEqual([]);
      const client = fetchClient.client('http://127.0.0.1:9');
      expect(await errorOf(client.runTools$('Go', {}, options))).toMatchObject({ kind: 'configuration', param });
    },
  );

  it.each([undefined, null, 7, 'tools', []])('are refused where they are no options: %j', async (given) => {
    const error = await errorOf(runTools$(model(), 'Go', {}, given as unknown as ToolRunOptions));
    expect(error.kind).toBe('configuration');
  });

  it.each(REFUSED_PARAMS)('are told from parameters, which must not hold %s', async (_name, params, param) => {
    const chat = model(saying('Fine'));
    const error = await errorOf(runTools$(chat, 'Go', params as ToolRunParams, { tools }));
    expect(error).toMatchObject({ kind: 'configuration', param });
    expect(chat.asked).toEqual([]);
  });

  it.each([{ n: 1 }, { n: null }, { n: undefined }, { tools: undefined }])(
    'lets parameters be that ask for one answer: %j',
    (params) => {
      expect(lines(runTools$(model(saying('Fine')), 'Go', params as ToolRunParams, { tools })).at(-1)).toBe('|');
    },
  );

  it('are the defaults where they are undefined', () => {
    const options: ToolRunOptions = {
      tools,
      maxRounds: undefined,
      concurrency: undefined,
      toolTimeoutMs: undefined,
      onToolError: undefined,
      onLength: undefined,
      approve: undefined,
      scheduler: undefined,
      signal: undefined,
    };
    const chat = model(calling({ id: 'a', name: 'unknown' }), saying('Fine', 'length'));
    expect(lines(runTools$(chat, 'Go', {}, options)).at(-1)).toBe('|');
  });

  it.each([1, 2_147_483_647])('take a limit of time up to what a timer can count: %i', (toolTimeoutMs) => {
    expect(lines(runTools$(model(saying('Fine')), 'Go', {}, { tools, toolTimeoutMs })).at(-1)).toBe('|');
  });
});

import { of, throwError } from 'rxjs';
import { z } from 'zod';
import { CompletionError } from '../../src/errors.ts';
import type { ToolRunEvent } from '../../src/tools/events.ts';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { tool, type Tool } from '../../src/tools/tool.ts';
import { errorOf, outcomeOf } from '../support/client.ts';
import { calling, lines, model, ofTools, saying, told, watched, type Called } from './conversation.ts';

const BROKEN = new RangeError('no such city');
const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;

const city = (execute: () => unknown): Tool =>
  tool({ name: 'look', parameters: z.object({ city: z.string(), days: z.number() }), execute });
const never = (): never => {
  throw new Error('executed after all');
};

interface Failure {
  readonly name: string;
  readonly tool: Tool;
  readonly call?: Partial<Called>;
  readonly error: unknown;
  readonly content: string | RegExp;
}

const INVALID = { kind: 'invalid-output' } as const;
const TOOL = { kind: 'tool' } as const;
const broken = (name: string, execute: () => unknown): Failure => {
  return { name, tool: watched('look', execute).tool, error: BROKEN, content: 'Error: no such city' };
};

const FAILURES: readonly Failure[] = [
  {
    name: 'arguments that its schema refuses',
    tool: city(never),
    call: { arguments: '{"city":1,"days":"x"}' },
    error: { ...INVALID, issues: [{ path: ['city'] }, { path: ['days'] }] },
    content:
      /^Error: The arguments of the call to look do not satisfy its schema; see issues; it was not executed\n- city: .+\n- days: .+$/,
  },
  {
    name: 'arguments that a schema refuses as a whole',
    tool: watched('look', never, { type: 'object', minProperties: 1 }).tool,
    error: { ...INVALID, issues: [{ path: [] }] },
    content: /^Error: The arguments .+\n- [^:]+$/,
  },
  {
    name: 'arguments of which JSON makes nothing',
    tool: city(never),
    call: { arguments: '{"city":' },
    error: INVALID,
    content: 'Error: The arguments of the call to look are no valid JSON; it was not executed',
  },
  {
    name: 'a schema that refuses later, by a Promise',
    tool: tool({
      name: 'look',
      parameters: z.object({ city: z.string().refine(async (it) => it === 'Oslo', 'is not known') }),
      execute: never,
    }),
    call: { arguments: '{"city":"Rome"}' },
    error: { ...INVALID, issues: [{ path: ['city'], message: 'is not known' }] },
    content: /\n- city: is not known$/,
  },
  {
    name: 'a schema that throws',
    tool: tool({
      name: 'look',
      parameters: z.object({
        city: z.string().refine(() => {
          throw BROKEN;
        }),
      }),
      execute: never,
    }),
    call: { arguments: '{"city":"Rome"}' },
    error: BROKEN,
    content: 'Error: no such city',
  },
  {
    name: 'a tool that is not known',
    tool: watched('look', never).tool,
    call: { name: 'lok' },
    error: TOOL,
    content: 'Error: There is no tool lok; known are look',
  },
  broken('an error thrown', () => {
    throw BROKEN;
  }),
  broken('a rejected Promise', () => Promise.reject(BROKEN)),
  broken('an errored Observable', () => throwError(() => BROKEN)),
  {
    name: 'a text thrown',
    tool: watched('look', () => throwError(() => 'just words')).tool,
    error: 'just words',
    content: 'Error: just words',
  },
  {
    name: 'nothing thrown',
    tool: watched('look', () => throwError(() => undefined)).tool,
    error: undefined,
    content: 'Error: Error',
  },
  ...(
    [
      ['a cycle', cycle],
      ['a BigInt', 1n],
    ] as const
  ).map(([name, value]) => ({
    name: `a result that JSON cannot write: ${name}`,
    tool: watched('look', () => value).tool,
    error: TOOL,
    content: 'Error: The result of the tool look cannot be written as JSON: a cycle, or a BigInt',
  })),
  {
    name: 'a last value that JSON cannot write',
    tool: watched('look', () => of(1, cycle)).tool,
    error: TOOL,
    content: /^Error: The result of the tool look cannot be written/,
  },
];

const errorsIn = (events: readonly ToolRunEvent[]): readonly Extract<ToolRunEvent, { type: 'tool-error' }>[] =>
  events.filter((event) => event.type === 'tool-error');
const matching = (content: string | RegExp): unknown =>
  typeof content === 'string' ? content : expect.stringMatching(content);
const matchingError = (error: unknown): unknown =>
  typeof error === 'object' && !(error instanceof Error) ? expect.objectContaining(withIssues(error!)) : error;
const withIssues = ({ issues, ...rest }: { issues?: readonly object[] }): object => ({
  ...rest,
  ...(issues === undefined ? undefined : { issues: issues.map((issue) => expect.objectContaining(issue) as unknown) }),
});

describe('what goes wrong in a call', () => {
  it.each(FAILURES)('is told to the model by default: $name', async ({ tool: look, call, error, content }) => {
    const chat = model(calling({ id: 'a', name: 'look', ...call }), saying('Fine'));
    const { values, completed } = await outcomeOf(runTools$(chat, 'Go', {}, { tools: [look] }));
    expect(completed).toBe(true);
    expect(errorsIn(values)).toEqual([
      {
        type: 'tool-error',
        round: 1,
        toolCallId: 'a',
        name: call?.name ?? 'look',
        error: matchingError(error),
        content: matching(content),
      },
    ]);
    expect(values.some(({ type }) => type === 'tool-result')).toBe(false);
    expect(told(chat.asked[1]!)).toEqual([['a', matching(content)]]);
    expect(values.at(-1)).toMatchObject({ type: 'messages', rounds: 2 });
  });

  it.each(FAILURES)("ends the run with onToolError 'fail': $name", async ({ tool: look, call, error, content }) => {
    const chat = model(calling({ id: 'a', name: 'look', ...call }), saying('Fine'));
    const options = { tools: [look], onToolError: 'fail' } as const;
    const outcome = await outcomeOf(runTools$(chat, 'Go', {}, options));
    expect(outcome.completed).toBe(false);
    expect(outcome.error).toEqual(matchingError(error));
    if (error === BROKEN) expect(outcome.error).toBe(BROKEN);
    expect(errorsIn(outcome.values)).toMatchObject([{ content: matching(content) }]);
    expect(outcome.values.at(-1)).toMatchObject({ type: 'tool-error' });
    expect(chat.asked).toHaveLength(1);
  });

  it('is told on one line, without keys, however long it is', () => {
    const look = watched('look', () => {
      throw new Error(`sk-secret-1234567890\n\u001b[31m${'x'.repeat(1000)}`);
    });
    const chat = model(calling({ id: 'a', name: 'look' }), saying('Fine'));
    lines(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
    expect(told(chat.asked[1]!)[0]?.[1]).toMatch(/^Error: \*\*\* x{400,499}…$/);
  });

  it('names an unknown tool no longer than needed', () => {
    const chat = model(calling({ id: 'a', name: `f${'x'.repeat(200)}` }), saying('Fine'));
    lines(runTools$(chat, 'Go', {}, { tools: [watched('look').tool, watched('listen').tool] }));
    expect(told(chat.asked[1]!)[0]?.[1]).toMatch(/^Error: There is no tool fx{62}…; known are look, listen$/);
  });

  it('keeps what an error of ours knows, and adds the conversation that can be gone on with', async () => {
    const own = new CompletionError('slow down', { kind: 'rate-limit', retryAfterMs: 7, retryable: true });
    const look = watched('look', () => {
      throw own;
    });
    const chat = model(calling({ id: 'a', name: 'look' }), calling({ id: 'b', name: 'other' }));
    const options = { tools: [look.tool], onToolError: 'fail' } as const;
    const error = await errorOf(runTools$(chat, 'Go', {}, options));
    expect(error).toMatchObject({ kind: 'rate-limit', message: 'slow down', retryAfterMs: 7, retryable: true });
    expect(error.partial.messages).toMatchObject([
      { role: 'user', content: 'Go' },
      { role: 'assistant', tool_calls: [{ id: 'a' }] },
      { role: 'tool', tool_call_id: 'a', content: 'Error: slow down' },
    ]);
    expect(own.partial.messages).toBeUndefined();
  });

  it('is told to the model in twenty of its places at most', () => {
    const parameters = { type: 'object', properties: { days: { type: 'array', items: { type: 'number' } } } };
    const look = watched('look', never, parameters);
    const days = JSON.stringify({ days: Array.from({ length: 30 }, () => 'x') });
    const chat = model(calling({ id: 'a', name: 'look', arguments: days }), saying('Fine'));
    lines(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
    const content = String(told(chat.asked[1]!)[0]?.[1]).split('\n');
    expect(content).toHaveLength(21);
    expect(content[20]).toMatch(/^- days\.19: /);
  });

  it('never stops a run by default, and the model may try again', () => {
    let attempt = 0;
    const look = watched('look', () => (++attempt === 1 ? throwError(() => BROKEN) : of('found')));
    const chat = model(calling({ id: 'a', name: 'look' }), calling({ id: 'b', name: 'look' }), saying('Fine'));
    expect(ofTools(lines(runTools$(chat, 'Go', {}, { tools: [look.tool] })))).toEqual([
      'round 1',
      'a: error Error: no such city',
      'round 2',
      'b: progress "found"',
      'b: result found',
      'round 3',
      'messages 6',
      '|',
    ]);
  });
});

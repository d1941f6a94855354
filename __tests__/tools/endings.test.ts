import { concat, of, throwError } from 'rxjs';
import { CompletionError } from '../../src/errors.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { errorOf, outcomeOf } from '../support/client.ts';
import { seenBy } from '../support/events.ts';
import { begun, calling, ending, finish, lines, model, saying, START, watched } from './conversation.ts';

const CALL = { id: 'a', name: 'look' };
const USER = { role: 'user', content: 'Go' };
const ROUND = [
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } }],
  },
  { role: 'tool', tool_call_id: 'a', content: 'done' },
];

describe('an answer', () => {
  it.each(['stop', 'length', 'function_call', 'made up', null])('in text ends the run (%s)', (reason) => {
    const chat = model(saying('Fine', reason));
    const seen = seenBy(runTools$(chat, 'Go', {}, { tools: [watched('look').tool] }));
    expect(seen.slice(-2)).toStrictEqual([
      { type: 'messages', messages: [USER, { role: 'assistant', content: 'Fine' }], reason, rounds: 1 },
      '|',
    ]);
  });

  it.each(['stop', 'tool_calls', 'function_call', null])('with calls is gone on with (%s)', (reason) => {
    const look = watched('look');
    const chat = model(ending(reason, CALL), saying('Fine'));
    expect(lines(runTools$(chat, 'Go', {}, { tools: [look.tool] })).at(-1)).toBe('|');
    expect(look.runs).toHaveLength(1);
    expect(chat.asked).toHaveLength(2);
  });

  it.each<[string, readonly CompletionEvent[], object, object]>([
    [
      'says that it calls, and does not',
      saying('Let me', 'tool_calls'),
      { kind: 'protocol', retryable: false },
      { text: 'Let me' },
    ],
    ['says that it calls, and says nothing', [START, finish('tool_calls')], { kind: 'protocol' }, {}],
    ['is stopped by the filter', saying('Bad', 'content_filter'), { kind: 'content-filter' }, { text: 'Bad' }],
    [
      'calls, and is stopped by the filter',
      ending('content_filter', CALL),
      { kind: 'content-filter' },
      { toolCalls: [{ id: 'a', name: 'look', arguments: '{}' }] },
    ],
    [
      'calls, and is cut at the token limit',
      ending('length', CALL),
      { kind: 'limit', code: 'length', message: expect.stringContaining('tool calls were not executed') as unknown },
      { toolCalls: [{ id: 'a', name: 'look', arguments: '{}' }] },
    ],
    ...['model_length', 'max_tokens'].map((reason): [string, readonly CompletionEvent[], object, object] => [
      `calls, and is cut at the token limit by another name (${reason})`,
      ending(reason, CALL),
      { kind: 'limit', code: 'length', message: expect.stringContaining(reason) as unknown },
      {},
    ]),
    [
      'calls, and ends for a reason that nobody knows',
      ending('made up', CALL),
      { kind: 'protocol', retryable: false, message: expect.stringContaining('"made up"') as unknown },
      { toolCalls: [{ id: 'a', name: 'look', arguments: '{}' }] },
    ],
    [
      'is cut at the token limit inside a call',
      [START, ...begun({ ...CALL, arguments: '{"a' }), finish('length')],
      { kind: 'limit', code: 'length' },
      { toolCalls: [{ id: 'a', name: 'look', arguments: '{"a' }] },
    ],
  ])('that %s is an error, with what it said and the conversation before it', async (_name, last, error, said) => {
    const look = watched('look');
    const chat = model(calling(CALL), last);
    const failure = await errorOf(runTools$(chat, 'Go', {}, { tools: [look.tool] }));
    expect(failure).toMatchObject(error);
    expect(failure.partial).toMatchObject({ ...said, messages: [USER, ...ROUND] });
    expect(look.runs).toHaveLength(1);
  });

  it("in text that is cut at the token limit is an error with onLength 'error'", async () => {
    const options = { tools: [watched('look').tool], onLength: 'error' } as const;
    const error = await errorOf(runTools$(model(saying('Fi', 'length')), 'Go', {}, options));
    expect(error).toMatchObject({
      kind: 'limit',
      code: 'length',
      message: 'The answer was cut at the token limit (finish_reason "length")',
    });
    expect(error.partial).toMatchObject({ text: 'Fi', messages: [USER] });
    for (const reason of ['model_length', 'max_tokens']) {
      expect(lines(runTools$(model(saying('Fi', reason)), 'Go', {}, options)).at(-1)).toBe('# limit');
    }
    const complete = { ...options, onLength: 'complete' } as const;
    expect(lines(runTools$(model(saying('Fi', 'length')), 'Go', {}, complete)).at(-1)).toBe('|');
  });
});

describe('maxRounds', () => {
  it.each([1, 2, 5])('%i: the model is asked so often, and the last calls are not executed', async (maxRounds) => {
    const look = watched('look');
    const answers = Array.from({ length: maxRounds }, () => calling(CALL));
    const chat = model(...answers, saying('never asked for'));
    const { values, error } = await outcomeOf(runTools$(chat, 'Go', {}, { tools: [look.tool], maxRounds }));
    expect(error).toMatchObject({ kind: 'limit', code: 'maxRounds', retryable: false });
    expect(chat.asked).toHaveLength(maxRounds);
    expect(look.runs).toHaveLength(maxRounds - 1);
    expect(values.at(-1)).toMatchObject({ type: 'finish' });
    // Nothing in it waits for a result: it can be sent again.
    expect((error as CompletionError).partial.messages).toEqual([
      USER,
      ...Array.from({ length: maxRounds - 1 }, () => ROUND).flat(),
    ]);
    expect((error as CompletionError).partial.toolCalls).toEqual([{ id: 'a', name: 'look', arguments: '{}' }]);
  });

  it('is 10 by default', async () => {
    const look = watched('look');
    const chat = model(...Array.from({ length: 11 }, () => calling(CALL)));
    expect(await errorOf(runTools$(chat, 'Go', {}, { tools: [look.tool] }))).toMatchObject({
      code: 'maxRounds',
      message: expect.stringContaining('round 10 (maxRounds)') as unknown,
    });
    expect(look.runs).toHaveLength(9);
  });

  it('lets an answer be that comes in the last round', () => {
    const chat = model(calling(CALL), saying('Fine'));
    expect(lines(runTools$(chat, 'Go', {}, { tools: [watched('look').tool], maxRounds: 2 })).at(-1)).toBe('|');
  });

  it('may be infinite', () => {
    const chat = model(...Array.from({ length: 40 }, () => calling(CALL)), saying('Fine'));
    const options = { tools: [watched('look').tool], maxRounds: Number.POSITIVE_INFINITY };
    expect(lines(runTools$(chat, 'Go', {}, options)).at(-1)).toBe('|');
  });
});

describe('a request that fails', () => {
  const lost = new CompletionError('503 overloaded', {
    kind: 'server',
    status: 503,
    retryable: true,
    attempts: 3,
    partial: { text: 'Fi', reasoning: '', refusal: '', toolCalls: [] },
  });

  it.each([0, 1, 2])('after %i rounds carries the conversation that can be gone on with', async (rounds) => {
    const look = watched('look');
    const answers = Array.from({ length: rounds }, () => calling(CALL));
    const failing$ = concat(
      of(START),
      throwError(() => lost),
    );
    const error = await errorOf(runTools$(model(...answers, failing$), 'Go', {}, { tools: [look.tool] }));
    expect(error).toMatchObject({ kind: 'server', status: 503, retryable: true, attempts: 3, message: lost.message });
    expect(error.partial).toEqual({
      ...lost.partial,
      messages: [USER, ...Array.from({ length: rounds }, () => ROUND).flat()],
    });
    expect(lost.partial.messages).toBeUndefined();
    expect(look.runs).toHaveLength(rounds);

    const chat = model(saying('Fine'));
    expect(lines(runTools$(chat, error.partial.messages!, {}, { tools: [look.tool] })).at(-1)).toBe('|');
    expect(chat.asked[0]?.messages).toEqual(error.partial.messages);
  });

  it('with calls already whole executes none of them', async () => {
    const look = watched('look');
    const failing$ = concat(
      calling(CALL),
      throwError(() => lost),
    );
    await errorOf(runTools$(model(failing$), 'Go', {}, { tools: [look.tool] }));
    expect(look.runs).toEqual([]);
  });

  it('with an error that is none of ours passes it on as it is', () => {
    const foreign = new Error('mine');
    const failing$ = throwError(() => foreign);
    const seen = seenBy(runTools$(model(failing$), 'Go', {}, { tools: [watched('look').tool] }));
    expect(seen).toEqual([{ type: 'round-start', round: 1 }, foreign]);
    expect(seen.at(-1)).toBe(foreign);
  });

  it('or that cannot be made, ends the run', () => {
    const seen = seenBy(runTools$(model(), 'Go', {}, { tools: [watched('look').tool] }));
    expect(seen.at(-1)).toEqual(new Error('the model was asked too often'));
  });
});

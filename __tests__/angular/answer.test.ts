import { Answer } from '../../src/angular/answer.ts';
import type { ChatPart } from '../../src/angular/chat-message.ts';
import { CompletionError } from '../../src/errors.ts';
import type { ToolRunEvent } from '../../src/tools/events.ts';

const START = { type: 'start', id: 'c', model: 'm', created: 0, attempt: 1 } as const;
const text = (text: string): ToolRunEvent => ({ type: 'text-delta', choice: 0, text });

const round = (round: number): ToolRunEvent => ({ type: 'round-start', round });
const finish = (reason: string | null, choice = 0): unknown => ({ type: 'finish', choice, reason });
const called = (index: number, id: string, name = 'add'): unknown[] => [
  { type: 'tool-call-start', choice: 0, index, id, name },
  { type: 'tool-call', choice: 0, index, id, name, arguments: '{}' },
];
const RESTART = { type: 'restart', attempt: 2, cause: undefined, discarded: 1 };

function answerTo(...events: readonly unknown[]): Answer {
  return heard(new Answer({ id: '1', runsTools: false }), ...events);
}

/** The same of a run of tools. */
function runOf(...events: readonly unknown[]): Answer {
  return heard(new Answer({ id: '1', runsTools: true }), ...events);
}

function heard(answer: Answer, ...events: readonly unknown[]): Answer {
  for (const event of events) answer.next(event as ToolRunEvent);
  return answer;
}

const parts = (answer: Answer): readonly ChatPart[] => answer.message().parts;

it('takes what a restart withdraws back, of its own round alone', () => {
  const before = [round(1), text('one'), round(2)];
  const answer = answerTo(...before, text('tw'), { type: 'usage', usage: { total_tokens: 1 } }, RESTART, text('two'));
  expect(answer.message()).toMatchObject({ text: 'one\n\ntwo', usage: undefined });
  expect(answer.message().parts).toHaveLength(2);
});

it('shows choice 0, and passes over what it does not know', () => {
  const others = [
    { type: 'text-delta', choice: 1, text: 'x' },
    { ...(called(0, 'c')[0] as object), choice: 1 },
    { type: 'weather' },
    { type: 'logprobs', choice: 0 },
  ];
  expect(answerTo(text('a'), ...others, text('b')).message()).toMatchObject({ text: 'ab', parts: [{ text: 'ab' }] });
});

it('keeps the parts that have not changed, and never changes a message it has given', () => {
  const answer = answerTo({ type: 'reasoning-delta', choice: 0, text: 'hm' }, text('a'));
  const before = answer.message();
  answer.next(text('b'));
  const after = answer.message();
  expect(before.text).toBe('a');
  expect(after.text).toBe('ab');
  expect(after.parts[0]).toBe(before.parts[0]);
  expect(after.parts[1]).not.toBe(before.parts[1]);
});

it('takes a call that was never announced, and marks those that are left', () => {
  const call = { type: 'tool-call', choice: 0, index: 0, id: 'c', name: 'add', arguments: '{}' };
  const begun = { type: 'tool-call-start', choice: 0, index: 1, id: 'd', name: 'sub' };
  const more = { type: 'tool-call-delta', choice: 0, index: 1, arguments: '{"a' };
  const answer = answerTo(call, begun, more);
  expect(answer.message().parts).toMatchObject([
    { toolCallId: 'c', status: 'called', arguments: '{}' },
    { toolCallId: 'd', status: 'calling', arguments: '{"a' },
  ]);
  answer.stop();
  expect(answer.message().parts).toMatchObject([{ status: 'called' }, { status: 'stopped' }]);
});

it.each([
  ['done', 'with a reason', [text('a'), { type: 'finish', choice: 0, reason: 'stop' }]],
  ['done', 'whose server never said why', [text('a'), { type: 'finish', choice: 0, reason: null }]],
  ['stopped', 'that something before us ended', [text('a')]],
])('is %s after an end %s', (status, _, events) => {
  const answer = answerTo(...events);
  answer.complete();
  expect(answer.message().status).toBe(status);
});

it('is not opened again by what comes after its end', () => {
  const answer = answerTo(text('a'));
  answer.stop();
  answer.next(text('b'));
  answer.error(new Error('aborted'));
  expect(answer.message()).toMatchObject({ status: 'stopped', text: 'ab', error: undefined });
});

it('is streaming from the first event of the model on, which the beginning of a round is not', () => {
  expect(answerTo().message().status).toBe('connecting');
  expect(answerTo(START).message().status).toBe('streaming');
  expect(runOf(round(1)).message().status).toBe('connecting');
  expect(runOf(round(1), START).message().status).toBe('streaming');
});

it('has its parts in order, one for each run of a kind, and blank lines between its texts', () => {
  const thought = (text: string): unknown => ({ type: 'reasoning-delta', choice: 0, text });
  const refused = { type: 'refusal-delta', choice: 0, text: 'no' };
  const answer = runOf(
    round(1),
    thought('h'),
    thought('m'),
    text('a'),
    text('b'),
    ...called(0, 'c'),
    text('c'),
    refused,
  );
  expect(parts(answer)).toMatchObject([
    { type: 'reasoning', text: 'hm' },
    { type: 'text', text: 'ab' },
    { type: 'tool', toolCallId: 'c' },
    { type: 'text', text: 'c' },
    { type: 'refusal', text: 'no' },
  ]);
  expect(answer.message().text).toBe('ab\n\nc');
});

describe('a call', () => {
  const RUN = [round(1), ...called(0, 'c'), ...called(1, 'd')];
  const of = (toolCallId: string, rest: object): object => ({ round: 1, toolCallId, name: 'add', ...rest });

  it.each<[string, object, object]>([
    ['that waits', { type: 'tool-approval', status: 'requested', arguments: 1 }, { status: 'approval', input: 1 }],
    ['that may run', { type: 'tool-approval', status: 'approved', arguments: 1 }, { status: 'running', input: 1 }],
    [
      'that was denied',
      { type: 'tool-approval', status: 'denied', arguments: 1, reason: 'dear' },
      { status: 'denied', input: 1, reason: 'dear' },
    ],
    ['that gets on', { type: 'tool-progress', value: 0 }, { status: 'running', progress: 0 }],
    ['that is done', { type: 'tool-result', value: null, content: 'null' }, { status: 'done', value: null }],
    ['that failed', { type: 'tool-error', error: 'x', content: 'Error: x' }, { status: 'error', error: 'x' }],
  ])('%s is shown so, and the other as it was', (_, event, change) => {
    const answer = runOf(...RUN);
    const [first, second] = parts(answer);
    heard(answer, of('d', event));
    expect(parts(answer)[0]).toBe(first);
    expect(parts(answer)[1]).toEqual({ ...second, ...change });
  });

  it('that nobody knows changes nothing', () => {
    const answer = runOf(...RUN);
    const before = parts(answer);
    heard(
      answer,
      of('e', { type: 'tool-result', value: 1, content: '1' }),
      of('constructor', { type: 'tool-progress', value: 1 }),
      { type: 'tool-call-delta', choice: 0, index: 7, arguments: '{' },
    );
    expect(parts(answer)).toEqual(before);
  });

  it('of the round before keeps its index and id to itself', () => {
    const answer = runOf(...RUN, of('c', { type: 'tool-result', value: 2, content: '2' }), round(2), called(0, 'e')[1]);
    heard(answer, of('d', { type: 'tool-result', value: 3, content: '3' }));
    expect(parts(answer)).toMatchObject([
      { toolCallId: 'c', value: 2 },
      { toolCallId: 'd', value: undefined },
      { toolCallId: 'e', status: 'running' },
    ]);
  });

  it('that a restart withdraws is gone, and its index and id are free', () => {
    const begun = { type: 'tool-call-start', choice: 0, index: 0, id: 'c', name: 'add' };
    const answer = runOf(round(1), begun, RESTART, { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{' });
    expect(parts(answer)).toEqual([]);
    heard(answer, called(0, 'd', 'sub')[1], of('c', { type: 'tool-result', value: 1, content: '1' }));
    expect(parts(answer)).toMatchObject([{ toolCallId: 'd', name: 'sub', arguments: '{}', status: 'running' }]);
  });

  it.each<[string, (answer: Answer) => void, string]>([
    ['stopped', (answer) => answer.stop(), 'stopped'],
    ['broken', (answer) => answer.error(new Error('x')), 'error'],
    ['ended', (answer) => answer.complete(), 'stopped'],
  ])('that goes on when its answer is %s is stopped; one that is settled stays', (_, end, status) => {
    const answer = runOf(...RUN, of('c', { type: 'tool-result', value: 2, content: '2' }));
    const [done] = parts(answer);
    end(answer);
    expect(answer.message().status).toBe(status);
    expect(parts(answer)[0]).toBe(done);
    expect(parts(answer)[1]).toMatchObject({ toolCallId: 'd', status: 'stopped' });
  });
});

describe('its end', () => {
  it.each<[string, unknown, object]>([
    ['an Error', new TypeError('x'), new TypeError('x')],
    ['no Error', 'x', new Error('x', { cause: 'x' })],
    ['nothing', undefined, new Error('undefined')],
  ])('by %s is an Error', (_, thrown, error) => {
    const answer = answerTo(text('a'));
    answer.error(thrown);
    expect(answer.message()).toMatchObject({ status: 'error', text: 'a' });
    expect(answer.message().error).toEqual(error);
    expect(answer.message().error).toBeInstanceOf(Error);
  });

  it('is not that of another choice', () => {
    const answer = answerTo(text('a'), finish('stop', 1));
    answer.complete();
    expect(answer.message()).toMatchObject({ status: 'stopped', finishReason: undefined });
  });

  it('is early for a run that has not told of itself, whatever its last round said', () => {
    const answer = runOf(round(1), ...called(0, 'c'), finish('tool_calls'));
    answer.complete();
    expect(answer.message().status).toBe('stopped');
  });

  it('of a round is not that of the next, nor is one that was withdrawn', () => {
    expect(runOf(round(1), finish('tool_calls'), round(2)).message().finishReason).toBeUndefined();
    expect(answerTo(text('a'), finish('stop'), RESTART).message().finishReason).toBeUndefined();
  });
});

it('has the tokens of all rounds, with the details of the last, and those of the current one once', () => {
  const usage = (prompt: number, completion: number, cached: number): unknown => ({
    type: 'usage',
    usage: {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      prompt_tokens_details: { cached_tokens: cached },
    },
  });
  const answer = runOf(round(1), usage(10, 1, 0), round(2), usage(5, 1, 4), usage(20, 2, 8));
  expect(answer.message().usage).toEqual({
    prompt_tokens: 30,
    completion_tokens: 3,
    total_tokens: 33,
    prompt_tokens_details: { cached_tokens: 8 },
  });
  heard(answer, round(3));
  expect(answer.message().usage).toMatchObject({ total_tokens: 33 });
});

describe('its history', () => {
  const said = { role: 'assistant', content: 'a' } as const;
  const asked = { role: 'user', content: 'Hi' } as const;
  const told = (answer: Answer): unknown => answer.message().history;

  it.each<[string, Answer, unknown]>([
    ['nothing', answerTo(START), []],
    ['reasoning alone', answerTo({ type: 'reasoning-delta', choice: 0, text: 'hm' }), []],
    ['text', answerTo(text('a')), [said]],
    ['a refusal', answerTo({ type: 'refusal-delta', choice: 0, text: 'no' }), [{ role: 'assistant', refusal: 'no' }]],
    ['text and a refusal', answerTo({ type: 'refusal-delta', choice: 0, text: 'no' }, text('a')), [said]],
    ['a call that nobody runs', answerTo(text('a'), ...called(0, 'c')), [said]],
  ])('is, of %s, what the model can be told', (_, answer, history) => {
    expect(told(answer)).toEqual(history);
  });

  it('is that of the run, without what was asked', () => {
    const answer = new Answer({ id: '1', runsTools: true });
    answer.asked = 1;
    heard(answer, round(1), text('A'), { type: 'messages', messages: [asked, said], reason: 'stop', rounds: 1 });
    expect(told(answer)).toEqual([said]);
    answer.error(new CompletionError('late', { kind: 'timeout' }));
    expect(told(answer)).toEqual([said]);
  });

  it('is that of the error, also after stop(), and what had arrived of the round that was cut', () => {
    const partial = { text: '', toolCalls: [], messages: [asked, said] };
    const answer = new Answer({ id: '1', runsTools: true });
    answer.asked = 1;
    heard(answer, round(1), text('a'), round(2), text('b'));
    answer.stop();
    answer.error(new CompletionError('aborted', { kind: 'aborted', partial: partial as never }));
    expect(told(answer)).toEqual([said, { role: 'assistant', content: 'b' }]);
    expect(answer.message()).toMatchObject({ status: 'stopped', error: undefined });
  });
});

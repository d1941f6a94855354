import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { takeWhile } from 'rxjs';
import type { Chat, ChatOptions } from '../../src/angular/chat-types.ts';
import { answer, httpError, type FakeExchange } from '../../src/testing/exchange.ts';
import type { FakeTransport } from '../../src/testing/fake-transport.ts';
import { call, last, said, sent, statuses, toolOf, untilSent } from './support/chat.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

const called = (content: string | null, ...ids: readonly string[]): ChatCompletionMessageParam => ({
  role: 'assistant',
  content,
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'add', arguments: '{"n":1}' } })),
});
const result = (id: string, content: string): ChatCompletionMessageParam => ({
  role: 'tool',
  tool_call_id: id,
  content,
});
const UNDONE = 'Error: the run ended before this call was done.';
const USER: ChatCompletionMessageParam = { role: 'user', content: 'Hi' };
const AGAIN: ChatCompletionMessageParam = { role: 'user', content: 'And?' };
const SYSTEM: ChatCompletionMessageParam = { role: 'system', content: 'Be brief.' };
const assistant = (content: string): ChatCompletionMessageParam => ({ role: 'assistant', content });

/** A chat with a tool, after a question that took so many requests. */
async function asked(
  exchanges: readonly FakeExchange[],
  requests: number,
  options: ChatOptions = {},
  execute: () => unknown = () => 'ok',
): Promise<[Chat, FakeTransport]> {
  const transport = stage.scripted([...exchanges, answer('Fine')]);
  const chat = stage.chat({ system: 'Be brief.', tools: [toolOf(execute)], ...options });
  chat.send('Hi');
  await untilSent(stage, transport, requests);
  return [chat, transport];
}

/** What the model is told of it with the next question. */
async function told([chat, transport]: [Chat, FakeTransport]): Promise<unknown> {
  const before = transport.requests.length;
  chat.send('And?');
  await untilSent(stage, transport, before + 1);
  return sent(transport, before);
}

it.each<[string, readonly FakeExchange[], number, ChatOptions, readonly ChatCompletionMessageParam[]]>([
  ['an answer without a call', [answer('Hello')], 1, {}, [assistant('Hello')]],
  [
    'several rounds, each with its calls and results',
    [answer('One.', call('c1'), call('c2')), answer(call('c3')), answer('Three.')],
    3,
    {},
    [
      called('One.', 'c1', 'c2'),
      result('c1', 'ok'),
      result('c2', 'ok'),
      called(null, 'c3'),
      result('c3', 'ok'),
      assistant('Three.'),
    ],
  ],
  [
    'a round that was denied',
    [answer(call('c1')), answer('Then not.')],
    2,
    { approve: () => ({ approved: false, reason: 'too dear' }) },
    [called(null, 'c1'), result('c1', 'The user denied this call: too dear'), assistant('Then not.')],
  ],
  [
    'a denial without a reason',
    [answer(call('c1')), answer('Then not.')],
    2,
    { approve: () => false },
    [called(null, 'c1'), result('c1', 'The user denied this call.'), assistant('Then not.')],
  ],
  [
    'a request that failed after a round',
    [answer('One.', call('c1')), httpError(400)],
    2,
    {},
    [called('One.', 'c1'), result('c1', 'ok')],
  ],
  [
    'an answer that was cut after a round',
    [answer('One.', call('c1')), answer('Two', { end: 'close' })],
    2,
    {},
    [called('One.', 'c1'), result('c1', 'ok'), assistant('Two')],
  ],
  [
    'an answer that was cut at its refusal after a round',
    [answer('One.', call('c1')), answer({ refusal: 'I wo' }, { end: 'close' })],
    2,
    {},
    [called('One.', 'c1'), result('c1', 'ok'), { role: 'assistant', refusal: 'I wo' }],
  ],
  [
    'a model that calls too often: that its calls were not run',
    [answer('One.', call('c1')), answer('Two.', call('c2'))],
    2,
    { options: { maxRounds: 2 } },
    [called('One.', 'c1'), result('c1', 'ok'), called('Two.', 'c2'), result('c2', UNDONE)],
  ],
  [
    'a call at the token limit: that it was not run',
    [answer('One.', call('c1'), { finish: 'length' })],
    1,
    {},
    [called('One.', 'c1'), result('c1', UNDONE)],
  ],
  [
    'what an operator ended, after its rounds',
    [answer('One.', call('c1')), answer('Two.', ' Three.', { afterMs: 5_000, text: ' Four.' })],
    2,
    { pipe: takeWhile((event) => event.type !== 'text-delta' || event.text !== ' Three.') },
    [called('One.', 'c1'), result('c1', 'ok'), assistant('Two.')],
  ],
  [
    'a restart in the second round: without what it withdrew',
    [answer('One.', call('c1')), answer('Tw', { end: 'reset' }), answer('Two.')],
    3,
    { options: { retry: { mode: 'restart', maxRetries: 1, baseDelayMs: 0 } } },
    [called('One.', 'c1'), result('c1', 'ok'), assistant('Two.')],
  ],
])('tells of %s', async (_, exchanges, requests, options, history) => {
  const run = await asked(exchanges, requests, options);
  expect(last(run[0]).history).toEqual(history);
  expect(await told(run)).toEqual([SYSTEM, USER, ...history, AGAIN]);
});

it.each<[string, ChatOptions, string]>([
  ['a tool that ends the run', { options: { onToolError: 'fail' } }, 'Error: full'],
  [
    'an approval that throws',
    {
      approve: ({ round }) => {
        if (round === 2) throw new Error('no idea');
        return true;
      },
    },
    UNDONE,
  ],
])('tells of what was done before %s', async (_, options, told2) => {
  let runs = 0;
  const run = await asked([answer('One.', call('c1')), answer('Two.', call('c2'))], 2, options, () => {
    runs += 1;
    if (runs === 2) throw new Error('full');
    return 'ok';
  });
  expect(run[0].status()).toBe('error');
  expect(await told(run)).toEqual([
    SYSTEM,
    USER,
    called('One.', 'c1'),
    result('c1', 'ok'),
    called('Two.', 'c2'),
    result('c2', told2),
    AGAIN,
  ]);
});

it('tells in the middle of a run of all that is done, so that it may be saved at any time', async () => {
  const [chat] = await asked([answer('One.', call('c1')), answer('Two.', call('c2'), call('c3'))], 2, {
    approve: ({ toolCallId }) => (toolCallId === 'c3' ? 'ask' : true),
  });
  expect(statuses(chat)).toEqual(['done', 'done', 'approval']);
  expect(last(chat)).toMatchObject({
    status: 'streaming',
    history: [
      called('One.', 'c1'),
      result('c1', 'ok'),
      called('Two.', 'c2', 'c3'),
      result('c2', 'ok'),
      result('c3', UNDONE),
    ],
  });
});

it('tells nothing twice, however many questions follow', async () => {
  const [chat, transport] = await asked(
    [answer('One.', call('c1')), answer('Two.'), answer(call('c2')), answer('Three.')],
    2,
  );
  chat.send('And?');
  await untilSent(stage, transport, 4);
  expect(sent(transport, 3)).toEqual([
    SYSTEM,
    USER,
    called('One.', 'c1'),
    result('c1', 'ok'),
    assistant('Two.'),
    AGAIN,
    called(null, 'c2'),
    result('c2', 'ok'),
  ]);
  chat.send('Hi');
  await untilSent(stage, transport, 5);
  expect(sent(transport, 4)).toEqual([...(sent(transport, 3) as unknown[]), assistant('Three.'), USER]);
});

it('tells nothing of a round whose answer is taken back, and runs its calls again', async () => {
  let runs = 0;
  const [chat, transport] = await asked(
    [answer('One.', call('c1')), answer('Two.'), answer('Uno.', call('c1')), answer('Dos.')],
    2,
    {},
    () => (runs += 1),
  );
  chat.regenerate();
  await untilSent(stage, transport, 4);
  expect(said(chat)).toEqual(['Hi', 'done: Uno.\n\nDos.']);
  expect(sent(transport, 2)).toEqual([SYSTEM, USER]);
  expect(sent(transport, 3)).toEqual([SYSTEM, USER, called('Uno.', 'c1'), result('c1', '2')]);
  chat.edit(0, 'And?');
  await untilSent(stage, transport, 5);
  expect(sent(transport, 4)).toEqual([SYSTEM, AGAIN]);
});

it.each([
  ['before it said anything', [answer({ afterMs: 5_000, text: 'late' })], 1, []],
  ['in its first words', [answer('One', { afterMs: 5_000, text: '.' })], 1, [assistant('One')]],
  [
    'before the second round said anything',
    [answer('One.', call('c1')), answer({ afterMs: 5_000, text: 'late' })],
    2,
    [called('One.', 'c1'), result('c1', 'ok')],
  ],
  [
    'in the first words of the second round',
    [answer('One.', call('c1')), answer('Two', { afterMs: 5_000, text: '.' })],
    2,
    [called('One.', 'c1'), result('c1', 'ok'), assistant('Two')],
  ],
  [
    'while a call of the second round was written',
    [answer('One.', call('c1')), answer('Two', { toolCall: { name: 'add', arguments: '{"n"' } }, { afterMs: 5_000 })],
    2,
    [called('One.', 'c1'), result('c1', 'ok'), assistant('Two')],
  ],
])('tells of an answer that was stopped %s', async (_, exchanges, requests, history) => {
  const run = await asked(exchanges, requests);
  run[0].stop();
  expect(run[1].requests.at(-1)).toMatchObject({ outcome: 'aborted' });
  expect(await told(run)).toEqual([SYSTEM, USER, ...history, AGAIN]);
});

it('tells of calls that were stopped in the second round, those of the first once', async () => {
  const [chat, transport] = await asked([answer('One.', call('c1')), answer('Two.', call('c2'))], 2, {
    approve: ({ toolCallId }) => (toolCallId === 'c1' ? true : 'ask'),
  });
  expect(statuses(chat)).toEqual(['done', 'approval']);
  chat.stop();
  expect(await told([chat, transport])).toEqual([
    SYSTEM,
    USER,
    called('One.', 'c1'),
    result('c1', 'ok'),
    called('Two.', 'c2'),
    result('c2', UNDONE),
    AGAIN,
  ]);
});

it('tells of calls that nobody executes here only their text', async () => {
  const transport = stage.scripted([answer('One.', call('c1')), answer('Fine')]);
  const { definition } = toolOf(() => 'ok');
  const chat = stage.chat({ params: { tools: [definition] } as ChatOptions['params'] });
  chat.send('Hi');
  stage.pass(50);
  expect([last(chat).status, last(chat).finishReason, statuses(chat)]).toEqual(['done', 'tool_calls', ['called']]);
  expect(await told([chat, transport])).toEqual([USER, assistant('One.'), AGAIN]);
});

it('goes on from plain data with the calls of before', async () => {
  const [chat] = await asked([answer('One.', call('c1')), answer('Two.')], 2);
  const messages = JSON.parse(JSON.stringify(chat.messages())) as ReturnType<Chat['messages']>;
  const restored = stage.chat({ messages });
  expect(statuses(restored)).toEqual(['done']);
  expect(last(restored).history).toEqual([called('One.', 'c1'), result('c1', 'ok'), assistant('Two.')]);
});

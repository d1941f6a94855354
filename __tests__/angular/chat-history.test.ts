import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { takeWhile } from 'rxjs';
import type { Chat, ChatOptions } from '../../src/angular/chat-types.ts';
import { answer, httpError, type FakeExchange } from '../../src/testing/exchange.ts';
import { call, last, said, sent, statuses, toolOf, untilSent } from './support/chat.ts';
import { AGAIN, asked, assistant, called, result, SYSTEM, told, UNDONE, USER } from './support/chat-history.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

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
    'a call at the token limit: nothing, for it was not meant',
    [answer('One.', call('c1'), { finish: 'length' })],
    1,
    {},
    [assistant('One.')],
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
  const run = await asked(stage, exchanges, requests, options);
  expect(last(run[0]).history).toEqual(history);
  expect(await told(stage, run)).toEqual([SYSTEM, USER, ...history, AGAIN]);
});

it('tells nothing twice, however many questions follow', async () => {
  const [chat, transport] = await asked(
    stage,
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
    stage,
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

it('tells of calls that nobody executes here only their text', async () => {
  const transport = stage.scripted([answer('One.', call('c1')), answer('Fine')]);
  const { definition } = toolOf(() => 'ok');
  const chat = stage.chat({ params: { tools: [definition] } as ChatOptions['params'] });
  chat.send('Hi');
  stage.pass(50);
  expect([last(chat).status, last(chat).finishReason, statuses(chat)]).toEqual(['done', 'tool_calls', ['called']]);
  expect(await told(stage, [chat, transport])).toEqual([USER, assistant('One.'), AGAIN]);
});

it('goes on from plain data with the calls of before', async () => {
  const [chat] = await asked(stage, [answer('One.', call('c1')), answer('Two.')], 2);
  const messages = JSON.parse(JSON.stringify(chat.messages())) as ReturnType<Chat['messages']>;
  const restored = stage.chat({ messages });
  expect(statuses(restored)).toEqual(['done']);
  expect(last(restored).history).toEqual([called('One.', 'c1'), result('c1', 'ok'), assistant('Two.')]);
});

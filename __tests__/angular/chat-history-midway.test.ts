import type { ChatOptions } from '../../src/angular/chat-types.ts';
import { answer } from '../../src/testing/exchange.ts';
import { call, last, statuses } from './support/chat.ts';
import { AGAIN, asked, assistant, called, result, SYSTEM, told, UNDONE, USER } from './support/chat-history.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
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
  const run = await asked(stage, exchanges, requests);
  run[0].stop();
  expect(run[1].requests.at(-1)).toMatchObject({ outcome: 'aborted' });
  expect(await told(stage, run)).toEqual([SYSTEM, USER, ...history, AGAIN]);
});

it('tells of calls that were stopped in the second round, those of the first once', async () => {
  const [chat, transport] = await asked(stage, [answer('One.', call('c1')), answer('Two.', call('c2'))], 2, {
    approve: ({ toolCallId }) => (toolCallId === 'c1' ? true : 'ask'),
  });
  expect(statuses(chat)).toEqual(['done', 'approval']);
  chat.stop();
  expect(await told(stage, [chat, transport])).toEqual([
    SYSTEM,
    USER,
    called('One.', 'c1'),
    result('c1', 'ok'),
    called('Two.', 'c2'),
    result('c2', UNDONE),
    AGAIN,
  ]);
});

it('tells in the middle of a run of all that is done, so that it may be saved at any time', async () => {
  const [chat] = await asked(stage, [answer('One.', call('c1')), answer('Two.', call('c2'), call('c3'))], 2, {
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

it('tells of a call that waits nothing that another of its id has done', async () => {
  const [chat] = await asked(stage, [answer(call('c1')), answer(call('c1'))], 2, {
    approve: ({ round }) => (round === 2 ? 'ask' : true),
  });
  expect(last(chat).history).toEqual([
    called(null, 'c1'),
    result('c1', 'ok'),
    called(null, 'c1'),
    result('c1', UNDONE),
  ]);
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
  const run = await asked(stage, [answer('One.', call('c1')), answer('Two.', call('c2'))], 2, options, () => {
    runs += 1;
    if (runs === 2) throw new Error('full');
    return 'ok';
  });
  expect(run[0].status()).toBe('error');
  expect(await told(stage, run)).toEqual([
    SYSTEM,
    USER,
    called('One.', 'c1'),
    result('c1', 'ok'),
    called('Two.', 'c2'),
    result('c2', told2),
    AGAIN,
  ]);
});

import { firstValueFrom, Subject } from 'rxjs';
import type { Chat, ChatOptions } from '../../src/angular/chat-types.ts';
import { answer, type FakeExchange } from '../../src/testing/exchange.ts';
import type { FakeTransport } from '../../src/testing/fake-transport.ts';
import { call, calls, last, sent, statuses, toolOf, turn, untilSent } from './support/chat.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;
let ran: number[];

beforeEach(() => {
  stage = new Stage();
  ran = [];
});

const TWO = answer('Both.', call('c1', 1), call('c2', 2));
const SO_BE_IT = answer('So be it.');

/** A chat whose tool remembers what it was run with, after a question. */
async function asked(
  approve: ChatOptions['approve'],
  exchanges: readonly FakeExchange[] = [TWO, SO_BE_IT],
  options: ChatOptions['options'] = {},
): Promise<[Chat, FakeTransport]> {
  const transport = stage.scripted(exchanges);
  const tools = [toolOf(({ n }) => `ran ${String(ran.push(n))}`)];
  const chat = stage.chat({ tools, approve, options });
  chat.send('Hi');
  await untilSent(stage, transport, 1);
  return [chat, transport];
}

it('of nobody is needed by default', async () => {
  const [chat, transport] = await asked(undefined);
  await untilSent(stage, transport, 2);
  expect([ran, statuses(chat)]).toEqual([
    [1, 2],
    ['done', 'done'],
  ]);
  expect(calls(chat).map(({ input }) => input)).toEqual([undefined, undefined]);
});

it('is given to each call by itself, in whatever order, and the model is asked when all are answered', async () => {
  const [chat, transport] = await asked('ask');
  expect(calls(chat)).toMatchObject([
    { status: 'approval', input: { n: 1 } },
    { status: 'approval', input: { n: 2 } },
  ]);
  chat.approve('c2');
  stage.pass(50);
  expect([ran, statuses(chat), transport.requests.length]).toEqual([[2], ['approval', 'done'], 1]);
  expect([chat.status(), chat.isLoading()]).toEqual(['streaming', true]);
  chat.deny('c1', 'not that');
  stage.pass(50);
  expect(calls(chat)).toMatchObject([
    { status: 'denied', reason: 'not that', value: undefined, error: undefined },
    { status: 'done', value: 'ran 1', reason: undefined },
  ]);
  expect(sent(transport, 1)).toMatchObject([
    {},
    {},
    { tool_call_id: 'c1', content: 'The user denied this call: not that' },
    { tool_call_id: 'c2', content: 'ran 1' },
  ]);
  expect(last(chat)).toMatchObject({ status: 'done', text: 'Both.\n\nSo be it.' });
});

it('cannot be taken back: the first click counts', async () => {
  const [chat] = await asked('ask');
  chat.deny('c1', 'no');
  chat.approve('c1');
  chat.deny('c1', 'other');
  chat.approve('c2');
  chat.deny('c2');
  chat.approve('c2');
  stage.pass(50);
  expect([ran, statuses(chat)]).toEqual([[2], ['denied', 'done']]);
  expect(calls(chat)[0]?.reason).toBe('no');
});

it('without a reason is told as that', async () => {
  const [chat, transport] = await asked('ask', [answer(call('c1')), SO_BE_IT]);
  chat.deny('c1');
  stage.pass(50);
  expect(calls(chat)).toMatchObject([{ status: 'denied', reason: undefined }]);
  expect(sent(transport, 1)).toMatchObject([{}, {}, { content: 'The user denied this call.' }]);
});

it.each(['', 'c3', 'constructor', '__proto__'])('for %j, which does not wait, is none', async (id) => {
  const [chat] = await asked('ask');
  const before = chat.messages();
  chat.approve(id);
  chat.deny(id);
  stage.pass(50);
  expect([ran, chat.messages() === before]).toEqual([[], true]);
});

it('counts for the answer that asks, though another had a call of that id', async () => {
  const [chat, transport] = await asked('ask', [answer(call('c1', 1)), answer(call('c1', 2)), SO_BE_IT]);
  chat.regenerate();
  await untilSent(stage, transport, 2);
  expect(calls(chat)).toMatchObject([{ status: 'approval', input: { n: 2 } }]);
  chat.approve('c1');
  stage.pass(50);
  expect([ran, statuses(chat)]).toEqual([[2], ['done']]);
});

it('is asked in each round', async () => {
  const [chat] = await asked('ask', [answer(call('c1', 1)), answer(call('c1', 2)), SO_BE_IT]);
  chat.approve('c1');
  stage.pass(50);
  expect([ran, statuses(chat)]).toEqual([[1], ['done', 'approval']]);
  chat.approve('c1');
  stage.pass(50);
  expect([ran, statuses(chat), last(chat).status]).toEqual([[1, 2], ['done', 'done'], 'done']);
});

it('is not asked for arguments that are wrong, or for a tool that there is not', async () => {
  let questions = 0;
  const approve = (): true => {
    questions += 1;
    return true;
  };
  const [chat, transport] = await asked(approve, [
    answer(call('c1', 'one'), call('c2', 2, 'subtract'), call('c3', 3)),
    SO_BE_IT,
  ]);
  await untilSent(stage, transport, 2);
  expect([questions, ran, statuses(chat)]).toEqual([1, [3], ['error', 'error', 'done']]);
  expect(calls(chat)).toMatchObject([
    { error: { kind: 'invalid-output' }, input: undefined },
    { error: { kind: 'tool' } },
    { error: undefined },
  ]);
});

describe('by a function', () => {
  it('is asked with the call', async () => {
    const questions: unknown[] = [];
    await asked(({ signal, ...question }) => {
      questions.push(question, signal.aborted);
      return 'ask';
    });
    expect(questions).toEqual([
      { toolCallId: 'c1', name: 'add', arguments: { n: 1 }, round: 1 },
      false,
      { toolCallId: 'c2', name: 'add', arguments: { n: 2 }, round: 1 },
      false,
    ]);
  });

  it('may take its time, and waits for no click meanwhile', async () => {
    const answers = new Subject<boolean>();
    const [chat] = await asked(() => firstValueFrom(answers), [answer(call('c1')), SO_BE_IT]);
    chat.approve('c1');
    stage.pass(50);
    expect([ran, statuses(chat)]).toEqual([[], ['approval']]);
    answers.next(true);
    await turn();
    stage.pass(50);
    expect([ran, statuses(chat)]).toEqual([[1], ['done']]);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a word', 'yes'],
    ['an object without a yes', {}],
    ['a promise of "ask"', Promise.resolve('ask')],
  ])('that says %s says no', async (_, said) => {
    const [chat, transport] = await asked(() => said as never, [answer(call('c1')), SO_BE_IT]);
    await untilSent(stage, transport, 2);
    expect([ran, statuses(chat), last(chat).status]).toEqual([[], ['denied'], 'done']);
  });

  it.each<[string, () => never | Promise<never>]>([
    [
      'throws',
      () => {
        throw new Error('no idea');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no idea'))],
  ])('that %s ends the answer, whose tool is not run', async (_, approve) => {
    const [chat, transport] = await asked(approve, [answer('One.', call('c1')), SO_BE_IT]);
    await turn();
    stage.pass(50);
    expect([chat.status(), chat.error()]).toEqual(['error', new Error('no idea')]);
    expect([ran, statuses(chat), last(chat).text, transport.requests.length]).toEqual([[], ['stopped'], 'One.', 1]);
  });

  it('is told when nobody waits for it any more', async () => {
    const heard: string[] = [];
    const [chat] = await asked(({ toolCallId, signal }) => {
      signal.addEventListener('abort', () => heard.push(toolCallId));
      return new Promise(() => undefined);
    });
    chat.stop();
    expect([heard, statuses(chat)]).toEqual([
      ['c1', 'c2'],
      ['stopped', 'stopped'],
    ]);
  });
});

it('is not part of the time that a tool may take', async () => {
  const [chat] = await asked('ask', [answer(call('c1')), SO_BE_IT], { toolTimeoutMs: 10, scheduler: stage.clock });
  stage.pass(60_000);
  expect(statuses(chat)).toEqual(['approval']);
  chat.approve('c1');
  stage.pass(50);
  expect(statuses(chat)).toEqual(['done']);
});

import { effect, NgZone, signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { of, Subject, takeWhile, throwError, timeout, TimeoutError, type Observable } from 'rxjs';
import type { ChatAssistantMessage, ChatToolPart } from '../../src/angular/chat-message.ts';
import type { Chat, ChatOptions } from '../../src/angular/chat-types.ts';
import { retryCompletion } from '../../src/operators/retry.ts';
import { timeoutCompletion } from '../../src/operators/timeout.ts';
import { answer, type FakeExchange } from '../../src/testing/exchange.ts';
import type { FakeTransport } from '../../src/testing/fake-transport.ts';
import { tool, type Tool } from '../../src/tools/tool.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

const SCHEMA = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'], additionalProperties: false };
const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

const toolOf = (execute: (args: { n: number }) => unknown): Tool<never> =>
  tool<{ n: number }>({ name: 'add', parameters: SCHEMA, execute });
const call = (id: string, n = 1): { toolCall: { id: string; name: string; arguments: string } } => ({
  toolCall: { id, name: 'add', arguments: JSON.stringify({ n }) },
});

const last = (chat: Chat): ChatAssistantMessage => chat.messages().at(-1) as ChatAssistantMessage;
const parts = (chat: Chat): readonly ChatToolPart[] =>
  last(chat).parts.filter((part): part is ChatToolPart => part.type === 'tool');
const sent = (transport: FakeTransport, index: number): unknown => transport.requests[index]?.body['messages'];

/** The parts of tools are loaded with their first call: so it goes on when that is done. */
async function ask(chat: Chat, transport: FakeTransport, requests = 1): Promise<void> {
  chat.send('Hi');
  while (transport.requests.length < requests) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    stage.pass(1);
  }
  stage.pass(50);
}

function opened(
  exchanges: readonly FakeExchange[],
  execute: (args: { n: number }) => unknown,
  options: ChatOptions = {},
): [Chat, FakeTransport] {
  const transport = stage.scripted(exchanges);
  return [stage.chat({ tools: [toolOf(execute)], ...options }), transport];
}

it('shows a call and its result between the texts, and tells the model with the next question', async () => {
  const [chat, transport] = opened(
    [answer('Let me see.', call('c1'), { usage: USAGE }), answer('It is 2.', { usage: USAGE }), answer('Bye')],
    ({ n }) => n + 1,
  );
  await ask(chat, transport, 2);
  expect(last(chat)).toMatchObject({
    status: 'done',
    text: 'Let me see.\n\nIt is 2.',
    finishReason: 'stop',
    usage: { prompt_tokens: 20, completion_tokens: 10, total_tokens: 30 },
    parts: [
      { type: 'text', text: 'Let me see.' },
      { type: 'tool', toolCallId: 'c1', name: 'add', arguments: '{"n":1}', status: 'done', value: 2 },
      { type: 'text', text: 'It is 2.' },
    ],
  });
  await ask(chat, transport, 3);
  expect(sent(transport, 2)).toEqual([
    { role: 'user', content: 'Hi' },
    {
      role: 'assistant',
      content: 'Let me see.',
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'add', arguments: '{"n":1}' } }],
    },
    { role: 'tool', tool_call_id: 'c1', content: '2' },
    { role: 'assistant', content: 'It is 2.' },
    { role: 'user', content: 'Hi' },
  ]);
});

it('is submitted until the model says something, not until its round begins', async () => {
  const [chat, transport] = opened([answer({ afterMs: 100, text: 'a' })], () => 1);
  await ask(chat, transport);
  expect(chat.status()).toBe('submitted');
  stage.pass(100);
  expect(chat.status()).toBe('ready');
});

it('shows how far a tool is', async () => {
  const progress$ = new Subject<string>();
  const [chat, transport] = opened([answer(call('c1')), answer('Done')], () => progress$);
  await ask(chat, transport);
  expect(parts(chat)).toMatchObject([{ status: 'running', progress: undefined }]);
  progress$.next('half');
  stage.pass(50);
  expect(parts(chat)).toMatchObject([{ status: 'running', progress: 'half' }]);
  progress$.next('all');
  progress$.complete();
  stage.pass(50);
  expect(parts(chat)).toMatchObject([{ status: 'done', value: 'all' }]);
});

it('shows what goes wrong in a tool, and goes on', async () => {
  const failure = new Error('no such number');
  const [chat, transport] = opened([answer(call('c1')), answer('Sorry')], () => throwError(() => failure));
  await ask(chat, transport, 2);
  expect(parts(chat)).toMatchObject([{ status: 'error', error: failure }]);
  expect(last(chat)).toMatchObject({ status: 'done', text: 'Sorry' });
});

describe('approval', () => {
  const approving = (approve: ChatOptions['approve']): [Chat, FakeTransport, { runs: number }] => {
    const ran = { runs: 0 };
    const [chat, transport] = opened([answer(call('c1', 7)), answer('So be it')], () => (ran.runs += 1), { approve });
    return [chat, transport, ran];
  };

  it('waits with the arguments, and runs when it is given, once', async () => {
    const [chat, transport, ran] = approving('ask');
    await ask(chat, transport);
    expect(parts(chat)).toMatchObject([{ status: 'approval', input: { n: 7 } }]);
    expect([chat.status(), ran.runs]).toEqual(['streaming', 0]);
    chat.approve('another');
    chat.approve('c1');
    chat.approve('c1');
    chat.deny('c1');
    stage.pass(50);
    expect(ran.runs).toBe(1);
    expect(parts(chat)).toMatchObject([{ status: 'done', value: 1 }]);
    expect(last(chat).status).toBe('done');
  });

  it('that is denied is told to the model, with the reason', async () => {
    const [chat, transport, ran] = approving('ask');
    await ask(chat, transport);
    chat.deny('c1', 'too dear');
    stage.pass(50);
    expect(ran.runs).toBe(0);
    expect(parts(chat)).toMatchObject([{ status: 'denied', reason: 'too dear' }]);
    expect(sent(transport, 1)).toMatchObject([
      {},
      {},
      { role: 'tool', content: expect.stringContaining('too dear') as unknown },
    ]);
  });

  it.each([
    ['a function that says yes', () => true, 1],
    ['a function that says no', () => false, 0],
    ['an Observable', (): Observable<boolean> => of(true), 1],
  ])('is decided by %s', async (_, approve, runs) => {
    const [chat, transport, ran] = approving(approve);
    await ask(chat, transport, 2);
    expect(ran.runs).toBe(runs);
    expect(last(chat).status).toBe('done');
  });

  it('is asked for where a function leaves it to a person', async () => {
    const [chat, transport, ran] = approving(({ arguments: args }) => ((args as { n: number }).n > 5 ? 'ask' : true));
    await ask(chat, transport);
    expect([parts(chat)[0]?.status, ran.runs]).toEqual(['approval', 0]);
    chat.approve('c1');
    stage.pass(50);
    expect(ran.runs).toBe(1);
  });

  it('that nobody gives ends with stop(), and cannot be given afterwards', async () => {
    const [chat, transport, ran] = approving('ask');
    await ask(chat, transport);
    chat.stop();
    expect(parts(chat)).toMatchObject([{ status: 'stopped' }]);
    chat.approve('c1');
    stage.pass(50);
    expect([ran.runs, transport.requests.length, chat.status()]).toEqual([0, 1, 'ready']);
  });
});

it('stop() in mid-tool aborts it, and keeps the results of those that are done', async () => {
  const left: string[] = [];
  const slow = tool<{ n: number }>({
    name: 'add',
    parameters: SCHEMA,
    execute: ({ n }, { signal }) => {
      if (n === 1) return 'quick';
      signal.addEventListener('abort', () => left.push('aborted'));
      return new Subject();
    },
  });
  const transport = stage.scripted([
    answer('Both.', call('c1', 1), { toolCall: { ...call('c2', 2).toolCall } }),
    answer('Fine'),
  ]);
  const chat = stage.chat({ tools: [slow] });
  await ask(chat, transport);
  expect(parts(chat).map(({ status }) => status)).toEqual(['done', 'running']);
  chat.stop();
  expect(left).toEqual(['aborted']);
  expect(parts(chat).map(({ status }) => status)).toEqual(['done', 'stopped']);
  await ask(chat, transport, 2);
  expect(sent(transport, 1)).toMatchObject([
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Both.', tool_calls: [{ id: 'c1' }, { id: 'c2' }] },
    { role: 'tool', tool_call_id: 'c1', content: 'quick' },
    { role: 'tool', tool_call_id: 'c2', content: expect.stringContaining('ended before') as unknown },
    { role: 'user', content: 'Hi' },
  ]);
});

it('an answer that breaks in its second round tells of the first, and of what had arrived', async () => {
  const [chat, transport] = opened(
    [answer('One.', call('c1')), answer('Two', { end: 'reset' }), answer('Fine')],
    () => 'ok',
  );
  await ask(chat, transport, 2);
  expect(last(chat)).toMatchObject({ status: 'error', text: 'One.\n\nTwo' });
  await ask(chat, transport, 3);
  expect(sent(transport, 2)).toMatchObject([
    { role: 'user' },
    { role: 'assistant', content: 'One.', tool_calls: [{ id: 'c1' }] },
    { role: 'tool', tool_call_id: 'c1', content: 'ok' },
    { role: 'assistant', content: 'Two' },
    { role: 'user', content: 'Hi' },
  ]);
});

it('a call that is cut off is never told of, nor run', async () => {
  let runs = 0;
  const [chat, transport] = opened(
    [answer('One.', { ...call('c1') }, { end: 'reset' }), answer('Fine')],
    () => (runs += 1),
  );
  await ask(chat, transport);
  expect(parts(chat)).toMatchObject([{ status: 'stopped' }]);
  await ask(chat, transport, 2);
  expect(sent(transport, 1)).toEqual([
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'One.' },
    { role: 'user', content: 'Hi' },
  ]);
  expect(runs).toBe(0);
});

describe('what tools have done is told', () => {
  const HISTORY = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Paying.', tool_calls: [{ id: 'c1' }] },
    { role: 'tool', tool_call_id: 'c1', content: 'paid' },
  ];

  it('also when a tool of the next round fails with an error of its own', async () => {
    let calls = 0;
    const execute = (): string => {
      calls += 1;
      if (calls === 2) throw new Error('own');
      return 'paid';
    };
    const [chat, transport] = opened([answer('Paying.', call('c1')), answer(call('c2')), answer('Fine')], execute, {
      options: { onToolError: 'fail' },
    });
    await ask(chat, transport, 2);
    expect(chat.error()).toEqual(new Error('own'));
    await ask(chat, transport, 3);
    expect(sent(transport, 2)).toMatchObject([
      ...HISTORY,
      { role: 'assistant', tool_calls: [{ id: 'c2' }] },
      { role: 'tool', tool_call_id: 'c2' },
      { role: 'user', content: 'Hi' },
    ]);
  });

  it('also when an operator ends the second round', async () => {
    const [chat, transport] = opened(
      [answer('Paying.', call('c1')), answer({ text: 'It' }, { afterMs: 500, text: ' is' }), answer('Fine')],
      () => 'paid',
      { pipe: timeout({ each: 100, scheduler: stage.clock }) },
    );
    await ask(chat, transport, 2);
    stage.pass(200);
    expect(chat.error()).toBeInstanceOf(TimeoutError);
    await ask(chat, transport, 3);
    expect(sent(transport, 2)).toMatchObject([...HISTORY, { role: 'assistant', content: 'It' }, { role: 'user' }]);
  });

  it('also in a conversation that was saved in mid-run', async () => {
    const [chat, transport] = opened(
      [answer('Paying.', call('c1')), answer({ afterMs: 500, text: 'late' })],
      () => 'paid',
    );
    await ask(chat, transport, 2);
    const [, saved] = JSON.parse(JSON.stringify(chat.messages())) as readonly [unknown, ChatAssistantMessage];
    expect(saved.status).toBe('streaming');
    expect(saved.history).toMatchObject(HISTORY.slice(1));
  });

  it('and done once where an operator asks again', async () => {
    let calls = 0;
    const [chat, transport] = opened(
      [answer('Paying.', call('c1')), answer('Pa', { end: 'reset' }), answer('Paid.')],
      () => `paid ${String((calls += 1))}`,
      { pipe: retryCompletion({ mode: 'restart', baseDelayMs: 1, scheduler: stage.clock }) },
    );
    await ask(chat, transport, 2);
    stage.pass(100);
    expect(last(chat)).toMatchObject({ status: 'done', text: 'Paying.\n\nPaid.' });
    expect([calls, last(chat).history.length]).toEqual([1, 3]);
  });
});

it('the time of a person who decides is not the time of an operator', async () => {
  const [chat, transport] = opened([answer(call('c1')), answer('Done')], () => 'ok', {
    approve: 'ask',
    pipe: timeoutCompletion({ outputMs: 1000, scheduler: stage.clock }),
  });
  await ask(chat, transport);
  stage.pass(60_000);
  expect(parts(chat)).toMatchObject([{ status: 'approval' }]);
  chat.approve('c1');
  stage.pass(50);
  expect(last(chat).status).toBe('done');
});

it('a run that is cut in mid-tool is not done', async () => {
  const never = new Subject();
  const [chat, transport] = opened([answer(call('c1'))], () => never);
  await ask(chat, transport);
  expect(last(chat)).toMatchObject({ status: 'streaming', finishReason: 'tool_calls' });
});

it('no tools are none', () => {
  const transport = stage.scripted([answer('a')]);
  const chat = stage.chat({ tools: [] });
  chat.send('Hi');
  stage.pass(50);
  expect([last(chat).status, transport.requests[0]?.body['tools']]).toEqual(['done', undefined]);
});

it('a run that an operator ends before the model has is stopped, not done', async () => {
  const [chat, transport] = opened([answer('One', ' END', ' two')], () => 1, {
    pipe: takeWhile((event) => !(event.type === 'text-delta' && event.text === ' END'), true),
  });
  await ask(chat, transport);
  expect(last(chat)).toMatchObject({ status: 'stopped', text: 'One END' });
});

it('an approval leaves the zone and the effect it is given in', async () => {
  const zones: boolean[] = [];
  const read = signal(0);
  let effects = 0;
  const [chat, transport] = opened(
    [answer(call('c1')), answer('Done')],
    () => {
      read();
      zones.push(NgZone.isInAngularZone());
      return 1;
    },
    { approve: 'ask' },
  );
  await ask(chat, transport);
  TestBed.runInInjectionContext(() =>
    effect(() => {
      effects += 1;
      TestBed.inject(NgZone).run(() => chat.approve('c1'));
    }),
  );
  stage.pass(50);
  read.set(1);
  stage.pass(50);
  expect([zones, effects]).toEqual([[false], 1]);
});

it('an answer with calls that was cut at the token limit tells of its text alone', async () => {
  const [chat, transport] = opened([answer('One.', call('c1'), { finish: 'length' }), answer('Fine')], () => 1);
  await ask(chat, transport);
  expect(last(chat).status).toBe('error');
  await ask(chat, transport, 2);
  expect(sent(transport, 1)).toEqual([
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'One.' },
    { role: 'user', content: 'Hi' },
  ]);
});

import { Observable, of, retry, tap } from 'rxjs';
import type { Chat, ChatOptions } from '../../src/angular/chat-types.ts';
import { answer } from '../../src/testing/exchange.ts';
import { fallbackTo } from '../../src/operators/fallback.ts';
import { call, said, sent, statuses, toolOf, turn, untilSent } from './support/chat.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

const SLOW = answer({ afterMs: 10, text: 'One' }, { afterMs: 500, text: ' two' });

/** Every way to leave an answer, and what is left of it. */
const WAYS: readonly (readonly [string, (chat: Chat) => void, readonly string[]])[] = [
  [
    'stop()',
    (chat) => {
      chat.stop();
    },
    ['Hi', 'stopped: One'],
  ],
  [
    'send()',
    (chat) => {
      chat.send('And?');
    },
    ['Hi', 'stopped: One', 'And?', 'connecting: '],
  ],
  [
    'regenerate()',
    (chat) => {
      chat.regenerate();
    },
    ['Hi', 'connecting: '],
  ],
  [
    'edit()',
    (chat) => {
      chat.edit(0, 'Ho');
    },
    ['Ho', 'connecting: '],
  ],
  [
    'setMessages()',
    (chat) => {
      chat.setMessages([{ id: '1', role: 'user', text: 'Other', content: 'Other' }]);
    },
    ['Other'],
  ],
  [
    'clear()',
    (chat) => {
      chat.clear();
    },
    [],
  ],
];

describe.each(WAYS)('%s', (_, leave, left) => {
  it('aborts the request in the same tick, and nothing of it is shown later', () => {
    const transport = stage.scripted([SLOW, answer({ afterMs: 5_000, text: 'late' })]);
    const chat = stage.chat();
    chat.send('Hi');
    stage.pass(50);
    expect(said(chat)).toEqual(['Hi', 'streaming: One']);
    leave(chat);
    expect(transport.requests[0]).toMatchObject({ outcome: 'aborted', endedAt: 50 });
    expect(said(chat)).toEqual(left);
    stage.pass(1_000);
    expect(said(chat)).toEqual(left);
  });

  it('aborts the tool that runs, whose result is shown no more', async () => {
    const heard: string[] = [];
    let finish = (): void => undefined;
    const transport = stage.scripted([answer('One', call('c1')), answer({ afterMs: 5_000, text: 'late' })]);
    const execute: Parameters<typeof toolOf>[0] = (_args, { signal }) => {
      signal.addEventListener('abort', () => heard.push('aborted'));
      return new Promise<string>((resolve) => {
        finish = () => {
          resolve('too late');
        };
      });
    };
    const chat = stage.chat({ tools: [toolOf(execute)] });
    chat.send('Hi');
    await untilSent(stage, transport, 1);
    expect(statuses(chat)).toEqual(['running']);
    leave(chat);
    expect(heard).toEqual(['aborted']);
    finish();
    await turn();
    stage.pass(50);
    expect(said(chat)).toEqual(left);
    expect(JSON.stringify(chat.messages())).not.toContain('"too late"');
  });

  it('leaves a call that waits for approval unrun, also when it is approved later', async () => {
    let runs = 0;
    const transport = stage.scripted([answer('One', call('c1')), answer({ afterMs: 5_000, text: 'late' })]);
    const chat = stage.chat({ tools: [toolOf(() => (runs += 1))], approve: 'ask' });
    chat.send('Hi');
    await untilSent(stage, transport, 1);
    expect(statuses(chat)).toEqual(['approval']);
    leave(chat);
    chat.approve('c1');
    await turn();
    stage.pass(50);
    expect([runs, said(chat)]).toEqual([0, left]);
  });
});

it('stop() before the parts of tools are loaded sends nothing', async () => {
  const transport = stage.scripted([answer('late')]);
  const chat = stage.chat({ tools: [toolOf(() => 1)] });
  chat.send('Hi');
  chat.stop();
  for (let turns = 0; turns < 5; turns++) await turn();
  stage.pass(50);
  expect([said(chat), transport.requests]).toEqual([['Hi', 'stopped: '], []]);
});

it('stop() by a tool itself is the end, without its result', async () => {
  const transport = stage.scripted([answer('One', call('c1')), answer('Fine')]);
  const chat: Chat = stage.chat({
    tools: [
      toolOf(() => {
        chat.stop();
        return 'stopped';
      }),
    ],
  });
  chat.send('Hi');
  await untilSent(stage, transport, 1);
  expect([said(chat), statuses(chat)]).toEqual([['Hi', 'stopped: One'], ['stopped']]);
  chat.send('And?');
  await untilSent(stage, transport, 2);
  expect(sent(transport, 1)).toMatchObject([
    { content: 'Hi' },
    { tool_calls: [{ id: 'c1' }] },
    { tool_call_id: 'c1', content: 'Error: the run ended before this call was done.' },
    { content: 'And?' },
  ]);
});

it('stop() from among the events is the end, without the event', () => {
  const transport = stage.scripted([answer('One', ' two', ' three', { afterMs: 500 })]);
  const chat: Chat = stage.chat({
    pipe: tap((event) => {
      if (event.type === 'text-delta' && event.text === ' two') chat.stop();
    }),
  });
  chat.send('Hi');
  stage.pass(50);
  expect(said(chat)).toEqual(['Hi', 'stopped: One']);
  expect(transport.requests).toMatchObject([{ outcome: 'aborted' }]);
});

it.each<[string, (other: Observable<never>) => ChatOptions['pipe']]>([
  ['a retry', () => retry(2)],
  ['a fallback', (other) => fallbackTo([other])],
])('stop() is no reason for %s', (_, pipe) => {
  const transport = stage.scripted([SLOW]);
  let others = 0;
  const other = new Observable<never>(() => void (others += 1));
  const chat = stage.chat({ pipe: pipe(other) });
  chat.send('Hi');
  stage.pass(50);
  chat.stop();
  stage.pass(50);
  expect([said(chat), transport.requests.length, others]).toEqual([['Hi', 'stopped: One'], 1, 0]);
});

it('stop() ends a source that knows no signal', () => {
  const fake = stage.fake('-');
  let left = 0;
  fake.events$ = () => new Observable(() => () => (left += 1));
  const chat = stage.chat();
  chat.send('Hi');
  chat.stop();
  expect([left, said(chat)]).toEqual([1, ['Hi', 'stopped: ']]);
  fake.events$ = () => of({ type: 'text-delta', choice: 0, text: 'at once' });
  chat.send('And?');
  chat.stop();
  expect(said(chat)).toEqual(['Hi', 'stopped: ', 'And?', 'stopped: at once']);
});

it('stop() after an error, and twice, changes nothing', () => {
  stage.scripted([answer('Half', { end: 'reset' }), SLOW]);
  const chat = stage.chat();
  chat.send('Hi');
  stage.pass(50);
  const broken = chat.messages();
  chat.stop();
  expect([chat.messages() === broken, chat.status()]).toEqual([true, 'error']);
  chat.send('And?');
  stage.pass(50);
  chat.stop();
  const stopped = chat.messages();
  chat.stop();
  expect(chat.messages()).toBe(stopped);
});

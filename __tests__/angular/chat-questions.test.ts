import { TestBed } from '@angular/core/testing';
import { finalize, tap } from 'rxjs';
import type { ChatMessage } from '../../src/angular/chat-message.ts';
import type { Chat } from '../../src/angular/chat-types.ts';
import { answer } from '../../src/testing/exchange.ts';
import type { Tool } from '../../src/tools/tool.ts';
import { call, last, said, sent, statuses, toolOf, untilSent } from './support/chat.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

const SLOW = answer({ afterMs: 10, text: 'One' }, { afterMs: 500, text: ' two' });
const user = (id: string, text: string): ChatMessage => ({ id, role: 'user', text, content: text });

it.each(['', ' ', '\n\t '])('a blank text (%j) is no question, and stops nothing', (text) => {
  const transport = stage.scripted([SLOW]);
  const chat = stage.chat();
  chat.send(text);
  expect([chat.messages(), chat.status()]).toEqual([[], 'ready']);
  chat.send('Hi');
  stage.pass(50);
  const before = chat.messages();
  chat.send(text);
  expect([chat.messages() === before, chat.isLoading(), transport.requests.length]).toEqual([true, true, 1]);
});

describe('a question of several parts', () => {
  const text = (text: string): { type: 'text'; text: string } => ({ type: 'text', text });
  const image = { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AA==' } };

  it('is that of the time it was asked, also where it is told again', () => {
    const transport = stage.scripted([answer('a'), answer('b')]);
    const chat = stage.chat();
    const content = [text('one'), image, text('two')];
    chat.send(content);
    stage.pass(50);
    content.length = 0;
    expect(chat.messages()[0]).toMatchObject({ text: 'one\n\ntwo', content: [text('one'), image, text('two')] });
    chat.send('And?');
    stage.pass(50);
    expect((sent(transport, 1) as unknown[])[0]).toEqual({
      role: 'user',
      content: [text('one'), image, text('two')],
    });
  });

  it('may take the place of another', () => {
    const transport = stage.scripted([answer('a'), answer('b')]);
    const chat = stage.chat();
    chat.send('Hi');
    stage.pass(50);
    const { id } = chat.messages()[0]!;
    chat.edit(0, [text('What is this?'), image]);
    stage.pass(50);
    expect(said(chat)).toEqual(['What is this?', 'done: b']);
    expect(chat.messages()[0]!.id).not.toBe(id);
    expect(sent(transport, 1)).toEqual([{ role: 'user', content: [text('What is this?'), image] }]);
  });
});

describe('setMessages()', () => {
  it('goes on from another conversation, in which nothing is under way', () => {
    const transport = stage.scripted([answer('a'), answer('b')]);
    const chat = stage.chat();
    chat.send('Hi');
    stage.pass(50);
    const open = { ...last(chat), id: '2', status: 'streaming' as const, text: 'Half' };
    chat.setMessages([user('1', 'Other'), open]);
    expect([said(chat), chat.status()]).toEqual([['Other', 'stopped: Half'], 'ready']);
    expect(transport.requests).toHaveLength(1);
    chat.send('And?');
    stage.pass(50);
    expect(sent(transport, 1)).toEqual([
      { role: 'user', content: 'Other' },
      { role: 'assistant', content: 'a' },
      { role: 'user', content: 'And?' },
    ]);
    expect(new Set(chat.messages().map(({ id }) => id)).size).toBe(4);
  });

  it('aborts what is under way without a word of it', () => {
    const transport = stage.scripted([SLOW]);
    const chat = stage.chat();
    chat.send('Hi');
    stage.pass(50);
    chat.setMessages([user('1', 'Other')]);
    expect(transport.requests).toMatchObject([{ outcome: 'aborted', endedAt: 50 }]);
    stage.pass(1_000);
    expect(said(chat)).toEqual(['Other']);
  });
});

it.each([
  [
    'is an Error again, with all that was written of it',
    { name: 'CompletionError', message: 'Cut', kind: 'interrupted' },
  ],
  ['is an Error though nothing was written of it', {}],
])('the error of an earlier conversation %s', (_, error) => {
  stage.scripted([]);
  const broken = { id: '2', role: 'assistant', status: 'error', parts: [], text: '', history: [], error };
  const chat = stage.chat({ messages: [user('1', 'Hi'), broken as unknown as ChatMessage] });
  expect(chat.status()).toBe('error');
  expect(chat.error()).toBeInstanceOf(Error);
  expect(chat.error()).toMatchObject(error);
});

it('no tools are as good as none', () => {
  const transport = stage.scripted([answer('Hello')]);
  const chat = stage.chat({ tools: [], approve: 'ask' });
  chat.send('Hi');
  stage.pass(50);
  expect(said(chat)).toEqual(['Hi', 'done: Hello']);
  expect(transport.requests[0]?.body).not.toHaveProperty('tools');
});

describe('half an answer', () => {
  it.each<['length' | 'content_filter', 'complete' | 'error' | undefined, string, object | undefined]>([
    ['length', undefined, 'done', undefined],
    ['length', 'complete', 'done', undefined],
    ['length', 'error', 'error', { kind: 'limit', code: 'length' }],
    ['content_filter', undefined, 'error', { kind: 'content-filter' }],
  ])('by %s, onLength being %s, is %s', async (finish, onLength, status, error) => {
    for (const tools of [undefined, [toolOf(() => 'ok')]]) {
      stage = new Stage();
      const transport = stage.scripted([answer('Half', { finish }), answer('Fine')]);
      const chat = stage.chat({ tools, options: { onLength } });
      chat.send('Hi');
      await untilSent(stage, transport, 1);
      expect(last(chat)).toMatchObject({ status, text: 'Half', finishReason: finish });
      if (error === undefined) expect(chat.error()).toBeUndefined();
      else expect(chat.error()).toMatchObject(error);
      chat.send('And?');
      await untilSent(stage, transport, 2);
      expect((sent(transport, 1) as unknown[])[1]).toEqual({ role: 'assistant', content: 'Half' });
      TestBed.resetTestingModule();
    }
  });
});

describe('a question from within an answer', () => {
  it('at its end follows it', () => {
    const transport = stage.scripted([answer('a'), SLOW]);
    let asked = false;
    const chat: Chat = stage.chat({
      pipe: tap({
        complete: () => {
          if (!asked) chat.send('Go on');
          asked = true;
        },
      }),
    });
    chat.send('Hi');
    stage.pass(50);
    expect(said(chat).slice(1)).toEqual([expect.stringContaining('a'), 'Go on', 'streaming: One']);
    chat.stop();
    expect(said(chat).at(-1)).toBe('stopped: One');
    expect(transport.requests.map(({ outcome }) => outcome)).toEqual(['ended', 'aborted']);
  });

  it('at its beginning takes its place, and can be stopped', () => {
    const transport = stage.scripted([SLOW, SLOW]);
    let asked = false;
    const chat: Chat = stage.chat({
      params: () => {
        if (!asked) {
          asked = true;
          chat.send('Rather this');
        }
        return undefined;
      },
    });
    chat.send('Hi');
    stage.pass(50);
    expect(said(chat)).toEqual(['Hi', 'stopped: ', 'Rather this', 'streaming: One']);
    chat.stop();
    expect(transport.requests.map(({ outcome }) => outcome)).not.toContain('pending');
    expect(stage.clock.pending).toBe(0);
  });

  it.each<[string, readonly Tool[] | undefined]>([
    ['an answer', undefined],
    ['a run', [toolOf(() => 'ok')]],
  ])('at the teardown of %s is not lost, and can be stopped', async (_, tools) => {
    const transport = stage.scripted([SLOW, SLOW]);
    let asked = false;
    const chat: Chat = stage.chat({
      tools,
      pipe: finalize(() => {
        if (!asked) {
          asked = true;
          chat.send('Go on');
        }
      }),
    });
    chat.send('Hi');
    await untilSent(stage, transport, 1);
    chat.stop();
    await untilSent(stage, transport, 2);
    expect(said(chat)).toEqual(['Hi', 'stopped: One', 'Go on', 'streaming: One']);
    chat.stop();
    expect(said(chat).at(-1)).toBe('stopped: One');
    expect(transport.requests.map(({ outcome }) => outcome)).toEqual(['aborted', 'aborted']);
  });

  it('by a tool ends its run', async () => {
    const transport = stage.scripted([answer('One', call('c1')), answer('Fine')]);
    const chat: Chat = stage.chat({
      tools: [
        toolOf(() => {
          chat.send('Rather this');
          return 'too late';
        }),
      ],
    });
    chat.send('Hi');
    await untilSent(stage, transport, 2);
    expect(said(chat)).toEqual(['Hi', 'stopped: One', 'Rather this', 'done: Fine']);
    expect(statuses(chat)).toEqual([]);
    expect(JSON.stringify(sent(transport, 1))).not.toContain('too late');
  });
});

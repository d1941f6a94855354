import { createEnvironmentInjector, EnvironmentInjector, Injector, signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import type { ChatMessage } from '../../src/angular/chat-message.ts';
import { injectChat } from '../../src/angular/chat.ts';
import { answer, connectionFailure } from '../../src/testing/exchange.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

/** Who said what, and how it ended. */
const said = (messages: readonly ChatMessage[]): readonly string[] =>
  messages.map((message) => (message.role === 'user' ? message.text : `${message.status}: ${message.text}`));

describe('a question', () => {
  it('is there at once, with an answer beside it that grows', () => {
    const transport = stage.scripted([answer({ afterMs: 100, text: 'Hello' }, { afterMs: 100, text: ' there' })]);
    const chat = stage.chat({ system: 'Be brief.', params: { temperature: 0 } });
    expect([chat.status(), chat.messages()]).toEqual(['ready', []]);
    chat.send('Hi');
    expect(said(chat.messages())).toEqual(['Hi', 'connecting: ']);
    expect([chat.status(), chat.isLoading()]).toEqual(['submitted', true]);
    stage.pass(150);
    expect(said(chat.messages())).toEqual(['Hi', 'streaming: Hello']);
    expect([chat.status(), chat.isLoading()]).toEqual(['streaming', true]);
    stage.pass(150);
    expect(said(chat.messages())).toEqual(['Hi', 'done: Hello there']);
    expect([chat.status(), chat.isLoading(), chat.error()]).toEqual(['ready', false, undefined]);
    expect(chat.messages()[1]).toMatchObject({ role: 'assistant', finishReason: 'stop' });
    expect(transport.requests).toMatchObject([
      {
        body: {
          temperature: 0,
          messages: [
            { role: 'system', content: 'Be brief.' },
            { role: 'user', content: 'Hi' },
          ],
        },
      },
    ]);
  });

  it('after another goes with what was said', () => {
    const transport = stage.scripted([answer('Hello'), answer('Well')]);
    const chat = stage.chat();
    chat.send('Hi');
    stage.pass(50);
    chat.send('How are you?');
    stage.pass(50);
    expect(said(chat.messages())).toEqual(['Hi', 'done: Hello', 'How are you?', 'done: Well']);
    expect(transport.requests[1]?.body['messages']).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'How are you?' },
    ]);
  });

  it('may be of several parts', () => {
    const transport = stage.scripted([answer('A cat')]);
    const chat = stage.chat();
    const content = [
      { type: 'text' as const, text: 'What is this?' },
      { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AA==' } },
    ];
    chat.send(content);
    stage.pass(50);
    expect(chat.messages()[0]).toMatchObject({ text: 'What is this?', content });
    expect(transport.requests[0]?.body['messages']).toEqual([{ role: 'user', content }]);
  });

  it('keeps what it was asked, whatever becomes of the list it was given', () => {
    const transport = stage.scripted([answer('a'), answer('b')]);
    const chat = stage.chat();
    const parts = [{ type: 'text' as const, text: 'What?' }];
    chat.send(parts);
    stage.pass(50);
    parts.length = 0;
    chat.send('And?');
    stage.pass(50);
    expect((transport.requests[1]?.body['messages'] as unknown[])[0]).toEqual({
      role: 'user',
      content: [{ type: 'text', text: 'What?' }],
    });
  });

  it.each(['', ' \n'])('that is blank (%j) is none, and stops nothing', (blank) => {
    stage.scripted([answer({ afterMs: 100, text: 'a' })]);
    const chat = stage.chat();
    chat.send('Hi');
    chat.send(blank);
    stage.pass(200);
    expect(said(chat.messages())).toEqual(['Hi', 'done: a']);
  });

  it('reads system and params anew each time', () => {
    const transport = stage.scripted([answer('a'), answer('b')]);
    const model = signal('one');
    const chat = stage.chat({ system: () => `You are ${model()}`, params: () => ({ model: model() }) });
    chat.send('Hi');
    stage.pass(50);
    model.set('two');
    chat.send('Hi');
    stage.pass(50);
    expect(transport.requests.map(({ body }) => [body['model'], (body['messages'] as unknown[])[0]])).toEqual([
      ['one', { role: 'system', content: 'You are one' }],
      ['two', { role: 'system', content: 'You are two' }],
    ]);
  });

  it.each(['system', 'params', 'pipe'])('whose %s throws is an answer that has an error', (option) => {
    const transport = stage.scripted([answer('a')]);
    const broken = (): never => {
      throw new Error('not yet');
    };
    const chat = stage.chat({ [option]: broken });
    chat.send('Hi');
    stage.pass(50);
    expect([chat.status(), chat.error()]).toEqual(['error', new Error('not yet')]);
    expect(transport.requests).toEqual([]);
  });
});

describe('an answer that breaks', () => {
  it('keeps its text, and the next question tells of it', () => {
    const transport = stage.scripted([answer('Half', { end: 'reset' }), answer('The rest')]);
    const chat = stage.chat();
    chat.send('Hi');
    stage.pass(50);
    expect(said(chat.messages())).toEqual(['Hi', 'error: Half']);
    expect(chat.status()).toBe('error');
    expect(chat.error()).toMatchObject({ kind: 'interrupted', partial: { text: 'Half' } });
    chat.send('Go on');
    expect([chat.status(), chat.error()]).toEqual(['submitted', undefined]);
    stage.pass(50);
    expect(transport.requests[1]?.body['messages']).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Half' },
      { role: 'user', content: 'Go on' },
    ]);
    expect(said(chat.messages())).toEqual(['Hi', 'error: Half', 'Go on', 'done: The rest']);
  });

  it('before it began is no message of the next question', () => {
    const transport = stage.scripted([connectionFailure(), answer('Hello')]);
    const chat = stage.chat();
    chat.send('Hi');
    stage.pass(50);
    chat.send('Again');
    stage.pass(50);
    expect(transport.requests[1]?.body['messages']).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'user', content: 'Again' },
    ]);
  });

  it('is asked for again by regenerate(), and forgotten', () => {
    const transport = stage.scripted([answer('Half', { end: 'reset' }), answer('Whole')]);
    const chat = stage.chat();
    chat.send('Hi');
    stage.pass(50);
    chat.regenerate();
    stage.pass(50);
    expect(said(chat.messages())).toEqual(['Hi', 'done: Whole']);
    expect(transport.requests[1]?.body['messages']).toEqual([{ role: 'user', content: 'Hi' }]);
  });
});

it.each([
  ['content_filter', undefined, 'content-filter'],
  ['length', 'error', 'limit'],
] as const)('an answer that ended by %s is an error (onLength %s), with its text', (finish, onLength, kind) => {
  stage.scripted([answer('The dose is 5', { finish })]);
  const chat = stage.chat({ options: { onLength } });
  chat.send('Hi');
  stage.pass(50);
  expect(said(chat.messages())).toEqual(['Hi', 'error: The dose is 5']);
  expect(chat.error()).toMatchObject({ kind });
});

it('an answer that was cut at the token limit is done, and says so', () => {
  stage.scripted([answer('The dose is 5', { finish: 'length' })]);
  const chat = stage.chat();
  chat.send('Hi');
  stage.pass(50);
  expect(chat.messages()[1]).toMatchObject({ status: 'done', finishReason: 'length' });
});

it('a refusal is a part of its own, and told of with the next question', () => {
  const transport = stage.scripted([answer({ refusal: 'I will not' }), answer('Fine')]);
  const chat = stage.chat();
  chat.send('Do it');
  stage.pass(50);
  expect(chat.messages()[1]).toMatchObject({
    status: 'done',
    text: '',
    parts: [{ type: 'refusal', text: 'I will not' }],
  });
  chat.send('Then not');
  stage.pass(50);
  expect((transport.requests[1]?.body['messages'] as unknown[])[1]).toEqual({
    role: 'assistant',
    refusal: 'I will not',
  });
});

it('reasoning is a part before the text', () => {
  stage.scripted([answer({ reasoning: 'Hm, ' }, { reasoning: 'well' }, 'Yes')]);
  const chat = stage.chat();
  chat.send('Really?');
  stage.pass(50);
  expect(chat.messages()[1]).toMatchObject({
    text: 'Yes',
    parts: [
      { type: 'reasoning', text: 'Hm, well' },
      { type: 'text', text: 'Yes' },
    ],
  });
});

describe('an earlier conversation', () => {
  const earlier = (): readonly ChatMessage[] => {
    stage.scripted([answer('Hello'), answer({ afterMs: 10, text: 'Half' }, { afterMs: 500 })]);
    const chat = stage.chat();
    chat.send('Hi');
    stage.pass(50);
    chat.send('More');
    stage.pass(50);
    const saved = JSON.parse(JSON.stringify(chat.messages())) as readonly ChatMessage[];
    TestBed.resetTestingModule();
    return saved;
  };

  it('goes on from plain data; what was under way has stopped', () => {
    const messages = earlier();
    const transport = stage.scripted([answer('Well')]);
    const chat = stage.chat({ messages });
    expect(said(chat.messages())).toEqual(['Hi', 'done: Hello', 'More', 'stopped: Half']);
    expect([chat.status(), transport.requests]).toEqual(['ready', []]);
    chat.send('And?');
    stage.pass(50);
    expect(transport.requests[0]?.body['messages']).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'More' },
      { role: 'assistant', content: 'Half' },
      { role: 'user', content: 'And?' },
    ]);
    const ids = chat.messages().map(({ id }) => id);
    expect(new Set(ids).size).toBe(6);
  });
});

it('another conversation may take its place', () => {
  const transport = stage.scripted([answer({ afterMs: 100, text: 'late' }), answer('Well')]);
  const chat = stage.chat();
  chat.send('Hi');
  chat.setMessages([{ id: '1', role: 'user', text: 'Old', content: 'Old' }]);
  stage.pass(200);
  expect([said(chat.messages()), transport.requests[0]?.outcome]).toEqual([['Old'], 'aborted']);
  chat.send('New');
  stage.pass(50);
  expect(transport.requests[1]?.body['messages']).toEqual([
    { role: 'user', content: 'Old' },
    { role: 'user', content: 'New' },
  ]);
});

it('an earlier conversation has errors again', () => {
  stage.scripted([answer('Half', { end: 'reset' })]);
  const chat = stage.chat();
  chat.send('Hi');
  stage.pass(50);
  chat.setMessages(JSON.parse(JSON.stringify(chat.messages())) as readonly ChatMessage[]);
  expect(chat.error()).toBeInstanceOf(Error);
  expect(chat.error()).toMatchObject({ kind: 'interrupted' });
});

it('an earlier conversation has no tool that still runs', () => {
  stage.scripted([]);
  const part = { type: 'tool', toolCallId: 'c', name: 'add', arguments: '{}', status: 'approval' };
  const message = { id: '1', role: 'assistant', status: 'streaming', parts: [part], text: '', history: [] };
  const chat = stage.chat({ messages: [message as unknown as ChatMessage] });
  expect(chat.messages()).toMatchObject([{ status: 'stopped', parts: [{ status: 'stopped' }] }]);
});

describe('where it lives', () => {
  it('its methods may be passed on by themselves', () => {
    stage.scripted([answer('a')]);
    const { send, messages } = stage.chat();
    send('Hi');
    stage.pass(50);
    expect(said(messages())).toEqual(['Hi', 'done: a']);
  });

  it('ends with its injector: the request is aborted, nothing is written, nothing is asked any more', () => {
    const transport = stage.scripted([answer({ afterMs: 10, text: 'a' }, { afterMs: 500, text: 'b' }), answer('c')]);
    const route = createEnvironmentInjector([], TestBed.inject(EnvironmentInjector));
    const chat = stage.chat({ injector: route.get(Injector) });
    chat.send('Hi');
    stage.pass(50);
    route.destroy();
    expect(transport.requests).toMatchObject([{ outcome: 'aborted', endedAt: 50 }]);
    expect(stage.clock.pending).toBe(0);
    const left = chat.messages();
    expect(said(left)).toEqual(['Hi', 'stopped: a']);
    expect(chat.isLoading()).toBe(false);
    chat.send('Again');
    chat.regenerate();
    stage.pass(600);
    expect(chat.messages()).toBe(left);
    expect(transport.requests).toHaveLength(1);
  });

  it('needs an injection context', () => {
    stage.scripted([]);
    expect(() => injectChat()).toThrow('NG0203');
  });

  it.each([
    [{ sytem: 'x' }, 'sytem'],
    [{ approve: true }, 'approve'],
  ])('refuses %j', (options, param) => {
    stage.scripted([]);
    let thrown: unknown;
    try {
      stage.chat(options as never);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ kind: 'configuration', param });
  });
});

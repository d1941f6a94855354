import { TestBed } from '@angular/core/testing';
import { Observable } from 'rxjs';
import type { ChatMessage } from '../../src/angular/chat-message.ts';
import { injectChat } from '../../src/angular/chat.ts';
import { provideFakeChatCompletion } from '../../src/angular/testing/provide-fake.ts';
import { answer, connectionFailure, httpError } from '../../src/testing/exchange.ts';
import { fakeCompletion } from '../../src/testing/fake-completion.ts';
import { thrownBy } from '../support/client.ts';
import { last, said, sent } from './support/chat.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

const RESTART = { retry: { mode: 'restart', maxRetries: 1, baseDelayMs: 0 } } as const;
const user = (id: string, text: string): ChatMessage => ({
  id,
  role: 'user',
  text,
  content: text,
});
const assistant = (id: string, text: string): ChatMessage => ({
  id,
  role: 'assistant',
  status: 'done',
  parts: [{ type: 'text', text }],
  text,
  finishReason: 'stop',
  usage: undefined,
  error: undefined,
  history: [{ role: 'assistant', content: text }],
});

describe('what is shown', () => {
  it('never changes afterwards, and keeps what has not changed', () => {
    stage.scripted([
      answer('Hello'),
      answer({ reasoning: 'Hm' }, { afterMs: 20, text: 'We' }, { afterMs: 50, text: 'll' }),
    ]);
    const chat = stage.chat();
    chat.send('Hi');
    stage.pass(50);
    const [question, first] = chat.messages();
    chat.send('And?');
    stage.pass(40);
    const growing = chat.messages();
    expect(last(chat)).toMatchObject({ text: 'We', status: 'streaming' });
    stage.pass(100);
    expect(chat.messages()).not.toBe(growing);
    expect(chat.messages()[0]).toBe(question);
    expect(chat.messages()[1]).toBe(first);
    expect(chat.messages()[2]).toBe(growing[2]);
    expect(growing[3]).toMatchObject({ text: 'We', status: 'streaming', finishReason: undefined });
    expect(last(chat)).toMatchObject({ id: growing[3]?.id, text: 'Well', status: 'done', finishReason: 'stop' });
    expect(last(chat).parts[0]).toBe((growing[3] as typeof first & { parts: readonly unknown[] }).parts[0]);
  });

  it('has the usage of the answer', () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    stage.scripted([answer('Hello', { usage })]);
    const chat = stage.chat();
    chat.send('Hi');
    expect(last(chat).usage).toBeUndefined();
    stage.pass(50);
    expect(last(chat).usage).toEqual(usage);
  });

  it('is taken back where a retry begins anew', () => {
    const transport = stage.scripted([
      answer({ reasoning: 'Hm' }, 'Half', { afterMs: 20, end: 'reset' }),
      answer({ afterMs: 20, text: 'Whole' }, { afterMs: 500, text: '.' }),
      answer('Fine'),
    ]);
    const chat = stage.chat({ options: RESTART });
    chat.send('Hi');
    stage.pass(19);
    expect(last(chat)).toMatchObject({ text: 'Half', status: 'streaming' });
    stage.pass(19);
    expect(last(chat)).toMatchObject({ text: 'Half', status: 'streaming' });
    stage.pass(50);
    expect(last(chat)).toMatchObject({ parts: [{ type: 'text', text: 'Whole' }], status: 'streaming' });
    chat.send('And?');
    stage.pass(50);
    expect(sent(transport, 2)).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Whole' },
      { role: 'user', content: 'And?' },
    ]);
  });
});

it.each([
  ['a refused request', httpError(400, { error: { message: 'Too long' } }), { kind: 'bad-request', status: 400 }],
  ['no connection', connectionFailure(), { kind: 'connection' }],
  ['a cut answer', answer('Half', { end: 'close' }), { kind: 'interrupted', partial: { text: 'Half' } }],
])('tells of %s in its error until the next question', (_, exchange, error) => {
  stage.scripted([exchange, answer('Fine')]);
  const chat = stage.chat();
  chat.send('Hi');
  stage.pass(50);
  expect([chat.status(), chat.isLoading()]).toEqual(['error', false]);
  expect(chat.error()).toMatchObject(error);
  expect(chat.error()).toBe(last(chat).error);
  chat.send('Again');
  expect([chat.status(), chat.isLoading(), chat.error()]).toEqual(['submitted', true, undefined]);
  stage.pass(50);
  expect([chat.status(), chat.error()]).toEqual(['ready', undefined]);
  expect(chat.messages()[1]).toMatchObject({ status: 'error', error });
});

it('is answered by a client of whatever kind, also one that throws or knows no Error', () => {
  const client = fakeCompletion('a|');
  stage.provide(provideFakeChatCompletion(client));
  client.events$ = () => {
    throw new Error('closed for today');
  };
  const chat = stage.chat();
  chat.send('Hi');
  expect([chat.status(), chat.error()]).toEqual(['error', new Error('closed for today')]);
  client.events$ = () => new Observable((subscriber) => subscriber.error('a text'));
  chat.send('Hi');
  expect(chat.error()).toBeInstanceOf(Error);
  expect(chat.error()).toMatchObject({ message: 'a text', cause: 'a text' });
});

it.each([
  ['says nothing where system and params give nothing', { system: () => undefined, params: () => undefined }, {}],
  ['says params that are an object', { params: { temperature: 1 } }, { temperature: 1 }],
])('%s', (_, options, body) => {
  const transport = stage.scripted([answer('Hello')]);
  const chat = stage.chat(options);
  chat.send('Hi');
  stage.pass(50);
  expect(transport.requests[0]?.body).toEqual(expect.objectContaining(body));
  expect(transport.requests[0]?.body).not.toHaveProperty('temperature', undefined);
  expect(sent(transport, 0)).toEqual([{ role: 'user', content: 'Hi' }]);
});

it('sends the options of a call', () => {
  const transport = stage.scripted([answer('Hello')]);
  const chat = stage.chat({ options: { headers: { 'x-chat': 'one' } } });
  chat.send('Hi');
  stage.pass(50);
  expect(transport.requests[0]?.headers).toMatchObject({ 'x-chat': 'one' });
});

describe('an earlier conversation', () => {
  it('is shown as it was given, whose list may change afterwards', () => {
    stage.scripted([]);
    const messages = [user('1', 'Hi'), assistant('2', 'Hello')];
    const chat = stage.chat({ messages });
    const [question, reply] = messages;
    messages.length = 0;
    expect([chat.status(), chat.messages()]).toEqual(['ready', [question, reply]]);
  });

  it('shares no id with what follows, whatever its ids are, also after some of it is gone', () => {
    stage.scripted(() => answer('Well'));
    const chat = stage.chat({
      messages: [user('2', 'Hi'), assistant('x', 'Hello'), user('5', 'So'), assistant('1', 'Yes')],
    });
    const seen = new Set(chat.messages().map(({ id }) => id));
    const ask = (question: () => void, added: number): void => {
      const before = new Set(chat.messages());
      question();
      stage.pass(50);
      const ids = chat
        .messages()
        .filter((message) => !before.has(message))
        .map(({ id }) => id);
      expect(ids).toHaveLength(added);
      for (const id of ids) {
        expect(seen.has(id)).toBe(false);
        seen.add(id);
      }
    };
    ask(() => {
      chat.send('And?');
    }, 2);
    ask(chat.regenerate, 1);
    ask(() => {
      chat.edit(2, 'Or');
    }, 2);
    expect(said(chat)).toEqual(['Hi', 'done: Hello', 'Or', 'done: Well']);
    chat.clear();
    ask(() => {
      chat.send('Anew');
    }, 2);
  });

  it('that ends in a question is answered by regenerate()', () => {
    const transport = stage.scripted([answer('Hello')]);
    const chat = stage.chat({ messages: [user('1', 'Hi')], system: 'Be brief.' });
    expect(chat.status()).toBe('ready');
    chat.regenerate();
    stage.pass(50);
    expect(said(chat)).toEqual(['Hi', 'done: Hello']);
    expect(sent(transport, 0)).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
    ]);
  });

  it('of a greeting alone has nothing to regenerate', () => {
    const transport = stage.scripted([]);
    const chat = stage.chat({ messages: [assistant('1', 'How can I help?')] });
    const before = chat.messages();
    chat.regenerate();
    expect(chat.messages()).toBe(before);
    expect(transport.requests).toEqual([]);
  });
});

it('keeps to itself beside another chat', () => {
  const transport = stage.scripted([answer({ afterMs: 10, text: 'a' }, { afterMs: 500 }), answer('b')]);
  const [one, other] = [stage.chat(), stage.chat()];
  one.send('one');
  stage.pass(50);
  other.send('other');
  stage.pass(50);
  other.stop();
  other.clear();
  expect(said(one)).toEqual(['one', 'streaming: a']);
  expect(transport.requests.map(({ outcome }) => outcome)).toEqual(['pending', 'ended']);
});

it.each([[null], ['x'], [[]]])('refuses %j for its options', (options) => {
  stage.scripted([]);
  expect(thrownBy(() => TestBed.runInInjectionContext(() => injectChat(options as never)))).toMatchObject({
    kind: 'configuration',
    param: 'options',
  });
});

it('asks for a client where none is provided', () => {
  expect(thrownBy(() => stage.chat())).toMatchObject({
    kind: 'configuration',
    message: expect.stringContaining('provideChatCompletion()') as unknown,
  });
});

import { Injector, signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { throwError } from 'rxjs';
import { chatResource } from '../../src/angular/chat-resource.ts';
import type { ChatResource } from '../../src/angular/resource-types.ts';
import { CompletionError } from '../../src/errors.ts';
import { answer } from '../../src/testing/exchange.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

const seen = (resource: ChatResource): unknown => ({
  phase: resource.phase(),
  status: resource.status(),
  text: resource.text(),
  isLoading: resource.isLoading(),
  error: resource.error(),
});

const VALUES = { a: 'Hello', b: ' world' };

it('is idle while there is nothing to ask', () => {
  const fake = stage.fake('-a|');
  const resource = stage.resource({ messages: () => undefined });
  stage.pass(50);
  expect(seen(resource)).toEqual({ phase: 'idle', status: 'idle', text: '', isLoading: false, error: undefined });
  expect(resource.value()).toBeUndefined();
  expect(resource.hasValue()).toBe(false);
  expect(resource.snapshot()).toEqual({ status: 'idle', value: undefined });
  expect(fake.calls).toEqual([]);
});

it('is loading until the stream has ended, however much of it there is', () => {
  const fake = stage.fake('-- 100ms a 100ms b 100ms |', VALUES);
  const resource = stage.resource({ messages: () => 'Hi', params: () => ({ temperature: 0 }) });
  expect(seen(resource)).toMatchObject({ phase: 'connecting', status: 'loading', text: '', isLoading: true });
  expect(resource.hasValue()).toBe(false);
  stage.pass(150);
  expect(seen(resource)).toMatchObject({ phase: 'streaming', status: 'loading', text: 'Hello', isLoading: true });
  expect(resource.hasValue()).toBe(true);
  stage.pass(100);
  expect(seen(resource)).toMatchObject({ phase: 'streaming', status: 'loading', text: 'Hello world', isLoading: true });
  stage.pass(200);
  expect(seen(resource)).toMatchObject({ phase: 'done', status: 'resolved', text: 'Hello world', isLoading: false });
  expect(resource.value()).toMatchObject({ status: 'done', finishReason: 'stop' });
  expect(resource.snapshot()).toEqual({ status: 'resolved', value: resource.value() });
  expect(fake.calls).toMatchObject([{ method: 'events$', messages: 'Hi', params: { temperature: 0 } }]);
});

it('keeps the text that had arrived when the answer breaks', () => {
  stage.fake('-a 50ms #', VALUES);
  const resource = stage.resource({ messages: () => 'Hi' });
  stage.pass(100);
  expect(seen(resource)).toMatchObject({ phase: 'error', status: 'error', text: 'Hello', isLoading: false });
  expect(resource.error()).toMatchObject({ kind: 'interrupted', partial: { text: 'Hello' } });
  expect(resource.value()).toMatchObject({ status: 'error', text: 'Hello', error: resource.error() });
  // As of any resource: who shows the value only where there is one must come to the error.
  expect(resource.hasValue()).toBe(false);
  expect(resource.snapshot()).toEqual({ status: 'error', error: resource.error() });
});

it('shows the last delta before an error, however close they are', () => {
  stage.fake('-(ab#)', VALUES);
  const resource = stage.resource({ messages: () => 'Hi' });
  stage.pass(1);
  expect(resource.text()).toBe('Hello world');
});

it('has an Error also where something else was thrown', () => {
  stage.fake('-a|');
  const resource = stage.resource({ messages: () => 'Hi', pipe: () => throwError(() => 'a text') });
  stage.pass(1);
  expect(resource.error()).toMatchObject({ message: 'a text', cause: 'a text' });
});

it('an answer that the content filter stopped is an error, with what had arrived', () => {
  stage.scripted([answer('The dose is 5', { finish: 'content_filter' })]);
  const resource = stage.resource({ messages: () => 'Hi' });
  stage.pass(50);
  expect(seen(resource)).toMatchObject({ phase: 'error', status: 'error', text: 'The dose is 5' });
  expect(resource.error()).toMatchObject({ kind: 'content-filter' });
});

it('is at its end at once, not with the next frame', () => {
  stage.fake('-a|', VALUES);
  const resource = stage.resource({ messages: () => 'Hi' });
  TestBed.tick();
  stage.clock.advance(2);
  expect(resource.phase()).toBe('done');
});

it('shows wrong messages as an error, and sends nothing', () => {
  const transport = stage.scripted([]);
  const resource = stage.resource({ messages: () => '' });
  stage.pass();
  expect(resource.error()).toMatchObject({ kind: 'configuration', param: 'messages' });
  expect(transport.requests).toEqual([]);
});

it('shows what messages() and params() throw', () => {
  const fake = stage.fake('-a|');
  const broken = (): never => {
    throw new Error('not yet');
  };
  const resources = [stage.resource({ messages: broken }), stage.resource({ messages: () => 'Hi', params: broken })];
  stage.pass();
  for (const resource of resources) {
    expect(seen(resource)).toMatchObject({ phase: 'error', status: 'error', error: { message: 'not yet' } });
  }
  expect(fake.calls).toEqual([]);
});

describe('another question', () => {
  it('aborts the request before it, and shows nothing of the old answer', () => {
    const fake = stage.fake('-a 100ms b|', VALUES);
    const question = signal('one');
    const resource = stage.resource({ messages: question });
    stage.pass(20);
    expect(resource.text()).toBe('Hello');
    question.set('two');
    expect(seen(resource)).toMatchObject({ phase: 'connecting', status: 'loading', text: '' });
    // What still comes of the old answer before the effect runs is nobody's.
    stage.clock.advance(200);
    expect(seen(resource)).toMatchObject({ phase: 'connecting', text: '' });
    stage.pass();
    expect(fake.calls.map(({ messages }) => messages)).toEqual(['one', 'two']);
    stage.pass(200);
    expect(seen(resource)).toMatchObject({ phase: 'done', text: 'Hello world' });
  });

  it('aborts at once where the old one is still under way', () => {
    const transport = stage.scripted([answer({ afterMs: 1, text: 'a' }, { afterMs: 500 }), answer('b')]);
    const question = signal('one');
    const resource = stage.resource({ messages: question });
    stage.pass(100);
    question.set('two');
    stage.pass();
    expect(transport.requests.map(({ outcome, endedAt }) => [outcome, endedAt])).toEqual([
      ['aborted', 100],
      ['ended', 100],
    ]);
    stage.pass(20);
    expect(resource.text()).toBe('b');
  });

  it('is asked only if messages or params are others', () => {
    const fake = stage.fake('-a|');
    const typed = signal('one ');
    const params = signal({ temperature: 0 });
    const resource = stage.resource({ messages: () => typed().trim(), params });
    stage.pass(50);
    typed.set('one');
    stage.pass(50);
    expect(fake.calls).toHaveLength(1);
    expect(resource.phase()).toBe('done');
    params.set({ temperature: 1 });
    stage.pass(50);
    expect(fake.calls.map(({ params }) => params)).toEqual([{ temperature: 0 }, { temperature: 1 }]);
  });

  it('that says the same is none, however it is made', () => {
    const fake = stage.fake('-a|');
    const form = signal({ question: 'one', other: 1 });
    stage.resource({ messages: () => [{ role: 'user' as const, content: form().question }], params: () => ({ n: 1 }) });
    stage.pass(50);
    form.set({ question: 'one', other: 2 });
    stage.pass(50);
    expect(fake.calls).toHaveLength(1);
  });

  it('together with reload() shows nothing of the old answer', () => {
    stage.scripted([answer('answer of one'), answer({ afterMs: 100, text: 'answer of two' })]);
    const question = signal('one');
    const resource = stage.resource({ messages: question });
    stage.pass(50);
    resource.reload();
    question.set('two');
    expect([resource.status(), resource.text()]).toEqual(['loading', '']);
    stage.pass(200);
    expect([resource.status(), resource.text()]).toEqual(['resolved', 'answer of two']);
  });

  it('of several in one tick the last is asked', () => {
    const fake = stage.fake('-a|');
    const question = signal('one');
    stage.resource({ messages: question });
    question.set('two');
    question.set('three');
    stage.pass(50);
    expect(fake.calls.map(({ messages }) => messages)).toEqual(['three']);
  });

  it('that is none ends what is under way', () => {
    const fake = stage.fake('-a 100ms |');
    const question = signal<string | undefined>('one');
    const resource = stage.resource({ messages: question });
    stage.pass(20);
    question.set(undefined);
    stage.pass();
    expect(seen(resource)).toMatchObject({ phase: 'idle', status: 'idle', text: '' });
    expect(fake.calls).toMatchObject([{ outcome: 'unsubscribed', endedAt: 20 }]);
  });
});

it('shows the choice that is asked for', () => {
  stage.scripted([answer({ text: 'zero' }, { choice: 1, text: 'one' })]);
  const resource = stage.resource({ messages: () => 'Hi', params: () => ({ n: 2 }), choice: 1 });
  stage.pass(50);
  expect(resource.text()).toBe('one');
});

it('passes options on to the call', () => {
  const fake = stage.fake('-a|');
  stage.resource({ messages: () => 'Hi', options: { headers: { 'x-a': 'b' } } });
  stage.pass(10);
  expect(fake.requests).toMatchObject([{ headers: { 'x-a': 'b' } }]);
});

it.each([
  [{}, 'messages'],
  [{ messages: 'Hi' }, 'messages'],
  [{ messages: (): string => 'Hi', message: 1 }, 'message'],
  [{ messages: (): string => 'Hi', choice: -1 }, 'choice'],
])('refuses %j', (options, param) => {
  stage.fake('-a|');
  let thrown: unknown;
  try {
    stage.resource(options as never);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CompletionError);
  expect(thrown).toMatchObject({ kind: 'configuration', param });
});

it('needs an injection context, or an injector', () => {
  stage.fake('-a|');
  expect(() => chatResource({ messages: () => 'Hi' })).toThrow('NG0203');
  const resource = chatResource({ messages: () => 'Hi', injector: TestBed.inject(Injector), scheduler: stage.clock });
  stage.pass(50);
  expect(resource.text()).toBe('a');
});

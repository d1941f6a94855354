import { createEnvironmentInjector, EnvironmentInjector, Injector, signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { retryCompletion } from '../../src/operators/retry.ts';
import type { ChatResource } from '../../src/angular/resource-types.ts';
import { answer, connectionFailure, httpError } from '../../src/testing/exchange.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

const seen = (resource: ChatResource): readonly unknown[] => [
  resource.phase(),
  resource.status(),
  resource.text(),
  resource.hasValue(),
];
const slow = (text: string): ReturnType<typeof answer> => answer({ afterMs: 50, text }, { afterMs: 50, text: '!' });

describe('while it is asked again', () => {
  it('what was there has a value, also as a snapshot, until the new answer begins', () => {
    stage.scripted([answer('old'), slow('new')]);
    const resource = stage.resource({ messages: () => 'Hi' });
    stage.pass(10);
    const old = resource.value();
    resource.reload();
    expect(resource.snapshot()).toEqual({ status: 'reloading', value: old });
    stage.pass(40);
    expect(seen(resource)).toEqual(['connecting', 'reloading', 'old', true]);
    expect(resource.value()).toBe(old);
    stage.pass(40);
    expect(seen(resource)).toEqual(['streaming', 'reloading', 'new', true]);
    stage.pass(100);
    expect(seen(resource)).toEqual(['done', 'resolved', 'new!', true]);
  });

  it('stop() in the middle of the new answer keeps the new one', () => {
    const transport = stage.scripted([answer('old'), slow('new')]);
    const resource = stage.resource({ messages: () => 'Hi' });
    stage.pass(10);
    resource.reload();
    stage.pass(80);
    resource.stop();
    expect(seen(resource)).toEqual(['stopped', 'idle', 'new', true]);
    expect(transport.requests.map(({ outcome }) => outcome)).toEqual(['ended', 'aborted']);
  });

  it('stop() before the request is sent has none sent, and leaves the old answer', () => {
    const transport = stage.scripted([answer('old'), answer('new')]);
    const resource = stage.resource({ messages: () => 'Hi' });
    stage.pass(10);
    resource.reload();
    resource.stop();
    expect(seen(resource)).toEqual(['done', 'resolved', 'old', true]);
    stage.pass(50);
    expect(transport.requests).toHaveLength(1);
    expect(resource.reload()).toBe(true);
    stage.pass(50);
    expect(seen(resource)).toEqual(['done', 'resolved', 'new', true]);
  });

  it('another reload() does nothing', () => {
    const transport = stage.scripted([answer('old'), slow('new')]);
    const resource = stage.resource({ messages: () => 'Hi' });
    stage.pass(10);
    expect([resource.reload(), resource.reload()]).toEqual([true, false]);
    stage.pass(20);
    expect(resource.reload()).toBe(false);
    stage.pass(200);
    expect(transport.requests).toHaveLength(2);
  });

  it('an error of the new answer keeps what had come of that one', () => {
    stage.scripted([answer('old'), answer({ afterMs: 50, text: 'new' }, { afterMs: 50, end: 'reset' })]);
    const resource = stage.resource({ messages: () => 'Hi' });
    stage.pass(10);
    resource.reload();
    stage.pass(200);
    expect(seen(resource)).toEqual(['error', 'error', 'new', false]);
    expect(resource.error()).toMatchObject({ kind: 'interrupted', partial: { text: 'new' } });
  });

  it('a new question is loading, not reloading, and shows nothing of the old', () => {
    const transport = stage.scripted([answer('old'), slow('again'), slow('other')]);
    const question = signal('one');
    const resource = stage.resource({ messages: question });
    stage.pass(10);
    resource.reload();
    stage.pass(80);
    question.set('two');
    expect(seen(resource)).toEqual(['connecting', 'loading', '', false]);
    stage.pass(200);
    expect(seen(resource)).toEqual(['done', 'resolved', 'other!', true]);
    expect(transport.requests.map(({ outcome }) => outcome)).toEqual(['ended', 'aborted', 'ended']);
  });

  it('a question that is taken back leaves it idle, and there is nothing to reload', () => {
    const transport = stage.scripted([answer('old'), slow('again')]);
    const question = signal<string | undefined>('one');
    const resource = stage.resource({ messages: question });
    stage.pass(10);
    resource.reload();
    stage.pass(80);
    question.set(undefined);
    expect([resource.value(), resource.error(), resource.reload()]).toEqual([undefined, undefined, false]);
    stage.pass(200);
    expect(seen(resource)).toEqual(['idle', 'idle', '', false]);
    expect(transport.requests[1]?.outcome).toBe('aborted');
  });

  it('the end of the injector leaves what is shown, and aborts', () => {
    const transport = stage.scripted([answer('old'), slow('new')]);
    const route = createEnvironmentInjector([], TestBed.inject(EnvironmentInjector));
    const resource = stage.resource({ messages: () => 'Hi', injector: route.get(Injector) });
    stage.pass(10);
    resource.reload();
    stage.pass(20);
    route.destroy();
    expect([resource.text(), resource.isLoading(), resource.reload()]).toEqual(['old', false, false]);
    expect([transport.requests[1]?.outcome, stage.clock.pending]).toEqual(['aborted', 0]);
  });
});

it('can be asked again as often as it fails', () => {
  const transport = stage.scripted([connectionFailure(), httpError(500), answer('well')]);
  const resource = stage.resource({ messages: () => 'Hi' });
  const kinds: unknown[] = [];
  do {
    stage.pass(50);
    kinds.push((resource.error() as { kind?: string } | undefined)?.kind);
  } while (resource.status() === 'error' && resource.reload());
  expect(kinds).toEqual(['connection', 'server', undefined]);
  expect([resource.text(), transport.requests.length]).toEqual(['well', 3]);
});

it('after stop() it is asked again, and is reloading', () => {
  stage.scripted([slow('half'), slow('whole')]);
  const resource = stage.resource({ messages: () => 'Hi' });
  stage.pass(80);
  resource.stop();
  expect(resource.reload()).toBe(true);
  expect(seen(resource)).toEqual(['connecting', 'reloading', 'half', true]);
  stage.pass(200);
  expect(seen(resource)).toEqual(['done', 'resolved', 'whole!', true]);
});

it('after stop() another question is asked as ever, and the same one is not', () => {
  const transport = stage.scripted([slow('one'), slow('two')]);
  const form = signal({ question: 'one' });
  const resource = stage.resource({ messages: () => form().question });
  stage.pass(80);
  resource.stop();
  form.set({ question: 'one' });
  stage.pass(200);
  expect([resource.phase(), transport.requests.length]).toEqual(['stopped', 1]);
  form.set({ question: 'two' });
  stage.pass(200);
  expect(seen(resource)).toEqual(['done', 'resolved', 'two!', true]);
});

it('a question that throws after an answer shows the error alone, and recovers by itself', () => {
  const transport = stage.scripted([slow('one'), slow('two')]);
  const isBroken = signal(false);
  const resource = stage.resource({
    messages: () => {
      if (isBroken()) throw new Error('no article');
      return 'Hi';
    },
  });
  stage.pass(80);
  isBroken.set(true);
  stage.pass();
  expect([resource.status(), resource.text(), resource.error()?.message]).toEqual(['error', '', 'no article']);
  expect(transport.requests.map(({ outcome }) => outcome)).toEqual(['aborted']);
  isBroken.set(false);
  stage.pass(200);
  expect([...seen(resource), resource.error()]).toEqual(['done', 'resolved', 'two!', true, undefined]);
});

it('a restart within an answer takes back what was shown', () => {
  stage.scripted([answer({ text: 'first half' }, { afterMs: 50, end: 'reset' }), slow('second')]);
  const resource = stage.resource({
    messages: () => 'Hi',
    pipe: retryCompletion({ mode: 'restart', baseDelayMs: 10, scheduler: stage.clock }),
  });
  stage.pass(40);
  expect(seen(resource)).toEqual(['streaming', 'loading', 'first half', true]);
  stage.pass(400);
  expect(seen(resource)).toEqual(['done', 'resolved', 'second!', true]);
});

it('two resources are two answers: what is done to one is nothing to the other', () => {
  const transport = stage.scripted([slow('one'), slow('two')]);
  const [one, two] = [stage.resource({ messages: () => 'one' }), stage.resource({ messages: () => 'two' })];
  stage.pass(80);
  one.stop();
  stage.pass(100);
  expect([seen(one), seen(two)]).toEqual([
    ['stopped', 'idle', 'one', true],
    ['done', 'resolved', 'two!', true],
  ]);
  expect(transport.requests.map(({ outcome }) => outcome)).toEqual(['aborted', 'ended']);
});

import { createEnvironmentInjector, effect, EnvironmentInjector, Injector, NgZone, signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { map, tap } from 'rxjs';
import { answer, connectionFailure } from '../../src/testing/exchange.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

const VALUES = { a: 'Hello', b: ' world' };

describe('stop()', () => {
  it('aborts, and keeps what had arrived', () => {
    const fake = stage.fake('-a 100ms b|', VALUES);
    const resource = stage.resource({ messages: () => 'Hi' });
    stage.pass(50);
    resource.stop();
    expect(resource.phase()).toBe('stopped');
    // Half an answer is no result for who chains resources.
    expect(resource.status()).toBe('idle');
    expect(resource.text()).toBe('Hello');
    expect(resource.value()?.status).toBe('stopped');
    expect(fake.calls).toMatchObject([{ outcome: 'unsubscribed', endedAt: 50 }]);
    stage.pass(200);
    expect(resource.text()).toBe('Hello');
  });

  it('shows also what no frame had shown yet', () => {
    stage.fake('(ab) 100ms |', VALUES);
    const resource = stage.resource({ messages: () => 'Hi' });
    stage.pass(1);
    resource.stop();
    expect(resource.text()).toBe('Hello world');
  });

  it('before the request was sent has none sent', () => {
    const fake = stage.fake('-a|');
    const resource = stage.resource({ messages: () => 'Hi' });
    resource.stop();
    stage.pass(50);
    expect(resource.phase()).toBe('stopped');
    expect(fake.calls).toEqual([]);
    expect(resource.reload()).toBe(true);
    stage.pass(50);
    expect(resource.phase()).toBe('done');
  });

  it('between a change and its effect stops the new question, and nothing of the old answer is shown', () => {
    const fake = stage.fake('-a 100ms b|', VALUES);
    const question = signal('one');
    const resource = stage.resource({ messages: question });
    stage.pass(50);
    question.set('two');
    resource.stop();
    stage.pass(200);
    expect(resource.phase()).toBe('stopped');
    expect(resource.text()).toBe('');
    expect(fake.calls.map(({ outcome }) => outcome)).toEqual(['unsubscribed']);
  });

  it('after the end changes nothing', () => {
    stage.fake('-a|', VALUES);
    const resource = stage.resource({ messages: () => 'Hi' });
    stage.pass(50);
    resource.stop();
    expect(resource.phase()).toBe('done');
  });
});

describe('reload()', () => {
  it('asks again, and shows the old answer until the new one begins', () => {
    const transport = stage.scripted([answer('old'), answer({ afterMs: 100, text: 'new' })]);
    const resource = stage.resource({ messages: () => 'Hi' });
    stage.pass(50);
    expect(resource.reload()).toBe(true);
    expect([resource.phase(), resource.status(), resource.text()]).toEqual(['connecting', 'reloading', 'old']);
    stage.pass(50);
    expect([resource.status(), resource.text()]).toEqual(['reloading', 'old']);
    stage.pass(100);
    expect([resource.phase(), resource.status(), resource.text()]).toEqual(['done', 'resolved', 'new']);
    expect(transport.requests).toHaveLength(2);
  });

  it('keeps the old answer if the new one breaks before it begins', () => {
    stage.scripted([answer('old'), connectionFailure()]);
    const resource = stage.resource({ messages: () => 'Hi' });
    stage.pass(50);
    resource.reload();
    stage.pass(50);
    expect([resource.status(), resource.text()]).toEqual(['error', 'old']);
    expect(resource.error()).toMatchObject({ kind: 'connection' });
  });

  it('that is stopped before it begins leaves everything as it was, also an error', () => {
    stage.scripted([answer('The dose is 5', { end: 'reset' }), answer({ afterMs: 500, text: 'The dose is 50' })]);
    const resource = stage.resource({ messages: () => 'Hi' });
    stage.pass(50);
    const before = [resource.status(), resource.text(), resource.error(), resource.value()];
    expect(before[0]).toBe('error');
    resource.reload();
    stage.pass(50);
    resource.stop();
    expect([resource.status(), resource.text(), resource.error(), resource.value()]).toEqual(before);
  });

  it('reads a question anew that could not be read', () => {
    const fake = stage.fake('-a|');
    let isReady = false;
    const messages = (): string => {
      if (!isReady) throw new Error('not yet');
      return 'Hi';
    };
    const resource = stage.resource({ messages });
    stage.pass();
    expect(resource.status()).toBe('error');
    isReady = true;
    expect(resource.reload()).toBe(true);
    stage.pass(50);
    expect([resource.status(), fake.calls.length]).toEqual(['resolved', 1]);
  });

  it('after an error forgets the error', () => {
    stage.scripted([connectionFailure(), answer('well')]);
    const resource = stage.resource({ messages: () => 'Hi' });
    stage.pass(50);
    expect(resource.status()).toBe('error');
    resource.reload();
    expect(resource.error()).toBeUndefined();
    stage.pass(50);
    expect([resource.status(), resource.text()]).toEqual(['resolved', 'well']);
  });

  it('does nothing while loading or idle', () => {
    const fake = stage.fake('-a 100ms |');
    const question = signal<string | undefined>(undefined);
    const resource = stage.resource({ messages: question });
    stage.pass();
    expect(resource.reload()).toBe(false);
    question.set('Hi');
    stage.pass(20);
    expect(resource.reload()).toBe(false);
    stage.pass(20);
    expect(fake.calls).toHaveLength(1);
  });
});

describe('the end of its injector', () => {
  it('aborts the request, and nothing is written afterwards', () => {
    const fake = stage.fake('-a 100ms b|', VALUES);
    const route = createEnvironmentInjector([], TestBed.inject(EnvironmentInjector));
    const resource = stage.resource({ messages: () => 'Hi', injector: route.get(Injector) });
    stage.pass(50);
    route.destroy();
    expect(fake.calls).toMatchObject([{ outcome: 'unsubscribed', endedAt: 50 }]);
    expect(stage.clock.pending).toBe(0);
    expect([resource.phase(), resource.isLoading(), resource.reload()]).toEqual(['stopped', false, false]);
    stage.pass(200);
    expect(resource.text()).toBe('Hello');
  });
});

describe('rendering', () => {
  it('writes at most once a frame, however many deltas there are, and never loses the last', () => {
    stage.fake('a 2ms b 2ms c 2ms d 2ms e 2ms f 2ms g 2ms h 2ms i 2ms j|');
    const resource = stage.resource({ messages: () => 'Hi' });
    const texts: string[] = [];
    TestBed.runInInjectionContext(() => effect(() => texts.push(resource.text())));
    for (let ms = 0; ms < 60; ms++) stage.pass(1);
    expect(texts.at(-1)).toBe('abcdefghij');
    // 28 ms of answer are two frames, and the end.
    expect(texts.length).toBeLessThanOrEqual(5);
  });

  it('runs outside of the Angular zone', () => {
    stage.fake('-a|');
    const zones: boolean[] = [];
    stage.resource({
      messages: () => 'Hi',
      pipe: tap(() => {
        zones.push(NgZone.isInAngularZone());
      }),
    });
    TestBed.inject(NgZone).run(() => {
      stage.pass(50);
    });
    expect(zones.length).toBeGreaterThan(0);
    expect(zones).not.toContain(true);
  });

  it('takes operators around the events', () => {
    stage.fake('-a|', VALUES);
    const shout = map((event: { type: string; text?: string }) =>
      event.type === 'text-delta' ? { ...event, text: event.text?.toUpperCase() } : event,
    );
    const resource = stage.resource({ messages: () => 'Hi', pipe: shout as never });
    stage.pass(50);
    expect(resource.text()).toBe('HELLO');
  });

  it('reads no signals of operators: they are no question', () => {
    const fake = stage.fake('-a|');
    const other = signal(0);
    stage.resource({
      messages: () => 'Hi',
      pipe: tap(() => {
        other();
      }),
    });
    stage.pass(50);
    other.set(1);
    stage.pass(50);
    expect(fake.calls).toHaveLength(1);
  });
});

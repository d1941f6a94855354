import { effect, NgZone } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { catchError, takeWhile, tap } from 'rxjs';
import type { ChatMessage } from '../../src/angular/chat-message.ts';
import type { Chat } from '../../src/angular/chat-types.ts';
import { measure } from '../../src/operators/measure.ts';
import { answer } from '../../src/testing/exchange.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

const said = (messages: readonly ChatMessage[]): readonly string[] =>
  messages.map((message) => (message.role === 'user' ? message.text : `${message.status}: ${message.text}`));
const SLOW = answer({ afterMs: 10, text: 'One' }, { afterMs: 500, text: ' two' });

describe('stop()', () => {
  it('aborts in the same tick, and keeps what had arrived', () => {
    const transport = stage.scripted([SLOW, answer('Fine')]);
    const chat = stage.chat();
    chat.send('Hi');
    stage.pass(50);
    chat.stop();
    expect(said(chat.messages())).toEqual(['Hi', 'stopped: One']);
    expect([chat.status(), chat.error(), chat.isLoading()]).toEqual(['ready', undefined, false]);
    expect(transport.requests).toMatchObject([{ outcome: 'aborted', endedAt: 50 }]);
    expect(stage.clock.pending).toBe(0);
    chat.send('Go on');
    stage.pass(50);
    expect(transport.requests[1]?.body['messages']).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'One' },
      { role: 'user', content: 'Go on' },
    ]);
  });

  it('shows also what no frame had shown yet', () => {
    stage.scripted([answer('a', 'b', 'c', { afterMs: 500 })]);
    const chat = stage.chat();
    chat.send('Hi');
    stage.clock.advance(1);
    expect(said(chat.messages())).not.toContain('streaming: abc');
    chat.stop();
    expect(said(chat.messages())).toEqual(['Hi', 'stopped: abc']);
  });

  it('before anything came leaves an empty answer, which the model is not told of', () => {
    const transport = stage.scripted([answer({ afterMs: 500, text: 'late' }), answer('Fine')]);
    const chat = stage.chat();
    chat.send('Hi');
    chat.stop();
    expect(said(chat.messages())).toEqual(['Hi', 'stopped: ']);
    chat.send('Again');
    stage.pass(50);
    expect(transport.requests[1]?.body['messages']).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'user', content: 'Again' },
    ]);
  });

  it('with nothing under way changes nothing, nor does it undo a good end', () => {
    stage.scripted([answer('One')]);
    const chat = stage.chat();
    chat.stop();
    expect(chat.messages()).toEqual([]);
    chat.send('Hi');
    stage.clock.advance(1);
    chat.stop();
    expect(said(chat.messages())).toEqual(['Hi', 'done: One']);
  });
});

it('send() while an answer is under way stops that first', () => {
  const transport = stage.scripted([SLOW, answer('Other')]);
  const chat = stage.chat();
  chat.send('Hi');
  stage.pass(50);
  chat.send('Something else');
  expect(said(chat.messages())).toEqual(['Hi', 'stopped: One', 'Something else', 'connecting: ']);
  stage.pass(600);
  expect(said(chat.messages())).toEqual(['Hi', 'stopped: One', 'Something else', 'done: Other']);
  expect(transport.requests.map(({ outcome }) => outcome)).toEqual(['aborted', 'ended']);
});

describe('regenerate()', () => {
  it('asks for the last answer anew, also while it comes', () => {
    const transport = stage.scripted([SLOW, answer('Two'), answer('Three')]);
    const chat = stage.chat();
    chat.send('Hi');
    stage.pass(50);
    chat.regenerate();
    stage.pass(50);
    expect(said(chat.messages())).toEqual(['Hi', 'done: Two']);
    chat.regenerate();
    stage.pass(50);
    expect(said(chat.messages())).toEqual(['Hi', 'done: Three']);
    expect(transport.requests.map(({ body }) => body['messages'])).toEqual(
      Array.from({ length: 3 }, () => [{ role: 'user', content: 'Hi' }]),
    );
  });

  it('of an empty chat does nothing', () => {
    const transport = stage.scripted([]);
    const chat = stage.chat();
    chat.regenerate();
    expect([chat.messages(), transport.requests]).toEqual([[], []]);
  });
});

describe('edit()', () => {
  it('puts another question in place of one, and forgets what followed', () => {
    const transport = stage.scripted([answer('1'), answer('2'), answer('3')]);
    const chat = stage.chat();
    chat.send('one');
    stage.pass(50);
    chat.send('two');
    stage.pass(50);
    chat.edit(0, 'other');
    stage.pass(50);
    expect(said(chat.messages())).toEqual(['other', 'done: 3']);
    expect(transport.requests[2]?.body['messages']).toEqual([{ role: 'user', content: 'other' }]);
  });

  it.each([1, 2, -1, 0.5])('of message %p, which is none of the user, is an error, and changes nothing', (index) => {
    stage.scripted([SLOW]);
    const chat = stage.chat();
    chat.send('one');
    stage.pass(50);
    const before = chat.messages();
    let thrown: unknown;
    try {
      chat.edit(index, 'other');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ kind: 'configuration', param: 'index' });
    expect(chat.messages()).toBe(before);
    expect(chat.isLoading()).toBe(true);
  });
});

it('clear() forgets everything, and aborts', () => {
  const transport = stage.scripted([SLOW, answer('Fine')]);
  const chat = stage.chat();
  chat.send('Hi');
  stage.pass(50);
  chat.clear();
  expect([chat.messages(), chat.status()]).toEqual([[], 'ready']);
  expect(transport.requests).toMatchObject([{ outcome: 'aborted' }]);
  stage.pass(600);
  expect(chat.messages()).toEqual([]);
  chat.send('Anew');
  stage.pass(50);
  expect(transport.requests[1]?.body['messages']).toEqual([{ role: 'user', content: 'Anew' }]);
});

describe('a question that is asked while an answer is torn down', () => {
  it.each([
    ['stop()', (chat: Chat): void => chat.stop()],
    ['the end', (): void => stage.pass(1000)],
  ])('by %s is there, and can be stopped', (_, endBy) => {
    const transport = stage.scripted([SLOW, answer({ afterMs: 10, text: 'Two' }, { afterMs: 5000 })]);
    const queue = ['second'];
    const chat: Chat = stage.chat({
      pipe: measure({
        end: () => {
          const next = queue.shift();
          if (next !== undefined) chat.send(next);
        },
      }),
    });
    chat.send('first');
    stage.pass(50);
    endBy(chat);
    stage.pass(50);
    expect(said(chat.messages()).slice(2)).toEqual(['second', 'streaming: Two']);
    expect(said(chat.messages())[0]).toBe('first');
    chat.stop();
    expect(said(chat.messages()).at(-1)).toBe('stopped: Two');
    expect(transport.requests[1]).toMatchObject({ outcome: 'aborted' });
    expect(stage.clock.pending).toBe(0);
  });
});

describe('operators around the events', () => {
  it('what catches errors is not told of stop()', () => {
    const transport = stage.scripted([SLOW, answer('backup')]);
    const chat: Chat = stage.chat({ pipe: catchError(() => stage.client.events$('backup')) });
    chat.send('Hi');
    stage.pass(50);
    chat.stop();
    stage.pass(50);
    expect(transport.requests).toHaveLength(1);
    expect(said(chat.messages())).toEqual(['Hi', 'stopped: One']);
  });

  it('measure', () => {
    stage.scripted([answer({ afterMs: 30, text: 'a' })]);
    const measured: unknown[] = [];
    const end = ({
      timeToFirstOutputMs,
      ending,
    }: {
      timeToFirstOutputMs?: number | undefined;
      ending: string;
    }): void => {
      measured.push(timeToFirstOutputMs, ending);
    };
    const chat = stage.chat({ pipe: measure({ end }, { scheduler: stage.clock }) });
    chat.send('Hi');
    stage.pass(100);
    expect(measured).toEqual([30, 'complete']);
  });

  it('an answer that one of them ends early is stopped, not done', () => {
    const transport = stage.scripted([
      answer({ text: 'one' }, { afterMs: 100, text: ' END' }, { afterMs: 500, text: ' two' }),
    ]);
    const chat = stage.chat({
      pipe: takeWhile((event) => !(event.type === 'text-delta' && event.text === ' END'), true),
    });
    chat.send('Hi');
    stage.pass(300);
    expect(said(chat.messages())).toEqual(['Hi', 'stopped: one END']);
    expect(transport.requests).toMatchObject([{ outcome: 'aborted' }]);
  });
});

describe('rendering', () => {
  it('writes a burst of 10,000 deltas in a few renders, and what has not changed is the same object', () => {
    const pieces = Array.from({ length: 10_000 }, (_, n) => `${String(n)} `);
    stage.scripted([answer('First'), answer(...pieces)]);
    const chat = stage.chat();
    chat.send('one');
    stage.pass(50);
    const renders: (readonly ChatMessage[])[] = [];
    TestBed.runInInjectionContext(() => effect(() => renders.push(chat.messages())));
    stage.pass();
    const before = chat.messages();
    chat.send('two');
    for (let ms = 0; ms < 100; ms++) stage.pass(1);
    expect(renders.length).toBeLessThanOrEqual(6);
    expect(chat.messages().at(-1)).toMatchObject({ status: 'done', text: pieces.join('') });
    for (const messages of renders.slice(1)) expect(messages.slice(0, 2)).toEqual([before[0], before[1]]);
    expect(chat.messages()[0]).toBe(before[0]);
    expect(chat.messages()[1]).toBe(before[1]);
  });

  it('runs outside of the Angular zone, tools and operators too', () => {
    stage.scripted([answer('a')]);
    const zones: boolean[] = [];
    const chat = stage.chat({
      pipe: tap(() => {
        zones.push(NgZone.isInAngularZone());
      }),
    });
    TestBed.inject(NgZone).run(() => {
      chat.send('Hi');
    });
    stage.pass(50);
    expect(zones.length).toBeGreaterThan(0);
    expect(zones).not.toContain(true);
  });

  it('asks from an effect without becoming a question of its own', () => {
    const transport = stage.scripted([answer('a'), answer('b')]);
    const chat = stage.chat();
    TestBed.runInInjectionContext(() =>
      effect(() => {
        chat.send('Hi');
      }),
    );
    stage.pass(50);
    stage.pass(50);
    expect(transport.requests).toHaveLength(1);
  });
});

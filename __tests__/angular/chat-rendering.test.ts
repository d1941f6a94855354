import { createEnvironmentInjector, effect, EnvironmentInjector, Injector, NgZone } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { tap } from 'rxjs';
import { Answer } from '../../src/angular/answer.ts';
import type { ChatAssistantMessage, ChatMessage } from '../../src/angular/chat-message.ts';
import type { Chat } from '../../src/angular/chat-types.ts';
import { answer, type FakeStep } from '../../src/testing/exchange.ts';
import { call, last, said, toolOf, untilSent } from './support/chat.ts';
import { Stage } from './support/stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

const FRAME_MS = 16;

/** How many messages are made of answers: each is work, and each but the last of a frame for nothing. */
let made = 0;
const whole = Object.getOwnPropertyDescriptor(Answer.prototype, 'message')!;

beforeEach(() => {
  made = 0;
  Answer.prototype.message = function (this: Answer) {
    made += 1;
    return (whole.value as (this: Answer) => ChatAssistantMessage).call(this);
  };
});

afterEach(() => {
  Object.defineProperty(Answer.prototype, 'message', whole);
});

/** Every state of the messages that is shown, and when. */
function shownBy(chat: Chat): { at: number; messages: readonly ChatMessage[] }[] {
  const shown: { at: number; messages: readonly ChatMessage[] }[] = [];
  TestBed.runInInjectionContext(() => effect(() => shown.push({ at: stage.clock.now(), messages: chat.messages() })));
  TestBed.tick();
  return shown;
}

/** A millisecond after the other, as effects see it. */
function play(ms: number): void {
  for (let passed = 0; passed < ms; passed++) stage.pass(1);
}

const answerIn = (messages: readonly ChatMessage[]): ChatAssistantMessage => messages.at(-1) as ChatAssistantMessage;
const each = (count: number, afterMs: number): FakeStep[] =>
  Array.from({ length: count }, (_, n) => ({ afterMs, text: `${String(n)} ` }));

describe('an answer that comes evenly', () => {
  it('is shown once a frame, its beginning at once and its end for sure', () => {
    stage.scripted([answer(...each(100, 1))]);
    const chat = stage.chat();
    chat.send('Hi');
    const shown = shownBy(chat);
    play(130);
    const [asked, begun, ...later] = shown;
    expect([answerIn(asked!.messages).status, answerIn(begun!.messages).status]).toEqual(['connecting', 'streaming']);
    expect(begun!.at).toBeLessThanOrEqual(1);
    let before = begun!.at;
    // The end waits for no frame.
    for (const { at } of later.slice(0, -1)) {
      expect(at - before).toBeGreaterThanOrEqual(FRAME_MS - 1);
      before = at;
    }
    expect(later.length).toBeGreaterThanOrEqual(6);
    expect(answerIn(later.at(-1)!.messages)).toMatchObject({
      status: 'done',
      text: each(100, 1)
        .map(({ text }) => text)
        .join(''),
    });
    expect(stage.clock.pending).toBe(0);
  });

  it('is shown at once where it is slower than the frames, and not again while it says nothing', () => {
    stage.scripted([answer(...each(3, 100), { afterMs: 1_000 })]);
    const chat = stage.chat();
    chat.send('Hi');
    const shown = shownBy(chat);
    play(600);
    for (const [n, text] of ['0 ', '0 1 ', '0 1 2 '].entries()) {
      const first = shown.find(({ messages }) => answerIn(messages).text === text);
      expect(first!.at - 100 * (n + 1)).toBeLessThanOrEqual(FRAME_MS);
    }
    expect(shown.length).toBeLessThanOrEqual(5);
    expect(stage.clock.pending).toBe(1);
  });
});

it.each<[string, FakeStep, (chat: Chat) => void, string]>([
  ['at its end', { end: 'done' }, () => undefined, 'done'],
  ['at an error', { end: 'reset' }, () => undefined, 'error'],
  [
    'at stop()',
    { afterMs: 500 },
    (chat) => {
      chat.stop();
    },
    'stopped',
  ],
  [
    'at the next question',
    { afterMs: 500 },
    (chat) => {
      chat.send('And?');
    },
    'stopped',
  ],
])('loses no delta of its last frame %s', (_, end, leave, status) => {
  stage.scripted([answer({ text: 'a' }, { afterMs: 3, text: 'b' }, { text: 'c' }, end), answer()]);
  const chat = stage.chat();
  chat.send('Hi');
  stage.clock.advance(5);
  leave(chat);
  stage.clock.advance(FRAME_MS);
  expect(said(chat)[1]).toBe(`${status}: abc`);
});

describe('10,000 deltas in one burst', () => {
  const PIECES = Array.from({ length: 10_000 }, (_, n) => `${String(n)} `);

  it('are a few messages, and each is written once', () => {
    stage.scripted([answer(...PIECES)]);
    const chat = stage.chat();
    chat.send('Hi');
    const shown = shownBy(chat);
    play(50);
    expect(last(chat)).toMatchObject({ status: 'done', text: PIECES.join('') });
    expect(shown.length).toBeLessThanOrEqual(4);
    expect(made).toBeLessThanOrEqual(4);
  });

  it('are as few after a tool', async () => {
    const transport = stage.scripted([answer(...PIECES, call('c1')), answer(...PIECES)]);
    const chat = stage.chat({ tools: [toolOf(() => 'ok')] });
    chat.send('Hi');
    await untilSent(stage, transport, 2);
    expect(last(chat)).toMatchObject({
      status: 'done',
      parts: [{ type: 'text' }, { status: 'done' }, { type: 'text' }],
    });
    expect(made).toBeLessThanOrEqual(8);
  });
});

it('costs as many messages as it has frames, however long the conversation is', () => {
  const exchanges = Array.from({ length: 20 }, () => answer(...each(20, 10)));
  stage.scripted(exchanges);
  const chat = stage.chat();
  const counts = exchanges.map((_, n) => {
    made = 0;
    chat.send(String(n));
    stage.pass(300);
    return made;
  });
  expect(new Set(counts).size).toBe(1);
  expect(chat.messages()).toHaveLength(40);
});

it('works outside of the Angular zone, whose code asks', async () => {
  let zone = 'none';
  const within =
    (name: string) =>
    <T>(work: () => T): T => {
      const before = zone;
      zone = name;
      try {
        return work();
      } finally {
        zone = before;
      }
    };
  const angular = { run: within('angular'), runOutsideAngular: within('outside') };
  const seen = new Set<string>();
  const see = (): undefined => {
    seen.add(zone);
  };
  const transport = stage.scripted([answer('One', call('c1')), answer('Two')]);
  const providers = [{ provide: NgZone, useValue: angular }];
  const injector = createEnvironmentInjector(providers, TestBed.inject(EnvironmentInjector)).get(Injector);
  const chat = stage.chat({
    injector,
    system: see,
    params: see,
    tools: [toolOf(see)],
    pipe: tap({ subscribe: see, next: see, complete: see, finalize: see }),
  });
  angular.run(() => {
    chat.send('Hi');
  });
  expect([...seen]).toEqual(['outside']);
  await untilSent(stage, transport, 2);
  expect(last(chat).status).toBe('done');
  expect(seen).not.toContain('angular');
});

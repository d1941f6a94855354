import { catchError, concatMap, delay, EMPTY, map, of, tap, type MonoTypeOperatorFunction } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { fallbackTo } from '../../src/operators/fallback.ts';
import { timeoutCompletion } from '../../src/operators/timeout.ts';
import { fakeCompletion } from '../../src/testing/fake-completion.ts';
import { answer, httpError, type FakeExchange } from '../../src/testing/exchange.ts';
import { call, last, said, sent, toolOf, untilSent } from './support/chat.ts';
import { Stage } from './support/stage.ts';

type Pipe = MonoTypeOperatorFunction<CompletionEvent>;

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

const SLOW = answer({ afterMs: 10, text: 'One' }, { afterMs: 500, text: ' two' });
const isText = (event: CompletionEvent, text: string): boolean => event.type === 'text-delta' && event.text === text;
const failing = (error: unknown): Pipe =>
  map((event) => {
    if (isText(event, ' two')) throw error;
    return event;
  });

it.each<[string, FakeExchange, () => Pipe, readonly string[], string, unknown]>([
  ['that throws', SLOW, () => failing(new Error('no')), ['Hi', 'error: One'], 'error', new Error('no')],
  ['that throws no Error', SLOW, () => failing('no'), ['Hi', 'error: One'], 'error', new Error('no')],
  [
    'that takes its time',
    answer('One', ' two'),
    () => concatMap((event) => of(event).pipe(delay(30, stage.clock))),
    ['Hi', 'done: One two'],
    'ready',
    undefined,
  ],
  [
    'that loses patience',
    SLOW,
    () => timeoutCompletion({ outputMs: 100, scheduler: stage.clock }),
    ['Hi', 'error: One'],
    'error',
    expect.objectContaining({ kind: 'timeout', clock: 'output' }),
  ],
  [
    'that says nothing of an error',
    answer('One', { end: 'reset' }),
    () => catchError(() => EMPTY),
    ['Hi', 'stopped: One'],
    'ready',
    undefined,
  ],
  [
    'that answers otherwise',
    httpError(500),
    () => fallbackTo([fakeCompletion('a|', { a: 'Other' }, undefined, { scheduler: stage.clock }).events$('Hi')]),
    ['Hi', 'done: Other'],
    'ready',
    undefined,
  ],
])('an operator %s decides how the answer ends', (_, exchange, pipe, messages, status, error) => {
  const transport = stage.scripted([exchange]);
  const chat = stage.chat({ pipe: pipe() });
  chat.send('Hi');
  stage.pass(1_000);
  expect([said(chat), chat.status()]).toEqual([messages, status]);
  expect(chat.error()).toEqual(error);
  expect(transport.requests).toHaveLength(1);
  expect(transport.requests[0]?.outcome).not.toBe('pending');
  expect(stage.clock.pending).toBe(0);
});

it('an operator that throws aborts the request, and the next question tells of what had arrived', () => {
  const transport = stage.scripted([
    answer({ afterMs: 10, text: 'One' }, { afterMs: 50, text: ' two' }, { afterMs: 500, text: '!' }),
    answer('Fine'),
  ]);
  const chat = stage.chat({ pipe: failing(new Error('no')) });
  chat.send('Hi');
  stage.pass(100);
  expect(transport.requests).toMatchObject([{ outcome: 'aborted', endedAt: 60 }]);
  chat.send('And?');
  stage.pass(100);
  expect(sent(transport, 1)).toEqual([
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'One' },
    { role: 'user', content: 'And?' },
  ]);
  expect([chat.status(), last(chat).text]).toEqual(['ready', 'Fine']);
});

it('what an operator holds back had not arrived at stop()', () => {
  const transport = stage.scripted([answer('One', ' two', { afterMs: 500 }), answer('Fine')]);
  const chat = stage.chat({
    pipe: concatMap((event) => of(event).pipe(delay(isText(event, ' two') ? 100 : 0, stage.clock))),
  });
  chat.send('Hi');
  stage.pass(50);
  chat.stop();
  stage.pass(200);
  expect(said(chat)).toEqual(['Hi', 'stopped: One']);
  chat.send('And?');
  stage.pass(50);
  expect((sent(transport, 1) as unknown[])[1]).toEqual({ role: 'assistant', content: 'One' });
});

it('operators are around each answer by itself', () => {
  stage.scripted([answer('a'), answer('b')]);
  let subscriptions = 0;
  let ends = 0;
  const chat = stage.chat({ pipe: tap({ subscribe: () => (subscriptions += 1), finalize: () => (ends += 1) }) });
  expect(subscriptions).toBe(0);
  chat.send('Hi');
  stage.pass(50);
  expect([subscriptions, ends]).toEqual([1, 1]);
  chat.send('Hi');
  stage.pass(50);
  expect([subscriptions, ends]).toEqual([2, 2]);
});

it('operators are around each round of tools by itself, and change what is shown and told of it', async () => {
  const transport = stage.scripted([answer('One', call('c1')), answer('Two')]);
  const types: string[] = [];
  const chat = stage.chat({
    tools: [toolOf(() => 'ok')],
    pipe: map((event) => {
      types.push(event.type);
      return event.type === 'text-delta' ? { ...event, text: event.text.toUpperCase() } : event;
    }),
  });
  chat.send('Hi');
  await untilSent(stage, transport, 2);
  expect(types.filter((type) => !type.includes('delta'))).toEqual([
    'start',
    'tool-call-start',
    'tool-call',
    'finish',
    'start',
    'finish',
  ]);
  expect(last(chat)).toMatchObject({ text: 'ONE\n\nTWO', status: 'done' });
  expect(sent(transport, 1)).toMatchObject([{}, { content: 'ONE', tool_calls: [{ id: 'c1' }] }, { content: 'ok' }]);
});

import { map, type Observable, type OperatorFunction } from 'rxjs';
import type { CompletionEvent } from '../../src/index.ts';
import { accumulate } from '../../src/operators/accumulate.ts';
import { collect } from '../../src/operators/collect.ts';
import { measure, type CompletionMeasurement } from '../../src/operators/measure.ts';
import { reasoning, refusal, toolCalls, usage } from '../../src/operators/projections.ts';
import { text as textOf } from '../../src/operators/text.ts';
import { CLIENTS, HandClock, outcomeOf } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import {
  chunk,
  DONE,
  finish,
  hang,
  head,
  inTurn,
  json,
  say,
  script,
  stream,
  text,
  USAGE,
} from '../support/faults-steps.ts';
import { PROMPT } from '../support/faults-ways.ts';

const delta = (fields: object): string => chunk({ choices: [{ index: 0, delta: fields, finish_reason: null }] });
const call = (fields: object): string => delta({ tool_calls: [{ index: 0, ...fields }] });

/** Something for every projection, in one answer. */
const ANSWER = [
  delta({ reasoning_content: 'think' }),
  text('Hello, '),
  text('world'),
  delta({ refusal: 'but no' }),
  call({ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":' } }),
  call({ function: { arguments: '"it"}' } }),
  finish('tool_calls'),
  chunk({ choices: [], usage: USAGE }),
  DONE,
];

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({ answer: stream(...ANSWER), talking: script(head(), say(text('Hello')), hang) });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

describe.each(CLIENTS)('an answer over the $name transport', ({ client }) => {
  const events = (): Observable<CompletionEvent> => client(server.baseURL('answer')).events$(PROMPT);

  it.each<[string, OperatorFunction<CompletionEvent, unknown>, readonly unknown[]]>([
    ['reasoning', reasoning(), ['think']],
    ['refusal', refusal(), ['but no']],
    ['toolCalls', toolCalls(), [{ id: 'call_1', name: 'look', arguments: '{"at":"it"}' }]],
    ['usage', usage(), [USAGE]],
    ['collect', collect(), [{ choices: [{ message: { content: 'Hello, world' }, finish_reason: 'tool_calls' }] }]],
  ])('is seen through %s', async (_, operator, expected) => {
    const { values, completed } = await outcomeOf(events().pipe(operator));
    expect(values).toMatchObject(expected);
    expect(values).toHaveLength(expected.length);
    expect(completed).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  it('is seen through text as far as text can show it', async () => {
    const { values, error } = await outcomeOf(events().pipe(textOf()));
    expect(values.join('')).toBe('Hello, world');
    expect(error).toMatchObject({ kind: 'refusal', partial: { text: 'Hello, world', refusal: 'but no' } });
  });

  it('grows in accumulate, from connecting to done', async () => {
    const { values } = await outcomeOf(events().pipe(accumulate()));
    expect(values[0]).toMatchObject({ status: 'connecting', text: '' });
    expect(values.at(-1)).toMatchObject({
      status: 'done',
      text: 'Hello, world',
      reasoning: 'think',
      toolCalls: [{ id: 'call_1', arguments: '{"at":"it"}', whole: true }],
      finishReason: 'tool_calls',
      usage: USAGE,
    });
  });

  it('is measured: attempts, outputs, usage and times, on the scheduler that is given', async () => {
    const clock = new HandClock();
    const route = server.route('late', inTurn(json(503, { error: 'busy' }), stream(...ANSWER)));
    const hooks = {
      onRetry: ({ delayMs }: { readonly delayMs: number }) => {
        queueMicrotask(() => {
          clock.advance(delayMs);
        });
      },
    };
    const measured: CompletionMeasurement[] = [];
    const chat = client(route, { retry: { baseDelayMs: 70, jitter: 0 }, scheduler: clock, hooks });
    await outcomeOf(chat.events$(PROMPT).pipe(measure({ end: (it) => measured.push(it) }, { scheduler: clock })));
    expect(measured).toMatchObject([
      { ending: 'complete', timeToFirstOutputMs: 70, totalMs: 70, outputs: 8, attempts: 2, usage: USAGE },
    ]);
    expect(server.requests).toHaveLength(2);
  });

  it('that its consumer leaves is measured too, and aborted', async () => {
    const measured: CompletionMeasurement[] = [];
    const chat = client(server.baseURL('talking'));
    await new Promise<void>((resolve) => {
      const subscription = chat
        .events$(PROMPT)
        .pipe(
          measure({ end: (it) => measured.push(it) }),
          map(({ type }) => type),
        )
        .subscribe((type) => {
          if (type !== 'text-delta') return;
          subscription.unsubscribe();
          resolve();
        });
    });
    expect(await server.closed(0)).toBe('aborted');
    expect(measured).toMatchObject([{ ending: 'unsubscribe', outputs: 1, attempts: 1 }]);
  });
});

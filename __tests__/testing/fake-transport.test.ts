import { asyncScheduler, lastValueFrom, map, type Observable } from 'rxjs';
import { OpenAIChatCompletion, type ChatCompletionOptions, type CompletionEvent } from '../../src/index.ts';
import { PromiseChatCompletion } from '../../src/promises.ts';
import {
  answer,
  connectionFailure,
  fakeTransport,
  httpError,
  silence,
  type FakeAnswer,
  type FakeExchange,
  type FakeTransport,
} from '../../src/testing/index.ts';
import { errorOf, HandClock, outcomeOf, outcomeOfIterable } from '../support/client.ts';
import { marbles } from '../support/events.ts';

const USAGE = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };

interface Stage {
  readonly transport: FakeTransport;
  readonly chat: OpenAIChatCompletion;
}

function stage(exchanges: readonly FakeExchange[], options: ChatCompletionOptions = {}): Stage {
  const transport = fakeTransport(exchanges);
  return { transport, chat: new OpenAIChatCompletion({ transport, retry: false, ...options }) };
}

const typesOf = map((event: CompletionEvent) => event.type);
const ALIVE = { afterMs: 15, bytes: ': keep-alive\n\n' };
const saying = (text: string): unknown => expect.stringContaining(text);

describe('inside TestScheduler.run, the real client', () => {
  it('streams an answer in the times of its steps', () => {
    const step = (text: string) => ({ afterMs: 2, text });
    const { chat, transport } = stage([{ ...answer(step('a'), step('b'), { afterMs: 3 }), headersAfterMs: 1 }]);
    marbles(({ expectObservable }) => {
      expectObservable(chat.stream$('Hi')).toBe('---a-b--|');
    });
    expect(transport.requests).toMatchObject([{ sentAt: 0, outcome: 'ended', endedAt: 8 }]);
  });

  it('gives a whole answer when its last step is due', () => {
    const exchange = answer({ afterMs: 2, text: 'a' }, { afterMs: 2, text: 'b' }, { afterMs: 1, usage: USAGE });
    const { chat, transport } = stage([exchange, exchange]);
    marbles(({ expectObservable }) => {
      expectObservable(chat.generate$('Hi')).toBe('-----(x|)', { x: 'ab' });
      expectObservable(chat.completion$('Hi').pipe(map(({ usage }) => usage))).toBe('-----(x|)', { x: USAGE });
    });
    expect(transport.requests.map(({ body }) => body['stream'])).toEqual([false, false]);
  });

  it('retries after its pauses', () => {
    const busy = httpError(429, { afterMs: 5, headers: { 'retry-after': '2' } });
    const { chat, transport } = stage([busy, connectionFailure({ afterMs: 1 }), answer('a')], { retry: { jitter: 0 } });
    marbles(({ expectObservable }) => {
      expectObservable(chat.stream$('Hi')).toBe('3006ms (a|)');
    });
    expect(transport.requests.map(({ sentAt }) => sentAt)).toEqual([0, 2005, 3006]);
    transport.verify();
  });

  it('begins anew after output if it is told to', () => {
    const { chat } = stage([answer('a', { afterMs: 3, end: 'reset' }), answer('b')], {
      retry: { mode: 'restart', jitter: 0 },
    });
    const letters = map(({ type }: CompletionEvent) => (type === 'text-delta' ? 't' : (type[0] ?? '')));
    const all = { x: 's', y: 't', z: 'r', f: 'f' };
    marbles(({ expectObservable }) => {
      expectObservable(chat.events$('Hi').pipe(letters)).toBe('(xy) 499ms (zxyf|)', all);
    });
  });

  it.each([
    ['connect', silence(), '30ms #', 30],
    ['idle', answer('a', { end: 'hang' }), 'x 19ms #', 20],
    ['output', answer('a', ALIVE, ALIVE, ALIVE, ALIVE, { end: 'hang' }), 'x 39ms #', 40],
    ['total', answer('a', ...Array.from({ length: 9 }, () => ({ afterMs: 15, text: 'a' }))), undefined, 50],
  ] as const)('runs out of time by its clock for %s', (clock, exchange, diagram, at) => {
    const timeout = { connectMs: 30, idleMs: 20, outputMs: 40, totalMs: 50 };
    const { chat, transport } = stage([exchange], { timeout });
    marbles(({ expectObservable }) => {
      const failed$ = chat.stream$('Hi').pipe(map(() => 'x'));
      const expected = diagram ?? 'x 14ms x 14ms x 14ms x 4ms #';
      expectObservable(failed$).toBe(expected, undefined, expect.objectContaining({ kind: 'timeout', clock }));
    });
    expect(transport.requests).toMatchObject([{ outcome: 'aborted', endedAt: at }]);
  });

  it('aborts when it is unsubscribed, before the headers and after', () => {
    const slow = { ...answer({ afterMs: 9, text: 'a' }), headersAfterMs: 4 };
    const { chat, transport } = stage([slow, slow]);
    marbles(({ expectObservable }) => {
      expectObservable(chat.stream$('Hi'), '^-!').toBe('-');
      expectObservable(chat.stream$('Hi'), '^ 9ms !').toBe('-');
    });
    expect(transport.requests).toMatchObject([
      { outcome: 'aborted', endedAt: 2 },
      { outcome: 'aborted', endedAt: 10 },
    ]);
  });

  it('leaves from inside next, in the middle of a burst', () => {
    const { chat, transport } = stage([answer('a', 'b', 'c')]);
    const seen: string[] = [];
    marbles(() => {
      const subscription = chat.stream$('Hi').subscribe((text) => {
        seen.push(text);
        subscription.unsubscribe();
      });
    });
    expect(seen).toEqual(['a']);
    expect(transport.requests).toMatchObject([{ outcome: 'aborted' }]);
  });
});

describe('the times of a script', () => {
  it('run on the scheduler that is given', () => {
    const scheduler = new HandClock(100);
    const transport = fakeTransport([answer({ afterMs: 20, text: 'a' }, { afterMs: 20, text: 'b' })], { scheduler });
    const chat = new OpenAIChatCompletion({ transport, scheduler });
    const seen: string[] = [];
    chat.stream$('Hi').subscribe({ next: (text) => seen.push(text), complete: () => seen.push('|') });
    scheduler.advance(20);
    expect(seen).toEqual(['a']);
    scheduler.advance(20);
    expect(seen).toEqual(['a', 'b', '|']);
    expect(transport.requests).toMatchObject([{ sentAt: 100, endedAt: 140 }]);
    expect(scheduler.pending).toBe(0);
  });

  it('run on the fake timers of a test runner, without a microtask', () => {
    jest.useFakeTimers();
    try {
      const { chat } = stage([answer({ afterMs: 20, text: 'a' }, { afterMs: 20, text: 'b' })]);
      const seen: string[] = [];
      chat.stream$('Hi').subscribe({ next: (text) => seen.push(text), complete: () => seen.push('|') });
      jest.advanceTimersByTime(19);
      expect(seen).toEqual([]);
      jest.advanceTimersByTime(1);
      expect(seen).toEqual(['a']);
      jest.advanceTimersByTime(20);
      expect(seen).toEqual(['a', 'b', '|']);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it.each(['stream$', 'generate$', 'completion$', 'events$', 'chunks$'] as const)(
    'never make %s answer inside subscribe, as no network does',
    async (method) => {
      const seen: string[] = [];
      const { chat } = stage([answer('a')]);
      const done = new Promise<void>((resolve) => {
        (chat[method]('Hi') as Observable<unknown>).subscribe({ next: () => seen.push('value'), complete: resolve });
      });
      expect(seen).toEqual([]);
      await done;
      expect(seen).not.toEqual([]);
    },
  );

  it('are those of the real clock without one', async () => {
    const { chat, transport } = stage([answer('Hello', ' world')]);
    expect(await outcomeOf(chat.stream$('Hi'))).toEqual({ values: ['Hello', ' world'], completed: true });
    expect(transport.requests[0]?.sentAt).toBeCloseTo(asyncScheduler.now(), -4);
  });

  it('carry the facade, which reads at its own pace', async () => {
    const { chat, transport } = stage([answer('a', 'b'), answer('a', 'b'), answer('a', 'b')]);
    const promises = new PromiseChatCompletion(chat);
    expect(await promises.generateCompletion('Hi')).toBe('ab');
    expect(await outcomeOfIterable(promises.streamCompletion('Hi'))).toEqual({ values: ['a', 'b'], completed: true });
    for await (const text of promises.streamCompletion('Hi')) {
      expect(text).toBe('a');
      break;
    }
    // A network has no break that comes too late either: all was sent before it was read.
    expect(transport.requests.map(({ outcome }) => outcome)).toEqual(['ended', 'ended', 'ended']);
  });
});

describe('what a step says', () => {
  const eventsOf = async (...steps: FakeAnswer['steps']): Promise<readonly CompletionEvent[]> =>
    (await outcomeOf(stage([answer(...steps)]).chat.events$('Hi', { n: 2 }))).values;

  it('is a delta, and the answer around it is that of the model asked', async () => {
    expect(await eventsOf({ text: '' }, 'Hello', { usage: USAGE })).toEqual([
      { type: 'start', id: 'chatcmpl-1', model: 'gpt-4o-mini', created: 0, attempt: 1 },
      { type: 'text-delta', choice: 0, text: 'Hello' },
      { type: 'finish', choice: 0, reason: 'stop' },
      { type: 'usage', usage: USAGE },
    ]);
  });

  it('is reasoning, refusal, another choice, a reason to finish', async () => {
    const events = await eventsOf(
      { reasoning: 'hm' },
      { choice: 1, text: 'a' },
      { refusal: 'no' },
      { choice: 1, finish: 'length' },
    );
    expect(events.slice(1)).toEqual([
      { type: 'reasoning-delta', choice: 0, text: 'hm', field: 'reasoning_content' },
      { type: 'text-delta', choice: 1, text: 'a' },
      { type: 'refusal-delta', choice: 0, text: 'no' },
      { type: 'finish', choice: 0, reason: 'stop' },
      { type: 'finish', choice: 1, reason: 'length' },
    ]);
  });

  it('is a tool call, whole or in pieces', async () => {
    const events = await eventsOf(
      { toolCall: { name: 'now', arguments: '{}' } },
      { toolCall: { name: 'add', arguments: '{"a"', id: 'x' } },
      { toolCall: { arguments: ':1}' } },
    );
    expect(events.filter(({ type }) => type === 'tool-call' || type === 'finish')).toEqual([
      { type: 'tool-call', choice: 0, index: 0, id: 'call_1', name: 'now', arguments: '{}' },
      { type: 'tool-call', choice: 0, index: 1, id: 'x', name: 'add', arguments: '{"a":1}' },
      { type: 'finish', choice: 0, reason: 'tool_calls' },
    ]);
  });

  it('is a chunk of its own, whose choices count', async () => {
    const own = { service_tier: 'flex', choices: [{ index: 1, delta: { content: 'a' }, finish_reason: 'stop' }] };
    expect((await eventsOf({ chunk: own })).slice(1)).toEqual([
      { type: 'extra', scope: 'completion', fields: { service_tier: 'flex' } },
      { type: 'text-delta', choice: 1, text: 'a' },
      { type: 'finish', choice: 1, reason: 'stop' },
    ]);
    const call = { index: 0, id: 'x', function: { name: 'f', arguments: '{}' } };
    const calling = { choices: [{ delta: { tool_calls: [call] } }] };
    expect((await eventsOf({ chunk: calling })).at(-1)).toEqual({ type: 'finish', choice: 0, reason: 'tool_calls' });
  });

  it('is an error in the stream', async () => {
    const { chat } = stage([answer('a', { chunk: { error: { message: 'overloaded', code: 503 } } })]);
    expect(await errorOf(chat.stream$('Hi'))).toMatchObject({ kind: 'server', partial: { text: 'a' } });
  });

  it('is bytes, which are all there is of an answer that has nothing else', async () => {
    const page = answer({ bytes: '{"a":' }, { bytes: new TextEncoder().encode('1}') });
    const { chat } = stage([page, page, answer({ bytes: 'data: [DONE]\n\n' })]);
    for (const answer$ of [chat.stream$('Hi'), chat.generate$('Hi')]) {
      expect(await errorOf(answer$)).toMatchObject({
        kind: 'protocol',
        message: saying('{"a":1}'),
      });
    }
    expect(await outcomeOf(chat.stream$('Hi'))).toEqual({ values: [], completed: true });
  });

  it('is usage only if it is asked for', async () => {
    const { chat } = stage([answer({ usage: USAGE }), answer({ usage: USAGE })]);
    const typesWith = async (include_usage: boolean): Promise<readonly string[]> =>
      (await outcomeOf(chat.events$('Hi', { stream_options: { include_usage } }).pipe(typesOf))).values;
    expect(await typesWith(true)).toEqual(['start', 'finish', 'usage']);
    expect(await typesWith(false)).toEqual(['start', 'finish']);
  });

  it('has the id, model and time of the exchange', async () => {
    const exchange = { ...answer('a'), id: 'x', model: 'm', created: 7, headers: { 'x-request-id': 'r' } };
    const { chat } = stage([exchange, exchange]);
    expect((await outcomeOf(chat.events$('Hi'))).values[0]).toMatchObject({
      id: 'x',
      model: 'm',
      created: 7,
      requestId: 'r',
    });
    expect(await lastValueFrom(chat.completion$('Hi'))).toEqual({
      id: 'x',
      object: 'chat.completion',
      created: 7,
      model: 'm',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'a', refusal: null },
          finish_reason: 'stop',
          logprobs: null,
        },
      ],
    });
  });

  it('is also what a request without a stream gets', async () => {
    const { chat } = stage([answer({ toolCall: { name: 'now', arguments: '{}' } }), answer({ refusal: 'no' })]);
    expect(await errorOf(chat.generate$('Hi'))).toMatchObject({
      kind: 'tool',
      partial: { toolCalls: [{ name: 'now' }] },
    });
    expect(await errorOf(chat.generate$('Hi'))).toMatchObject({ kind: 'refusal', partial: { refusal: 'no' } });
  });
});

describe('an end that is none', () => {
  it.each(['close', 'reset'] as const)('%s is interrupted, with what had come', async (end) => {
    const exchange = answer('Hello', { afterMs: 1, end });
    const { chat, transport } = stage([exchange, exchange, answer({ end })]);
    expect(await errorOf(chat.stream$('Hi'))).toMatchObject({
      kind: 'interrupted',
      retryable: true,
      partial: { text: 'Hello' },
    });
    expect(await errorOf(chat.generate$('Hi'))).toMatchObject({ kind: 'interrupted' });
    expect(await errorOf(chat.generate$('Hi'))).toMatchObject({ kind: 'interrupted' });
    expect(transport.requests.map(({ outcome }) => outcome)).toEqual(['ended', 'ended', 'ended']);
  });

  it('hang never comes', () => {
    const exchange = answer('a', { end: 'hang' });
    const { chat, transport } = stage([exchange, exchange], { timeout: false });
    marbles(({ expectObservable }) => {
      expectObservable(chat.stream$('Hi')).toBe('a');
      expectObservable(chat.generate$('Hi')).toBe('-');
    });
    expect(transport.requests.map(({ outcome }) => outcome)).toEqual(['pending', 'pending']);
  });
});

describe('an HTTP error', () => {
  it.each([
    [httpError(401), { kind: 'authentication', status: 401, message: saying('fake server answers 401') }],
    [httpError(429, { error: { code: 'insufficient_quota' } }), { kind: 'quota', code: 'insufficient_quota' }],
    [httpError(503, { headers: { 'x-should-retry': 'false' } }), { kind: 'server', retryable: false }],
    [
      httpError(400, { error: { message: 'too hot', param: 'temperature' } }),
      { kind: 'bad-request', param: 'temperature' },
    ],
    [httpError(502, { body: '<h1>Bad gateway</h1>' }), { kind: 'server', message: saying('Bad gateway') }],
    [httpError(302, { headers: { location: 'https://else.test/' } }), { kind: 'redirect' }],
    [connectionFailure(), { kind: 'connection', code: 'ECONNREFUSED', retryable: true }],
    [connectionFailure({ code: 'ECONNRESET' }), { kind: 'connection', code: 'ECONNRESET' }],
  ])('%j is the error it would be', async (exchange, expected) => {
    const { chat, transport } = stage([exchange, exchange]);
    expect(await errorOf(chat.stream$('Hi', { temperature: 1 }))).toMatchObject(expected);
    expect(await errorOf(chat.generate$('Hi', { temperature: 1 }))).toMatchObject(expected);
    expect(transport.requests).toMatchObject([{ outcome: 'ended' }, { outcome: 'ended' }]);
  });
});

describe('what the server saw', () => {
  it('is the body and the headers, those of hooks included', async () => {
    const { chat, transport } = stage([answer()], {
      apiKey: 'sk-test',
      headers: { 'X-One': '1' },
      hooks: { onRequest: () => ({ 'x-two': '2' }) },
    });
    await outcomeOf(chat.stream$('Hi', { temperature: 0 }));
    expect(transport.requests).toMatchObject([
      {
        index: 0,
        body: { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hi' }], stream: true, temperature: 0 },
        headers: { authorization: 'Bearer sk-test', 'x-one': '1', 'x-two': '2', 'content-type': 'application/json' },
      },
    ]);
  });

  it('tells hooks as a network would', async () => {
    const told: unknown[] = [];
    const { chat } = stage([httpError(503), answer()], {
      retry: { baseDelayMs: 0 },
      hooks: {
        onRequest: ({ attempt }) => void told.push(['request', attempt]),
        onResponse: ({ status }) => told.push(['response', status]),
        onRetry: ({ attempt }) => told.push(['retry', attempt]),
      },
    });
    await outcomeOf(chat.stream$('Hi'));
    expect(told).toEqual([
      ['request', 1],
      ['response', 503],
      ['retry', 2],
      ['request', 2],
      ['response', 200],
    ]);
  });

  it('is nothing when a hook stops the request, whose exchange is the next one’s', async () => {
    let attempts = 0;
    const { chat, transport } = stage([answer('a')], {
      hooks: {
        onRequest: () => {
          if (attempts++ === 0) throw new Error('stop');
        },
      },
    });
    expect((await outcomeOf(chat.stream$('Hi'))).error).toEqual(new Error('stop'));
    expect(transport.requests).toEqual([]);
    expect((await outcomeOf(chat.stream$('Hi'))).values).toEqual(['a']);
  });
});

describe('a script', () => {
  it('may be a function of the request', async () => {
    const transport = fakeTransport(({ body, index }) =>
      answer(`${String(index)} ${JSON.stringify(body['messages'])}`),
    );
    const chat = new OpenAIChatCompletion({ transport });
    await outcomeOf(chat.stream$('one'));
    expect((await outcomeOf(chat.generate$('two'))).values).toEqual(['1 [{"role":"user","content":"two"}]']);
    transport.verify();
  });

  it('ends the call with what its function throws, and is not asked again', async () => {
    const thrown = new Error('unexpected prompt');
    const transport = fakeTransport(() => {
      throw thrown;
    });
    const chat = new OpenAIChatCompletion({ transport });
    expect((await outcomeOf(chat.stream$('Hi'))).error).toBe(thrown);
    expect(() => {
      transport.verify();
    }).toThrow(thrown);
  });

  it('that is too short is an error that says so, and that verify remembers', async () => {
    const { chat, transport } = stage([httpError(500)], { retry: { baseDelayMs: 0 } });
    const expected = {
      kind: 'configuration',
      message: saying('request 2 came, and the script has 1 exchange;'),
    };
    expect(await errorOf(chat.stream$('Hi'))).toMatchObject(expected);
    expect(transport.requests.map(({ outcome }) => outcome)).toEqual(['ended', 'unanswered']);
    expect(() => {
      transport.verify();
    }).toThrow('request 2 came, and the script has 1 exchange;');
  });

  it('that is too long is what verify finds', async () => {
    const { chat, transport } = stage([answer(), answer()]);
    await outcomeOf(chat.stream$('Hi'));
    expect(() => {
      transport.verify();
    }).toThrow('the script has 2 exchanges, and 1 requests came');
  });
});

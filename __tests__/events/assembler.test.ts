import { Assembler } from '../../src/events/assembler.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { chunk, delta, eventsOf, finished, only, USAGE } from '../support/chunks.ts';

const END = finished();
const START = { type: 'start', id: 'chatcmpl-1', model: 'gpt-test', created: 1_700_000_000, attempt: 1 };
const FINISH = { type: 'finish', choice: 0, reason: 'stop' };

const typesOf = (events: readonly CompletionEvent[]): readonly string[] => events.map(({ type }) => type);

describe('start', () => {
  it('comes first and once, with what chunk and response say', () => {
    const events: CompletionEvent[] = [];
    const rateLimit = { remainingRequests: 7 };
    const assembler = new Assembler({ attempt: 3, requestId: 'req_1', rateLimit });
    const emit = (event: CompletionEvent): void => {
      events.push(event);
    };
    assembler.add(chunk({ choices: [{ index: 0, delta: { content: 'a' } }], system_fingerprint: 'fp_1' }), emit);
    expect(events).toEqual([
      { ...START, attempt: 3, requestId: 'req_1', rateLimit, systemFingerprint: 'fp_1' },
      { type: 'text-delta', choice: 0, text: 'a' },
    ]);
    assembler.add(delta('b'), emit);
    assembler.finish(emit);
    expect(only(events, 'start')).toHaveLength(1);
  });

  it('waits for the chunk that knows the id: Azure begins with filter results and an empty one', () => {
    const filters = [{ prompt_index: 0, content_filter_results: { hate: { filtered: false } } }];
    const prelude = chunk({ id: '', model: '', created: 0, object: '', choices: [], prompt_filter_results: filters });
    const events = eventsOf([prelude, delta('a'), END]);
    expect(events.slice(0, 3)).toEqual([
      START,
      { type: 'extra', scope: 'completion', fields: { prompt_filter_results: filters } },
      { type: 'text-delta', choice: 0, text: 'a' },
    ]);
  });

  it('comes with the first chunk that has an id, though it has no choice', () => {
    const told = (fields: Record<string, unknown>): readonly string[] => {
      const types: string[] = [];
      new Assembler({ attempt: 1 }).add(chunk(fields), ({ type }) => types.push(type));
      return types;
    };
    expect(told({ note: 'x' })).toEqual(['start', 'extra']);
    expect(told({ note: 'x', id: '' })).toEqual([]);
    expect(told({ note: 'x', id: 5 })).toEqual([]);
  });

  it.each([
    ['no field at all', { id: undefined, model: undefined, created: undefined }],
    ['null', { id: null, model: null, created: null, system_fingerprint: null }],
    ['other types', { id: 1, model: {}, created: 'now', system_fingerprint: 5 }],
  ])('stands in for %s', (_name, fields) => {
    const [start] = eventsOf([chunk({ choices: [{ index: 0, delta: { content: 'a' } }], ...fields })]);
    expect(start).toEqual({ type: 'start', id: '', model: '', created: 0, attempt: 1 });
  });

  it('comes even if the stream ended at once', () => {
    expect(eventsOf([])).toEqual([{ type: 'start', id: '', model: '', created: 0, attempt: 1 }]);
    const late = eventsOf([chunk({ id: '', note: 'x' }), chunk({ id: '', usage: USAGE })]);
    expect(typesOf(late)).toEqual(['start', 'extra', 'usage']);
  });
});

describe('choices', () => {
  it.each([[null], [undefined], [[]], ['none'], [[null, 'x', 1]]])('that are %j say nothing', (choices) => {
    expect(typesOf(eventsOf([delta('a'), chunk({ choices }), END]))).toEqual(['start', 'text-delta', 'finish']);
  });

  it('without index, role, delta or finish reason are understood', () => {
    const bare = chunk({ choices: [{ delta: { content: 'a' } }] });
    expect(
      eventsOf([bare, chunk({ choices: [{ index: 0 }] }), chunk({ choices: [{ delta: null }] })]).slice(1),
    ).toEqual([
      { type: 'text-delta', choice: 0, text: 'a' },
      { ...FINISH, reason: null },
    ]);
  });

  it('with a message instead of a delta are understood', () => {
    const whole = chunk({
      choices: [{ index: 0, message: { role: 'assistant', content: 'a' }, finish_reason: 'stop' }],
    });
    expect(eventsOf([whole])).toEqual([START, { type: 'text-delta', choice: 0, text: 'a' }, FINISH]);
  });

  it('are told apart by index, interleaved and in one chunk, and finish in the order they began', () => {
    const both = chunk({
      choices: [
        { index: 1, delta: { content: 'b1' } },
        { index: 0, delta: { content: 'a1' } },
      ],
    });
    const events = eventsOf([both, delta('a2', 0), delta('b2', 1), finished('stop', 0), finished('length', 1)]);
    expect(events.slice(1)).toEqual([
      { type: 'text-delta', choice: 1, text: 'b1' },
      { type: 'text-delta', choice: 0, text: 'a1' },
      { type: 'text-delta', choice: 0, text: 'a2' },
      { type: 'text-delta', choice: 1, text: 'b2' },
      { type: 'finish', choice: 1, reason: 'length' },
      { type: 'finish', choice: 0, reason: 'stop' },
    ]);
  });

  it('may have any index', () => {
    for (const index of [-1, 2 ** 40]) {
      expect(only(eventsOf([delta('a', index)]), 'text-delta')).toEqual([
        { type: 'text-delta', choice: index, text: 'a' },
      ]);
    }
    for (const index of ['__proto__', 'constructor', 1.5, {}, null]) {
      const odd = chunk({ choices: [{ index, delta: { content: 'a' } }] });
      expect(only(eventsOf([odd]), 'text-delta')).toEqual([{ type: 'text-delta', choice: 0, text: 'a' }]);
    }
  });
});

describe('finish', () => {
  it('comes at the end, after content that came late', () => {
    expect(eventsOf([delta('a'), END, delta('b'), finished(null), delta('')]).slice(1)).toEqual([
      { type: 'text-delta', choice: 0, text: 'a' },
      { type: 'text-delta', choice: 0, text: 'b' },
      FINISH,
    ]);
  });

  it.each<[string, readonly (string | null)[], string | null]>([
    ['the reason', ['stop'], 'stop'],
    ['the reason that says most, in either order', ['stop', 'tool_calls'], 'tool_calls'],
    ['the reason that says most, in the other order', ['tool_calls', 'stop'], 'tool_calls'],
    ['length after stop', ['stop', 'length'], 'length'],
    ['one reason, however often it is said', ['stop', 'stop', 'stop'], 'stop'],
    ['the reason before an empty one', ['stop', '', null], 'stop'],
    ['null where only empty ones came', ['', null], null],
    ['a reason of the server’s own', ['eos'], 'eos'],
  ])('has %s', (_name, reasons, expected) => {
    const events = eventsOf([delta('a'), ...reasons.map((reason) => finished(reason))]);
    expect(only(events, 'finish')).toEqual([{ type: 'finish', choice: 0, reason: expected }]);
  });

  it('ignores a reason that is no text', () => {
    const events = eventsOf([chunk({ choices: [{ index: 0, delta: {}, finish_reason: { code: 1 } }] })]);
    expect(only(events, 'finish')).toEqual([{ type: 'finish', choice: 0, reason: null }]);
  });
});

describe('usage', () => {
  const RUNNING = { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 };

  it.each([
    ['in a chunk of its own', [END, chunk({ usage: USAGE })]],
    ['in a chunk with choices: null', [END, chunk({ usage: USAGE, choices: null })]],
    ['on the finish chunk', [{ ...END, usage: USAGE }]],
    ['in the first chunk', [chunk({ usage: USAGE }), END]],
    [
      'in every chunk: the last stands',
      [
        { ...delta('b'), usage: RUNNING },
        { ...END, usage: USAGE },
      ],
    ],
    [
      'before chunks where it is null',
      [
        { ...END, usage: USAGE },
        { ...delta(''), usage: null },
      ],
    ],
    ['before chunks where it is no object', [{ ...END, usage: USAGE }, chunk({ usage: [] })]],
    ['in x_groq', [{ ...END, x_groq: { id: 'req', usage: USAGE } }]],
    ['in x_groq, before one without', [{ ...END, x_groq: { usage: USAGE } }, chunk({ x_groq: { id: 'req' } })]],
    ['in the choice', [chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage: USAGE }] })]],
    [
      'in the choice of every chunk: the last stands',
      [
        chunk({ choices: [{ index: 0, delta: {}, usage: RUNNING }] }),
        chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage: USAGE }] }),
      ],
    ],
    ['rather in its own place than in x_groq', [{ ...END, x_groq: { usage: RUNNING } }, chunk({ usage: USAGE })]],
  ])('is the last event: %s', (_name, chunks) => {
    const events = eventsOf([delta('a'), ...(chunks as ReturnType<typeof chunk>[])]);
    expect(events.slice(-2)).toEqual([FINISH, { type: 'usage', usage: USAGE }]);
    expect(only(events, 'usage')).toHaveLength(1);
  });

  it.each([[null], [undefined], [5], ['8'], [[]]])('that is %j is none', (usage) => {
    const expected = ['start', 'text-delta', 'finish'];
    expect(typesOf(eventsOf([delta('a'), { ...END, usage } as typeof END]))).toEqual(expected);
    expect(typesOf(eventsOf([delta('a'), chunk({ choices: [{ index: 0, usage }] })]))).toEqual(expected);
  });
});

describe('what no other event carries', () => {
  const extras = (...chunks: readonly ReturnType<typeof chunk>[]): readonly unknown[] =>
    only(eventsOf(chunks), 'extra').map(({ type: _type, ...rest }) => rest);

  it('is told with its place: completion, choice or message', () => {
    const given = chunk({
      provider: 'p',
      choices: [{ index: 1, seed: 5, delta: { audio: { id: 'a' }, content: 'x' } }],
    });
    expect(extras(given)).toEqual([
      { scope: 'completion', fields: { provider: 'p' } },
      { scope: 'message', choice: 1, fields: { audio: { id: 'a' } } },
      { scope: 'choice', choice: 1, fields: { seed: 5 } },
    ]);
  });

  it('leaves out null, OpenAI’s padding, and roles', () => {
    const given = chunk({
      provider: null,
      obfuscation: 'x7',
      choices: [{ index: 0, a: null, delta: { role: 'assistant', b: null } }],
    });
    expect(extras(given)).toEqual([]);
  });

  it('keeps 0, false and empty texts', () => {
    expect(extras(chunk({ a: 0, b: false, c: '', choices: [{ index: 0, d: 0, delta: { e: '' } }] }))).toEqual([
      { scope: 'completion', fields: { a: 0, b: false, c: '' } },
      { scope: 'message', choice: 0, fields: { e: '' } },
      { scope: 'choice', choice: 0, fields: { d: 0 } },
    ]);
  });

  it('tells the service tier when it changes, not in every chunk', () => {
    const tier = (service_tier: unknown): ReturnType<typeof chunk> => chunk({ service_tier });
    expect(extras(tier(null), tier('auto'), tier('auto'), tier('default'), tier(null), tier('default'))).toEqual([
      { scope: 'completion', fields: { service_tier: 'auto' } },
      { scope: 'completion', fields: { service_tier: 'default' } },
    ]);
  });

  it('is harmless whatever its names', () => {
    const json =
      '{"id":"x","__proto__":{"a":1},"choices":[{"index":0,"__proto__":{"b":1},"delta":{"__proto__":{"c":1},"constructor":"d"}}]}';
    const found = only(eventsOf([JSON.parse(json) as ReturnType<typeof chunk>]), 'extra');
    expect(found.map(({ fields }) => Object.entries(fields))).toEqual([
      [['__proto__', { a: 1 }]],
      [
        ['__proto__', { c: 1 }],
        ['constructor', 'd'],
      ],
      [['__proto__', { b: 1 }]],
    ]);
    for (const { fields } of found) expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
    for (const key of ['a', 'b', 'c']) expect(key in {}).toBe(false);
  });
});

describe('the partial', () => {
  it('has everything that had arrived of a choice', () => {
    const assembler = new Assembler({ attempt: 1 });
    const fields = [
      { content: 'a' },
      { reasoning: 'r' },
      { refusal: 'n' },
      { content: 'b' },
      { content: [{ type: 'text', text: 'c' }] },
    ];
    for (const each of fields) assembler.add(delta(each, 1), () => undefined);
    expect(assembler.partial(1)).toEqual({ text: 'abc', reasoning: 'r', refusal: 'n', toolCalls: [] });
    expect(assembler.partial()).toEqual({ text: '', reasoning: '', refusal: '', toolCalls: [] });
  });

  it('stays as it was when more arrives', () => {
    const assembler = new Assembler({ attempt: 1 });
    assembler.add(delta('a'), () => undefined);
    const before = assembler.partial();
    for (let count = 0; count < 3000; count++) assembler.add(delta('b'), () => undefined);
    expect(before.text).toBe('a');
    expect(assembler.partial().text).toBe(`a${'b'.repeat(3000)}`);
  });
});

import { Collector } from '../../src/events/collector.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { calls, chunk, delta, eventsOf, finished, USAGE } from '../support/chunks.ts';

function collect(events: readonly CompletionEvent[]): Collector {
  const collector = new Collector();
  for (const event of events) collector.add(event);
  return collector;
}

const TOKEN = { token: 'a', logprob: -0.5, bytes: [97], top_logprobs: [] };
const EVERYTHING = [
  chunk({
    provider: { name: 'p' },
    system_fingerprint: 'fp_1',
    choices: [{ index: 0, delta: { content: 'a', audio: { data: 'A' } }, logprobs: { content: [TOKEN] } }],
  }),
  delta({ content: 'b', audio: { data: 'B' }, reasoning: 'r', annotations: [{ url: 'u' }] }),
  calls({ index: 0, id: 'x', function: { name: 'f', arguments: '{}' }, extra_content: { sign: 's' } }),
  chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls', filter: { hate: 'low' } }], usage: USAGE }),
];

describe('a collected completion', () => {
  it('has everything in its place', () => {
    expect(collect(eventsOf(EVERYTHING)).toCompletion()).toEqual({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'gpt-test',
      system_fingerprint: 'fp_1',
      provider: { name: 'p' },
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'ab',
            refusal: null,
            reasoning: 'r',
            audio: { data: 'AB' },
            annotations: [{ url: 'u' }],
            tool_calls: [
              { id: 'x', type: 'function', function: { name: 'f', arguments: '{}' }, extra_content: { sign: 's' } },
            ],
          },
          finish_reason: 'tool_calls',
          logprobs: { content: [TOKEN], refusal: null },
          filter: { hate: 'low' },
        },
      ],
      usage: USAGE,
    });
  });

  it('is there at any time, as far as it came', () => {
    expect(new Collector().toCompletion()).toEqual({
      id: '',
      object: 'chat.completion',
      created: 0,
      model: '',
      choices: [],
    });
    expect(collect(eventsOf([delta('a')]).slice(0, 2)).toCompletion().choices).toEqual([
      { index: 0, message: { role: 'assistant', content: 'a', refusal: null }, finish_reason: null, logprobs: null },
    ]);
  });

  it('has its choices in the order of their indexes', () => {
    const { choices } = collect(eventsOf([delta('c', 10), delta('b', 2), delta('a', 0)])).toCompletion();
    expect(choices.map(({ index, message }) => [index, message.content])).toEqual([
      [0, 'a'],
      [2, 'b'],
      [10, 'c'],
    ]);
  });

  it('begins anew after a restart', () => {
    const collector = collect(eventsOf(EVERYTHING));
    collector.add({ type: 'restart', attempt: 2, cause: undefined, discarded: 2 });
    for (const event of eventsOf([delta('new', 1), finished('stop', 1)])) collector.add(event);
    const completion = collector.toCompletion();
    expect(completion.choices.map(({ index, message }) => [index, message.content])).toEqual([[1, 'new']]);
    expect(completion).not.toHaveProperty('usage');
    expect(completion).not.toHaveProperty('provider');
    expect(completion).not.toHaveProperty('system_fingerprint');
  });

  it('gives reasoning back under the name it came in', () => {
    const message = (fields: Record<string, unknown>): unknown =>
      collect(eventsOf([delta(fields)])).toCompletion().choices[0]?.message;
    expect(message({ reasoning: 'r' })).toEqual({ role: 'assistant', content: null, refusal: null, reasoning: 'r' });
    expect(message({ reasoning_content: 'r' })).toMatchObject({ reasoning_content: 'r' });
    expect(message({ reasoning_content: 'r' })).not.toHaveProperty('reasoning');
    expect(message({ reasoning_content: 'r', reasoning: 'r' })).toMatchObject({
      reasoning_content: 'r',
      reasoning: 'r',
    });
  });

  it('passes over types it does not know', () => {
    const unknown = { type: 'new', choice: 0 } as unknown as CompletionEvent;
    expect(collect([unknown, { type: 'text-delta', choice: 0, text: 'a' }]).toCompletion().choices).toHaveLength(1);
  });

  it('takes as many tokens at once as a long answer has', () => {
    const tokens = Array.from({ length: 200_000 }, () => TOKEN);
    const collector = collect([{ type: 'logprobs', choice: 0, tokens, refusalTokens: tokens }]);
    const [choice] = collector.toCompletion().choices;
    expect(choice?.logprobs?.content).toHaveLength(200_000);
    expect(choice?.logprobs?.refusal).toHaveLength(200_000);
  });
});

describe('what was handed out', () => {
  /** Changes everything that can be changed. */
  function ruin(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, member] of Object.entries(value)) {
      ruin(member);
      (value as Record<string, unknown>)[key] = 'ruined';
    }
  }

  it('can be changed without harm to the next one, or to the events', () => {
    const events = eventsOf(EVERYTHING);
    const told = structuredClone(events);
    const collector = collect(events);
    const first = collector.toCompletion();
    const copy = structuredClone(first);
    ruin(first);
    expect(collector.toCompletion()).toEqual(copy);
    expect(events).toEqual(told);
  });

  it('does not change when more events come', () => {
    const collector = collect(eventsOf(EVERYTHING));
    const first = collector.toCompletion();
    const copy = structuredClone(first);
    for (const event of eventsOf(EVERYTHING)) collector.add(event);
    expect(first).toEqual(copy);
    expect(collector.toCompletion()).not.toEqual(copy);
  });
});

import fc from 'fast-check';
import { Assembler } from '../../src/events/assembler.ts';
import { Collector } from '../../src/events/collector.ts';
import type { Chunk, CompletionEvent } from '../../src/events/event.ts';
import { eventsOf, only } from '../support/chunks.ts';

/** One letter an event, so that the design's grammar is a regular expression. */
const LETTERS: Readonly<Record<CompletionEvent['type'], string>> = {
  start: 's',
  'text-delta': 'o',
  'reasoning-delta': 'o',
  'refusal-delta': 'o',
  'tool-call-start': 'o',
  'tool-call-delta': 'o',
  logprobs: 'l',
  extra: 'x',
  'tool-call': 'T',
  finish: 'F',
  usage: 'u',
  restart: 'r',
};
const GRAMMAR = /^s[olx]*(?:T*F)*u?$/;

const odd = fc.constantFrom<unknown>(null, 0, '', [], {}, true, '__proto__');
const either = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> => fc.oneof({ weight: 5, arbitrary }, odd);
const word = fc.constantFrom('', 'a', 'bc', '{', '}', '{}', '"x":1');

const toolCall = fc.record(
  {
    index: either(fc.constantFrom(0, 1, 2)),
    id: either(fc.constantFrom('', 'a', 'b')),
    type: either(fc.constantFrom('function', 'custom')),
    function: either(
      fc.record({ name: either(fc.constantFrom('', 'f', 'g')), arguments: either(word) }, { requiredKeys: [] }),
    ),
    extra_content: odd,
  },
  { requiredKeys: [] },
);

const delta = fc.record(
  {
    role: either(fc.constant('assistant')),
    content: either(
      fc.oneof(word, fc.array(fc.record({ type: fc.constantFrom('text', 'thinking'), text: word, thinking: word }))),
    ),
    refusal: either(word),
    reasoning: either(word),
    reasoning_content: either(word),
    tool_calls: either(fc.array(either(toolCall), { maxLength: 3 })),
    annotations: odd,
  },
  { requiredKeys: [] },
);

const choice = fc.record(
  {
    index: either(fc.constantFrom(0, 1, 2)),
    delta: either(delta),
    message: either(delta),
    finish_reason: either(fc.constantFrom('', 'stop', 'length', 'tool_calls', 'content_filter')),
    logprobs: either(fc.record({ content: either(fc.array(fc.record({ token: word }))), refusal: odd })),
    usage: odd,
    content_filter_results: odd,
  },
  { requiredKeys: [] },
);

const chunks = fc.array(
  fc.record(
    {
      id: either(fc.constantFrom('', 'id')),
      model: either(word),
      created: either(fc.nat()),
      choices: either(fc.array(either(choice), { maxLength: 3 })),
      usage: either(fc.record({ total_tokens: fc.nat() })),
      x_groq: either(fc.record({ usage: either(fc.record({ total_tokens: fc.nat() })) })),
      service_tier: either(word),
      provider: odd,
    },
    { requiredKeys: [] },
  ),
  { maxLength: 8 },
) as fc.Arbitrary<unknown> as fc.Arbitrary<Chunk[]>;

describe('the events of any chunks', () => {
  it('follow the grammar: start, output, whole calls and finishes, usage', () => {
    fc.assert(
      fc.property(chunks, (given) => {
        expect(
          eventsOf(given)
            .map(({ type }) => LETTERS[type])
            .join(''),
        ).toMatch(GRAMMAR);
      }),
    );
  });

  it('never hold an empty piece', () => {
    fc.assert(
      fc.property(chunks, (given) => {
        for (const event of eventsOf(given)) {
          if ('text' in event) expect(event.text).not.toBe('');
          if (event.type === 'tool-call-delta') expect(event.arguments).not.toBe('');
          if (event.type === 'logprobs') expect(event.tokens.length + event.refusalTokens.length).toBeGreaterThan(0);
          if (event.type === 'extra') expect(event.fields).not.toEqual({});
        }
      }),
    );
  });

  it('finish every choice once, and none that said nothing', () => {
    fc.assert(
      fc.property(chunks, (given) => {
        const events = eventsOf(given);
        const finished = only(events, 'finish').map((event) => event.choice);
        expect(new Set(finished).size).toBe(finished.length);
        for (const event of events) if ('choice' in event) expect(finished).toContain(event.choice);
      }),
    );
  });

  it('hold a whole call only after its start, with its id and name, made of its pieces, and valid', () => {
    fc.assert(
      fc.property(chunks, (given) => {
        const events = eventsOf(given);
        for (const call of only(events, 'tool-call')) {
          const same = (event: { choice: number; index: number }): boolean =>
            event.choice === call.choice && event.index === call.index;
          expect(only(events, 'tool-call-start').filter(same)).toEqual([
            { type: 'tool-call-start', choice: call.choice, index: call.index, id: call.id, name: call.name },
          ]);
          const pieces = only(events, 'tool-call-delta').filter(same);
          const text = pieces.map((event) => event.arguments).join('');
          expect(call.arguments).toBe(text === '' && call.extra?.['type'] !== 'custom' ? '{}' : text);
          if (call.extra?.['type'] !== 'custom') expect(() => JSON.parse(call.arguments) as unknown).not.toThrow();
          const finish = only(events, 'finish').find((event) => event.choice === call.choice);
          expect(['length', 'content_filter']).not.toContain(finish?.reason);
        }
      }),
    );
  });

  it('are never changed once they are emitted, nor are the chunks, also by who collects them', () => {
    fc.assert(
      fc.property(chunks, (given) => {
        const before = JSON.stringify(given);
        const told: { readonly event: CompletionEvent; readonly text: string }[] = [];
        const assembler = new Assembler({ attempt: 1 });
        const collector = new Collector();
        const emit = (event: CompletionEvent): void => {
          told.push({ event, text: JSON.stringify(event) });
          collector.add(event);
        };
        for (const chunk of given) assembler.add(chunk, emit);
        assembler.finish(emit);
        collector.toCompletion();
        for (const { event, text } of told) expect(JSON.stringify(event)).toBe(text);
        expect(JSON.stringify(given)).toBe(before);
      }),
    );
  });
});

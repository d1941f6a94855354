import type { CompletionEvent } from '../../src/events/event.ts';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { seenBy } from '../support/events.ts';
import { calling, finish, lines, model, saying, START, watched, whole } from './conversation.ts';

const CALL = { id: 'a', name: 'look' };
const TOOL_CALL = { id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } };

const text = (said: string): CompletionEvent => ({ type: 'text-delta', choice: 0, text: said });
const reasoning = (field: 'reasoning' | 'reasoning_content' | 'both'): CompletionEvent => {
  return { type: 'reasoning-delta', choice: 0, text: 'hm', field };
};
const extra = (fields: Readonly<Record<string, unknown>>, scope: 'message' | 'choice' = 'message'): CompletionEvent => {
  return { type: 'extra', choice: 0, scope, fields };
};

/** The answer as the model is shown it in the next round. */
function shownAgain(...said: readonly CompletionEvent[]): unknown {
  const chat = model([START, ...said, whole(CALL), finish('tool_calls')], saying('Fine'));
  lines(runTools$(chat, 'Go', {}, { tools: [watched('look').tool] }));
  return chat.asked[1]?.messages[1];
}

/** The last answer as it stands in the messages of the run. */
function kept(...said: readonly CompletionEvent[]): unknown {
  const chat = model([START, ...said, finish('stop')]);
  const end = seenBy(runTools$(chat, 'Go', {}, { tools: [watched('look').tool] })).at(-2);
  return (end as { messages: readonly unknown[] }).messages[1];
}

const SAID: readonly (readonly [name: string, events: readonly CompletionEvent[], fields: object])[] = [
  ['text', [text('Let '), text('me')], { content: 'Let me' }],
  ['reasoning under its name', [reasoning('reasoning_content')], { content: null, reasoning_content: 'hm' }],
  ['reasoning under its other name', [text('a'), reasoning('reasoning')], { content: 'a', reasoning: 'hm' }],
  [
    'reasoning under both names',
    [reasoning('both'), text('a')],
    { content: 'a', reasoning: 'hm', reasoning_content: 'hm' },
  ],
  ['a refusal', [{ type: 'refusal-delta', choice: 0, text: 'no' }], { content: null, refusal: 'no' }],
  [
    'whatever fields it had besides, deep and falsy ones too',
    [text('a'), extra({ reasoning_details: [{ type: 'x', data: 'enc' }], flag: false, count: 0, empty: '' })],
    { content: 'a', reasoning_details: [{ type: 'x', data: 'enc' }], flag: false, count: 0, empty: '' },
  ],
  [
    'audio by its id alone',
    [extra({ audio: { id: 'audio_1', data: 'UklGR', transcript: 'Hi', expires_at: 1 } })],
    { content: null, audio: { id: 'audio_1' } },
  ],
];

describe('the answer of the model', () => {
  it.each(SAID)('goes back with its calls and %s', (_name, events, fields) => {
    expect(shownAgain(...events)).toStrictEqual({ role: 'assistant', ...fields, tool_calls: [TOOL_CALL] });
  });

  it.each(SAID)('is kept at the end with %s', (_name, events, fields) => {
    const shown = {
      ...fields,
      ...('reasoning_content' in fields && !events.some(isText) ? { content: '' } : undefined),
    };
    expect(kept(...events)).toStrictEqual({ role: 'assistant', ...shown });
  });

  it('has no content besides its calls, and an empty one besides nothing', () => {
    expect(shownAgain()).toStrictEqual({ role: 'assistant', content: null, tool_calls: [TOOL_CALL] });
    expect(kept()).toStrictEqual({ role: 'assistant', content: '' });
  });

  it('is shown without fields that say nothing', () => {
    expect(shownAgain(extra({ function_call: null, note: null }))).toStrictEqual({
      role: 'assistant',
      content: null,
      tool_calls: [TOOL_CALL],
    });
    expect(kept(text('a'), extra({ tool_calls: [], content_parts: [{ type: 'new' }] }))).toStrictEqual({
      role: 'assistant',
      content: 'a',
    });
    expect(kept(text('a'), extra({ audio: null }))).toStrictEqual({ role: 'assistant', content: 'a' });
  });

  it('is shown without what stood beside it, and without a prototype', () => {
    const poisoned = JSON.parse('{"__proto__":{"role":"system"},"kept":1}') as Record<string, unknown>;
    const message = kept(text('a'), extra({ matched_stop: 7 }, 'choice'), extra(poisoned));
    expect(message).toStrictEqual({ role: 'assistant', content: 'a', kept: 1 });
    expect(Object.getPrototypeOf(message)).toBe(Object.prototype);
    expect(Object.hasOwn(message as object, '__proto__')).toBe(false);
  });

  it('has the fields of its calls as they came: signatures without which a server refuses the next turn', () => {
    const google = { extra_content: { google: { thought_signature: 'sig' } } };
    const chat = model(
      calling({ ...CALL, extra: google }, { ...CALL, id: 'b', arguments: '{"x": 1}' }),
      saying('Fine'),
    );
    lines(runTools$(chat, 'Go', {}, { tools: [watched('look').tool] }));
    expect(chat.asked[1]?.messages[1]).toStrictEqual({
      role: 'assistant',
      content: null,
      tool_calls: [
        { ...TOOL_CALL, ...google },
        { id: 'b', type: 'function', function: { name: 'look', arguments: '{"x": 1}' } },
      ],
    });
  });

  it('has its calls in their order, whatever order they became whole in', () => {
    const [first, second] = [whole(CALL), whole({ ...CALL, id: 'b' }, 1)];
    const chat = model([START, second, first, finish('stop')], saying('Fine'));
    lines(runTools$(chat, 'Go', {}, { tools: [watched('look').tool] }));
    expect(chat.asked[1]?.messages.slice(1)).toMatchObject([
      { tool_calls: [{ id: 'a' }, { id: 'b' }] },
      { tool_call_id: 'a' },
      { tool_call_id: 'b' },
    ]);
  });
});

function isText({ type }: CompletionEvent): boolean {
  return type === 'text-delta';
}

import fc from 'fast-check';
import type { ChatCompletion } from 'openai/resources/chat/completions';
import type { Chunk } from '../../src/events/event.ts';
import type { Fields } from '../../src/fields.ts';

/** Unlike a literal or an assignment, takes `__proto__` for a name like any other. */
export function ownFields(entries: readonly (readonly [string, unknown])[]): Fields {
  return Object.fromEntries(entries);
}

/** One delta of a choice, and what stands beside it. */
interface Piece {
  readonly delta?: Fields;
  readonly beside?: Fields;
}

/** A choice as the non-streaming endpoint gives it, and the pieces it is streamed in. */
interface Choice {
  readonly whole: Fields;
  readonly pieces: readonly Piece[];
}

/** A random completion, whole and streamed. */
export interface Answer {
  readonly whole: ChatCompletion;
  readonly chunks: readonly Chunk[];
}

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
// `name` and the like are repeated in each piece; `data` is no name of ours, and is cut like any other text.
const foreignKey = fc.constantFrom('x_note', '__proto__', 'constructor', 'toString', 'data', 'native');
const foreign = fc.oneof(text, fc.nat(), fc.boolean(), fc.dictionary(foreignKey, text), fc.array(fc.nat()));
const foreignFields = fc.dictionary(foreignKey, foreign, { maxKeys: 2 });

/** A text and the pieces it was cut into, anywhere, inside a surrogate pair too. */
const cut = fc.tuple(text, fc.array(fc.nat(30), { maxLength: 3 })).map(([whole, places]) => {
  const at = [...places.map((place) => place % whole.length), whole.length].sort((a, b) => a - b);
  return { whole, pieces: at.map((end, index) => whole.slice(at[index - 1] ?? 0, end)) };
});

const token = fc.record({
  token: text,
  logprob: fc.integer(),
  bytes: fc.array(fc.nat(255)),
  top_logprobs: fc.constant([]),
});
const tokens = fc.array(fc.array(token, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 });

/** A part of a choice has the shape of one. */
type Part = Choice;
const nothing: fc.Arbitrary<Part> = fc.constant({ whole: {}, pieces: [] });
const maybe = (part: fc.Arbitrary<Part>): fc.Arbitrary<Part> => fc.oneof(nothing, part);
const inMessage = (key: string, value: unknown, deltas: readonly Fields[]): Part => ({
  whole: { [key]: value },
  pieces: deltas.map((delta) => ({ delta })),
});

const textPart = (key: string): fc.Arbitrary<Part> =>
  cut.map(({ whole, pieces }) =>
    inMessage(
      key,
      whole,
      pieces.map((piece) => ({ [key]: piece })),
    ),
  );

const reasoningTwice = cut.map<Part>(({ whole, pieces }) => ({
  whole: { reasoning: whole, reasoning_content: whole },
  pieces: pieces.map((piece) => ({ delta: { reasoning: piece, reasoning_content: piece } })),
}));

const audio = fc
  .tuple(cut, cut, fc.nat())
  .map<Part>(([data, transcript, expires_at]) =>
    inMessage('audio', { id: 'audio-1', data: data.whole, transcript: transcript.whole, expires_at }, [
      ...data.pieces.map((piece) => ({ audio: { id: 'audio-1', data: piece } })),
      ...transcript.pieces.map((piece) => ({ audio: { transcript: piece } })),
      { audio: { expires_at } },
    ]),
  );

const annotations = fc.array(fc.record({ type: fc.constant('url_citation'), url: text }), {
  minLength: 1,
  maxLength: 3,
});
const annotationsPart = annotations.map((list) =>
  inMessage(
    'annotations',
    list,
    list.map((entry) => ({ annotations: [entry] })),
  ),
);

const details = fc.array(cut, { minLength: 1, maxLength: 2 }).map((list) =>
  inMessage(
    'reasoning_details',
    list.map(({ whole }, index) => ({ type: 'reasoning.text', index, text: whole })),
    list.flatMap(({ pieces }, index) =>
      pieces.map((piece) => ({ reasoning_details: [{ type: 'reasoning.text', index, text: piece }] })),
    ),
  ),
);

const toolCall = fc.tuple(
  fc.boolean(),
  fc.object(),
  text,
  fc.nat(40),
  fc.dictionary(fc.constantFrom('extra_content', '__proto__'), foreign),
);
const toolCalls = fc.array(toolCall, { minLength: 1, maxLength: 3 }).map<Part>((list) => {
  const described = list.map(([custom, json, input, place, extra], index) => {
    const [key, field, value] = custom
      ? (['custom', 'input', input] as const)
      : (['function', 'arguments', JSON.stringify(json)] as const);
    const call = (name: string | undefined, piece: string): Fields => ({ [key]: { name, [field]: piece } });
    const id = `call_${String(index)}`;
    return {
      whole: { id, type: key, ...call('tool', value), ...extra },
      pieces: [
        { index, id, type: key, ...call('tool', ''), ...extra },
        { index, ...call(undefined, value.slice(0, place)) },
        { index, ...call(undefined, value.slice(place)) },
      ],
    };
  });
  const deltas = described.flatMap(({ pieces }) => pieces.map((piece) => ({ tool_calls: [piece] })));
  return inMessage(
    'tool_calls',
    described.map(({ whole }) => whole),
    deltas,
  );
});

const logprobs = fc
  .record({ content: fc.option(tokens), refusal: fc.option(tokens) })
  .map<Part>(({ content, refusal }) => ({
    whole:
      content === null && refusal === null
        ? {}
        : { logprobs: { content: content?.flat() ?? null, refusal: refusal?.flat() ?? null } },
    pieces: [
      ...(content ?? []).map((list) => ({ beside: { logprobs: { content: list, refusal: null } } })),
      ...(refusal ?? []).map((list) => ({ beside: { logprobs: { content: null, refusal: list } } })),
    ],
  }));

const besideFields = foreignFields.map<Part>((fields) => ({ whole: fields, pieces: [{ beside: fields }] }));
const messageFields = fc.dictionary(foreignKey, cut, { maxKeys: 2 }).map<Part>((fields) => ({
  whole: ownFields(Object.entries(fields).map(([key, { whole }]) => [key, whole])),
  pieces: Object.entries(fields).flatMap(([key, { pieces }]) =>
    pieces.map((piece) => ({ delta: ownFields([[key, piece]]) })),
  ),
}));

const choice = fc
  .record({
    message: fc.tuple(
      maybe(textPart('content')),
      maybe(textPart('refusal')),
      maybe(fc.oneof(textPart('reasoning'), textPart('reasoning_content'), reasoningTwice)),
      maybe(audio),
      maybe(annotationsPart),
      maybe(details),
      messageFields,
      maybe(toolCalls),
    ),
    beside: fc.tuple(logprobs, besideFields),
    reason: fc.constantFrom('stop', 'tool_calls', 'function_call'),
  })
  .map<Choice>(({ message, beside, reason }) => {
    const fields = message.flatMap((part) => Object.entries(part.whole));
    const whole = ownFields([['role', 'assistant'], ['content', null], ['refusal', null], ...fields]);
    return {
      whole: ownFields([
        ['message', whole],
        ['finish_reason', reason],
        ['logprobs', null],
        ...beside.flatMap((part) => Object.entries(part.whole)),
      ]),
      pieces: [...message, ...beside].flatMap((part) => part.pieces).concat({ beside: { finish_reason: reason } }),
    };
  });

const usage = fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat(), total_tokens: fc.nat() });

/** Answers with everything that providers send: every field, at every place, cut anywhere, choices interleaved. */
export const answers: fc.Arbitrary<Answer> = fc
  .record({
    choices: fc.array(choice, { minLength: 1, maxLength: 3 }),
    usage: fc.option(usage, { nil: undefined }),
    fields: foreignFields,
    order: fc.array(fc.nat(2), { maxLength: 40 }),
    fingerprint: fc.option(text, { nil: undefined }),
  })
  .map<Answer>(({ choices, usage: counts, fields, order, fingerprint }) => {
    const head = {
      id: 'chatcmpl-1',
      created: 1_700_000_000,
      model: 'gpt-test',
      ...(fingerprint && { system_fingerprint: fingerprint }),
    };
    const tail = counts === undefined ? {} : { usage: counts };
    const chunkOf = (given: Fields): Chunk =>
      ({ ...head, object: 'chat.completion.chunk', choices: [], ...given }) as unknown as Chunk;
    const queues = choices.map(({ pieces }, index) =>
      pieces.map(({ delta, beside }) => ({ index, delta: delta ?? {}, ...beside })),
    );
    const turns = [...order, ...queues.flatMap((queue, index) => queue.map(() => index))];
    const interleaved = turns.flatMap((turn) => queues[turn % queues.length]?.splice(0, 1) ?? []);
    return {
      whole: {
        ...head,
        object: 'chat.completion',
        choices: choices.map(({ whole }, index) => ownFields([['index', index], ...Object.entries(whole)])),
        ...fields,
        ...tail,
      } as unknown as ChatCompletion,
      chunks: [...interleaved.map((each) => chunkOf({ choices: [each] })), chunkOf({ ...fields, ...tail })],
    };
  });

import { chunk, delta, eventsOf, finished, type ChunkFields } from '../support/chunks.ts';

/** The events of one choice's deltas, without start, finish and usage. */
function told(...deltas: readonly ChunkFields[]): readonly unknown[] {
  return eventsOf([...deltas.map((fields) => delta(fields)), finished()]).slice(1, -1);
}

const text = (piece: string): unknown => ({ type: 'text-delta', choice: 0, text: piece });
const refusal = (piece: string): unknown => ({ type: 'refusal-delta', choice: 0, text: piece });
const reasoning = (piece: string, field: string): unknown => ({
  type: 'reasoning-delta',
  choice: 0,
  text: piece,
  field,
});

describe('content', () => {
  it("is told piece by piece, never ''", () => {
    expect(told({ role: 'assistant', content: '' }, { content: 'a' }, { content: null }, { content: ' ' }, {})).toEqual(
      [text('a'), text(' ')],
    );
  });

  it('may come as parts', () => {
    const parts = [{ type: 'text', text: 'a' }, 'b', { type: 'output_text', text: 'c' }, { type: 'text', text: '' }];
    expect(told({ content: parts }, { content: { type: 'text', text: 'd' } })).toEqual(
      ['a', 'b', 'c', 'd'].map((piece) => text(piece)),
    );
  });

  it('may hold thinking, as Mistral’s does', () => {
    const thinking = [{ type: 'text', text: 'hm' }, null, { type: 'text', text: '!' }, { type: 'reference' }];
    const parts = [{ type: 'thinking', thinking }, { type: 'thinking', thinking: 'so' }, { type: 'thinking' }];
    expect(told({ content: parts }, { content: [{ type: 'text', text: 'a' }] })).toEqual([
      reasoning('hm!', 'reasoning'),
      reasoning('so', 'reasoning'),
      text('a'),
    ]);
  });

  it('may hold a refusal, and parts that nobody knows, which are kept as they are', () => {
    const image = { type: 'image_url', image_url: { url: 'data:' } };
    const unknown = [
      image,
      { type: 'text', text: 5 },
      { type: 'refusal', refusal: 5 },
      { type: 'x', refusal: 'y' },
      null,
      7,
    ];
    const parts = [{ type: 'refusal', refusal: 'no' }, ...unknown];
    expect(told({ content: parts, note: 'x' })).toEqual([
      refusal('no'),
      {
        type: 'extra',
        choice: 0,
        scope: 'message',
        fields: { content_parts: unknown, note: 'x' },
      },
    ]);
  });

  it('that is a number is kept, not shown', () => {
    expect(told({ content: 5 })).toEqual([
      { type: 'extra', choice: 0, scope: 'message', fields: { content_parts: [5] } },
    ]);
  });
});

it.each([['x'], [{ index: 0 }], [5], [null]])('tool_calls that are %j say nothing', (tool_calls) => {
  expect(told({ tool_calls, content: 'a' })).toEqual([text('a')]);
});

describe('a refusal', () => {
  it("is told piece by piece, never ''", () => {
    expect(told({ refusal: '' }, { refusal: 'I ' }, { refusal: null }, { refusal: 'cannot' })).toEqual([
      refusal('I '),
      refusal('cannot'),
    ]);
  });

  it('that is no text is none', () => {
    expect(told({ refusal: { why: 1 } }, { refusal: false })).toEqual([]);
  });
});

describe('reasoning', () => {
  it.each(['reasoning', 'reasoning_content'])('is told from %s, with the name of the field', (field) => {
    const other = field === 'reasoning' ? 'reasoning_content' : 'reasoning';
    const pieces = [{ [field]: 'a' }, { [field]: '' }, { [field]: 'b', [other]: null }, { [field]: 'c', [other]: '' }];
    expect(told(...pieces)).toEqual(['a', 'b', 'c'].map((piece) => reasoning(piece, field)));
  });

  it('is told once where both fields say the same', () => {
    expect(told({ reasoning: 'a', reasoning_content: 'a' }, { reasoning_content: 'b', reasoning: 'b' })).toEqual([
      reasoning('a', 'both'),
      reasoning('b', 'both'),
    ]);
  });

  it('is told twice where they differ: nothing is lost', () => {
    expect(told({ reasoning: 'a', reasoning_content: 'b' })).toEqual([
      reasoning('a', 'reasoning'),
      reasoning('b', 'reasoning_content'),
    ]);
  });

  it('comes beside content in the order of the chunk', () => {
    expect(told({ reasoning: 'a', content: 'b', refusal: 'c' })).toEqual([
      reasoning('a', 'reasoning'),
      text('b'),
      refusal('c'),
    ]);
  });

  it('that is no text is kept as it is', () => {
    const details = { reasoning: { summary: 'x' }, reasoning_details: [{ index: 0, text: 'y' }] };
    expect(told(details)).toEqual([{ type: 'extra', choice: 0, scope: 'message', fields: details }]);
  });
});

describe('log probabilities', () => {
  const token = (of: string): ChunkFields => ({ token: of, logprob: -0.1, bytes: null, top_logprobs: [] });
  const withLogprobs = (logprobs: unknown): readonly unknown[] =>
    eventsOf([chunk({ choices: [{ index: 0, delta: { content: 'a' }, logprobs }] })]).slice(2, -1);

  it('are told after the text they belong to', () => {
    expect(withLogprobs({ content: [token('a')], refusal: null })).toEqual([
      { type: 'logprobs', choice: 0, tokens: [token('a')], refusalTokens: [] },
    ]);
    expect(withLogprobs({ refusal: [token('n')] })).toEqual([
      { type: 'logprobs', choice: 0, tokens: [], refusalTokens: [token('n')] },
    ]);
  });

  it.each([[null], [{}], [{ content: null, refusal: null }], [{ content: [] }], [{ content: 'x' }]])(
    'that are %j are none',
    (logprobs) => {
      expect(withLogprobs(logprobs)).toEqual([]);
    },
  );
});

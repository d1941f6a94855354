import type { ChatCompletionParams, CompletionError, StreamTextOptions } from '../../src/index.ts';
import { PromiseChatCompletion } from '../../src/promises.ts';
import { CLIENTS, outcomeOf, outcomeOfIterable, type Outcome } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { chunk, completion, DONE, finish, json, stream, text } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());

const delta = (fields: object, index = 0): string =>
  chunk({ choices: [{ index, delta: fields, finish_reason: null }] });
const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"a":1}' } };
const [TOOL_DELTA, TOOL_END] = [delta({ tool_calls: [{ index: 0, ...call }] }), finish('tool_calls')];
const CALLED = { id: 'call_1', name: 'look', arguments: '{"a":1}' };

/** One turn, streamed and in one piece; what a text method makes of it. */
interface Turn {
  readonly name: string;
  readonly streamed: string;
  readonly whole: object;
  readonly text: string;
  readonly error?: Partial<CompletionError>;
  readonly options?: StreamTextOptions;
  readonly params?: ChatCompletionParams;
}

const TWO_STREAMED = text('zero', 0) + text('one', 1) + finish('stop', 0) + finish('stop', 1) + DONE;
const TWO_WHOLE = {
  choices: ['zero', 'one'].map((content, index) => ({ index, message: { content }, finish_reason: 'stop' })),
};

const TURNS: readonly Turn[] = [
  {
    name: 'a refusal, whole in partial',
    streamed: delta({ refusal: "I can't " }) + delta({ refusal: 'do that.' }) + finish() + DONE,
    whole: completion(null, {}, { refusal: "I can't do that." }),
    text: '',
    error: {
      kind: 'refusal',
      retryable: false,
      partial: { text: '', reasoning: '', refusal: "I can't do that.", toolCalls: [] },
    },
  },
  {
    name: 'a refusal after some text',
    streamed: text('Well, ') + delta({ refusal: 'no.' }) + finish() + DONE,
    whole: completion('Well, ', {}, { refusal: 'no.' }),
    text: 'Well, ',
    error: { kind: 'refusal', partial: { text: 'Well, ', reasoning: '', refusal: 'no.', toolCalls: [] } },
  },
  {
    name: 'a content-filter stop',
    streamed: text('How to ') + finish('content_filter') + DONE,
    whole: completion('How to ', { finish_reason: 'content_filter' }),
    text: 'How to ',
    error: {
      kind: 'content-filter',
      retryable: false,
      partial: { text: 'How to ', reasoning: '', refusal: '', toolCalls: [] },
    },
  },
  {
    name: 'tool calls',
    streamed: delta({ reasoning_content: 'hm' }) + text('Let me look. ') + TOOL_DELTA + TOOL_END + DONE,
    whole: completion(
      'Let me look. ',
      { finish_reason: 'tool_calls' },
      { tool_calls: [call], reasoning_content: 'hm' },
    ),
    text: 'Let me look. ',
    error: {
      kind: 'tool',
      retryable: false,
      partial: { text: 'Let me look. ', reasoning: 'hm', refusal: '', toolCalls: [CALLED] },
    },
  },
  {
    name: 'tool calls that end with stop',
    streamed: TOOL_DELTA + finish('stop') + DONE,
    whole: completion(null, {}, { tool_calls: [call] }),
    text: '',
    error: { kind: 'tool', partial: { text: '', reasoning: '', refusal: '', toolCalls: [CALLED] } },
  },
  {
    name: 'an answer cut at the token limit',
    streamed: text('Once upon') + finish('length') + DONE,
    whole: completion('Once upon', { finish_reason: 'length' }),
    text: 'Once upon',
  },
  {
    name: "an answer cut at the token limit, with onLength: 'error'",
    streamed: text('Once upon') + finish('length') + DONE,
    whole: completion('Once upon', { finish_reason: 'length' }),
    text: 'Once upon',
    error: { kind: 'limit', code: 'length', retryable: false },
    options: { onLength: 'error' },
  },
  { name: 'choice 0 of two', streamed: TWO_STREAMED, whole: TWO_WHOLE, text: 'zero', params: { n: 2 } },
  {
    name: 'choice 1 of two',
    streamed: TWO_STREAMED,
    whole: TWO_WHOLE,
    text: 'one',
    params: { n: 2 },
    options: { choice: 1 },
  },
  {
    name: 'a refusal of a choice that is not shown',
    streamed: text('zero', 0) + delta({ refusal: 'no' }, 1) + finish('stop', 0) + finish('stop', 1) + DONE,
    whole: {
      choices: [
        { index: 0, message: { content: 'zero' }, finish_reason: 'stop' },
        { index: 1, message: { content: null, refusal: 'no' }, finish_reason: 'stop' },
      ],
    },
    text: 'zero',
    params: { n: 2 },
  },
  {
    name: 'a refusal of the choice that is shown, which partial is of',
    streamed: text('zero', 0) + delta({ refusal: 'no' }, 1) + finish('stop', 0) + finish('stop', 1) + DONE,
    whole: {
      choices: [
        { index: 0, message: { content: 'zero' }, finish_reason: 'stop' },
        { index: 1, message: { content: null, refusal: 'no' }, finish_reason: 'stop' },
      ],
    },
    text: '',
    params: { n: 2 },
    options: { choice: 1 },
    error: { kind: 'refusal', partial: { text: '', reasoning: '', refusal: 'no', toolCalls: [] } },
  },
];

describe.each(CLIENTS)('text methods over the $name transport', ({ client }) => {
  it.each(TURNS)('stream$: $name', async ({ streamed, text, error, params, options }) => {
    const chat = client(server.route('turn', stream(streamed)));
    const facade = new PromiseChatCompletion(chat);
    const outcomes: readonly Outcome<string>[] = [
      await outcomeOf(chat.stream$(PROMPT, params, options)),
      await outcomeOfIterable(facade.streamCompletion(PROMPT, params, options)),
    ];
    for (const outcome of outcomes) {
      expect(outcome.values.join('')).toBe(text);
      expect(outcome.values).not.toContain('');
      expectEnding(outcome, error);
    }
  });

  it.each(TURNS)('generate$: $name', async ({ whole, text, error, params, options }) => {
    const chat = client(server.route('turn', json(200, whole)));
    const facade = new PromiseChatCompletion(chat);
    const outcome = await outcomeOf(chat.generate$(PROMPT, params, options));
    expect(outcome.values).toEqual(error === undefined ? [text] : []);
    expectEnding(outcome, error);
    if (error === undefined) {
      expect(await facade.generateCompletion(PROMPT, params, options)).toBe(text);
    } else {
      await expect(facade.generateCompletion(PROMPT, params, options)).rejects.toMatchObject(error);
    }
  });

  it.each(TURNS)('events$ and completion$ show it as data: $name', async ({ streamed, whole, params }) => {
    const chat = client(server.route('turn', stream(streamed)));
    expect(await outcomeOf(chat.events$(PROMPT, params))).toMatchObject({ completed: true });
    expect(await outcomeOf(chat.chunks$(PROMPT, params))).toMatchObject({ completed: true });
    const inOne = client(server.route('whole', json(200, whole)));
    expect(await outcomeOf(inOne.completion$(PROMPT, params))).toEqual({ values: [whole], completed: true });
  });

  it('the sequence of a refusal: text, then the error once the turn is over', async () => {
    const chat = client(
      server.route('turn', stream(text('Well, '), delta({ refusal: 'no.' }), text('but'), finish(), DONE)),
    );
    const told = await outcomeOf(chat.stream$(PROMPT));
    expect(told.values).toEqual(['Well, ', 'but']);
    expect(told.error).toMatchObject({ kind: 'refusal', partial: { text: 'Well, but', refusal: 'no.' } });
  });
});

function expectEnding({ completed, error }: Outcome<string>, expected: Partial<CompletionError> | undefined): void {
  expect(completed).toBe(expected === undefined);
  if (expected !== undefined) expect(error).toMatchObject({ attempts: 1, ...expected });
}

import { inspect } from 'node:util';
import { tap } from 'rxjs';
import { z } from 'zod';
import type { ChatCompletionOptions, CompletionError, JsonSchema } from '../../src/index.ts';
import { API_KEY, CLIENTS, errorOf, HandClock, outcomeOf, recordingLogger } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import {
  chunk,
  cut,
  DONE,
  event,
  finish,
  hang,
  head,
  inTurn,
  json,
  say,
  script,
  sentence,
  stream,
  text,
  untilShown,
} from '../support/faults-steps.ts';
import { patient } from './patient.ts';

const PROMPT = 'Tell me all of Berlin, please';
const City = z.object({ name: z.string(), people: z.array(z.number()) });
const SO_FAR = '{"name":"Berlin","people":[37,';
const VALUE = { name: 'Berlin', people: [37] };
const WHOLE = '{"name":"Berlin","people":[37]}';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({ talking: script(head(), say(text(SO_FAR)), hang) });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

interface Ending {
  readonly answer: Handler;
  readonly error: object;
  readonly message?: string;
  /** As far as it came. */
  readonly text?: string;
  readonly value?: unknown;
  readonly partial?: object;
  readonly aborts?: boolean;
}

const INVALID = { kind: 'invalid-output', retryable: false };
const delta = (fields: object): string => chunk({ choices: [{ index: 0, delta: fields, finish_reason: null }] });

const ENDINGS: Readonly<Record<string, Ending>> = {
  'prose, at once': {
    answer: script(head(), say(text('Sure!')), hang),
    error: INVALID,
    message: 'The output is not the JSON it should be: it is no valid JSON',
    text: 'Sure!',
    aborts: true,
  },
  'prose in a read with what follows': {
    answer: stream(sentence('Berlin', ' is nice')),
    error: INVALID,
    text: 'Berlin',
  },
  nothing: { answer: stream(sentence()), error: INVALID, text: '' },
  blanks: { answer: stream(sentence(' \n')), error: INVALID, text: ' \n' },
  'text behind the JSON': {
    answer: stream(sentence(WHOLE, ' So it is.')),
    error: INVALID,
    message: 'The output is not the JSON it should be: text follows the JSON',
    text: `${WHOLE} So it is.`,
    value: VALUE,
  },
  'much text behind the JSON, at once': {
    answer: script(head(), say(text(WHOLE + 'So it is. '.repeat(20))), hang),
    error: INVALID,
    text: WHOLE + 'So it is. '.repeat(20),
    value: VALUE,
    aborts: true,
  },
  'JSON that breaks in the middle': {
    answer: stream(sentence(SO_FAR, ']oops}')),
    error: INVALID,
    text: `${SO_FAR}]oops}`,
    value: VALUE,
  },
  'JSON that ends in the middle': {
    answer: stream(sentence(SO_FAR)),
    error: INVALID,
    message: 'The output is not the JSON it should be: the JSON ends in the middle',
    text: SO_FAR,
    value: VALUE,
  },
  'the token limit': {
    answer: stream(text(SO_FAR), finish('length'), DONE),
    error: { kind: 'limit', code: 'length', retryable: false },
    text: SO_FAR,
    value: VALUE,
  },
  'the token limit behind whole JSON': {
    answer: stream(text(WHOLE), finish('length'), DONE),
    error: { kind: 'limit', code: 'length' },
    text: WHOLE,
    value: VALUE,
  },
  'the content filter': {
    answer: stream(text(SO_FAR), finish('content_filter'), DONE),
    error: { kind: 'content-filter', retryable: false },
    text: SO_FAR,
    value: VALUE,
  },
  'a refusal': {
    answer: stream(delta({ refusal: 'I will ' }), delta({ refusal: 'not' }), finish(), DONE),
    error: { kind: 'refusal', retryable: false },
    text: '',
    partial: { refusal: 'I will not' },
  },
  'a refusal behind some JSON': {
    answer: stream(text(SO_FAR), delta({ refusal: 'no more' }), finish(), DONE),
    error: { kind: 'refusal' },
    text: SO_FAR,
    value: VALUE,
    partial: { refusal: 'no more' },
  },
  'tool calls': {
    answer: stream(
      delta({ tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }] }),
      finish('tool_calls'),
      DONE,
    ),
    error: { kind: 'tool', retryable: false },
    text: '',
    partial: { toolCalls: [{ id: 'c', name: 'f', arguments: '{}' }] },
  },
  'another type': {
    answer: stream(sentence('{"name":"Berlin","people":[37,"many"]}')),
    error: {
      ...INVALID,
      issues: [{ message: 'Invalid input: expected number, received string', path: ['people', 1] }],
    },
    message: 'The output does not satisfy its schema; see issues',
    text: '{"name":"Berlin","people":[37,"many"]}',
    value: { name: 'Berlin', people: [37, 'many'] },
  },
  'the connection cut': {
    answer: script(head(), say(text(SO_FAR)), untilShown, cut),
    error: { kind: 'interrupted', retryable: true },
    text: SO_FAR,
    value: VALUE,
  },
  'the end of the body behind whole JSON': {
    answer: stream(text(WHOLE)),
    error: { kind: 'interrupted', retryable: true },
    text: WHOLE,
    value: VALUE,
  },
  'an error in the stream': {
    answer: stream(text(SO_FAR) + event({ error: { message: `overloaded by ${PROMPT} of ${API_KEY}`, code: 503 } })),
    message: 'overloaded by *** of ***',
    error: { kind: 'server', status: 503 },
    text: SO_FAR,
    value: VALUE,
  },
};

describe.each(CLIENTS)('json$ over the $name transport', ({ client }) => {
  it.each(Object.entries(ENDINGS))('errs at %s with what had come', async (_name, ending) => {
    const logger = recordingLogger();
    const shown$ = client(server.route('wrong', ending.answer), { logger })
      .json$(PROMPT, {}, { schema: City })
      .pipe(tap(server.show));
    const { values, error } = (await outcomeOf(shown$)) as { values: readonly object[]; error: CompletionError };
    expect(error).toMatchObject({ ...ending.error, attempts: 1 });
    if (ending.message !== undefined) expect(error.message).toContain(ending.message);
    const { value, ...partial } = error.partial;
    expect([partial.text, value]).toEqual([ending.text, ending.value]);
    expect(partial).toMatchObject(ending.partial ?? { reasoning: '', refusal: '', toolCalls: [] });
    // It was shown before.
    expect(values.at(-1)).toEqual(ending.value === undefined ? undefined : { type: 'partial', value: ending.value });
    expect(values.filter((event) => 'type' in event && event.type !== 'partial')).toEqual([]);
    if (ending.aborts === true) expect(await server.closed(0)).toBe('aborted');
    expect(server.requests).toHaveLength(1);
    for (const said of [error.message, JSON.stringify(error), inspect(error), ...logger.lines]) {
      for (const secret of [PROMPT, API_KEY, 'Berlin', 'Sure', 'So it is', 'oops']) expect(said).not.toContain(secret);
    }
  });

  it.each<[string, string, readonly unknown[]]>([
    ['values', WHOLE, [['name'], ['people', 0]]],
    ['keys', '{"name":"Bonn","people":[],"Berlin":1}', [[], ['Berlin']]],
    ['keys that are half a character', '{"name":"Bonn","people":[],"\\ud83d":1}', [undefined]],
  ])('tells where a value violates a JSON Schema, in its issues alone: %s', async (_name, answer, paths) => {
    const schema: JsonSchema = {
      type: 'object',
      properties: { name: { enum: ['Bonn'] }, people: { type: 'array', items: { type: 'string' } } },
      required: ['name', 'people'],
      additionalProperties: false,
    };
    const error = await errorOf(client(server.route('wrong', stream(sentence(answer)))).json$(PROMPT, {}, { schema }));
    expect(error).toMatchObject({ kind: 'invalid-output', attempts: 1 });
    expect(error.issues?.map(({ path }) => path)).toEqual(paths);
    expect(error.partial).toMatchObject({ text: answer, value: JSON.parse(answer) as unknown });
    expect(error.message).not.toContain('Berlin');
  });

  it('passes on what the validator throws as it is', async () => {
    const mistake = new RangeError('mine');
    const schema = City.refine(() => {
      throw mistake;
    });
    const answer$ = client(server.route('whole', stream(sentence(WHOLE)))).json$(PROMPT, {}, { schema });
    expect((await outcomeOf(answer$)).error).toBe(mistake);
  });

  it('errs when a clock runs out, the value so far in the error', async () => {
    const clock = new HandClock();
    const shown$ = client(server.baseURL('talking'), { scheduler: clock, timeout: { idleMs: 50 } })
      .json$(PROMPT, {}, { schema: City })
      .pipe(
        tap(() => {
          setImmediate(() => {
            clock.advance(50);
          });
        }),
      );
    const error = await errorOf(shown$);
    expect(error).toMatchObject({ kind: 'timeout', clock: 'idle' });
    expect(error.partial).toMatchObject({ text: SO_FAR, value: VALUE });
    expect(await server.closed(0)).toBe('aborted');
    expect(clock.pending).toBe(0);
  });

  describe('and its retries', () => {
    const whole = stream(sentence(WHOLE));

    it.each<[string, Handler]>([
      ['that the server refuses', json(503, { error: { message: 'busy' } })],
      ['that breaks off before output', script(head(), say(delta({ role: 'assistant', content: '' })), cut)],
    ])('tries again after an attempt %s', async (_name, failing) => {
      const { options, told } = patient();
      const answer$ = client(server.route('failing', inTurn(failing, whole)), options).json$(
        PROMPT,
        {},
        { schema: City },
      );
      const event = { type: 'partial', value: VALUE };
      expect(await outcomeOf(answer$)).toEqual({ values: [event, { ...event, type: 'final' }], completed: true });
      expect([told.length, server.requests.length]).toEqual([1, 2]);
      expect(server.requests[1]?.json).toEqual(server.requests[0]?.json);
    });

    it.each<[string, Handler, ChatCompletionOptions]>([
      ['output', script(head(), say(text(SO_FAR)), untilShown, cut), {}],
      [
        'output, though the client restarts',
        script(head(), say(text(SO_FAR)), untilShown, cut),
        { retry: { mode: 'restart' } },
      ],
      ['output that shows nothing', script(head(), say(delta({ refusal: 'no' })), cut), {}],
      ['an answer that is no JSON', stream(sentence('Sure!')), {}],
      ['a value that violates the schema', stream(sentence('{"name":5,"people":[]}')), {}],
    ])('never after %s', async (_name, failing, given) => {
      const { options, told } = patient(given);
      const answer$ = client(server.route('failing', inTurn(failing, whole)), options).json$(
        PROMPT,
        {},
        { schema: City },
      );
      const { values, error } = await outcomeOf(answer$.pipe(tap(server.show)));
      expect(error).toMatchObject({ name: 'CompletionError', attempts: 1 });
      expect(values.length).toBeLessThan(2);
      expect([told.length, server.requests.length]).toEqual([0, 1]);
    });
  });
});

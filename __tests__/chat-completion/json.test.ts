import { LLMock } from '@copilotkit/aimock';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { firstValueFrom, ReplaySubject, skip, take, tap } from 'rxjs';
import * as v from 'valibot';
import { z } from 'zod';
import type { ChatMessages, JsonEvent, JsonOptions, JsonParams, StandardSchema } from '../../src/index.ts';
import { CLIENTS, errorOf, outcomeOf, recordedFetch, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import {
  chunk,
  completion,
  DONE,
  end,
  finish,
  hang,
  head,
  json,
  say,
  script,
  sentence,
  stream,
  text,
  until,
  USAGE,
} from '../support/faults-steps.ts';
import { utf8 } from '../support/sse.ts';

const PROMPT = 'Tell me of Berlin';
const City = z.object({ name: z.string(), people: z.number() });
const STRICT = {
  type: 'object',
  properties: { name: { type: 'string' }, people: { type: 'number' } },
  required: ['name', 'people'],
  additionalProperties: false,
};
const BERLIN = { name: 'Berlin', people: 37 };
const PIECES = ['{"name":"Ber', 'lin","people":3', '7}'];
const WHOLE = PIECES.join('');
const PARTIALS = [{ name: 'Ber' }, { name: 'Berlin' }, BERLIN].map((value) => ({ type: 'partial', value }));
const FINAL = { type: 'final', value: BERLIN };

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({
    whole: stream(sentence(...PIECES)),
    talking: script(head(), say(text(PIECES[0]!)), hang),
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

/** A body of these reads. */
function body(...reads: readonly string[]): Response {
  return new Response(
    new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const read of reads) controller.enqueue(utf8(read));
        controller.close();
      },
    }),
  );
}

type Refused = [param: string | undefined, messages: unknown, params: unknown, options: unknown];

describe.each(CLIENTS)('json$ over the $name transport', ({ client }) => {
  it('sends the schema as the response format, strict, in a request for a stream', async () => {
    await outcomeOf(client(server.baseURL('whole')).json$(PROMPT, undefined, { schema: City }));
    expect(server.requests.map((seen) => seen.json)).toEqual([
      {
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content: PROMPT }],
        temperature: 0.7,
        stream: true,
        stream_options: { include_usage: true },
        response_format: { type: 'json_schema', json_schema: { name: 'output', strict: true, schema: STRICT } },
      },
    ]);
  });

  it.each(['A-b_9', 'x'.repeat(64)])('sends the name %s, and all that it was given', async (name) => {
    const options = { schema: City, name, extraBody: { top_k: 3 } };
    await outcomeOf(client(server.baseURL('whole')).json$(PROMPT, { seed: 7, temperature: 1, model: 'm' }, options));
    const sent = { seed: 7, temperature: 1, model: 'm', top_k: 3, response_format: { json_schema: { name } } };
    expect(server.requests[0]?.json).toMatchObject(sent);
  });

  it('lets a response format in extraBody win', async () => {
    const extraBody = { response_format: { type: 'json_object' } };
    const { values } = await outcomeOf(client(server.baseURL('whole')).json$(PROMPT, {}, { schema: City, extraBody }));
    expect([server.requests[0]?.json['response_format'], values.at(-1)]).toEqual([{ type: 'json_object' }, FINAL]);
  });

  it('sends what it was given when it was subscribed', async () => {
    const messages: { role: 'user'; content: string }[] = [{ role: 'user', content: 'before' }];
    const params: JsonParams = { seed: 1 };
    const options = { schema: City, name: 'before' };
    const answer = outcomeOf(client(server.baseURL('whole')).json$(messages, params, options));
    messages[0]!.content = options.name = 'after';
    params.seed = 2;
    await answer;
    const response_format = { json_schema: { name: 'before' } };
    expect(server.requests[0]?.json).toMatchObject({ messages: [{ content: 'before' }], seed: 1, response_format });
  });

  it('is cold: nothing is sent before, and one request for each subscriber', async () => {
    const answer$ = client(server.baseURL('whole')).json$(PROMPT, {}, { schema: City });
    await turn();
    expect(server.requests).toHaveLength(0);
    const outcomes = await Promise.all([outcomeOf(answer$), outcomeOf(answer$)]);
    for (const { values, completed } of outcomes) expect([values.at(-1), completed]).toEqual([FINAL, true]);
    expect(server.requests).toHaveLength(2);
  });

  const circle: unknown[] = [];
  circle.push(circle);
  it.each<Refused>([
    ['response_format', PROMPT, { response_format: { type: 'text' } }, { schema: City }],
    ['response_format', PROMPT, { response_format: null }, { schema: City }],
    ...['', 'a b', 'é', 'x'.repeat(65), 5, null].map((name): Refused => ['name', PROMPT, {}, { schema: City, name }]),
    ...[undefined, null, 5, 'zod', [], z].map((schema): Refused => ['schema', PROMPT, {}, { schema }]),
    ['#', PROMPT, {}, { schema: z.array(z.string()) }],
    ['#/properties/zip', PROMPT, {}, { schema: z.object({ zip: z.string().optional() }) }],
    ['options', PROMPT, {}, undefined],
    ['onLength', PROMPT, {}, { schema: City, onLength: 'error' }],
    ['retry.mode', PROMPT, {}, { schema: City, retry: { mode: 'restart' } }],
    ['signal', PROMPT, {}, { schema: City, signal: {} }],
    ['choice', PROMPT, {}, { schema: City, choice: 1 }],
    ['stream', PROMPT, { stream: true }, { schema: City }],
    ['temperature', PROMPT, { temperature: NaN }, { schema: City }],
    ['params', PROMPT, [], { schema: City }],
    ['messages', '', {}, { schema: City }],
    ['messages', [circle], {}, { schema: City }],
    [undefined, [{ role: 'user', content: circle }], {}, { schema: City }],
    ['messages', new Date(), {}, { schema: City }],
    ['params', PROMPT, () => 1, { schema: City }],
  ])(
    'refuses what is wrong on the error channel and sends nothing: %s, %#',
    async (param, messages, params, options) => {
      const chat = client(server.baseURL('whole'));
      const answer$ = chat.json$(messages as ChatMessages, params as JsonParams, options as JsonOptions<typeof City>);
      const error = await errorOf(answer$);
      expect([error.kind, error.param]).toEqual(['configuration', param]);
      await turn();
      expect(server.requests).toHaveLength(0);
    },
  );

  it.each<[string, readonly string[], readonly unknown[]]>([
    ['one for all at once', [sentence(...PIECES)], [PARTIALS[2]]],
    ['one for each of many', [...PIECES.map((piece) => text(piece)), finish() + DONE], PARTIALS],
    [
      'one for two deltas in each',
      [text(PIECES[0]!) + text(PIECES[1]!), text(PIECES[2]!) + finish()],
      PARTIALS.slice(1),
    ],
    [
      'one for the read in which an event ends',
      [text(WHOLE).slice(0, 50), text(WHOLE).slice(50), finish()],
      [PARTIALS[2]],
    ],
    [
      'none for those that bring nothing of it',
      [
        chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] }),
        ': keep-alive\n\n',
        text(' \n'),
        text(PIECES[0]!),
        ': keep-alive\n\n',
        chunk({ choices: [{ index: 0, delta: { reasoning_content: 'hm' } }] }),
        text('lin","people"'),
        text(': 3'),
        text('7 '),
        text('}'),
        text('\n\n'),
        finish(),
        chunk({ choices: [], usage: USAGE }),
        DONE,
      ],
      PARTIALS,
    ],
    [
      'one where the body ends before the event does',
      [chunk({ choices: [{ index: 0, delta: { content: WHOLE }, finish_reason: 'stop' }] }).trimEnd()],
      [PARTIALS[2]],
    ],
  ])('shows partials by network reads: %s', async (_name, reads, partials) => {
    const fetch = recordedFetch(() => body(...reads));
    const outcome = await outcomeOf(client('http://127.0.0.1:9', { fetch }).json$(PROMPT, {}, { schema: City }));
    expect(outcome).toEqual({ values: [...partials, FINAL], completed: true });
  });

  it('shows each partial while the server waits to write more', async () => {
    const shown$ = new ReplaySubject<void>(PIECES.length);
    const writes = PIECES.map((piece, place) =>
      script(say(text(piece)), until(firstValueFrom(shown$.pipe(skip(place))))),
    );
    const url = server.route('slow', script(head(), ...writes, say(finish() + DONE), end));
    const told$ = client(url)
      .json$(PROMPT, {}, { schema: City })
      .pipe(tap(() => queueMicrotask(() => shown$.next())));
    expect(await outcomeOf(told$)).toEqual({ values: [...PARTIALS, FINAL], completed: true });
  });

  it.each<[string, StandardSchema, unknown]>([
    ['zod', City.transform(({ name, people }) => `${name}: ${people}`), 'Berlin: 37'],
    ['zod, later', City.refine(() => Promise.resolve(true)).transform(({ name }) => [name]), ['Berlin']],
    [
      'valibot',
      toStandardJsonSchema(v.object({ name: v.pipe(v.string(), v.minLength(3)), people: v.number() })),
      BERLIN,
    ],
  ])('ends in what the validator makes of the value: %s', async (_name, schema, value) => {
    const { values, completed } = await outcomeOf(client(server.baseURL('whole')).json$(PROMPT, {}, { schema }));
    expect([values.at(-2), values.at(-1), completed]).toEqual([PARTIALS[2], { type: 'final', value }, true]);
    expect(server.requests[0]?.json).toMatchObject({
      response_format: { json_schema: { schema: { type: 'object' } } },
    });
  });

  it('takes a JSON Schema, and an answer in a code fence, and one that is no stream', async () => {
    const fenced = ['``', '`json\n', ...PIECES, '\n`', '``\n'];
    for (const answer of [stream(sentence(...fenced)), json(200, completion(fenced.join('')))]) {
      const answer$ = client(server.route('fenced', answer)).json$<typeof BERLIN>(PROMPT, {}, { schema: STRICT });
      expect((await outcomeOf(answer$)).values.slice(-2)).toEqual([PARTIALS[2], FINAL]);
    }
  });

  it.each([0, 1])('shows the choice it is asked for, of two: %i', async (choice) => {
    const [mine, other] = [choice, 1 - choice];
    const url = server.route(
      'two',
      stream(
        text('{"name":', other),
        ...PIECES.map((piece) => text(piece, mine) + text('never shown', other)),
        finish('length', other) + finish('stop', mine) + DONE,
      ),
    );
    const { values } = await outcomeOf(client(url).json$(PROMPT, { n: 2 }, { schema: City, choice }));
    expect(values.slice(-2)).toEqual([PARTIALS[2], FINAL]);
    expect(server.requests[0]?.json['n']).toBe(2);
  });

  it('left at once sends nothing', async () => {
    const answer$ = client(server.baseURL('whole')).json$(PROMPT, {}, { schema: City });
    answer$.subscribe().unsubscribe();
    await outcomeOf(client(server.baseURL('whole')).json$(PROMPT, { seed: 2 }, { schema: City }));
    expect(server.requests.map((seen) => seen.json['seed'])).toEqual([2]);
  });

  it('left inside next, at a partial, aborts the request', async () => {
    const answer$ = client(server.baseURL('talking')).json$(PROMPT, {}, { schema: City });
    expect(await outcomeOf(answer$.pipe(take(1)))).toEqual({ values: [PARTIALS[0]], completed: true });
    expect(await server.closed(0)).toBe('aborted');
  });

  it('left while it is validated shows nothing more', async () => {
    const seen: JsonEvent<unknown>[] = [];
    await new Promise<void>((resolve) => {
      const schema = City.refine(async () => {
        await turn();
        subscription.unsubscribe();
        resolve();
        return true;
      });
      const answer$ = client(server.baseURL('whole')).json$(PROMPT, {}, { schema });
      const subscription = answer$.subscribe((event) => seen.push(event));
    });
    await turn();
    expect(seen.map(({ type }) => type)).not.toContain('final');
  });

  it('reads what an embedded server writes in JSON mode', async () => {
    const mock = new LLMock({ host: '127.0.0.1', port: 0, chunkSize: 3 });
    mock.on({ endpoint: 'chat', responseFormat: 'json_schema' }, { content: JSON.stringify(BERLIN) });
    await mock.start();
    const { values, completed } = await outcomeOf(client(`${mock.url}/v1`).json$(PROMPT, {}, { schema: City }));
    await mock.stop();
    expect([...values.slice(-2), completed]).toEqual([PARTIALS[2], FINAL, true]);
  });
});

import { LLMock } from '@copilotkit/aimock';
import { of } from 'rxjs';
import { CLIENTS, errorOf, outcomeOf, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { cut, head, inTurn, json, say, script, sentence, stream } from '../support/faults-steps.ts';
import { calls, messagesOf, piece, talk, textOf, weatherOf } from '../tools/server.ts';
import { patient } from './patient.ts';

const PROMPT = 'Do I need a coat?';
const BUSY = json(503, { error: { message: 'overloaded' } });

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({ talk: talk('Oslo', 'Rome') });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

const USER = { role: 'user', content: PROMPT };
const ASSISTANT = {
  role: 'assistant',
  content: null,
  tool_calls: ['Oslo', 'Rome'].map((city) => ({
    id: `call_${city}`,
    type: 'function',
    function: { name: 'weather', arguments: `{"city":"${city}"}` },
  })),
};
const result = (city: string, content = `fine in ${city}`): object => {
  return { role: 'tool', tool_call_id: `call_${city}`, content };
};

describe.each(CLIENTS)('runTools$ over the $name transport', ({ client }) => {
  it('asks, executes, and asks again with what came of it', async () => {
    const weather = weatherOf(async (city) => `fine in ${city}`);
    const run$ = client(server.baseURL('talk')).runTools$(PROMPT, { temperature: 0.3 }, { tools: [weather.tool] });
    const outcome = await outcomeOf(run$);
    expect(outcome.completed).toBe(true);
    expect(textOf(outcome)).toBe('It is fine in Oslo and fine in Rome');
    expect(weather.cities).toEqual(['Oslo', 'Rome']);
    expect(server.requests.map(messagesOf)).toEqual([[USER], [USER, ASSISTANT, result('Oslo'), result('Rome')]]);
    for (const { json: body } of server.requests) {
      expect(body).toMatchObject({ model: 'gpt-4o-mini', stream: true, temperature: 0.3 });
      expect(body['tools']).toEqual([
        {
          type: 'function',
          function: {
            name: 'weather',
            description: 'The weather of a city',
            strict: true,
            parameters: {
              type: 'object',
              properties: { city: { type: 'string' } },
              required: ['city'],
              additionalProperties: false,
            },
          },
        },
      ]);
    }
    expect(outcome.values.at(-1)).toMatchObject({ rounds: 2, reason: 'stop' });
  });

  it('sends the results in the order of the calls, and tells the model what went wrong', async () => {
    const weather = weatherOf((city) => {
      if (city === 'Oslo') return turn().then(() => ['late', { city }]);
      throw new Error('no such city');
    });
    const run$ = client(server.baseURL('talk')).runTools$(PROMPT, {}, { tools: [weather.tool] });
    const ends = (await outcomeOf(run$)).values.flatMap((event) => ('content' in event ? [event.toolCallId] : []));
    expect(ends).toEqual(['call_Rome', 'call_Oslo']);
    expect(messagesOf(server.requests[1]!).slice(2)).toEqual([
      result('Oslo', '["late",{"city":"Oslo"}]'),
      result('Rome', 'Error: no such city'),
    ]);
  });

  it('asks each round again where that helps, and never runs a tool twice', async () => {
    const weather = weatherOf();
    const { told, options } = patient();
    const answers = [BUSY, stream(calls('Oslo')), BUSY, BUSY, stream(sentence('Fine'))];
    const run$ = client(server.route('busy', inTurn(...answers)), options).runTools$(
      PROMPT,
      {},
      { tools: [weather.tool] },
    );
    const outcome = await outcomeOf(run$);
    expect(textOf(outcome)).toBe('Fine');
    expect(weather.cities).toEqual(['Oslo']);
    expect(told.map(({ attempt }) => attempt)).toEqual([2, 2, 3]);
    expect(server.requests.map((request) => messagesOf(request).length)).toEqual([1, 1, 3, 3, 3]);
  });

  it('withdraws the calls of an answer that broke, where it may restart', async () => {
    const weather = weatherOf();
    const { options } = patient();
    const broken = script(head(), say(piece(0, { id: 'lost', name: 'weather' }, '{"city":"Paris"}')), cut);
    const url = server.route('broken', inTurn(broken, stream(calls('Oslo')), stream(sentence('Fine'))));
    const run$ = client(url, options).runTools$(PROMPT, {}, { tools: [weather.tool], retry: { mode: 'restart' } });
    const outcome = await outcomeOf(run$);
    expect(outcome.values.filter(({ type }) => type === 'restart')).toHaveLength(1);
    expect(textOf(outcome)).toBe('Fine');
    expect(weather.cities).toEqual(['Oslo']);
    expect(JSON.stringify(server.requests[2]?.json)).not.toContain('lost');
  });

  it('executes nothing of an answer that is cut off inside the arguments', async () => {
    const weather = weatherOf();
    const first = piece(0, { id: 'call_Oslo', name: 'weather' }, '{"city":"Oslo"}');
    const broken = script(head(), say(first, piece(1, { id: 'call_Rome', name: 'weather' }, '{"ci')), cut);
    const url = server.route('cut', broken);
    const error = await errorOf(client(url).runTools$(PROMPT, {}, { tools: [weather.tool] }));
    expect(error.kind).toBe('interrupted');
    expect(error.partial).toMatchObject({
      toolCalls: [
        { id: 'call_Oslo', arguments: '{"city":"Oslo"}' },
        { id: 'call_Rome', arguments: '{"ci' },
      ],
      messages: [USER],
    });
    expect(weather.cities).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });

  it('tells the model of arguments that ended early in an answer that did not', async () => {
    const weather = weatherOf();
    const early = piece(0, { id: 'call_Oslo', name: 'weather' }, '{"city":"Os') + sentence();
    const url = server.route('early', inTurn(stream(early), stream(sentence('Sorry'))));
    expect(textOf(await outcomeOf(client(url).runTools$(PROMPT, {}, { tools: [weather.tool] })))).toBe('Sorry');
    expect(weather.cities).toEqual([]);
    expect(messagesOf(server.requests[1]!).at(-1)).toMatchObject({
      tool_call_id: 'call_Oslo',
      content: expect.stringContaining('cut off') as unknown,
    });
  });

  it('carries the conversation that can be gone on with in the error of a later round', async () => {
    const weather = weatherOf();
    const url = server.route('later', inTurn(stream(calls('Oslo')), BUSY, stream(sentence('Fine'))));
    const chat = client(url);
    const error = await errorOf(chat.runTools$(PROMPT, {}, { tools: [weather.tool] }));
    expect(error).toMatchObject({ kind: 'server', status: 503, attempts: 1 });
    const { messages } = error.partial;
    expect(messages).toEqual([USER, { ...ASSISTANT, tool_calls: ASSISTANT.tool_calls.slice(0, 1) }, result('Oslo')]);
    expect(textOf(await outcomeOf(chat.runTools$(messages!, {}, { tools: [weather.tool] })))).toBe('Fine');
    expect(messagesOf(server.requests[2]!)).toEqual(messages);
    expect(weather.cities).toEqual(['Oslo']);
  });

  it('forces a call once', async () => {
    const params = { tool_choice: 'required' } as const;
    await outcomeOf(client(server.baseURL('talk')).runTools$(PROMPT, params, { tools: [weatherOf().tool] }));
    expect(server.requests.map(({ json: body }) => body['tool_choice'])).toEqual(['required', undefined]);
  });

  it('is cold, and takes what it was given when it is subscribed', async () => {
    const messages = [{ role: 'user' as const, content: PROMPT }];
    const params = { temperature: 0.3, metadata: { run: 'one' } };
    const run$ = client(server.baseURL('talk')).runTools$(messages, params, { tools: [weatherOf().tool] });
    await turn();
    expect(server.requests).toHaveLength(0);
    const [one, two] = [outcomeOf(run$), outcomeOf(run$)];
    messages[0]!.content = 'changed';
    params.metadata.run = 'changed';
    expect((await one).completed && (await two).completed).toBe(true);
    expect(server.requests).toHaveLength(4);
    for (const request of server.requests) {
      expect(request.body).not.toContain('changed');
      expect(request.json['metadata']).toEqual({ run: 'one' });
    }
  });

  it('sends nothing where it is left at once', async () => {
    const chat = client(server.baseURL('talk'));
    chat
      .runTools$(PROMPT, {}, { tools: [weatherOf().tool] })
      .subscribe()
      .unsubscribe();
    await outcomeOf(chat.events$('after'));
    expect(server.requests.map((request) => messagesOf(request)[0]?.content)).toEqual(['after']);
  });
});

describe.each(CLIENTS)('runTools$ against a server of others, over the $name transport', ({ client }) => {
  it('executes what it calls, and shows what it says of the result', async () => {
    const mock = new LLMock({ port: 0 });
    mock.on(
      { userMessage: 'weather', hasToolResult: false },
      { toolCalls: [{ name: 'weather', arguments: '{"city":"Oslo"}' }] },
    );
    mock.on({ userMessage: 'weather', hasToolResult: true }, { content: 'Take a coat.' });
    await mock.start();
    try {
      const weather = weatherOf((city) => of('asking', { city, degrees: -3 }));
      const chat = client(`${mock.url}/v1`);
      const outcome = await outcomeOf(chat.runTools$('the weather?', {}, { tools: [weather.tool] }));
      expect(outcome.completed).toBe(true);
      expect(weather.cities).toEqual(['Oslo']);
      expect(textOf(outcome)).toBe('Take a coat.');
      expect(outcome.values.at(-1)).toMatchObject({
        rounds: 2,
        messages: [
          { role: 'user' },
          { role: 'assistant', tool_calls: [{ function: { name: 'weather' } }] },
          { role: 'tool', content: '{"city":"Oslo","degrees":-3}' },
          { role: 'assistant', content: 'Take a coat.' },
        ],
      });
    } finally {
      await mock.stop();
    }
  });
});

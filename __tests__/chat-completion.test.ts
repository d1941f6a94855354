import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { OpenAIChatCompletion } from '../src/chat-completion.ts';
import { PromiseChatCompletion } from '../src/promises.ts';
import { CLIENTS, outcomeOfIterable, platformWith, thrownBy } from './support/client.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { completion, json, sentence, stream, USAGE } from './support/faults-steps.ts';

const PROMPT = 'Say this is a test!';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({
    complete: json(200, completion('This is a test!')),
    stream: stream(sentence('This ', 'is ', 'a ', 'test!')),
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

describe.each(CLIENTS)('OpenAIChatCompletion over the $name transport', ({ client }) => {
  it('generate completion', async () => {
    const chat = client(server.baseURL('complete'));
    expect(await firstValueFrom(chat.generate$(PROMPT))).toBe('This is a test!');
    expect(await new PromiseChatCompletion(chat).generateCompletion(PROMPT)).toBe('This is a test!');
    expect(server.requests.map(({ json }) => json)).toEqual(
      Array(2).fill({
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content: PROMPT }],
        temperature: 0.7,
        stream: false,
      }),
    );
  });

  it('stream completion', async () => {
    const chat = client(server.baseURL('stream'));
    const pieces = ['This ', 'is ', 'a ', 'test!'];
    expect(await lastValueFrom(chat.stream$(PROMPT).pipe(toArray()))).toEqual(pieces);
    const iterable = new PromiseChatCompletion(chat).streamCompletion(PROMPT);
    expect((await outcomeOfIterable(iterable)).values).toEqual(pieces);
    expect(server.requests.map(({ json }) => json)).toEqual(
      Array(2).fill({
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content: PROMPT }],
        temperature: 0.7,
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
  });

  it('gives the whole completion, the events and the chunks of the same answer', async () => {
    const chat = client(server.baseURL('complete'));
    expect(await firstValueFrom(chat.completion$(PROMPT))).toEqual(completion('This is a test!'));

    const streaming = client(server.baseURL('stream'));
    const events = await lastValueFrom(streaming.events$(PROMPT).pipe(toArray()));
    expect(events.map(({ type }) => type)).toEqual([
      'start',
      ...Array<string>(4).fill('text-delta'),
      'finish',
      'usage',
    ]);
    expect(events.at(-1)).toEqual({ type: 'usage', usage: USAGE });
    const chunks = await lastValueFrom(streaming.chunks$(PROMPT).pipe(toArray()));
    expect(chunks.map(({ choices }) => choices[0]?.delta.content)).toEqual([
      'This ',
      'is ',
      'a ',
      'test!',
      undefined,
      undefined,
    ]);
  });

  it('is cold: a call is sent when it is subscribed to, once for each subscriber', async () => {
    const chat = client(server.baseURL('stream'));
    const answer$ = chat.stream$(PROMPT).pipe(toArray());
    await lastValueFrom(chat.stream$('another question'));
    expect(server.requests).toHaveLength(1);
    const [first, second] = await Promise.all([lastValueFrom(answer$), lastValueFrom(answer$)]);
    expect(first).toEqual(second);
    expect(server.requests).toHaveLength(3);
  });

  it('sends what messages and params are when it is subscribed to', async () => {
    const chat = client(server.baseURL('complete'));
    const messages = [{ role: 'user' as const, content: 'before' }];
    const params = { max_tokens: 1 };
    const answer$ = chat.generate$(messages, params);
    messages[0] = { role: 'user', content: 'when subscribed' };
    params.max_tokens = 2;
    const answer = firstValueFrom(answer$);
    messages[0].content = 'after';
    params.max_tokens = 3;
    await answer;
    expect(server.requests[0]?.json).toMatchObject({
      messages: [{ role: 'user', content: 'when subscribed' }],
      max_tokens: 2,
    });
  });
});

describe('OpenAIChatCompletion', () => {
  it('missing API key', () => {
    const error = thrownBy(() => new OpenAIChatCompletion({ envFile: false }, platformWith({})));
    expect(error.kind).toBe('configuration');
    expect(error.param).toBe('apiKey');
    expect(error.message).toContain('apiKey');
    expect(error.message).toContain('OPENAI_API_KEY');
  });

  it('tells the model of calls that name none', () => {
    const chat = new OpenAIChatCompletion({ apiKey: 'k', envFile: false }, platformWith({ OPENAI_MODEL: 'gpt-x' }));
    expect(chat.model).toBe('gpt-x');
  });
});

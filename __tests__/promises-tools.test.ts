import { getEventListeners } from 'node:events';
import { concat, NEVER, of, range, Subject } from 'rxjs';
import { PromiseChatCompletion } from '../src/promises.ts';
import { CLIENTS, outcomeOfIterable, turn } from './support/client.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { hang, head, inTurn, json, say, script, stream, text } from './support/faults-steps.ts';
import { watched, type Watched } from './tools/conversation.ts';
import { calls, messagesOf, talk } from './tools/server.ts';

const PROMPT = 'Do I need a coat?';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({ talk: talk('Oslo', 'Rome'), hanging: script(head(), hang) });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

const fine = (): Watched => watched('weather', () => 'fine');
const ROLES = ['user', 'assistant', 'tool', 'tool', 'assistant'];

describe.each(CLIENTS)('runTools over the $name transport', ({ client }) => {
  const facadeOf = (url: string): PromiseChatCompletion => new PromiseChatCompletion(client(url));

  it('resolves to the whole conversation', async () => {
    const weather = fine();
    const messages = await facadeOf(server.baseURL('talk')).runTools(PROMPT, {}, { tools: [weather.tool] });
    expect(messages.map(({ role }) => role)).toEqual(ROLES);
    expect(messages.at(-1)).toEqual({ role: 'assistant', content: 'It is fine and fine' });
    expect(messages.slice(0, -1)).toEqual(messagesOf(server.requests[1]!));
    expect(weather.runs).toHaveLength(2);
  });

  it('begins at once, and runs once', async () => {
    const answer = facadeOf(server.baseURL('talk')).runTools(PROMPT, {}, { tools: [fine().tool] });
    await server.request(0);
    expect(await answer).toBe(await answer);
    expect(server.requests).toHaveLength(2);
  });

  it('rejects with what went wrong, and the conversation before it', async () => {
    const url = server.route('failing', inTurn(stream(calls('Oslo')), json(400, { error: { message: 'no' } })));
    await expect(facadeOf(url).runTools(PROMPT, {}, { tools: [fine().tool] })).rejects.toMatchObject({
      kind: 'bad-request',
      partial: { messages: [{ role: 'user' }, { role: 'assistant' }, { role: 'tool', content: 'fine' }] },
    });
  });

  it('rejects with the very error of a tool where that ends the run', async () => {
    const error = new RangeError('broken');
    const weather = watched('weather', () => Promise.reject(error));
    const options = { tools: [weather.tool], onToolError: 'fail' } as const;
    await expect(facadeOf(server.baseURL('talk')).runTools(PROMPT, {}, options)).rejects.toBe(error);
    expect(server.requests).toHaveLength(1);
  });

  it('rejects wrong options, and sends nothing', async () => {
    await expect(facadeOf(server.baseURL('talk')).runTools(PROMPT, {}, { tools: [] })).rejects.toMatchObject({
      kind: 'configuration',
      param: 'tools',
    });
    expect(server.requests).toHaveLength(0);
  });

  it('is aborted by its signal, and the tools with it', async () => {
    const controller = new AbortController();
    const begun$ = new Subject<void>();
    const begun = new Promise<void>((resolve) => begun$.subscribe(resolve));
    const weather = watched('weather', () => {
      begun$.next();
      return NEVER;
    });
    const options = { tools: [weather.tool], signal: controller.signal };
    const answer = facadeOf(server.baseURL('talk')).runTools(PROMPT, {}, options);
    await begun;
    await turn();
    controller.abort(new Error('enough'));
    expect(weather.runs.map(({ context }) => context.signal.aborted)).toEqual([true, true]);
    await expect(answer).rejects.toMatchObject({ kind: 'aborted', cause: new Error('enough') });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect(server.requests).toHaveLength(1);
  });
});

describe.each(CLIENTS)('streamTools over the $name transport', ({ client }) => {
  const chatOf = (url: string): PromiseChatCompletion => new PromiseChatCompletion(client(url));

  it('gives the events of a run', async () => {
    const { values, completed } = await outcomeOfIterable(
      chatOf(server.baseURL('talk')).streamTools(PROMPT, {}, { tools: [fine().tool] }),
    );
    expect(completed).toBe(true);
    const shown = values.filter(({ type }) => ['round-start', 'tool-result', 'messages'].includes(type));
    expect(shown.map(({ type }) => type)).toEqual([
      'round-start',
      'tool-result',
      'tool-result',
      'round-start',
      'messages',
    ]);
    expect(values.at(-1)).toMatchObject({ rounds: 2 });
  });

  it('sends nothing before the first next, and each iteration is a run of its own', async () => {
    const weather = fine();
    const iterable = chatOf(server.baseURL('talk')).streamTools(PROMPT, {}, { tools: [weather.tool] });
    await turn();
    expect(server.requests).toHaveLength(0);
    for (const runs of [1, 2]) {
      expect((await outcomeOfIterable(iterable)).completed).toBe(true);
      expect(server.requests).toHaveLength(runs * 2);
      expect(weather.runs).toHaveLength(runs * 2);
    }
  });

  it('aborts the tools by break', async () => {
    const weather = watched('weather', (_args, { toolCallId }) => (toolCallId === 'call_Oslo' ? of('x') : NEVER));
    const run = chatOf(server.baseURL('talk')).streamTools(PROMPT, {}, { tools: [weather.tool] });
    for await (const event of run) {
      if (event.type === 'tool-result') break;
    }
    expect(weather.runs.map(({ context }) => context.signal.aborted)).toEqual([false, true]);
    await server.closed(0);
    expect(server.requests).toHaveLength(1);
  });

  it('aborts the request by break, in whatever round', async () => {
    const waiting = script(head(), say(text('It')), hang);
    for (const [round, answer] of [waiting, inTurn(stream(calls('Oslo')), waiting)].entries()) {
      server.clear();
      const url = server.route('waiting', answer);
      for await (const event of chatOf(url).streamTools(PROMPT, {}, { tools: [fine().tool] })) {
        if (event.type === 'text-delta') break;
      }
      expect(await server.closed(round)).toBe('aborted');
    }
  });

  it('ends where a tool says more than anybody takes', async () => {
    const weather = watched('weather', () => concat(range(0, 70_000), NEVER));
    const url = server.route('talkative', stream(calls('Oslo')));
    const { error } = await outcomeOfIterable(chatOf(url).streamTools(PROMPT, {}, { tools: [weather.tool] }));
    expect(error).toMatchObject({ kind: 'limit', message: expect.stringContaining('maxBuffered') as unknown });
    expect(weather.runs.map(({ context }) => context.signal.aborted)).toEqual([true]);
  });

  it('throws what ends a run', async () => {
    const url = server.route('failing', json(400, { error: { message: 'no' } }));
    const { values, error } = await outcomeOfIterable(chatOf(url).streamTools(PROMPT, {}, { tools: [fine().tool] }));
    expect(values).toEqual([{ type: 'round-start', round: 1 }]);
    expect(error).toMatchObject({ kind: 'bad-request', partial: { messages: [{ role: 'user', content: PROMPT }] } });
  });
});

import { getEventListeners } from 'node:events';
import { lastValueFrom, toArray } from 'rxjs';
import type { OpenAIChatCompletion } from '../src/index.ts';
import { OpenAIChatCompletion as NodeAlias, PromiseChatCompletion as NodePromises } from '../src/promises.node.ts';
import { OpenAIChatCompletion as Alias, PromiseChatCompletion } from '../src/promises.ts';
import { CLIENTS, fetchClient, outcomeOfIterable, recordedFetch, thrownBy, turn } from './support/client.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { completion, cut, hang, head, json, say, script, sentence, stream, text } from './support/faults-steps.ts';

const PROMPT = 'Say this is a test!';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({
    whole: stream(sentence('one', 'two', 'three')),
    complete: json(200, completion('yes')),
    talking: script(head(), say(text('one')), hang),
    silent: script(head(), hang),
    connecting: hang,
    broken: script(head(), say(text('one') + text('two')), cut),
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

describe('PromiseChatCompletion', () => {
  it('is exported under the name of the reactive client too, for both platforms', () => {
    expect(Alias).toBe(PromiseChatCompletion);
    expect(NodeAlias).toBe(NodePromises);
  });

  it('takes options, which it checks at once', () => {
    for (const Facade of [PromiseChatCompletion, NodePromises]) {
      expect(thrownBy(() => new Facade({ apiKey: 'a\nb', envFile: false }))).toMatchObject({
        kind: 'configuration',
        param: 'apiKey',
      });
    }
  });

  it.each([
    ['universal', PromiseChatCompletion],
    ['Node', NodePromises],
  ])('makes a client of options, or takes one that is there (%s)', async (_, Facade) => {
    const fetch = recordedFetch(() => Response.json(completion('of options')));
    const made = new Facade({ apiKey: 'sk-key', baseURL: server.baseURL('complete'), fetch, envFile: false });
    expect(await made.generateCompletion(PROMPT)).toBe('of options');
    const taken = new Facade(fetchClient.client(server.baseURL('complete')));
    expect(await taken.generateCompletion(PROMPT)).toBe('yes');
  });

  it('takes a client of another copy of the package, by shape', async () => {
    const chat = fetchClient.client(server.baseURL('complete'));
    const foreign = {
      generate$: chat.generate$.bind(chat),
      stream$: chat.stream$.bind(chat),
      events$: chat.events$.bind(chat),
      completion$: chat.completion$.bind(chat),
      json$: chat.json$.bind(chat),
      runTools$: chat.runTools$.bind(chat),
    };
    expect(await new NodePromises(foreign).generateCompletion(PROMPT)).toBe('yes');
  });
});

describe.each(CLIENTS)('promises over the $name transport', ({ client }) => {
  const facadeOf = (route: string): PromiseChatCompletion => new PromiseChatCompletion(client(server.baseURL(route)));

  it('give what the Observables give', async () => {
    const chat: OpenAIChatCompletion = client(server.baseURL('whole'));
    const facade = new PromiseChatCompletion(chat);
    const events = await lastValueFrom(chat.events$(PROMPT).pipe(toArray()));
    expect((await outcomeOfIterable(facade.streamEvents(PROMPT))).values).toEqual(events);
    expect(await facadeOf('complete').completion(PROMPT)).toEqual(completion('yes'));
  });

  it('send at once where one answer is awaited', async () => {
    const answer = facadeOf('complete').generateCompletion(PROMPT);
    await server.request(0);
    expect(await answer).toBe('yes');
  });

  it('send nothing before the first next, then one request for each iterator', async () => {
    const iterable = facadeOf('whole').streamCompletion(PROMPT);
    const [first, second] = [iterable[Symbol.asyncIterator](), iterable[Symbol.asyncIterator]()];
    await turn();
    expect(server.requests).toHaveLength(0);
    expect(await first.next()).toEqual({ done: false, value: 'one' });
    expect(server.requests).toHaveLength(1);
    expect(await outcomeOfIterable({ [Symbol.asyncIterator]: () => second })).toMatchObject({ completed: true });
    expect(server.requests).toHaveLength(2);
    await first.return(undefined);
  });

  it('send nothing at all for an iterator that is returned first', async () => {
    const iterator = facadeOf('whole').streamCompletion(PROMPT)[Symbol.asyncIterator]();
    await iterator.return(undefined);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    await facadeOf('complete').generateCompletion(PROMPT);
    expect(server.requests.map(({ route }) => route)).toEqual(['complete']);
  });

  it('break aborts the request', async () => {
    for await (const piece of facadeOf('talking').streamCompletion(PROMPT)) {
      expect(piece).toBe('one');
      break;
    }
    expect(await server.closed(0)).toBe('aborted');
  });

  it.each(['talking', 'silent', 'connecting'])(
    'return and throw abort the request, whoever waits (%s)',
    async (route) => {
      const reason = new RangeError('mine');
      for (const [index, leave] of (['return', 'throw'] as const).entries()) {
        const iterator = facadeOf(route).streamCompletion(PROMPT)[Symbol.asyncIterator]();
        if (route === 'talking') await iterator.next();
        const waiting = iterator.next();
        await server.request(index);
        const left = leave === 'return' ? iterator.return(undefined) : iterator.throw(reason);
        if (leave === 'return') expect(await left).toEqual({ done: true, value: undefined });
        else await expect(left).rejects.toBe(reason);
        expect(await waiting).toEqual({ done: true, value: undefined });
        expect(await server.closed(index)).toBe('aborted');
      }
    },
  );

  it('an error thrown in the loop aborts the request and passes through', async () => {
    const reason = new RangeError('mine');
    const loop = async (): Promise<void> => {
      for await (const piece of facadeOf('talking').streamCompletion(PROMPT)) {
        throw piece === 'one' ? reason : new Error('unexpected');
      }
    };
    await expect(loop()).rejects.toBe(reason);
    expect(await server.closed(0)).toBe('aborted');
  });

  it('`await using` aborts what still runs', async () => {
    {
      await using answer = facadeOf('talking').streamCompletion(PROMPT);
      await answer[Symbol.asyncIterator]().next();
    }
    expect(await server.closed(0)).toBe('aborted');
    {
      await using iterator = facadeOf('talking').streamCompletion(PROMPT)[Symbol.asyncIterator]();
      await iterator.next();
    }
    expect(await server.closed(1)).toBe('aborted');
  });

  it('values before an error are delivered first, and the error once', async () => {
    const iterator = facadeOf('broken').streamCompletion(PROMPT)[Symbol.asyncIterator]();
    await iterator.next();
    await server.closed(0);
    await turn();
    expect(await iterator.next()).toEqual({ done: false, value: 'two' });
    await expect(iterator.next()).rejects.toMatchObject({ kind: 'interrupted', partial: { text: 'onetwo' } });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});

describe.each(CLIENTS)('the signal of a promise call over the $name transport', ({ client }) => {
  const reason = new RangeError('the user has left');
  const facadeOf = (route: string): PromiseChatCompletion => new PromiseChatCompletion(client(server.baseURL(route)));

  it('that is aborted before sends nothing, and rejects with its reason as cause', async () => {
    const options = { signal: AbortSignal.abort(reason) };
    const aborted = { kind: 'aborted', retryable: false, cause: reason, attempts: 0 };
    const facade = facadeOf('whole');
    await expect(facade.generateCompletion(PROMPT, {}, options)).rejects.toMatchObject(aborted);
    await expect(facade.completion(PROMPT, {}, options)).rejects.toMatchObject(aborted);
    expect((await outcomeOfIterable(facade.streamCompletion(PROMPT, {}, options))).error).toMatchObject(aborted);
    expect((await outcomeOfIterable(facade.streamEvents(PROMPT, {}, options))).error).toMatchObject(aborted);
    await facadeOf('complete').generateCompletion(PROMPT);
    expect(server.requests.map(({ route }) => route)).toEqual(['complete']);
  });

  it.each(['connecting', 'silent'])('aborts the request (%s)', async (route) => {
    const controller = new AbortController();
    const answer = facadeOf(route).generateCompletion(PROMPT, {}, { signal: controller.signal });
    await server.request(0);
    controller.abort(reason);
    await expect(answer).rejects.toMatchObject({ kind: 'aborted', cause: reason, attempts: 1 });
    expect(await server.closed(0)).toBe('aborted');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('aborts a stream in the middle, after the values before', async () => {
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const iterator = facadeOf('talking').streamCompletion(PROMPT, {}, options)[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: 'one' });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    const waiting = iterator.next();
    controller.abort(reason);
    await expect(waiting).rejects.toMatchObject({ kind: 'aborted', cause: reason, partial: { text: 'one' } });
    expect(await server.closed(0)).toBe('aborted');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('loses its listener when the answer ends, errs or is left', async () => {
    const { signal } = new AbortController();
    for (const route of ['whole', 'broken']) {
      await outcomeOfIterable(facadeOf(route).streamCompletion(PROMPT, {}, { signal }));
    }
    for await (const piece of facadeOf('talking').streamCompletion(PROMPT, {}, { signal })) {
      expect(piece).toBe('one');
      break;
    }
    await facadeOf('complete').generateCompletion(PROMPT, {}, { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

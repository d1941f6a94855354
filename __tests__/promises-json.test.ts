import { getEventListeners } from 'node:events';
import { z } from 'zod';
import type { JsonSchema, OpenAIChatCompletion, StandardSchema } from '../src/index.ts';
import { PromiseChatCompletion, type GenerateJsonOptions } from '../src/promises.ts';
import { CLIENTS, HandClock, handBody, outcomeOf, outcomeOfIterable, recordedFetch, turn } from './support/client.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import { cut, finish, hang, head, say, script, sentence, stream, text } from './support/faults-steps.ts';
import { utf8 } from './support/sse.ts';

const PROMPT = 'Tell me of Berlin';
const City = z.object({ name: z.string(), people: z.number() });
const Label = City.transform(({ name, people }) => `${name}: ${people}`);
const SCHEMA: JsonSchema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
const PIECES = ['{"name":"Ber', 'lin","people":3', '7}'] as const;
const PARTIALS = [{ name: 'Ber' }, { name: 'Berlin' }, { name: 'Berlin', people: 37 }].map((value) => ({
  type: 'partial',
  value,
}));
const FINAL = { type: 'final', value: 'Berlin: 37' };

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({
    whole: stream(sentence(...PIECES)),
    talking: script(head(), say(text(PIECES[0])), hang),
    silent: script(head(), hang),
    broken: script(head(), say(text(PIECES[0])), cut),
    prose: stream(sentence('Sure!')),
    refused: stream(sentence('{"name":"Berlin","people":"many"}')),
    short: stream(text(PIECES[0]), finish('length')),
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

describe.each(CLIENTS)('the facade over the $name transport', ({ client }) => {
  const facadeOf = (route: string): PromiseChatCompletion => new PromiseChatCompletion(client(server.baseURL(route)));

  describe('generateJson', () => {
    it('sends at once, and resolves to what the validator makes of the whole value', async () => {
      const answer: Promise<string> = facadeOf('whole').generateJson(
        PROMPT,
        { seed: 7 },
        { schema: Label, name: 'city' },
      );
      const { json } = await server.request(0);
      expect(json).toMatchObject({
        stream: true,
        seed: 7,
        response_format: { json_schema: { name: 'city', strict: true } },
      });
      expect(await answer).toBe('Berlin: 37');
      expect(server.requests).toHaveLength(1);
    });

    it('takes a JSON Schema, and validators that take their time', async () => {
      const facade = new PromiseChatCompletion(client(server.route('named', stream(sentence('{"name":"Bonn"}')))));
      const made = await facade.generateJson<{ readonly name: string }>(PROMPT, {}, { schema: SCHEMA });
      expect(made.name).toBe('Bonn');
      const slow = z.object({ name: z.string().refine((name) => Promise.resolve(name === 'Bonn')) });
      expect(await facade.generateJson(PROMPT, {}, { schema: slow })).toEqual({ name: 'Bonn' });
    });

    it('resolves at [DONE], though the body goes on', async () => {
      const clock = new HandClock();
      const url = server.route('open', script(head(), say(sentence(...PIECES)), hang));
      const facade = new PromiseChatCompletion(client(url, { scheduler: clock }));
      expect(await facade.generateJson(PROMPT, {}, { schema: Label })).toBe('Berlin: 37');
      await clock.untilPending(1);
      clock.advance(100);
      expect(await server.closed(0)).toBe('aborted');
    });

    it('lets the clocks see the value grow', async () => {
      const [clock, { stream: body, say: write, end }] = [new HandClock(), handBody()];
      const options = { fetch: recordedFetch(() => new Response(body)), scheduler: clock, timeout: { outputMs: 50 } };
      const facade = new PromiseChatCompletion(client('http://127.0.0.1:9', options));
      const answer = facade.generateJson(PROMPT, {}, { schema: Label });
      for (const piece of PIECES) {
        await write(text(piece));
        clock.advance(40);
      }
      await write(finish());
      await end();
      expect(await answer).toBe('Berlin: 37');
    });

    it.each(['broken', 'prose', 'refused', 'short'])('rejects with the error of json$: %s', async (route) => {
      const { error } = await outcomeOf(client(server.baseURL(route)).json$(PROMPT, {}, { schema: City }));
      const rejected: unknown = await facadeOf(route)
        .generateJson(PROMPT, {}, { schema: City })
        .catch((it: unknown) => it);
      expect(rejected).toEqual(error);
      expect(rejected).toMatchObject({ ...(error as object), partial: (error as { partial: unknown }).partial });
    });

    it('rejects for wrong options, and sends nothing', async () => {
      const wrong = { schema: 5 } as unknown as GenerateJsonOptions<typeof City>;
      await expect(facadeOf('whole').generateJson(PROMPT, {}, wrong)).rejects.toMatchObject({
        kind: 'configuration',
        param: 'schema',
      });
      await turn();
      expect(server.requests).toHaveLength(0);
    });
  });

  describe('streamJson', () => {
    it('sends nothing before the first next, then one request for each iterator', async () => {
      const iterable = facadeOf('whole').streamJson(PROMPT, { seed: 7 }, { schema: Label });
      const [first, second] = [iterable[Symbol.asyncIterator](), iterable[Symbol.asyncIterator]()];
      await turn();
      expect(server.requests).toHaveLength(0);
      expect(await first.next()).toEqual({ done: false, value: PARTIALS[2] });
      expect(server.requests).toHaveLength(1);
      expect(await first.next()).toEqual({ done: false, value: FINAL });
      expect(await first.next()).toEqual({ done: true, value: undefined });
      const all = await outcomeOfIterable({ [Symbol.asyncIterator]: () => second });
      expect(all).toEqual({ values: [PARTIALS[2], FINAL], completed: true });
      expect(server.requests.map(({ json }) => [json['seed'], json['stream']])).toEqual([
        [7, true],
        [7, true],
      ]);
    });

    it('reads only while it is asked, and shows the partial of each read', async () => {
      const reads = [...PIECES.map((piece) => text(piece)), finish(), text('never read')];
      let pulled = 0;
      const source: UnderlyingDefaultSource<Uint8Array> = {
        pull: (controller) => {
          const read = reads[pulled++];
          if (read === undefined) controller.close();
          else controller.enqueue(utf8(read));
        },
      };
      const fetch = recordedFetch(() => new Response(new ReadableStream(source, { highWaterMark: 0 })));
      const facade = new PromiseChatCompletion(client('http://127.0.0.1:9', { fetch }));
      const iterator = facade.streamJson(PROMPT, {}, { schema: City })[Symbol.asyncIterator]();
      for (const [place, value] of PARTIALS.entries()) {
        expect(await iterator.next()).toEqual({ done: false, value });
        await turn();
        expect(pulled).toBe(place + 1);
      }
      await iterator.return();
      await turn();
      expect(pulled).toBe(PARTIALS.length);
      expect(fetch.calls.map(({ signal }) => signal.aborted)).toEqual([true]);
    });

    it('delivers the partial before an error, which is that of json$, once', async () => {
      const iterator = facadeOf('broken').streamJson(PROMPT, {}, { schema: City })[Symbol.asyncIterator]();
      expect(await iterator.next()).toEqual({ done: false, value: PARTIALS[0] });
      await expect(iterator.next()).rejects.toMatchObject({
        kind: 'interrupted',
        partial: { text: PIECES[0], value: { name: 'Ber' } },
      });
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
    });

    it('delivers what is wrong with its options at the first next, and sends nothing', async () => {
      const wrong = { schema: City, name: '' };
      const outcome = await outcomeOfIterable(facadeOf('whole').streamJson(PROMPT, {}, wrong));
      expect(outcome).toMatchObject({ values: [], completed: false, error: { kind: 'configuration', param: 'name' } });
      expect(server.requests).toHaveLength(0);
    });

    it('aborts the request at break', async () => {
      for await (const event of facadeOf('talking').streamJson(PROMPT, {}, { schema: City })) {
        expect(event).toEqual(PARTIALS[0]);
        break;
      }
      expect(await server.closed(0)).toBe('aborted');
    });

    it.each(['talking', 'silent'])('aborts the request at return, whoever waits (%s)', async (route) => {
      const iterator = facadeOf(route).streamJson(PROMPT, {}, { schema: City })[Symbol.asyncIterator]();
      if (route === 'talking') await iterator.next();
      const waiting = iterator.next();
      await server.request(0);
      expect(await iterator.return()).toEqual({ done: true, value: undefined });
      expect(await waiting).toEqual({ done: true, value: undefined });
      expect(await server.closed(0)).toBe('aborted');
    });

    it('sends nothing for an iterator that is left while it begins', async () => {
      const iterator = facadeOf('whole').streamJson(PROMPT, {}, { schema: City })[Symbol.asyncIterator]();
      const waiting = iterator.next();
      await iterator.return();
      expect(await waiting).toEqual({ done: true, value: undefined });
      await facadeOf('whole').generateJson(PROMPT, { seed: 2 }, { schema: City });
      expect(server.requests.map(({ json }) => json['seed'])).toEqual([2]);
    });
  });

  describe('the signal', () => {
    const reason = new RangeError('the user has left');
    type Call = (chat: OpenAIChatCompletion, signal: AbortSignal, schema?: StandardSchema) => Promise<unknown>;
    /** What a call of each kind errs with. */
    const CALLS: readonly (readonly [string, Call])[] = [
      [
        'json$',
        async (chat, signal, schema = City) => (await outcomeOf(chat.json$(PROMPT, {}, { schema, signal }))).error,
      ],
      [
        'generateJson',
        (chat, signal, schema = City) =>
          new PromiseChatCompletion(chat).generateJson(PROMPT, {}, { schema, signal }).catch((error: unknown) => error),
      ],
      [
        'streamJson',
        async (chat, signal, schema = City) => {
          const events = new PromiseChatCompletion(chat).streamJson(PROMPT, {}, { schema, signal });
          return (await outcomeOfIterable(events)).error;
        },
      ],
    ];

    it.each(CALLS)('of %s that is aborted before, or while it begins, lets nothing be sent', async (_name, call) => {
      for (const abortsFirst of [true, false]) {
        const controller = new AbortController();
        if (abortsFirst) controller.abort(reason);
        const error = call(client(server.baseURL('whole')), controller.signal);
        controller.abort(reason);
        expect(await error).toMatchObject({ kind: 'aborted', retryable: false, cause: reason, attempts: 0 });
      }
      await turn();
      expect(server.requests).toHaveLength(0);
    });

    it.each(CALLS)('of %s aborts the request', async (_name, call) => {
      const controller = new AbortController();
      const error = call(client(server.baseURL('silent')), controller.signal);
      await server.request(0);
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
      controller.abort(reason);
      expect(await error).toMatchObject({ kind: 'aborted', cause: reason, attempts: 1 });
      expect(await server.closed(0)).toBe('aborted');
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    });

    it.each(CALLS)('of %s ends it in the middle, the value so far in the error', async (_name, call) => {
      const controller = new AbortController();
      let pulled = 0;
      const source: UnderlyingDefaultSource<Uint8Array> = {
        pull: (body) => {
          if (pulled++ === 0) body.enqueue(utf8(text(PIECES[0])));
          // What came first has been read.
          else controller.abort(reason);
        },
      };
      const fetch = recordedFetch(() => new Response(new ReadableStream(source, { highWaterMark: 0 })));
      const error = await call(client('http://127.0.0.1:9', { fetch }), controller.signal);
      expect(error).toMatchObject({ kind: 'aborted', cause: reason, attempts: 1 });
      expect(error).toMatchObject({ partial: { text: PIECES[0], value: { name: 'Ber' } } });
      expect(fetch.calls.map(({ signal }) => signal.aborted)).toEqual([true]);
    });

    it.each(CALLS)('of %s ends it while a validator takes its time', async (_name, call) => {
      const controller = new AbortController();
      const schema = City.refine(async () => {
        await turn();
        controller.abort(reason);
        return true;
      });
      const error = await call(client(server.baseURL('whole')), controller.signal, schema);
      expect(error).toMatchObject({ kind: 'aborted', cause: reason, attempts: 1 });
      expect(error).toMatchObject({ partial: { text: PIECES.join(''), value: { name: 'Berlin', people: 37 } } });
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    });

    it.each(CALLS)('of %s has no listener once the answer has ended or failed', async (_name, call) => {
      const { signal } = new AbortController();
      for (const route of ['whole', 'broken', 'prose', 'refused']) await call(client(server.baseURL(route)), signal);
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });
  });
});

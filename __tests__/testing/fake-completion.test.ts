import { catchError, filter, lastValueFrom, map, of, switchMap } from 'rxjs';
import { CompletionError, OpenAIChatCompletion, tool, type CompletionEvent, type StartEvent } from '../../src/index.ts';
import { accumulate, fallbackTo } from '../../src/operators/index.ts';
import { PromiseChatCompletion } from '../../src/promises.ts';
import { fakeCompletion } from '../../src/testing/index.ts';
import { errorOf, HandClock, outcomeOf, outcomeOfIterable, thrownBy, turn } from '../support/client.ts';
import { EVENTS, inOrder, marbles } from '../support/events.ts';

describe('the methods of a fake', () => {
  it('follow the diagram, in every subscription anew', () => {
    const chat = fakeCompletion('-a-b-(c|)');
    marbles(({ expectObservable }) => {
      const text$ = chat.stream$('Hi');
      expectObservable(text$).toBe('-a-b-(c|)');
      expectObservable(text$, '--^').toBe('---a-b-(c|)');
      expectObservable(chat.generate$('Hi')).toBe('-----(x|)', { x: 'abc' });
      const contents$ = chat.completion$('Hi').pipe(map(({ choices }) => choices[0]?.message.content));
      expectObservable(contents$).toBe('-----(x|)', { x: 'abc' });
    });
  });

  it('give the events and the chunks of the same answer', () => {
    const chat = fakeCompletion('-a-----b-----(c|)', { b: EVENTS.r });
    const types = { s: 'start', t: 'text-delta', r: 'reasoning-delta', f: 'finish' };
    const deltas = { a: 'a', b: undefined, c: 'c' };
    marbles(({ expectObservable }) => {
      expectObservable(chat.events$('Hi').pipe(map(({ type }) => type))).toBe('-(st)--r-----(tf|)', types);
      const contents$ = chat.chunks$('Hi').pipe(map(({ choices }) => choices[0]?.delta.content));
      expectObservable(contents$).toBe('-a-----b-----(cx|)', { ...deltas, x: undefined });
    });
  });

  it('take times and groups as run mode has them, whatever the mode', async () => {
    const scheduler = new HandClock();
    const chat = fakeCompletion(' 20ms a 1s (bc) 2m |', { a: 'Hello' }, undefined, { scheduler });
    const seen: unknown[] = [];
    chat.stream$('Hi').subscribe({
      next: (text) => seen.push(scheduler.now(), text),
      complete: () => seen.push(scheduler.now(), '|'),
    });
    scheduler.advance(200_000);
    expect(seen).toEqual([20, 'Hello', 1021, 'b', 1021, 'c', 121_025, '|']);
    expect(scheduler.pending).toBe(0);
    expect(await lastValueFrom(fakeCompletion('ab|').generate$('Hi'))).toBe('ab');
  });

  it('hang when the diagram does not end, and emit nothing in subscribe', async () => {
    const chat = fakeCompletion('a');
    const seen: string[] = [];
    const subscription = chat.stream$('Hi').subscribe((text) => seen.push(text));
    expect(seen).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve));
    await turn();
    marbles(({ expectObservable }) => {
      expectObservable(chat.stream$('Hi')).toBe('a');
      expectObservable(chat.generate$('Hi')).toBe('-');
    });
    subscription.unsubscribe();
    expect(chat.calls.map(({ outcome }) => outcome)).toEqual(['unsubscribed', 'running', 'running']);
  });

  it('name their model', async () => {
    const chat = fakeCompletion('|', undefined, undefined, { model: 'gpt-test' });
    expect(chat.model).toBe('gpt-test');
    expect((await outcomeOf(chat.events$('Hi'))).values[0]).toMatchObject({ type: 'start', model: 'gpt-test' });
  });

  it('are recorded, each that the client has', async () => {
    const methods = Object.getOwnPropertyNames(OpenAIChatCompletion.prototype).filter((name) => name.endsWith('$'));
    const options: Readonly<Record<string, object>> = { json$: { schema: NOTHING }, runTools$: { tools: [NOW] } };
    const chat = fakeCompletion('{}|', { '{': '{', '}': '}' });
    for (const method of methods) {
      const before = chat.calls.length;
      await outcomeOf(chat[method as 'stream$']('Hi', {}, options[method]));
      expect(chat.calls[before]).toMatchObject({ method, outcome: 'completed' });
    }
    // A run of tools asks by events$, which is recorded too.
    expect(chat.calls).toHaveLength(methods.length + 1);
  });
});

describe('in virtual time a fake', () => {
  it('gives JSON while it grows, and the value at the end', () => {
    const chat = fakeCompletion('-a-b-|', { a: '{"n":1,"t":"x', b: 'y"}' });
    const schema = {
      type: 'object',
      properties: { n: { type: 'number' }, t: { type: 'string' } },
      required: ['n', 't'],
    };
    marbles(({ expectObservable }) => {
      const values$ = chat.json$<object>('Hi', {}, { schema });
      expectObservable(values$).toBe('-a-b-(f|)', {
        a: { type: 'partial', value: { n: 1, t: 'x' } },
        b: { type: 'partial', value: { n: 1, t: 'xy' } },
        f: { type: 'final', value: { n: 1, t: 'xy' } },
      });
    });
  });

  it('runs tools, and asks as often as it may', () => {
    const call: CompletionEvent = { type: 'tool-call', choice: 0, index: 0, id: 'c1', name: 'now', arguments: '{}' };
    const chat = fakeCompletion('-c------|', { c: call });
    marbles(({ expectObservable, flush }) => {
      const events$ = chat.runTools$('Hi', {}, { tools: [NOW], maxRounds: 2 });
      const told$ = events$.pipe(
        filter(({ type }) => type === 'round-start' || type === 'tool-result'),
        map(({ type }) => type[0]),
        catchError((error: unknown) => of((error as CompletionError).code)),
      );
      expectObservable(told$).toBe('r-------(tr)----(m|)', { r: 'r', t: 't', m: 'maxRounds' });
      flush();
      expect(chat.calls.map(({ method, outcome }) => [method, outcome])).toEqual([
        ['runTools$', 'failed'],
        ['events$', 'completed'],
        ['events$', 'completed'],
      ]);
    });
  });
});

const NOTHING = { type: 'object', properties: {}, additionalProperties: false };
const NOW = tool({ name: 'now', parameters: NOTHING, execute: () => 'now' });

describe('a value', () => {
  it.each([
    ['ra|', 'raf'],
    ['aAbFu|', 'aAbfFu'],
    ['tdw|', 'tdwK'],
    ['w|', 'tdwK'],
    ['n|', 'nf'],
    ['aL|', 'aL'],
    ['aC|', 'aC'],
    ['aZ|', 'aZ'],
    ['ufa|', 'afu'],
    ['|', 'f'],
  ])('is an event, and the answer is well-formed: %s', async (diagram, expected) => {
    const { values } = await outcomeOf(fakeCompletion(diagram, EVENTS).events$('Hi', { n: 2 }));
    expect(values[0]).toEqual({ type: 'start', id: 'chatcmpl-1', model: 'gpt-4o-mini', created: 0, attempt: 1 });
    expect(values.slice(1)).toEqual(inOrder(expected));
  });

  it('of a start is what the response and its chunks say of themselves', async () => {
    const start: StartEvent = {
      type: 'start',
      id: 'x',
      model: 'm',
      created: 7,
      attempt: 1,
      requestId: 'r',
      systemFingerprint: 'fp',
      rateLimit: { limitRequests: 10, remainingTokens: 5, resetTokensMs: 1500 },
    };
    const { values } = await outcomeOf(fakeCompletion('-s-a|', { s: start }).events$('Hi'));
    expect(values[0]).toEqual(start);
  });

  it('is what no other event carries, and log probabilities', async () => {
    const token = { token: 'a', logprob: -1, bytes: null, top_logprobs: [] };
    const values = {
      x: { type: 'extra', scope: 'completion', fields: { service_tier: 'flex' } },
      y: { type: 'extra', choice: 0, scope: 'choice', fields: { safety: 1 } },
      z: { type: 'extra', choice: 0, scope: 'message', fields: { audio: { id: 'au' } } },
      l: { type: 'logprobs', choice: 0, tokens: [token], refusalTokens: [] },
      q: { type: 'reasoning-delta', choice: 0, text: 'hm', field: 'both' },
    } satisfies Record<string, CompletionEvent>;
    const { values: events } = await outcomeOf(fakeCompletion('axyzlq|', values).events$('Hi'));
    expect(events.slice(2, -1)).toEqual([values.x, values.y, values.z, values.l, values.q]);
  });

  it('is a custom tool call, and the fields of one', async () => {
    const call = { type: 'tool-call', choice: 0, index: 0, id: 'c', name: 'f', arguments: 'SELECT 1' } as const;
    const custom = { ...call, extra: { type: 'custom' } };
    const signed = { ...call, index: 1, id: 'd', arguments: '{}', extra: { signature: 's' } };
    const { values } = await outcomeOf(fakeCompletion('cd|', { c: custom, d: signed }).events$('Hi'));
    expect(values.filter(({ type }) => type === 'tool-call')).toEqual([custom, signed]);
  });
});

describe('an error', () => {
  it('of ours has what had arrived', async () => {
    const details = { kind: 'rate-limit', retryable: true, retryAfterMs: 500, cause: new Error('429') } as const;
    const error = new CompletionError('Too many requests', details);
    const chat = fakeCompletion('-a-b-#', undefined, error);
    marbles(({ expectObservable }) => {
      const diagram = '-a-b-#';
      expectObservable(chat.stream$('Hi')).toBe(diagram, undefined, error);
      expectObservable(chat.generate$('Hi')).toBe('-----#', undefined, error);
    });
    for (const failed$ of [chat.stream$('Hi'), chat.events$('Hi')]) {
      const seen = await errorOf(failed$);
      expect(seen.partial.text).toBe('ab');
      expect(seen).not.toBe(error);
      // Own fields included, which are all that some runners compare, and some do not.
      expect(Object.entries(seen)).toEqual(Object.entries(error));
      expect(seen.cause).toBe(error.cause);
      expect([seen.message, seen.stack]).toEqual([error.message, error.stack]);
    }
    expect(Object.entries(await errorOf(chat.completion$('Hi')))).toEqual(Object.entries(error));
    expect(error.partial.text).toBe('');
  });

  it.each([new Error('foreign'), 'a string', null, 0, { kind: 'none of ours' }])(
    'of another kind passes through: %p',
    async (error) => {
      const chat = fakeCompletion('a#', undefined, error);
      for (const answer$ of [chat.stream$('Hi'), chat.generate$('Hi'), chat.events$('Hi'), chat.chunks$('Hi')]) {
        expect((await outcomeOf<unknown>(answer$)).error).toBe(error);
      }
    },
  );

  it('is by default that of an answer that broke off', async () => {
    const chat = fakeCompletion('a#');
    expect(await errorOf(chat.stream$('Hi'))).toMatchObject({
      kind: 'interrupted',
      retryable: true,
      partial: { text: 'a' },
    });
    expect(await errorOf(chat.generate$('Hi'))).toMatchObject({ kind: 'interrupted' });
    expect(await errorOf(fakeCompletion('#').events$('Hi'))).toMatchObject({ kind: 'interrupted' });
  });

  it('is asked about again only if the call says so', async () => {
    const chat = fakeCompletion('#', {}, new CompletionError('no', { kind: 'server', retryable: true }));
    const error = await errorOf(chat.stream$('Hi', {}, { retry: { maxRetries: 2, baseDelayMs: 0 } }));
    expect(error).toMatchObject({ kind: 'server', attempts: 3 });
    expect(chat.requests).toHaveLength(3);
    await outcomeOf(chat.stream$('Hi'));
    expect(chat.requests).toHaveLength(4);
  });

  it('is what a method makes of the answer', async () => {
    expect(await errorOf(fakeCompletion('an|', EVENTS).stream$('Hi'))).toMatchObject({ kind: 'refusal' });
    expect(await errorOf(fakeCompletion('w|', EVENTS).generate$('Hi'))).toMatchObject({ kind: 'tool' });
    expect(await errorOf(fakeCompletion('aL|', EVENTS).stream$('Hi', {}, { onLength: 'error' }))).toMatchObject({
      kind: 'limit',
    });
  });
});

describe('options of a call', () => {
  it('have the effect they have', async () => {
    const chat = fakeCompletion('aA 9ms bf|', EVENTS);
    expect((await outcomeOf(chat.stream$('Hi', { n: 2 }, { choice: 1 }))).values).toEqual(['A']);
    const controller = new AbortController();
    marbles(({ expectObservable, cold }) => {
      cold('----x').subscribe(() => {
        controller.abort();
      });
      const aborted$ = chat.stream$('Hi', {}, { signal: controller.signal });
      expectObservable(aborted$).toBe('a---#', undefined, expect.objectContaining({ kind: 'aborted' }));
      const late$ = chat.stream$('Hi', {}, { timeout: { outputMs: 5 } });
      expectObservable(late$).toBe(
        'a 4ms - #',
        undefined,
        expect.objectContaining({ kind: 'timeout', clock: 'output' }),
      );
    });
  });

  it('and messages that are wrong are refused', async () => {
    const chat = fakeCompletion('a|');
    expect(await errorOf(chat.stream$(''))).toMatchObject({ kind: 'configuration' });
    expect(await errorOf(chat.stream$('Hi', {}, { choise: 0 } as never))).toMatchObject({ kind: 'configuration' });
    expect(chat.calls.map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
    expect(chat.requests).toEqual([]);
  });
});

describe('what a fake remembers', () => {
  it('is each subscription: what was asked, when, and how it ended', () => {
    const chat = fakeCompletion('-a-|');
    const unused$ = chat.stream$('never subscribed to');
    marbles(({ expectObservable, expectSubscriptions, hot }) => {
      const prompts$ = hot('x-y', { x: 'one', y: 'two' });
      expectObservable(prompts$.pipe(switchMap((prompt) => chat.stream$(prompt, { temperature: 0 })))).toBe('-a-a');
      expectSubscriptions(chat.subscriptions).toBe(['^-!', '--^--!']);
    });
    expect(unused$).toBeDefined();
    expect(chat.calls).toMatchObject([
      {
        method: 'stream$',
        messages: 'one',
        params: { temperature: 0 },
        subscribedAt: 0,
        outcome: 'unsubscribed',
        endedAt: 2,
      },
      { method: 'stream$', messages: 'two', subscribedAt: 2, outcome: 'completed', endedAt: 5 },
    ]);
    expect(chat.requests.map(({ outcome }) => outcome)).toEqual(['aborted', 'ended']);
  });

  it('is what was asked then, not what became of it', async () => {
    const chat = fakeCompletion('a|');
    const history = [{ role: 'user' as const, content: 'Hi' }];
    await outcomeOf(chat.stream$(history));
    history.push({ role: 'user', content: 'more' });
    expect(chat.calls[0]?.messages).toEqual([{ role: 'user', content: 'Hi' }]);
  });

  it('is a call that still runs', () => {
    const chat = fakeCompletion('a|');
    const subscription = chat.stream$('Hi').subscribe();
    expect(chat.calls).toMatchObject([{ messages: 'Hi', outcome: 'running', endedAt: undefined }]);
    subscription.unsubscribe();
  });

  it('is also what the client refuses to send', async () => {
    const chat = fakeCompletion('a|');
    const circle: Record<string, unknown> = { role: 'user' };
    circle['self'] = circle;
    expect(await errorOf(chat.stream$([circle as never]))).toMatchObject({ kind: 'configuration' });
    expect(chat.calls).toMatchObject([{ outcome: 'failed' }]);
  });
});

describe('a fake', () => {
  it('is a client: for types, for the facade, for operators', async () => {
    const chat: OpenAIChatCompletion = fakeCompletion('ab|');
    const promises = new PromiseChatCompletion(chat);
    expect(await promises.generateCompletion('Hi')).toBe('ab');
    expect(await outcomeOfIterable(promises.streamCompletion('Hi'))).toEqual({ values: ['a', 'b'], completed: true });
    const broken = fakeCompletion('#', undefined, new CompletionError('no', { kind: 'server', retryable: true }));
    marbles(({ expectObservable }) => {
      const view$ = broken.events$('Hi').pipe(
        fallbackTo([fakeCompletion('------a-----(b|)').events$('Hi')]),
        accumulate(),
        map(({ text, status }) => `${status} ${text}`),
      );
      expectObservable(view$).toBe('c-----(sa)--(bfd|)', {
        c: 'connecting ',
        s: 'streaming ',
        a: 'streaming a',
        b: 'streaming ab',
        f: 'streaming ab',
        d: 'done ab',
      });
    });
  });

  it.each([
    ['a^b|', {}, '^ has no meaning'],
    ['a!', {}, '! has no meaning'],
    ['a|b', {}, 'nothing may follow the end'],
    ['(a|#)', {}, 'nothing may follow the end'],
    ['af#', EVENTS, 'after a finish the answer is whole'],
    ['aRb|', EVENTS, `values.R is a restart`],
    ['?|', EVENTS, 'values.? is an event that no server sends: new'],
    ['a|', { a: 7 }, 'values.a must be a text or a CompletionEvent'],
    ['a|', { a: undefined }, 'values.a must be a text or a CompletionEvent'],
    ['a|', { a: null }, 'values.a must be a text or a CompletionEvent'],
    [7, {}, 'marbles must be a diagram'],
  ])('refuses %s with %o', (diagram, values, message) => {
    const error = thrownBy(() => fakeCompletion(diagram as string, values as never));
    expect(error).toMatchObject({ kind: 'configuration' });
    expect(error.message).toContain(message);
  });

  it('refuses options it does not know', () => {
    const options = { sheduler: new HandClock() } as object;
    expect(thrownBy(() => fakeCompletion('a|', {}, undefined, options)).message).toContain('did you mean scheduler?');
  });
});

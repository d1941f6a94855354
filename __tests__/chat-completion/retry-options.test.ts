import type { Observable } from 'rxjs';
import type { OpenAIChatCompletion, RetryInfo, RetryOptions } from '../../src/index.ts';
import { CLIENTS, HandClock, outcomeOf, recordedFetch, turn, type Outcome } from '../support/client.ts';
import { chunk, completion, sentence, text } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';
type Retry = RetryOptions | false | undefined;
type Ask = (chat: OpenAIChatCompletion) => Observable<unknown>;

const busy = (): Response => Response.json({ error: { message: 'busy' } }, { status: 503 });

describe.each(CLIENTS)('the option retry over the $name transport', ({ client }) => {
  /** What a call comes to, how many requests it takes, and the pauses between them. */
  async function made(
    retry: Retry,
    ask: Ask,
    respond: (request: number) => Response = busy,
  ): Promise<Outcome<unknown> & { readonly requests: number; readonly delays: readonly number[] }> {
    const scheduler = new HandClock();
    const delays: number[] = [];
    const onRetry = ({ delayMs }: RetryInfo): void => {
      delays.push(delayMs);
      void turn().then(() => {
        scheduler.advance(delayMs);
      });
    };
    const fetch = recordedFetch((_, request) => respond(request));
    const chat = client('http://127.0.0.1:9', { fetch, scheduler, hooks: { onRetry }, retry });
    const outcome = await outcomeOf(ask(chat));
    // What stands behind [DONE] is read to its end.
    await turn();
    expect(scheduler.pending).toBe(0);
    return { ...outcome, requests: fetch.calls.length, delays };
  }

  it.each<[client: Retry, call: Retry, requests: number]>([
    [undefined, undefined, 3],
    [{}, undefined, 3],
    [false, undefined, 1],
    [{ maxRetries: 0 }, undefined, 1],
    [{ maxRetries: 4 }, undefined, 5],
    [{ maxRetries: 4 }, {}, 5],
    [{ maxRetries: 4 }, { maxRetries: undefined }, 5],
    [{ maxRetries: 4 }, { maxRetries: 1 }, 2],
    [{ maxRetries: 1 }, { maxRetries: 4 }, 5],
    [{ maxRetries: 4 }, false, 1],
    [undefined, false, 1],
    [false, false, 1],
    [false, {}, 3],
    [false, { maxRetries: 1 }, 2],
  ])('%j of the client and %j of the call make %i requests', async (ofClient, ofCall, requests) => {
    const call = { retry: ofCall };
    const calls: readonly Ask[] = [
      (chat) => chat.stream$(PROMPT, {}, call),
      (chat) => chat.generate$(PROMPT, {}, call),
      (chat) => chat.completion$(PROMPT, {}, call),
      (chat) => chat.events$(PROMPT, {}, call),
      (chat) => chat.chunks$(PROMPT, {}, call),
    ];
    for (const ask of calls) {
      const outcome = await made(ofClient, ask);
      expect(outcome.requests).toBe(requests);
      expect(outcome.error).toMatchObject({ kind: 'server', status: 503, attempts: requests });
    }
  });

  it('pauses by default for half a second or up to a quarter less, and twice that', async () => {
    const { delays } = await made(undefined, (chat) => chat.stream$(PROMPT));
    expect(delays).toHaveLength(2);
    const [first, second] = delays as [number, number];
    expect(first).toBeGreaterThanOrEqual(375);
    expect(first).toBeLessThanOrEqual(500);
    expect(second).toBeGreaterThanOrEqual(750);
    expect(second).toBeLessThanOrEqual(1000);
  });

  it.each<[name: string, client: Retry, call: Retry, delays: readonly number[]]>([
    ['what the call leaves out comes from the client', { baseDelayMs: 10, jitter: 0 }, { maxRetries: 1 }, [10]],
    ['what the call says wins', { baseDelayMs: 10, jitter: 0 }, { baseDelayMs: 30 }, [30, 60]],
    ['what neither says is the default', false, { maxRetries: 1, jitter: 0 }, [500]],
    ['nothing of the call before is left', { jitter: 1, random: () => 0.5 }, { maxDelayMs: 600 }, [250, 300]],
  ])('%s', async (_, ofClient, ofCall, delays) => {
    expect((await made(ofClient, (chat) => chat.events$(PROMPT, {}, { retry: ofCall }))).delays).toEqual(delays);
  });

  it('decides by its rule, of the call before that of the client', async () => {
    const stop = { when: () => false };
    expect((await made(stop, (chat) => chat.stream$(PROMPT))).requests).toBe(1);
    const goOn = { when: () => true };
    expect((await made(stop, (chat) => chat.stream$(PROMPT, {}, { retry: goOn }))).requests).toBe(3);
  });

  it.each<[string, Ask, number]>([
    ['events$', (chat) => chat.events$(PROMPT), 5],
    ['chunks$', (chat) => chat.chunks$(PROMPT), 4],
  ])('tries again after what is no output, of which %s shows none', async (_, ask, count) => {
    const answers = [chunk({ choices: [{ index: 0, delta: { role: 'assistant' } }] }), sentence('one', 'two')];
    const outcome = await made({}, ask, (request) => new Response(answers[request - 1]));
    expect(outcome).toMatchObject({ completed: true, requests: 2 });
    expect(outcome.values).toHaveLength(count);
  });

  describe("mode: 'restart'", () => {
    const restart = { mode: 'restart' } as const;
    /** The first answer is cut after output. */
    const cut = (request: number): Response => new Response(request === 1 ? text('so far') : sentence('anew'));

    it.each<[client: Retry, call: Retry]>([
      [{}, restart],
      [false, restart],
      [restart, undefined],
      [restart, { maxRetries: 1 }],
    ])('of %j and %j lets events$ begin anew after output', async (ofClient, ofCall) => {
      const { values, completed, requests } = await made(
        ofClient,
        (chat) => chat.events$(PROMPT, {}, { retry: ofCall }),
        cut,
      );
      expect([completed, requests]).toEqual([true, 2]);
      expect(values).toContainEqual(expect.objectContaining({ type: 'restart', attempt: 2, discarded: 1 }));
    });

    it("of the client gives way to the call's own mode", async () => {
      const ask: Ask = (chat) => chat.events$(PROMPT, {}, { retry: { mode: 'before-output' } });
      expect(await made(restart, ask, cut)).toMatchObject({ error: { kind: 'interrupted', attempts: 1 }, requests: 1 });
    });

    it.each<[string, Ask, string | object]>([
      ['stream$', (chat) => chat.stream$(PROMPT), 'so far'],
      ['stream$ with options', (chat) => chat.stream$(PROMPT, {}, { retry: { maxRetries: 1 } }), 'so far'],
      ['chunks$', (chat) => chat.chunks$(PROMPT), { object: 'chat.completion.chunk' }],
    ])('of the client restarts nothing in %s: what was emitted stands', async (_, ask, value) => {
      const outcome = await made(restart, ask, cut);
      expect(outcome).toMatchObject({ error: { kind: 'interrupted', attempts: 1 }, requests: 1 });
      expect(outcome.values).toHaveLength(1);
      expect(outcome.values).toEqual([typeof value === 'string' ? value : expect.objectContaining(value)]);
    });

    it.each<[string, Ask, (request: number) => Response]>([
      ['stream$', (chat) => chat.stream$(PROMPT), (request) => (request === 1 ? busy() : new Response(sentence('x')))],
      ['generate$', (chat) => chat.generate$(PROMPT), (request) => (request === 1 ? busy() : whole())],
      ['completion$', (chat) => chat.completion$(PROMPT), (request) => (request === 1 ? busy() : whole())],
      ['chunks$', (chat) => chat.chunks$(PROMPT), (request) => (request === 1 ? busy() : new Response(sentence('x')))],
    ])('of the client is before-output in %s', async (_, ask, respond) => {
      expect(await made(restart, ask, respond)).toMatchObject({ completed: true, requests: 2 });
    });

    it.each(['stream$', 'generate$', 'completion$', 'chunks$'] as const)('of a call is refused by %s', async (name) => {
      const call = { retry: restart as Omit<RetryOptions, 'mode'> };
      const { error, requests } = await made({}, (chat) => chat[name](PROMPT, {}, call));
      expect(error).toMatchObject({ kind: 'configuration', retryable: false, param: 'retry.mode' });
      expect((error as Error).message).toContain(`has no effect in ${name}`);
      expect((error as Error).message).toContain('use events$');
      expect(requests).toBe(0);
    });

    it.each(['stream$', 'generate$', 'completion$', 'chunks$', 'events$'] as const)(
      'is not what before-output is, which %s takes',
      async (name) => {
        const call = { retry: { mode: 'before-output', maxRetries: 1 } as Omit<RetryOptions, 'mode'> };
        expect((await made(false, (chat) => chat[name](PROMPT, {}, call))).requests).toBe(2);
      },
    );
  });
});

function whole(): Response {
  return Response.json(completion('yes'));
}

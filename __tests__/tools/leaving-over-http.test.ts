import { filter, map, NEVER, take, timer } from 'rxjs';
import type { ChatCompletionOptions } from '../../src/index.ts';
import { CLIENTS, errorOf, HandClock, outcomeOf } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { hang, head, inTurn, say, script, sentence, stream, text } from '../support/faults-steps.ts';
import { calls, talk, textOf, weatherOf } from './server.ts';

const PROMPT = 'Do I need a coat?';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({ talk: talk('Oslo', 'Rome'), hanging: script(head(), hang) });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

describe.each(CLIENTS)('leaving runTools$ over the $name transport', ({ client }) => {
  it('inside a tool aborts it, and asks no more', async () => {
    const weather = weatherOf((city) => {
      if (city === 'Rome') subscription.unsubscribe();
      return NEVER;
    });
    const run$ = client(server.baseURL('talk')).runTools$(PROMPT, {}, { tools: [weather.tool] });
    const ended = jest.fn();
    const subscription = run$.subscribe({ error: ended, complete: ended });
    await new Promise<void>((resolve) => {
      subscription.add(resolve);
    });
    expect(weather.signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    await server.closed(0);
    expect(server.requests).toHaveLength(1);
    expect(ended).not.toHaveBeenCalled();
  });

  it('aborts what a tool fetches with its signal', async () => {
    const weather = weatherOf((_city, { signal }) => fetch(server.baseURL('hanging'), { method: 'POST', signal }));
    const url = server.route('fetching', stream(calls('Oslo')));
    const subscription = client(url)
      .runTools$(PROMPT, {}, { tools: [weather.tool] })
      .subscribe();
    expect((await server.request(1)).route).toBe('hanging');
    subscription.unsubscribe();
    expect(await server.closed(1)).toBe('aborted');
  });

  it.each([1, 2])('aborts the request of round %i', async (round) => {
    const waiting = script(head(), say(text('It')), hang);
    const url = server.route('waiting', round === 1 ? waiting : inTurn(stream(calls('Oslo')), waiting));
    const run$ = client(url).runTools$(PROMPT, {}, { tools: [weatherOf().tool] });
    await outcomeOf(
      run$.pipe(
        filter(({ type }) => type === 'text-delta'),
        take(1),
      ),
    );
    expect(await server.closed(round - 1)).toBe('aborted');
    expect(server.requests).toHaveLength(round);
  });

  it('by the signal is an error, and aborts the request', async () => {
    const controller = new AbortController();
    const options = { tools: [weatherOf().tool], signal: controller.signal };
    const reason = new Error('enough');
    const failed = errorOf(client(server.baseURL('hanging')).runTools$(PROMPT, {}, options));
    await server.request(0);
    controller.abort(reason);
    expect(await failed).toMatchObject({ kind: 'aborted', cause: reason });
    expect(await server.closed(0)).toBe('aborted');
  });
});

describe.each(CLIENTS)('the limits of runTools$ over the $name transport', ({ client }) => {
  it.each<[string, object]>([
    ['client', {}],
    ['client', { scheduler: undefined }],
    ['call', { scheduler: 'own' }],
  ])('run on the clock of the %s: %j', async (whose, given) => {
    const clock = new HandClock();
    const mine: ChatCompletionOptions = whose === 'client' ? { scheduler: clock } : { scheduler: new HandClock() };
    const weather = weatherOf(() => NEVER);
    const url = server.route('limited', inTurn(stream(calls('Oslo')), stream(sentence('Sorry'))));
    const run$ = client(url, { ...mine, timeout: false }).runTools$(
      PROMPT,
      {},
      { tools: [weather.tool], toolTimeoutMs: 50, ...(whose === 'call' ? { scheduler: clock } : given) },
    );
    const outcome = outcomeOf(run$);
    await weather.called;
    clock.advance(49);
    expect(weather.signals[0]?.aborted).toBe(false);
    clock.advance(1);
    expect(weather.signals[0]?.aborted).toBe(true);
    expect(textOf(await outcome)).toBe('Sorry');
    await clock.untilPending(0);
  });

  it('are no clocks of a request: a tool takes longer than an answer may', async () => {
    const clock = new HandClock();
    const weather = weatherOf((city) => timer(1000, clock).pipe(map(() => city)));
    const options = { scheduler: clock, timeout: { connectMs: 9, idleMs: 9, outputMs: 9, totalMs: 9 } };
    const url = server.route('slow', inTurn(stream(calls('Oslo')), stream(sentence('Fine'))));
    const outcome = outcomeOf(client(url, options).runTools$(PROMPT, {}, { tools: [weather.tool] }));
    await weather.called;
    clock.advance(1000);
    expect(textOf(await outcome)).toBe('Fine');
  });

  it('are options, wrong ones of which are errors that nobody asks for', async () => {
    const chat = client(server.baseURL('talk'));
    const options = { tools: [weatherOf().tool], approve: 'yes' } as never;
    expect(await errorOf(chat.runTools$(PROMPT, {}, options))).toMatchObject({ kind: 'configuration' });
    expect(server.requests).toHaveLength(0);
  });
});

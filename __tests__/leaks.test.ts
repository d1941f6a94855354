import { execFile } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { take } from 'rxjs';
import { PromiseChatCompletion } from '../src/promises.ts';
import { API_KEY, CLIENTS, HandClock, outcomeOf, outcomeOfIterable, recordedFetch } from './support/client.ts';
import { startFaultServer, type FaultServer } from './support/fault-server.ts';
import {
  completion,
  cut,
  DONE,
  finish,
  hang,
  head,
  json,
  reset,
  say,
  script,
  sentence,
  stream,
  text,
} from './support/faults-steps.ts';

const PROMPT = 'Say this is a test!';

describe.each(CLIENTS)('a thousand calls over the $name transport', ({ client }) => {
  it('leave no listener on the one signal they share, and no timer', async () => {
    const { signal } = new AbortController();
    const scheduler = new HandClock();
    const answers = [
      () => new Response(sentence('one', 'two')),
      () => new Response(text('cut')),
      () => Response.json({ error: 'no' }, { status: 500 }),
      () => Response.json(completion('yes')),
    ];
    const fetch = recordedFetch((_, call) => answers[call % answers.length]?.() ?? Response.error());
    const timeout = { totalMs: 1_000_000 };
    const chat = client('http://127.0.0.1:9', { fetch, scheduler, timeout, logLevel: 'off' });
    const facade = new PromiseChatCompletion(chat);
    const ways = [
      () => outcomeOf(chat.stream$(PROMPT, {}, { signal })),
      () => outcomeOf(chat.events$(PROMPT, {}, { signal }).pipe(take(1))),
      () => outcomeOf(chat.generate$(PROMPT, {}, { signal })),
      () => outcomeOfIterable(facade.streamCompletion(PROMPT, {}, { signal })),
      () => facade.generateCompletion(PROMPT, {}, { signal }).catch(() => undefined),
    ];
    for (let call = 0; call < 1000; call += 100) {
      await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          await ways[index % ways.length]?.();
        }),
      );
    }
    expect(fetch.calls).toHaveLength(1000);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(scheduler.pending).toBe(0);
  });
});

/** Every way for a call to end, in a program that must then come to its end by itself. */
const PROGRAM = `
  const { lastValueFrom, take } = await import(process.env.RXJS);
  const { OpenAIChatCompletion, fetchTransport } = await import(process.env.ENTRY);
  const { PromiseChatCompletion } = await import(process.env.PROMISES);
  const clientOf = (route, retry = false) => {
    const baseURL = process.env.ORIGIN + '/' + route;
    const options = { apiKey: process.env.KEY, envFile: false, logLevel: 'off', retry };
    return new OpenAIChatCompletion(
      process.env.TRANSPORT === 'fetch' ? { ...options, transport: fetchTransport({ baseURL }) } : { ...options, baseURL },
    );
  };
  const turn = () => new Promise(setImmediate);
  const held = () => process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate|TCP|TLS/.test(name));
  const error = (promise) => promise.then(() => 'none', (error) => error.kind);
  const during = (call$, event) => new Promise((resolve) => {
    const subscription = call$.subscribe({ next: leave, error: resolve });
    function leave() { subscription.unsubscribe(); resolve('left'); }
    if (event === 'at once') leave();
    if (event === 'later') setTimeout(leave, 50);
  });
  const facade = (route) => new PromiseChatCompletion(clientOf(route));
  const first = async (route) => { for await (const text of facade(route).streamCompletion('hi')) return text; };

  const scenarios = {
    'a stream': () => lastValueFrom(clientOf('whole').stream$('hi')),
    'an answer': () => lastValueFrom(clientOf('complete').generate$('hi')),
    'an error status': () => error(lastValueFrom(clientOf('refusing').stream$('hi'))),
    'a cut stream': () => error(lastValueFrom(clientOf('broken').stream$('hi'))),
    'a reset connection': () => error(lastValueFrom(clientOf('reset').stream$('hi'))),
    'leaving at once': () => during(clientOf('talking').stream$('hi'), 'at once'),
    'leaving while it connects': () => during(clientOf('connecting').stream$('hi'), 'later'),
    'leaving while an error body hangs': () => during(clientOf('hanging-error').stream$('hi'), 'later'),
    'as many retries as there may be': () => error(lastValueFrom(clientOf('refusing', { baseDelayMs: 1 }).stream$('hi'))),
    'leaving while it waits to try again': () => during(clientOf('refusing', { baseDelayMs: 8000 }).stream$('hi'), 'later'),
    'a signal while it waits to try again': () => error(lastValueFrom(
      clientOf('refusing', { baseDelayMs: 8000 }).stream$('hi', {}, { signal: AbortSignal.timeout(50) }))),
    'leaving inside next': () => during(clientOf('talking').stream$('hi')),
    'break': () => first('talking'),
    'a signal': () => error(facade('connecting').generateCompletion('hi', {}, { signal: AbortSignal.timeout(50) })),
    'a clock': () => error(facade('connecting').generateCompletion('hi', {}, { timeout: { connectMs: 50 } })),
    'the clock of outputs': () => error(lastValueFrom(clientOf('talking').stream$('hi', {}, { timeout: { outputMs: 50 } }))),
    'the clock of the call': () => error(lastValueFrom(clientOf('talking').stream$('hi', {}, { timeout: { totalMs: 50 } }))),
    // Last, for its socket is kept for a moment.
    'a body that does not end after [DONE]': () => lastValueFrom(clientOf('endless').stream$('hi')),
  };
  const report = {};
  for (const [name, run] of Object.entries(scenarios)) {
    const result = await run();
    for (let turns = 0; turns < 100 && held().length > 0; turns++) await turn();
    report[name] = { result, held: held() };
  }
  console.log(JSON.stringify(report));
`;

describe('a program', () => {
  let server: FaultServer;
  beforeAll(async () => {
    server = await startFaultServer({
      whole: stream(sentence('yes')),
      complete: json(200, completion('yes')),
      endless: script(head(), say(text('yes') + finish() + DONE), hang),
      refusing: json(429, { error: { message: 'wait' } }),
      broken: script(head(), say(text('so far')), cut),
      reset,
      talking: script(head(), say(text('yes')), hang),
      connecting: hang,
      'hanging-error': script(head({}, 500), hang),
    });
  });
  afterAll(() => server.close());

  it.each(CLIENTS)(
    'ends by itself after calls that ended in every way ($name transport)',
    async ({ name }) => {
      const source = (path: string): string => pathToFileURL(join(__dirname, '../src', path)).href;
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '--eval', PROGRAM],
        {
          timeout: 20_000,
          env: {
            ENTRY: source('index.node.ts'),
            PROMISES: source('promises.node.ts'),
            RXJS: pathToFileURL(require.resolve('rxjs')).href,
            ORIGIN: server.origin,
            KEY: API_KEY,
            TRANSPORT: name,
          },
        },
      );
      const report = JSON.parse(stdout) as Record<string, { result: string; held: string[] }>;
      expect(Object.fromEntries(Object.entries(report).map(([scenario, { result }]) => [scenario, result]))).toEqual({
        'a stream': 'yes',
        'an answer': 'yes',
        'an error status': 'rate-limit',
        'a cut stream': 'interrupted',
        'a reset connection': 'connection',
        'leaving at once': 'left',
        'leaving while it connects': 'left',
        'leaving while an error body hangs': 'left',
        'as many retries as there may be': 'rate-limit',
        'leaving while it waits to try again': 'left',
        'a signal while it waits to try again': 'aborted',
        'leaving inside next': 'left',
        break: 'yes',
        'a signal': 'aborted',
        'a clock': 'timeout',
        'the clock of outputs': 'timeout',
        'the clock of the call': 'timeout',
        'a body that does not end after [DONE]': 'yes',
      });
      const last = report['a body that does not end after [DONE]'];
      expect(Object.values(report).flatMap((it) => (it === last ? [] : it.held))).toEqual([]);
      expect(stderr).toBe('');
    },
    30_000,
  );
});

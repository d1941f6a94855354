import { lastValueFrom, type Observable } from 'rxjs';
import type { OpenAIChatCompletion } from '../../src/index.ts';
import { CLIENTS, HandClock, errorOf, outcomeOf, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import {
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
  type Step,
} from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';
const CALLS = 5;

let server: FaultServer;
beforeEach(async () => {
  server = await startFaultServer();
});
afterEach(() => server.close());

const SAY_ONE = text('one') + finish();

interface Reuse {
  readonly name: string;
  readonly answer: Handler;
  readonly ask: (chat: OpenAIChatCompletion) => Observable<unknown>;
}

const REUSED: readonly Reuse[] = [
  { name: 'streams with [DONE]', answer: stream(sentence('one')), ask: (chat) => chat.stream$(PROMPT) },
  { name: 'streams without [DONE]', answer: stream(SAY_ONE), ask: (chat) => chat.stream$(PROMPT) },
  { name: 'answers in one piece', answer: json(200, completion('one')), ask: (chat) => chat.generate$(PROMPT) },
];

/** The end of the body has been read, and undici, which takes a turn for it, has taken the socket back. */
async function freed(clock: HandClock): Promise<void> {
  await clock.untilPending(0);
  await turn();
  await turn();
}

describe.each(CLIENTS)('the socket over the $name transport', ({ client }) => {
  it.each(REUSED)('is used again: $name', async ({ answer, ask }) => {
    const clock = new HandClock();
    const chat = client(server.route('answer', answer), { scheduler: clock });
    for (let call = 0; call < CALLS; call++) {
      await lastValueFrom(ask(chat));
      await freed(clock);
    }
    expect(server.requests).toHaveLength(CALLS);
    expect(server.connections()).toBe(1);
  });

  it('is used again after an error status', async () => {
    const clock = new HandClock();
    const chat = client(server.route('refuse', json(400, { error: { message: 'no' } })), { scheduler: clock });
    for (let call = 0; call < CALLS; call++) {
      await errorOf(chat.stream$(PROMPT));
      await freed(clock);
    }
    expect(server.requests).toHaveLength(CALLS);
    expect(server.connections()).toBe(1);
  });

  it('is used again when the body ends a moment after [DONE]', async () => {
    const clock = new HandClock();
    let completed: () => void = () => undefined;
    const afterCompletion: Step = (exchange) =>
      until(
        new Promise<void>((resolve) => {
          completed = resolve;
        }),
      )(exchange);
    // Promised before it is said: completion follows within the same turn.
    const answer: Handler = async (exchange) => {
      await head()(exchange);
      const waiting = afterCompletion(exchange);
      await say(SAY_ONE + DONE)(exchange);
      await waiting;
      await end(exchange);
    };
    const chat = client(server.route('late', answer), { scheduler: clock });
    for (let call = 0; call < CALLS; call++) {
      await lastValueFrom(chat.stream$(PROMPT));
      completed();
      await freed(clock);
    }
    expect(server.connections()).toBe(1);
    expect(server.requests.map(({ ending }) => ending)).toEqual(Array(CALLS).fill('finished'));
  });

  it('is dropped 100 ms after [DONE] if the body does not end, while the caller has long been told', async () => {
    const clock = new HandClock();
    const chat = client(server.route('endless', script(head(), say(SAY_ONE + DONE), hang)), { scheduler: clock });
    expect(await outcomeOf(chat.stream$(PROMPT))).toEqual({ values: ['one'], completed: true });
    const { closed } = await server.request(0);
    clock.advance(99);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(await closed).toBe('aborted');
    expect(clock.pending).toBe(0);
  });

  it('is dropped at once if what follows [DONE] is another stream', async () => {
    const clock = new HandClock();
    const flood: Step = async ({ write, response }) => {
      while (!response.destroyed) await write('x'.repeat(10_000));
    };
    const chat = client(server.route('flood', script(head(), say(SAY_ONE + DONE), flood)), { scheduler: clock });
    expect(await outcomeOf(chat.stream$(PROMPT))).toEqual({ values: ['one'], completed: true });
    expect(await server.closed(0)).toBe('aborted');
    expect(clock.now()).toBe(0);
  });
});

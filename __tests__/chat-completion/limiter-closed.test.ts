import { map, NEVER } from 'rxjs';
import type { LimiterFeedback } from '../../src/operators/limiter-queue.ts';
import { createLimiter, type Limiter } from '../../src/operators/limiter.ts';
import { IDLE, stateOf } from '../operators/limiting.ts';
import { CLIENTS, errorOf, outcomeOf } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { inTurn, json, whole } from '../support/faults-steps.ts';
import { shared, until } from './limited.ts';

const PROMPT = 'Say this is a test!';
const LATER = json(429, { error: { message: 'slow down' } }, { 'retry-after': '90' });
const CLOSED = { kind: 'rate-limit', retryable: true, attempts: 0 };

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer({ whole: whole('Hello') });
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

const routes = (): readonly string[] => server.requests.map(({ route }) => route);

describe.each(CLIENTS)('a Retry-After of more than a minute, over the $name transport', ({ client }) => {
  it('is an error of all who share the limiter, who send nothing until it is over', async () => {
    const { clock, limiter, options } = shared({ concurrency: 1 });
    const chat = client(server.baseURL('whole'), options);
    const limited = errorOf(client(server.route('limited', LATER), options).generate$(PROMPT));
    const waiting = [errorOf(chat.stream$(PROMPT)), errorOf(chat.generate$(PROMPT))];
    expect(stateOf(limiter)).toEqual({ ...IDLE, active: 1, queued: 2 });
    expect(await limited).toMatchObject({ kind: 'rate-limit', status: 429, retryAfterMs: 90_000, attempts: 1 });
    expect(await Promise.all(waiting)).toMatchObject([
      { ...CLOSED, retryAfterMs: 90_000 },
      { ...CLOSED, retryAfterMs: 90_000 },
    ]);
    clock.advance(20_000);
    expect(await errorOf(chat.events$(PROMPT))).toMatchObject({ ...CLOSED, retryAfterMs: 70_000 });
    await outcomeOf(client(server.baseURL('whole')).generate$('probe'));
    expect(routes()).toEqual(['limited', 'whole']);
    expect([clock.pending, stateOf(limiter)]).toEqual([0, IDLE]);
    clock.advance(70_000);
    expect(await outcomeOf(chat.stream$(PROMPT))).toEqual({ values: ['Hello'], completed: true });
    expect(stateOf(limiter)).toEqual(IDLE);
  });

  it('is waited for by a retry that may wait so long, as is the rest of it by one that comes late', async () => {
    const { clock, limiter, options } = shared();
    const patient = { ...options, retry: { jitter: 0, maxRetryAfterMs: 100_000 } };
    const limited = client(server.route('limited', inTurn(LATER, whole('at last'))), patient);
    const first = outcomeOf(limited.generate$(PROMPT));
    await until(() => clock.pending === 1);
    const refused = outcomeOf(client(server.baseURL('whole'), patient).generate$(PROMPT));
    await until(() => clock.pending === 2);
    clock.advance(30_000);
    const late = outcomeOf(client(server.baseURL('whole'), options).generate$(PROMPT));
    expect(stateOf(limiter)).toEqual({ active: 0, queued: 1, nextFreeAt: 90_000 });
    clock.advance(59_999);
    await outcomeOf(client(server.baseURL('whole')).generate$('probe'));
    expect(routes()).toEqual(['limited', 'whole']);
    clock.advance(1);
    expect(await first).toEqual({ values: ['at last'], completed: true });
    expect(await refused).toEqual({ values: ['Hello'], completed: true });
    expect(await late).toEqual({ values: ['Hello'], completed: true });
    expect([clock.pending, stateOf(limiter)]).toEqual([0, IDLE]);
  });

  it('finds the place given back by who is told of it', async () => {
    const { limiter, options } = shared({ concurrency: 1 });
    const seen = new Promise((resolve) => {
      client(server.route('limited', LATER), options)
        .generate$(PROMPT)
        .subscribe({
          error: () => {
            resolve(stateOf(limiter));
          },
        });
    });
    expect(await seen).toEqual(IDLE);
  });
});

describe.each(CLIENTS)('what a limiter is asked and told, over the $name transport', ({ client }) => {
  /** A limiter that keeps what it hears. */
  function listening(): {
    readonly limiter: Limiter;
    readonly asked: readonly number[];
    readonly said: readonly LimiterFeedback[];
  } {
    const [asked, said]: [number[], LimiterFeedback[]] = [[], []];
    const limiter = createLimiter();
    const acquire: Limiter['acquire'] = (tokens) => {
      asked.push(tokens);
      return limiter.acquire(tokens).pipe(
        map((lease) => {
          const response = (feedback: LimiterFeedback): void => {
            said.push(feedback);
            lease.response(feedback);
          };
          return { ...lease, response };
        }),
      );
    };
    return { limiter: { ...limiter, acquire }, asked, said };
  }

  it.each([
    ['an answer', whole('Hello'), undefined],
    ['a refusal', LATER, 90_000],
  ])('is told once of each response: %s', async (_name, response, retryAfterMs) => {
    const { limiter, said } = listening();
    await outcomeOf(client(server.route('told', response), { limiter }).generate$(PROMPT));
    expect(said).toEqual([{ rateLimit: undefined, retryAfterMs }]);
  });

  it('is asked for the tokens of messages, tools and the format of the answer', async () => {
    const { limiter, asked } = listening();
    const chat = client(server.baseURL('whole'), { limiter });
    const parameters = { description: 'x'.repeat(4000) };
    await outcomeOf(chat.stream$('hi', { max_tokens: 50 }));
    await outcomeOf(chat.stream$('hi', { tools: [{ type: 'function', function: { name: 'f', parameters } }] }));
    expect(asked).toEqual([
      58,
      8 + Math.ceil(JSON.stringify([{ type: 'function', function: { name: 'f', parameters } }]).length / 4),
    ]);
  });

  it('is asked by each subscription, and not where nobody waits any more', () => {
    const { limiter, asked } = listening();
    const busy = NEVER.pipe(limiter.limit()).subscribe();
    const call$ = client(server.baseURL('whole'), { limiter }).stream$('hi');
    expect(asked).toEqual([]);
    call$.subscribe().unsubscribe();
    call$.subscribe().unsubscribe();
    expect(asked).toEqual([8, 8]);
    busy.unsubscribe();
  });
});

import { of, Subject } from 'rxjs';
import type { CompletionEvent, RateLimit } from '../../src/events/event.ts';
import { createLimiter } from '../../src/operators/limiter.ts';
import { HandClock } from '../support/client.ts';
import { EVENTS, seenBy } from '../support/events.ts';
import { limiting } from './limiting.ts';

/** Beyond what setTimeout takes. */
const DAYS_MS = 3_000_000_000;

const start = (rateLimit?: RateLimit): CompletionEvent => ({
  ...EVENTS.s,
  ...(rateLimit === undefined ? undefined : { rateLimit }),
});

describe('what a server says is left', () => {
  it.each<[string, RateLimit, readonly number[], readonly unknown[]]>([
    ['no request', { remainingRequests: 0, resetRequestsMs: 20 }, [0, 0], [20, 20]],
    ['one request', { remainingRequests: 1, resetRequestsMs: 20 }, [0, 0], [0, 20]],
    ['two requests', { remainingRequests: 2, resetRequestsMs: 20 }, [0, 0], [0, 0]],
    ['no request, for nobody knows how long', { remainingRequests: 0 }, [0], [0]],
    ['a time, but not how many', { resetRequestsMs: 20, resetTokensMs: 20 }, [5], [0]],
    ['no request, until now', { remainingRequests: 0, resetRequestsMs: 0 }, [0], [0]],
    ['as many tokens as the next one needs', { remainingTokens: 50, resetTokensMs: 30 }, [50, 0, 1], [0, 0, 30]],
    ['fewer tokens than the next one needs', { remainingTokens: 50, resetTokensMs: 30 }, [51, 0], [30, 30]],
    ['no token, of which a next one needs none', { remainingTokens: 0, resetTokensMs: 30 }, [0, 1], [0, 30]],
    [
      'neither, of which the later one counts',
      { remainingTokens: 0, resetTokensMs: 30, remainingRequests: 0, resetRequestsMs: 20 },
      [1, 1],
      [30, 30],
    ],
    [
      'neither, of which tokens are not needed',
      { remainingTokens: 0, resetTokensMs: 30, remainingRequests: 0, resetRequestsMs: 20 },
      [0, 1],
      [20, 30],
    ],
    ['its limits alone', { limitRequests: 1, limitTokens: 1 }, [5, 5], [0, 0]],
  ])('is kept to: %s', (_name, rateLimit, tokens, begins) => {
    const { clock, ask } = limiting();
    ask().lease.response({ rateLimit });
    const asked = tokens.map((each) => ask(each));
    clock.advance(100);
    expect(asked.map(({ at }) => at)).toEqual(begins);
    expect(clock.pending).toBe(0);
  });

  it.each<[string, RateLimit, number, number]>([
    ['none of ten requests', { limitRequests: 10, remainingRequests: 0, resetRequestsMs: 10_000 }, 0, 1000],
    ['none of three, which rounds up', { limitRequests: 3, remainingRequests: 0, resetRequestsMs: 10 }, 0, 4],
    ['less than none', { limitRequests: 9, remainingRequests: -1, resetRequestsMs: 10_000 }, 0, 2000],
    ['none of none', { limitRequests: 0, remainingRequests: 0, resetRequestsMs: 10_000 }, 0, 10_000],
    ['none of less than none', { limitRequests: -1, remainingRequests: 0, resetRequestsMs: 10_000 }, 0, 10_000],
    ['none of an unknown number', { remainingRequests: 0, resetRequestsMs: 10_000 }, 0, 10_000],
    ['half of the tokens', { limitTokens: 100, remainingTokens: 50, resetTokensMs: 5000 }, 60, 1000],
    ['half of the tokens, all being needed', { limitTokens: 100, remainingTokens: 50, resetTokensMs: 5000 }, 100, 5000],
    [
      'half of the tokens, more being needed',
      { limitTokens: 100, remainingTokens: 50, resetTokensMs: 5000 },
      300,
      5000,
    ],
    ['half of the tokens, which is enough', { limitTokens: 100, remainingTokens: 50, resetTokensMs: 5000 }, 50, 0],
    ['all tokens, more being needed', { limitTokens: 100, remainingTokens: 100, resetTokensMs: 5000 }, 101, 5000],
    ['the limit of the other kind', { limitTokens: 10, remainingRequests: 0, resetRequestsMs: 10_000 }, 0, 10_000],
    [
      'both, of which the later one counts',
      {
        limitRequests: 10,
        remainingRequests: 0,
        resetRequestsMs: 10_000,
        limitTokens: 100,
        remainingTokens: 50,
        resetTokensMs: 5000,
      },
      75,
      2500,
    ],
  ])('comes back evenly where it says of how many: %s', (_name, rateLimit, tokens, at) => {
    const { clock, ask, state } = limiting();
    ask().lease.response({ rateLimit });
    const asked = ask(tokens);
    expect(state().nextFreeAt).toBe(at === 0 ? undefined : at);
    clock.advance(at - 1);
    expect(asked.at).toBe(at === 0 ? 0 : undefined);
    clock.advance(1);
    expect([asked.at, clock.pending]).toEqual([at, 0]);
  });

  it.each<[string, RateLimit, readonly number[], readonly number[]]>([
    [
      'requests, of which none is left',
      { limitRequests: 10, remainingRequests: 0, resetRequestsMs: 10_000 },
      Array<number>(10).fill(0),
      [1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000],
    ],
    [
      'requests, of which some are left',
      { limitRequests: 10, remainingRequests: 2, resetRequestsMs: 8000 },
      [0, 0, 0, 0],
      [0, 0, 1000, 2000],
    ],
    [
      'tokens, of which some are left',
      { limitTokens: 100, remainingTokens: 50, resetTokensMs: 5000 },
      [50, 10, 20],
      [0, 1000, 3000],
    ],
  ])('comes back as evenly for the ones after: %s', (_name, rateLimit, tokens, begins) => {
    const { clock, ask } = limiting();
    ask().lease.response({ rateLimit });
    const asked = tokens.map((each) => ask(each));
    clock.advance(20_000);
    expect(asked.map(({ at }) => at)).toEqual(begins);
    expect(clock.pending).toBe(0);
  });

  it('has come back in the time that nobody asked', () => {
    const { clock, ask } = limiting();
    ask().lease.response({ rateLimit: { limitRequests: 10, remainingRequests: 0, resetRequestsMs: 10_000 } });
    clock.advance(1999);
    const [first, second] = [ask(), ask()];
    expect([first.at, second.at]).toEqual([1999, undefined]);
    clock.advance(20_000);
    expect(Array.from({ length: 50 }, () => ask().at)).toEqual(Array(50).fill(21_999));
    expect(clock.pending).toBe(0);
  });

  it('is waited for however long it takes, with no timer that setTimeout would take for none', () => {
    const clock = new HandClock();
    const schedule = jest.spyOn(clock, 'schedule');
    const limiter = createLimiter({ scheduler: clock });
    const rateLimit: RateLimit = { remainingRequests: 0, resetRequestsMs: DAYS_MS };
    seenBy(of(start(rateLimit)).pipe(limiter.limit()));
    const seen = seenBy(of(1).pipe(limiter.limit()));
    clock.advance(DAYS_MS);
    expect(seen).toEqual([1, '|']);
    expect(schedule.mock.calls.map(([, delay]) => delay)).toEqual([0x7fffffff, DAYS_MS - 0x7fffffff]);
  });

  it('is what it said last', () => {
    const { clock, ask } = limiting();
    const { lease } = ask();
    lease.response({ rateLimit: { remainingRequests: 0, resetRequestsMs: 20 } });
    const waiting = ask();
    clock.advance(5);
    lease.response({ rateLimit: { remainingTokens: 0, resetTokensMs: 30 } });
    expect(waiting.at).toBeUndefined();
    lease.response({ rateLimit: { remainingRequests: 1, resetRequestsMs: 20 } });
    expect(waiting.at).toBe(5);
    const next = [ask(), ask(1)];
    clock.advance(30);
    expect(next.map(({ at }) => at)).toEqual([25, 35]);
  });

  it('is kept to beside the own windows and places', () => {
    const { clock, ask } = limiting({ requestsPerMinute: 2, concurrency: 2 });
    const first = ask();
    first.lease.response({ rateLimit: { remainingRequests: 0, resetRequestsMs: 20 } });
    const asked = [ask(), ask()];
    clock.advance(20);
    expect([asked[0]?.at, clock.pending]).toEqual([20, 0]);
    first.lease.release();
    clock.advance(60_000);
    expect(asked[1]?.at).toBe(60_000);
  });

  it('is heard from the start of a stream, and what was used from its usage', () => {
    const { clock, limiter, ask } = limiting({ tokensPerMinute: 100 });
    const events = new Subject<CompletionEvent>();
    const seen = seenBy(events.pipe(limiter.limit({ tokens: 90 })));
    const said = [start({ remainingRequests: 0, resetRequestsMs: 20 }), EVENTS.a, EVENTS['?']];
    for (const event of said) events.next(event);
    const next = ask(98);
    clock.advance(10);
    events.next(EVENTS.u);
    expect(next.at).toBeUndefined();
    clock.advance(10);
    expect(next.at).toBe(20);
    events.complete();
    expect(seen).toEqual([...said, EVENTS.u, '|']);
  });

  it.each([
    ['no usage', { type: 'usage' }],
    ['a usage of nothing', { type: 'usage', usage: {} }],
    ['a usage of null', { type: 'usage', usage: null }],
  ])('is what was expected where an event tells %s', (_name, event) => {
    const { limiter, ask } = limiting({ tokensPerMinute: 100 });
    expect(seenBy(of(event).pipe(limiter.limit({ tokens: 90 })))).toEqual([event, '|']);
    expect([ask(10).at, ask(1).at]).toEqual([0, undefined]);
  });

  it('is not heard from values that are no events', () => {
    const { limiter, ask } = limiting({ tokensPerMinute: 100 });
    const values = [undefined, null, 'start', { usage: { total_tokens: 1 } }, { type: 'other', usage: EVENTS.u }];
    expect(seenBy(of(...values, start()).pipe(limiter.limit({ tokens: 90 })))).toEqual([...values, start(), '|']);
    expect([ask(10).at, ask(1).at]).toEqual([0, undefined]);
  });
});

import { of } from 'rxjs';
import type { LimiterFeedback } from '../../src/operators/limiter-queue.ts';
import { createLimiter, type Limiter } from '../../src/operators/limiter.ts';
import { CLIENTS, outcomeOf, recordedFetch, fetchClient } from '../support/client.ts';
import { completion, sentence } from '../support/faults-steps.ts';
import { patient } from './patient.ts';

const PROMPT = 'Say this is a test!';
const URL = 'http://127.0.0.1:9/v1';

/** A limiter that lets everybody begin, and what it was told by whom. */
function listening(): { readonly limiter: Limiter; readonly heard: (readonly [number, LimiterFeedback])[] } {
  const heard: (readonly [number, LimiterFeedback])[] = [];
  let leases = 0;
  const acquire: Limiter['acquire'] = () => {
    leases += 1;
    const mine = leases;
    const nothing = (): void => undefined;
    return of({ response: (said: LimiterFeedback) => heard.push([mine, said]), usage: nothing, release: nothing });
  };
  return { limiter: { ...createLimiter(), acquire }, heard };
}

const limited = (remaining: number, status = 200, more: Readonly<Record<string, string>> = {}): Response => {
  const headers = {
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests': '20ms',
    ...more,
  };
  if (status !== 200) return Response.json({ error: { message: 'no' } }, { status, headers });
  return new Response(sentence('Hello'), { headers });
};

const said = (remainingRequests: number, retryAfterMs?: number): LimiterFeedback => ({
  rateLimit: { remainingRequests, resetRequestsMs: 20 },
  retryAfterMs,
});

describe.each(CLIENTS)('the limiter of the client is told what headers say, over the $name transport,', (client) => {
  it.each([200, 400, 401, 404])('once for a response of status %i', async (status) => {
    const { limiter, heard } = listening();
    const fetch = recordedFetch(() => limited(5, status));
    await outcomeOf(client.client(URL, { fetch, limiter }).events$(PROMPT));
    expect(heard).toEqual([[1, said(5)]]);
  });

  it('of Retry-After only where there is no answer', async () => {
    for (const [status, retryAfterMs] of [
      [200, undefined],
      [503, 7000],
    ] as const) {
      const { limiter, heard } = listening();
      const fetch = recordedFetch(() => limited(5, status, { 'retry-after': '7' }));
      await outcomeOf(client.client(URL, { fetch, limiter }).events$(PROMPT));
      expect(heard).toEqual([[1, said(5, retryAfterMs)]]);
    }
  });

  it('once for an answer in one piece, and for one that says nothing of limits', async () => {
    const { limiter, heard } = listening();
    const fetch = recordedFetch(() => Response.json(completion('Hello')));
    await outcomeOf(client.client(URL, { fetch, limiter }).generate$(PROMPT));
    expect(heard).toEqual([[1, { rateLimit: undefined, retryAfterMs: undefined }]]);
  });

  it('once for each response of a call that is asked again, each by its own lease', async () => {
    const { limiter, heard } = listening();
    const fetch = recordedFetch((_, call) =>
      call === 3 ? limited(3) : limited(call, 429, { 'retry-after-ms': String(call * 1000) }),
    );
    const { completed } = await outcomeOf(
      client.client(URL, { fetch, ...patient({ limiter, retry: { jitter: 0 } }).options }).events$(PROMPT),
    );
    expect(completed).toBe(true);
    expect(heard).toEqual([
      [1, said(1, 1000)],
      [2, said(2, 2000)],
      [3, said(3)],
    ]);
  });

  it('never where no response came', async () => {
    const { limiter, heard } = listening();
    const fetch = recordedFetch(() => Promise.reject(new TypeError('lost')));
    await outcomeOf(client.client(URL, { fetch, limiter }).events$(PROMPT));
    expect(heard).toEqual([]);
  });
});

describe('the limiter of the client', () => {
  it.each([200, 503])('is told once by a transport that fetches by itself, too: %i', async (status) => {
    const { limiter, heard } = listening();
    const transport = async (): Promise<Response> => limited(5, status);
    await outcomeOf(fetchClient.client(URL, { limiter, transport, baseURL: undefined }).events$(PROMPT));
    expect(heard).toEqual([[1, said(5)]]);
  });
});

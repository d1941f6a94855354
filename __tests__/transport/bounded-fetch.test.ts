import type { Fetch } from '../../src/index.ts';
import { CompletionError } from '../../src/errors.ts';
import type { ResponseFacts } from '../../src/error-response.ts';
import { accepted, boundedFetch, headerSecrets, type FetchBounds } from '../../src/transport/bounded-fetch.ts';
import { DeadlineClock } from '../../src/deadline-clock.ts';
import { HandClock, recordedFetch, turn } from '../support/client.ts';
import { inSteps } from '../support/steps.ts';

const URL_ASKED = 'http://host.test/v1/chat/completions';

function boundsOf(changes: Partial<FetchBounds> = {}) {
  const scheduler = new HandClock();
  const reported: unknown[] = [];
  const facts: ResponseFacts[] = [];
  const sent: Headers[] = [];
  const bounds: FetchBounds = {
    request: { model: 'm', stream: true, attempt: 1 },
    signal: new AbortController().signal,
    clock: new DeadlineClock(scheduler, () => undefined),
    idleMs: 1000,
    discardMs: undefined,
    scheduler,
    hooks: {},
    secrets: () => [],
    onSend: (headers) => void sent.push(headers),
    onFacts: (it) => void facts.push(it),
    report: (error) => void reported.push(error),
    ...changes,
  };
  return { bounds, reported, facts, sent, scheduler };
}

async function failureOf(promise: Promise<unknown>): Promise<CompletionError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CompletionError) return error;
  throw new Error(`expected a CompletionError, got ${String(error)}`);
}

describe('boundedFetch', () => {
  it('passes a 2xx on untouched, its body unread', async () => {
    const response = new Response('yes', { status: 201 });
    const { bounds, reported, facts } = boundsOf();
    expect(
      await boundedFetch(
        recordedFetch(() => response),
        bounds,
      )(URL_ASKED),
    ).toBe(response);
    expect(response.bodyUsed).toBe(false);
    expect(reported).toEqual([]);
    expect(facts).toMatchObject([{ status: 201 }]);
  });

  it('sends what it was given, but follows no redirect', async () => {
    const fetch = recordedFetch(() => new Response());
    const { bounds } = boundsOf();
    await boundedFetch(fetch, bounds)(URL_ASKED, {
      method: 'POST',
      body: 'x',
      headers: { 'x-a': '1' },
      redirect: 'follow',
      credentials: 'include',
    });
    const [call] = fetch.calls;
    expect(call).toMatchObject({
      url: URL_ASKED,
      init: { method: 'POST', body: 'x', credentials: 'include', redirect: 'manual' },
    });
    expect(new Headers(call?.init.headers).get('x-a')).toBe('1');
    expect(call?.signal).toBe(bounds.signal);
  });

  it("joins a signal of the transport's own with ours: either aborts", async () => {
    for (const who of ['ours', 'theirs']) {
      const controllers = { ours: new AbortController(), theirs: new AbortController() };
      const fetch = recordedFetch(() => new Response());
      const { bounds } = boundsOf({ signal: controllers.ours.signal });
      await boundedFetch(fetch, bounds)(URL_ASKED, { signal: controllers.theirs.signal });
      expect(fetch.calls[0]?.signal.aborted).toBe(false);
      controllers[who as 'ours' | 'theirs'].abort();
      expect(fetch.calls[0]?.signal.aborted).toBe(true);
    }
  });

  it('does not call fetch or a hook for a call that is over', async () => {
    const asked: string[] = [];
    const fetch = recordedFetch(() => new Response());
    const { bounds } = boundsOf({
      signal: AbortSignal.abort(),
      hooks: { onRequest: ({ url }) => void asked.push(url) },
    });
    await expect(boundedFetch(fetch, bounds)(URL_ASKED)).rejects.toMatchObject({ name: 'AbortError' });
    expect(fetch.calls).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('settles on an abort even if fetch does not, and lets go of what comes late', async () => {
    const controller = new AbortController();
    let respond: (response: Response) => void = () => undefined;
    const deaf: Fetch = () =>
      new Promise((resolve) => {
        respond = resolve;
      });
    const { bounds } = boundsOf({ signal: controller.signal });
    const response = boundedFetch(deaf, bounds)(URL_ASKED);
    controller.abort();
    await expect(response).rejects.toMatchObject({ kind: 'connection' });
    let cancelled = false;
    respond(new Response(new ReadableStream({ cancel: () => void (cancelled = true) })));
    await turn();
    expect(cancelled).toBe(true);
  });

  it('reports the error it throws, and the headers as they left', async () => {
    const { bounds, reported, sent } = boundsOf({ hooks: { onRequest: () => ({ 'x-added': 'yes' }) } });
    const fetch = recordedFetch(() => Response.json({ error: { message: 'no' } }, { status: 404 }));
    const error = await failureOf(boundedFetch(fetch, bounds)(URL_ASKED, { headers: { 'x-a': '1' } }));
    expect(error).toMatchObject({ kind: 'not-found', status: 404, message: '404 no' });
    expect(reported).toEqual([error]);
    expect(Object.fromEntries(sent[0] ?? [])).toEqual({ 'x-a': '1', 'x-added': 'yes' });
  });

  it.each([
    ['a string', 'http://host.test/v1?key=secret'],
    ['a URL', new URL('http://host.test/v1?key=secret#x')],
    ['a Request', new Request('http://host.test/v1?key=secret', { method: 'POST', body: 'x' })],
  ])('shows hooks the address without its query: %s', async (_, input) => {
    const shown: string[] = [];
    const { bounds } = boundsOf({
      hooks: { onRequest: ({ url }) => void shown.push(url), onResponse: ({ url }) => void shown.push(url) },
    });
    await boundedFetch(
      recordedFetch(() => new Response()),
      bounds,
    )(input);
    expect(shown).toEqual(['http://host.test/v1', 'http://host.test/v1']);
  });
});

describe('a redirect', () => {
  it('is refused, and its body let go of', async () => {
    let cancelled = false;
    const body = new ReadableStream({ cancel: () => void (cancelled = true) });
    const redirect = new Response(body, { status: 302, headers: { location: 'http://else.test/?token=x' } });
    const error = await failureOf(inSteps(accepted(redirect, boundsOf().bounds)));
    expect(error).toMatchObject({ kind: 'redirect', status: 302, retryable: false });
    expect(error.message).toContain('http://else.test/ (status 302)');
    expect(cancelled).toBe(true);
  });
});

describe('a fetch that fails', () => {
  const failing = (reason: unknown): Promise<CompletionError> => {
    const fetch = recordedFetch(() => {
      throw reason;
    });
    return failureOf(boundedFetch(fetch, boundsOf().bounds)(URL_ASKED));
  };

  it('with one of our errors keeps it', async () => {
    const ours = new CompletionError('no', { kind: 'configuration' });
    expect(await failing(ours)).toBe(ours);
  });

  it.each([
    ['ECONNRESET', true],
    ['ENOTFOUND', true],
    ['CERT_HAS_EXPIRED', false],
    ['SELF_SIGNED_CERT_IN_CHAIN', false],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', false],
    ['HOSTNAME_MISMATCH', false],
    ['ERR_INVALID_URL', false],
    ['UND_ERR_INVALID_ARG', false],
  ])('with %s is a connection error, retryable: %p', async (code, retryable) => {
    expect(await failing(Object.assign(new Error('x'), { code }))).toMatchObject({
      kind: 'connection',
      code,
      retryable,
    });
  });

  it('says something, whatever was thrown', async () => {
    for (const thrown of [undefined, null, 'offline', 7, {}]) {
      expect(await failing(thrown)).toMatchObject({ kind: 'connection', retryable: true });
    }
    expect((await failing('offline')).message).toBe('Connection failed: offline');
  });
});

describe('headerSecrets', () => {
  it('are the values of headers that may be keys, with and without their scheme', () => {
    const headers = {
      Authorization: 'Bearer abc123',
      'x-api-key': 'key-1',
      accept: 'application/json',
      'content-type': 'application/json',
      'user-agent': 'me/1.0',
      'x-stainless-lang': 'js',
      'x-request-id': 'req_1',
      traceparent: '00-1-2-01',
    };
    expect(new Set(headerSecrets(headers))).toEqual(new Set(['Bearer abc123', 'abc123', 'key-1']));
    expect(headerSecrets(undefined)).toEqual([]);
  });
});

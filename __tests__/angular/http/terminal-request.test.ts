import {
  HttpClient,
  HttpContextToken,
  HttpErrorResponse,
  HttpHeaders,
  HttpResponse,
  provideHttpClient,
  withInterceptors,
  type HttpInterceptorFn,
  type HttpRequest,
} from '@angular/common/http';
import { TestBed } from '@angular/core/testing';
import { catchError, lastValueFrom, of, tap, throwError } from 'rxjs';
import type { ChatCompletionClient, ChatCompletionConfig } from '../../../src/angular/config.ts';
import { chatCompletionInterceptor, withHttpClientTransport } from '../../../src/angular/http/index.ts';
import { CHAT_COMPLETION, provideChatCompletion } from '../../../src/angular/provide.ts';
import { errorOf, recordedFetch, type RecordedFetch } from '../../support/client.ts';
import { delta, END } from '../support/http-server.ts';

const native = globalThis.fetch;
let network: RecordedFetch;

beforeEach(() => {
  answer(() => stream(delta('Hello') + END));
});
afterEach(() => {
  globalThis.fetch = native;
});

/** What the browser's fetch answers from now on. */
function answer(respond: Parameters<typeof recordedFetch>[0]): void {
  network = recordedFetch(respond);
  globalThis.fetch = network;
}

const stream = (body: string): Response =>
  new Response(body, { headers: { 'content-type': 'text/event-stream', 'x-request-id': 'req_1' } });

function client(interceptors: readonly HttpInterceptorFn[], config: ChatCompletionConfig = {}): ChatCompletionClient {
  TestBed.configureTestingModule({
    providers: [
      provideHttpClient(withInterceptors([...interceptors, chatCompletionInterceptor])),
      provideChatCompletion({ retry: false, ...config }, withHttpClientTransport()),
    ],
  });
  return TestBed.inject(CHAT_COMPLETION);
}

type Changes = Parameters<HttpRequest<unknown>['clone']>[0];
const changing =
  (changes: Changes): HttpInterceptorFn =>
  (request, next) =>
    next(request.clone(changes));

/** Of the one request that was sent. */
async function sent(chat: ChatCompletionClient): Promise<RequestInit> {
  expect(await lastValueFrom(chat.stream$('Hi'))).toBe('Hello');
  expect(network.calls).toHaveLength(1);
  return network.calls[0]!.init;
}

it('goes to the relay at /api/chat as it is, and follows no redirect', async () => {
  const init = await sent(client([]));
  expect(network.calls[0]?.url).toBe('/api/chat');
  expect(init).toMatchObject({ method: 'POST', redirect: 'manual' });
  // Whatever is left out is as the browser has it by default.
  expect(Object.keys(init).sort()).toEqual(['body', 'headers', 'method', 'redirect', 'signal']);
});

it.each<[string, Changes, object]>([
  ['withCredentials', { withCredentials: true }, { credentials: 'include' }],
  ['credentials', { credentials: 'same-origin' }, { credentials: 'same-origin' }],
  ['cache', { cache: 'no-store' }, { cache: 'no-store' }],
  ['priority', { priority: 'high' }, { priority: 'high' }],
  ['keepalive', { keepalive: true }, { keepalive: true }],
  ['mode', { mode: 'same-origin' }, { mode: 'same-origin' }],
  ['referrer', { referrer: 'https://page.example/' }, { referrer: 'https://page.example/' }],
  ['integrity', { integrity: 'sha256-a' }, { integrity: 'sha256-a' }],
  ['method', { method: 'PUT' }, { method: 'PUT' }],
])('an interceptor may say %s', async (_, changes, init) => {
  expect(await sent(client([changing(changes)]))).toMatchObject(init);
});

it('an interceptor may not have redirects followed', async () => {
  expect(await sent(client([changing({ redirect: 'follow' })]))).toMatchObject({ redirect: 'manual' });
});

it.each<[string, Changes, string, RegExp]>([
  ['the address', { url: 'https://other.example/v1' }, 'https://other.example/v1', /"stream":true/],
  ['parameters of it', { setParams: { tenant: 'a b' } }, '/api/chat?tenant=a%20b', /"stream":true/],
  ['the body', { body: { mine: true } }, '/api/chat', /^\{"mine":true\}$/],
  ['the body as a text', { body: 'plain' }, '/api/chat', /^plain$/],
])('an interceptor may change %s', async (_, changes, url, body) => {
  const init = await sent(client([changing(changes)]));
  expect(network.calls[0]?.url).toBe(url);
  expect(init.body).toMatch(body);
});

it('headers of every value an interceptor has added go along, and what it took away does not', async () => {
  const interceptor: HttpInterceptorFn = (request, next) => {
    const headers = request.headers.append('x-tag', 'a').append('x-tag', 'b').delete('x-mine');
    return next(request.clone({ headers }));
  };
  const headers = new Headers((await sent(client([interceptor], { headers: { 'x-mine': 'no' } }))).headers);
  expect([headers.get('x-tag'), headers.get('x-mine')]).toEqual(['a, b', null]);
  expect(headers.get('accept')).toBe('application/json, text/event-stream');
});

it('headers of the client win over those of the transport, and interceptors see both', async () => {
  const seen: (string | null)[] = [];
  const watching: HttpInterceptorFn = (request, next) => {
    seen.push(request.headers.get('accept'), request.headers.get('content-type'), request.headers.get('authorization'));
    return next(request);
  };
  await sent(client([watching], { headers: { accept: 'text/event-stream' } }));
  expect(seen).toEqual(['text/event-stream', 'application/json', null]);
});

it('hooks are about what is really sent, behind the interceptors', async () => {
  const told: unknown[] = [];
  const seen: unknown[] = [];
  const watching: HttpInterceptorFn = (request, next) => {
    seen.push(request.headers.get('traceparent'));
    return next(request.clone({ url: '/moved?key=k' }));
  };
  const chat = client([watching], {
    hooks: {
      onRequest: ({ url }) => {
        told.push(url);
        return { traceparent: 't' };
      },
      onResponse: ({ status, requestId }) => {
        told.push(status, requestId);
      },
    },
  });
  const init = await sent(chat);
  expect(new Headers(init.headers).get('traceparent')).toBe('t');
  expect([seen, told]).toEqual([[null], ['/moved', 200, 'req_1']]);
});

it('the answer that interceptors get is the native response, and they may give on another', async () => {
  const bodies: unknown[] = [];
  const replacing: HttpInterceptorFn = (request, next) =>
    next(request).pipe(
      tap((event) => bodies.push((event as HttpResponse<unknown>).body)),
      catchError(() => of(new HttpResponse({ body: delta('never') + END }))),
    );
  const init = await sent(client([replacing]));
  expect(bodies).toHaveLength(1);
  expect(bodies[0]).toBeInstanceOf(Response);
  // The whole of it was read by the client, once the interceptors were through.
  expect([(bodies[0] as Response).bodyUsed, init.signal?.aborted]).toEqual([true, false]);
});

it('an answer of an interceptor in place of a failure is the answer', async () => {
  answer(() => new Response('{}', { status: 503 }));
  const cached: HttpInterceptorFn = (request, next) =>
    next(request).pipe(catchError(() => of(new HttpResponse({ body: delta('from a cache') + END }))));
  expect(await lastValueFrom(client([cached]).stream$('Hi'))).toBe('from a cache');
});

it('a failure of an interceptor in place of another is the failure', async () => {
  answer(() => new Response('{}', { status: 401 }));
  const headers = new HttpHeaders({ 'x-request-id': 'req_2' });
  const own = new HttpErrorResponse({ status: 429, headers, error: { error: { message: 'later' } } });
  const other: HttpInterceptorFn = (request, next) => next(request).pipe(catchError(() => throwError(() => own)));
  const failure = await errorOf(client([other]).stream$('Hi'));
  expect(failure).toMatchObject({ kind: 'rate-limit', status: 429, requestId: 'req_2', message: '429 later' });
});

it.each([
  [204, 'interrupted'],
  [205, 'interrupted'],
  [304, 'redirect'],
])('a made-up answer of status %i has no body: it is an error of kind %s', async (status, kind) => {
  const nothing: HttpInterceptorFn = () => of(new HttpResponse({ status, body: '' }));
  expect((await errorOf(client([nothing]).stream$('Hi'))).kind).toBe(kind);
  expect(network.calls).toEqual([]);
});

it('what fetch fails with comes to interceptors as status 0, with the address', async () => {
  answer(() => Promise.reject(new TypeError('Failed to fetch')));
  const seen: unknown[] = [];
  const watching: HttpInterceptorFn = (request, next) =>
    next(request).pipe(
      tap({
        error: (error: unknown) => {
          if (error instanceof HttpErrorResponse) seen.push(error.status, error.url, error.headers.keys());
        },
      }),
    );
  const failure = await errorOf(client([watching]).stream$('Hi'));
  expect(failure).toMatchObject({ kind: 'connection', retryable: true, message: 'Connection failed: Failed to fetch' });
  expect(seen).toEqual([0, '/api/chat', []]);
});

it('other requests, also those of interceptors, go by the backend of HttpClient', async () => {
  const QUIET = new HttpContextToken(() => false);
  client([(request, next) => next(request.clone({ context: request.context.set(QUIET, true) }))]);
  answer(() => new Response('{"a":1}', { headers: { 'content-type': 'application/json' } }));
  expect(await lastValueFrom(TestBed.inject(HttpClient).post('/other', {}))).toEqual({ a: 1 });
  expect(network.calls[0]?.init.redirect).not.toBe('manual');
});

it('two calls are two requests, each through the interceptors', async () => {
  const seen: string[] = [];
  const chat = client([
    (request, next) => {
      seen.push(request.url);
      return next(request);
    },
  ]);
  const answer$ = chat.stream$('Hi');
  expect(await Promise.all([lastValueFrom(answer$), lastValueFrom(answer$)])).toEqual(['Hello', 'Hello']);
  expect([seen.length, network.calls.length]).toEqual([2, 2]);
});

it('is cold: no interceptor is asked without a subscriber', () => {
  const seen: string[] = [];
  void client([
    (request, next) => {
      seen.push(request.url);
      return next(request);
    },
  ]).stream$('Hi');
  expect([seen, network.calls]).toEqual([[], []]);
});

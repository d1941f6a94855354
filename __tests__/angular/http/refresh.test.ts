import {
  HttpClient,
  HttpErrorResponse,
  HttpResponse,
  provideHttpClient,
  withInterceptors,
  type HttpEvent,
  type HttpHandlerFn,
  type HttpInterceptorFn,
  type HttpRequest,
} from '@angular/common/http';
import { inject } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import {
  catchError,
  finalize,
  lastValueFrom,
  map,
  NEVER,
  share,
  switchMap,
  tap,
  throwError,
  type Observable,
} from 'rxjs';
import type { ChatCompletionClient, ChatCompletionConfig } from '../../../src/angular/config.ts';
import { chatCompletionInterceptor, withHttpClientTransport } from '../../../src/angular/http/index.ts';
import { CHAT_COMPLETION, provideChatCompletion } from '../../../src/angular/provide.ts';
import { errorOf, HandClock, outcomeOf } from '../../support/client.ts';
import { delta, HttpServer, refusal, whole, type Served } from '../support/http-server.ts';

const server = new HttpServer();
let origin: string;
/** As an application has it. */
let session: { token: string };

beforeAll(async () => {
  origin = await server.start();
});
afterAll(() => server.stop());
beforeEach(() => {
  session = { token: 'old' };
});

type Sent = Observable<HttpEvent<unknown>>;

/** The way of the guides: with the token, and after a 401 once more with a new one. */
function refreshing(refresh: (http: HttpClient) => Observable<string>): HttpInterceptorFn {
  return (request, next) => {
    if (request.url.endsWith('/refresh')) return next(request);
    const http = inject(HttpClient);
    return withToken(request, next).pipe(
      catchError((error: unknown) => {
        if (!(error instanceof HttpErrorResponse) || error.status !== 401) return throwError(() => error);
        return refresh(http).pipe(
          switchMap((token) => {
            session.token = token;
            return withToken(request, next);
          }),
        );
      }),
    );
  };
}

function withToken(request: HttpRequest<unknown>, next: HttpHandlerFn): Sent {
  return next(request.clone({ setHeaders: { authorization: `Bearer ${session.token}` } }));
}

/** Of the same server, by the same HttpClient. */
const refresh = (http: HttpClient): Observable<string> =>
  http.post<{ readonly token: string }>(`${origin}/refresh`, null).pipe(map(({ token }) => token));

function client(interceptors: readonly HttpInterceptorFn[], config: ChatCompletionConfig = {}): ChatCompletionClient {
  TestBed.configureTestingModule({
    providers: [
      provideHttpClient(withInterceptors([...interceptors, chatCompletionInterceptor])),
      provideChatCompletion({ url: `${origin}/api/chat`, retry: false, ...config }, withHttpClientTransport()),
    ],
  });
  return TestBed.inject(CHAT_COMPLETION);
}

/** A server that takes the new token alone, and gives it to who asks. */
function demanding(answer: (request: Served) => void = whole('Hello')): (request: Served) => void {
  return (request) => {
    const { url, method, headers, response } = request;
    if (method === 'OPTIONS') response.writeHead(204).end();
    else if (url === '/refresh') response.writeHead(200, JSON_TYPE).end('{"token":"new"}');
    else if (headers.authorization === 'Bearer new') answer(request);
    else refusal(401, 'expired')(request);
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };
const asked = (): readonly unknown[] => server.served.map(({ url, headers }) => [url, headers.authorization]);

it('asks for a new token by the same HttpClient, and sends the same question again', async () => {
  server.answer(demanding());
  const chat = client([refreshing(refresh)]);
  expect(await lastValueFrom(chat.stream$('Hi', { temperature: 0 }))).toBe('Hello');
  expect(asked()).toEqual([
    ['/api/chat', 'Bearer old'],
    ['/refresh', undefined],
    ['/api/chat', 'Bearer new'],
  ]);
  expect(server.served[2]?.body).toBe(server.served[0]?.body);
  expect(JSON.parse(server.served[2]?.body ?? '')).toMatchObject({ temperature: 0 });
});

it('is one answer for the interceptors before it, and one for the caller', async () => {
  server.answer(demanding());
  const seen: unknown[] = [];
  const watching: HttpInterceptorFn = (request, next) => {
    if (request.url.endsWith('/refresh')) return next(request);
    return next(request).pipe(
      tap({
        next: (event) => seen.push(event instanceof HttpResponse && event.status),
        error: () => seen.push('error'),
      }),
    );
  };
  const { values, completed } = await outcomeOf(client([watching, refreshing(refresh)]).stream$('Hi'));
  expect([seen, values, completed]).toEqual([[200], ['Hello'], true]);
});

it('the calls after it have the new token from the start', async () => {
  server.answer(demanding());
  const chat = client([refreshing(refresh)]);
  await lastValueFrom(chat.stream$('one'));
  server.answer(demanding());
  expect(await lastValueFrom(chat.stream$('two'))).toBe('Hello');
  expect(asked()).toEqual([['/api/chat', 'Bearer new']]);
});

it('calls at once can share one refresh', async () => {
  server.answer(demanding());
  let shared$: Observable<string> | undefined;
  const once = (http: HttpClient): Observable<string> => (shared$ ??= refresh(http).pipe(share()));
  const chat = client([refreshing(once)]);
  const both = ['one', 'two'].map((question) => lastValueFrom(chat.stream$(question)));
  expect(await Promise.all(both)).toEqual(['Hello', 'Hello']);
  const urls = server.served.map(({ url }) => url);
  expect(urls.filter((url) => url === '/refresh')).toHaveLength(1);
  expect(urls.filter((url) => url === '/api/chat')).toHaveLength(4);
});

it.each<[string, HttpInterceptorFn, object]>([
  ['is refused', refreshing(refresh), { kind: 'permission', status: 403 }],
  ['is refused with the error of before', giveUp(), { kind: 'authentication', status: 401, requestId: 'req_1' }],
])('a refresh that %s is an error, and nothing more is sent', async (_, interceptor, error) => {
  server.answer((request) => {
    if (request.url === '/refresh') refusal(403, 'no refresh')(request);
    else demanding()(request);
  });
  const failure = await errorOf(client([interceptor]).stream$('Hi'));
  expect(failure).toMatchObject({ retryable: false, ...error });
  expect(server.served.map(({ url }) => url)).toEqual(['/api/chat', '/refresh']);
});

/** Where a session cannot be had, what was refused is the better report. */
function giveUp(): HttpInterceptorFn {
  return (request, next) => {
    const http = inject(HttpClient);
    if (request.url.endsWith('/refresh')) return next(request);
    return next(request).pipe(
      catchError((expired: unknown) =>
        refresh(http).pipe(
          catchError(() => throwError(() => expired)),
          switchMap(() => next(request)),
        ),
      ),
    );
  };
}

it('an answer that breaks after it is interrupted, not asked again', async () => {
  server.answer(
    demanding(({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(delta('Half'), () => response.destroy());
    }),
  );
  const failure = await errorOf(client([refreshing(refresh)]).stream$('Hi'));
  expect(failure).toMatchObject({ kind: 'interrupted', partial: { text: 'Half' } });
  expect(server.served).toHaveLength(3);
});

it('an attempt of the retry is asked by the interceptors anew', async () => {
  let refusals = 0;
  server.answer(
    demanding((request) => {
      refusals += 1;
      if (refusals === 1) refusal(503, 'busy')(request);
      else whole('Hello')(request);
    }),
  );
  const attempts: string[] = [];
  const counting: HttpInterceptorFn = (request, next) => {
    if (request.url.endsWith('/api/chat')) attempts.push(session.token);
    return next(request);
  };
  const chat = client([counting, refreshing(refresh)], { retry: { baseDelayMs: 0 } });
  expect(await lastValueFrom(chat.stream$('Hi'))).toBe('Hello');
  expect(attempts).toEqual(['old', 'new']);
  expect(asked().at(-1)).toEqual(['/api/chat', 'Bearer new']);
});

describe('unsubscribing', () => {
  it('while the new token is on its way aborts that, and sends nothing again', async () => {
    server.answer((request) => {
      if (request.url !== '/refresh') demanding()(request);
    });
    const chat = client([refreshing(refresh)]);
    await untilServed(
      2,
      () => chat.stream$('Hi').subscribe(),
      (subscription) => {
        subscription.unsubscribe();
      },
    );
    await server.served[1]?.closed;
    expect(server.served.map(({ url }) => url)).toEqual(['/api/chat', '/refresh']);
  });

  it('while the second request waits aborts that', async () => {
    server.answer(demanding(() => undefined));
    const chat = client([refreshing(refresh)]);
    await untilServed(
      3,
      () => chat.stream$('Hi').subscribe(),
      (subscription) => {
        subscription.unsubscribe();
      },
    );
    await server.served[2]?.closed;
    expect(server.served[2]?.response.headersSent).toBe(false);
  });

  it('in the middle of the second answer aborts that', async () => {
    server.answer(
      demanding(({ response }) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write(delta('a'))),
    );
    const chat = client([refreshing(refresh)]);
    await new Promise<void>((resolve) => {
      const subscription = chat.stream$('Hi').subscribe(() => {
        subscription.unsubscribe();
        resolve();
      });
    });
    await server.served[2]?.closed;
  });
});

/** Acts on what was begun as soon as so many requests have come. */
async function untilServed<T>(requests: number, begin: () => T, act: (begun: T) => void): Promise<void> {
  const come = [];
  for (let i = 0; i < requests; i++) come.push(server.next());
  const begun = begin();
  await Promise.all(come);
  act(begun);
}

it('a token that does not come before the request is a timeout of the connection, and is let go', async () => {
  server.answer(whole('Hello'));
  const clock = new HandClock();
  let left = 0;
  const waiting: HttpInterceptorFn = () => NEVER.pipe(finalize(() => (left += 1)));
  const chat = client([waiting], { scheduler: clock, timeout: { connectMs: 1_000, outputMs: false } });
  const failure = errorOf(chat.stream$('Hi'));
  clock.advance(999);
  expect(left).toBe(0);
  clock.advance(1);
  expect(await failure).toMatchObject({ kind: 'timeout', clock: 'connect' });
  expect([left, clock.pending, server.served]).toEqual([1, 0, []]);
});

import {
  HttpClient,
  HttpContext,
  HttpContextToken,
  HttpErrorResponse,
  HttpResponse,
  provideHttpClient,
  withInterceptors,
  type HttpInterceptorFn,
} from '@angular/common/http';
import { TestBed } from '@angular/core/testing';
import {
  catchError,
  defer,
  EMPTY,
  lastValueFrom,
  NEVER,
  of,
  switchMap,
  tap,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import type { ChatCompletionClient, ChatCompletionConfig } from '../../../src/angular/config.ts';
import { chatCompletionInterceptor, withHttpClientTransport } from '../../../src/angular/http/index.ts';
import { CHAT_COMPLETION, provideChatCompletion } from '../../../src/angular/provide.ts';
import { isCompletionError } from '../../../src/errors.ts';
import { delta, END, HttpServer, refusal, whole } from '../support/http-server.ts';

const server = new HttpServer();
let origin: string;

beforeAll(async () => {
  origin = await server.start();
});
afterAll(() => server.stop());

function client(interceptors: readonly HttpInterceptorFn[], config: ChatCompletionConfig = {}): ChatCompletionClient {
  TestBed.configureTestingModule({
    providers: [
      provideHttpClient(withInterceptors([...interceptors])),
      provideChatCompletion({ url: `${origin}/api/chat`, retry: false, ...config }, withHttpClientTransport()),
    ],
  });
  return TestBed.inject(CHAT_COMPLETION);
}

const text = (answer$: Observable<string>): Promise<string> => lastValueFrom(answer$);
const withToken =
  (token: () => string): HttpInterceptorFn =>
  (request, next) =>
    next(request.clone({ setHeaders: { authorization: `Bearer ${token()}` } }));

it('sends what earlier interceptors have made of the request', async () => {
  server.answer(whole('Hello'));
  const moved: HttpInterceptorFn = (request, next) => next(request.clone({ setParams: { tenant: 'a' } }));
  const chat = client([withToken(() => 't1'), moved, chatCompletionInterceptor], { headers: { 'x-mine': 'yes' } });
  expect(await text(chat.stream$('Hi', { temperature: 0 }))).toBe('Hello');
  expect(server.served).toHaveLength(1);
  expect(server.served[0]).toMatchObject({
    method: 'POST',
    url: '/api/chat?tenant=a',
    headers: { authorization: 'Bearer t1', 'x-mine': 'yes', 'content-type': 'application/json' },
  });
  expect(JSON.parse(server.served[0]?.body ?? '')).toMatchObject({ temperature: 0, stream: true });
});

it('gives interceptors a response whose body is still to be read', async () => {
  server.answer(({ response }) => {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'x-extra': 'a',
      'access-control-expose-headers': '*',
    });
    response.write(delta('Hel'));
  });
  const seen: unknown[] = [];
  const watching: HttpInterceptorFn = (request, next) =>
    next(request).pipe(
      tap((event) => {
        if (event instanceof HttpResponse) {
          seen.push(event.status, event.headers.get('x-extra'), (event.body as Response).bodyUsed);
        }
      }),
    );
  const chat = client([watching, chatCompletionInterceptor]);
  const pieces: string[] = [];
  const whole$ = new Promise<void>((resolve) => {
    chat.stream$('Hi').subscribe({
      next: (piece) => {
        pieces.push(piece);
        if (pieces.length === 1) {
          expect(seen).toEqual([200, 'a', false]);
          server.served[0]?.response.end(delta('lo') + END);
        }
      },
      complete: resolve,
    });
  });
  await whole$;
  expect(pieces).toEqual(['Hel', 'lo']);
});

describe('a token that has expired', () => {
  const refreshing =
    (refresh$: Observable<string>, current: { token: string }): HttpInterceptorFn =>
    (request, next) => {
      const send = (): ReturnType<typeof next> =>
        next(request.clone({ setHeaders: { authorization: `Bearer ${current.token}` } }));
      return send().pipe(
        catchError((error: unknown) => {
          if (!(error instanceof HttpErrorResponse) || error.status !== 401) throw error;
          return refresh$.pipe(
            switchMap((token) => {
              current.token = token;
              return send();
            }),
          );
        }),
      );
    };
  const demanding =
    (token: string): Parameters<HttpServer['answer']>[0] =>
    (request) => {
      if (request.headers.authorization === `Bearer ${token}`) whole('Hello')(request);
      else refusal(401, 'expired')(request);
    };

  it('is refreshed after the 401, and the request sent again', async () => {
    server.answer(demanding('new'));
    const chat = client([
      refreshing(timer(1).pipe(switchMap(() => of('new'))), { token: 'old' }),
      chatCompletionInterceptor,
    ]);
    expect(await text(chat.stream$('Hi'))).toBe('Hello');
    expect(server.served.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });

  it('that the new one does not mend is an authentication error', async () => {
    server.answer(demanding('other'));
    const chat = client([refreshing(of('new'), { token: 'old' }), chatCompletionInterceptor]);
    await expect(text(chat.stream$('Hi'))).rejects.toMatchObject({ kind: 'authentication', status: 401 });
    expect(server.served).toHaveLength(2);
  });

  it('is not asked for a second time by who has left', async () => {
    server.answer(demanding('new'));
    let refreshes = 0;
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const refresh$ = defer(() => {
      refreshes += 1;
      begin();
      return NEVER;
    });
    const chat = client([refreshing(refresh$, { token: 'old' }), chatCompletionInterceptor]);
    const subscription = chat.stream$('Hi').subscribe();
    await begun;
    subscription.unsubscribe();
    expect([refreshes, server.served.length]).toEqual([1, 1]);
  });
});

it.each([
  [400, 'bad-request'],
  [401, 'authentication'],
  [403, 'permission'],
  [404, 'not-found'],
  [429, 'rate-limit'],
  [500, 'server'],
])('status %i is kind %s, and comes to interceptors as HttpErrorResponse', async (status, kind) => {
  server.answer(refusal(status, 'because'));
  const seen: unknown[] = [];
  const watching: HttpInterceptorFn = (request, next) =>
    next(request).pipe(
      tap({
        error: (error: unknown) => {
          seen.push(
            error instanceof HttpErrorResponse && error.status,
            isCompletionError((error as { readonly error: unknown }).error),
          );
        },
      }),
    );
  const error: unknown = await text(client([watching, chatCompletionInterceptor]).stream$('Hi')).catch(
    (e: unknown) => e,
  );
  expect(error).toMatchObject({
    kind,
    status,
    requestId: 'req_1',
    message: expect.stringContaining('because') as unknown,
  });
  expect(seen).toEqual([status, true]);
});

it('a server that is not there is kind connection', async () => {
  const chat = client([chatCompletionInterceptor], { url: 'http://127.0.0.1:1/api' });
  await expect(text(chat.stream$('Hi'))).rejects.toMatchObject({ kind: 'connection', retryable: true });
});

it('what an interceptor throws before anything is sent passes unchanged', async () => {
  server.answer(whole('Hello'));
  const own = new Error('log in first');
  await expect(text(client([() => throwError(() => own), chatCompletionInterceptor]).stream$('Hi'))).rejects.toBe(own);
  expect(server.served).toEqual([]);
});

it.each([
  ['an answer', new HttpResponse({ status: 200, body: delta('made up') + 'data: [DONE]\n\n' })],
  [
    'an answer in one piece',
    new HttpResponse({ body: { choices: [{ message: { content: 'made up' }, finish_reason: 'stop' }] } }),
  ],
])('an interceptor may give %s of its own', async (_, response) => {
  server.answer(whole('Hello'));
  const chat = client([() => of(response), chatCompletionInterceptor]);
  expect(await text(chat.stream$('Hi'))).toBe('made up');
  expect(server.served).toEqual([]);
});

it('an error response of an interceptor is an error of its status', async () => {
  const own = new HttpErrorResponse({ status: 503, error: { error: { message: 'closed for today' } } });
  const chat = client([() => throwError(() => own), chatCompletionInterceptor]);
  await expect(text(chat.stream$('Hi'))).rejects.toMatchObject({
    kind: 'server',
    status: 503,
    message: '503 closed for today',
  });
});

it('interceptors see the headers of a failure', async () => {
  server.answer(refusal(429, 'slow down'));
  const seen: unknown[] = [];
  const watching: HttpInterceptorFn = (request, next) =>
    next(request).pipe(
      tap({
        error: (error: unknown) => {
          seen.push((error as HttpErrorResponse).headers.get('x-request-id'));
        },
      }),
    );
  await expect(text(client([watching, chatCompletionInterceptor]).stream$('Hi'))).rejects.toMatchObject({
    status: 429,
  });
  expect(seen).toEqual(['req_1']);
});

it('an interceptor that says there is no network is a failed connection', async () => {
  const offline = new HttpErrorResponse({ status: 0, error: null });
  const chat = client([() => throwError(() => offline), chatCompletionInterceptor]);
  await expect(text(chat.stream$('Hi'))).rejects.toMatchObject({ kind: 'connection', retryable: true });
});

it.each([
  ['gives no answer', EMPTY, 'completed without a response'],
  ['gives one that was read', of(new HttpResponse({ body: readAlready() })), 'read already'],
])('an interceptor that %s is told so', async (_, answer$, message) => {
  const chat = client([() => answer$, chatCompletionInterceptor]);
  await expect(text(chat.stream$('Hi'))).rejects.toMatchObject({
    kind: 'protocol',
    message: expect.stringContaining(message) as unknown,
  });
});

function readAlready(): Response {
  const response = new Response('a');
  void response.text();
  return response;
}

it('a response that an interceptor drops to send again is let go', async () => {
  let requests = 0;
  server.answer((request) => {
    requests += 1;
    if (requests === 2) whole('Hello')(request);
    else request.response.writeHead(200, { 'content-type': 'text/event-stream' }).write(delta('old'));
  });
  const again: HttpInterceptorFn = (request, next) =>
    next(request).pipe(switchMap(() => next(request.clone({ setHeaders: { 'x-again': 'yes' } }))));
  expect(await text(client([again, chatCompletionInterceptor]).stream$('Hi'))).toBe('Hello');
  await server.served[0]?.closed;
});

it('has what the application puts into its context', async () => {
  server.answer(whole('Hello'));
  const QUIET = new HttpContextToken(() => false);
  const seen: boolean[] = [];
  const watching: HttpInterceptorFn = (request, next) => {
    seen.push(request.context.get(QUIET));
    return next(request);
  };
  TestBed.configureTestingModule({
    providers: [
      provideHttpClient(withInterceptors([watching, chatCompletionInterceptor])),
      provideChatCompletion(
        { url: `${origin}/api/chat` },
        withHttpClientTransport({ context: new HttpContext().set(QUIET, true) }),
      ),
    ],
  });
  expect(await text(TestBed.inject(CHAT_COMPLETION).stream$('Hi'))).toBe('Hello');
  expect(seen).toEqual([true]);
});

it('refuses redirects', async () => {
  server.answer(({ response }) => response.writeHead(302, { location: '/elsewhere' }).end());
  await expect(text(client([chatCompletionInterceptor]).stream$('Hi'))).rejects.toMatchObject({ kind: 'redirect' });
  expect(server.served).toHaveLength(1);
});

describe('unsubscribing', () => {
  it('aborts while the server is silent', async () => {
    server.answer(() => undefined);
    const seen = server.next();
    const subscription = client([chatCompletionInterceptor]).stream$('Hi').subscribe();
    const { closed, response } = await seen;
    subscription.unsubscribe();
    await closed;
    expect(response.writableEnded).toBe(false);
  });

  it('aborts in mid-answer', async () => {
    server.answer(({ response }) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write(delta('a')));
    const chat = client([chatCompletionInterceptor]);
    await new Promise<void>((resolve) => {
      const subscription = chat.stream$('Hi').subscribe(() => {
        subscription.unsubscribe();
        resolve();
      });
    });
    await server.served[0]?.closed;
  });

  it('aborts while an interceptor waits, and nothing is sent', async () => {
    server.answer(whole('Hello'));
    let left = false;
    const waiting: HttpInterceptorFn = () =>
      NEVER.pipe(
        tap({
          unsubscribe: () => {
            left = true;
          },
        }),
      );
    client([waiting, chatCompletionInterceptor]).stream$('Hi').subscribe().unsubscribe();
    expect(left).toBe(true);
    expect(server.served).toEqual([]);
  });
});

it('leaves other requests of HttpClient alone', async () => {
  server.answer(({ response }) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":1}'));
  client([chatCompletionInterceptor]);
  const http = TestBed.inject(HttpClient);
  expect(await lastValueFrom(http.get(`${origin}/other`))).toEqual({ a: 1 });
});

it('says so where the interceptor is missing, and sends nothing on', async () => {
  server.answer(() => undefined);
  await expect(text(client([]).stream$('Hi'))).rejects.toMatchObject({
    kind: 'configuration',
    param: 'terminal',
    message: expect.stringContaining('chatCompletionInterceptor') as unknown,
  });
  await Promise.all(server.served.map(({ closed }) => closed));
});

import {
  HttpEventType,
  HttpHeaderResponse,
  HttpHeaders,
  provideHttpClient,
  withInterceptors,
  type HttpDownloadProgressEvent,
  type HttpErrorResponse,
  type HttpInterceptorFn,
} from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting, type TestRequest } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { catchError, lastValueFrom, tap } from 'rxjs';
import type { ChatCompletionClient, ChatCompletionConfig } from '../../../src/angular/config.ts';
import { withHttpClientTransport } from '../../../src/angular/http/index.ts';
import { CHAT_COMPLETION, provideChatCompletion } from '../../../src/angular/provide.ts';
import { errorOf, HandClock, outcomeOf } from '../../support/client.ts';
import { turn } from '../support/chat.ts';
import { delta, END } from '../support/http-server.ts';

let http: HttpTestingController;

function client(config: ChatCompletionConfig = {}, ...interceptors: HttpInterceptorFn[]): ChatCompletionClient {
  TestBed.configureTestingModule({
    providers: [
      provideHttpClient(withInterceptors(interceptors)),
      provideHttpClientTesting(),
      provideChatCompletion({ retry: false, ...config }, withHttpClientTransport({ terminal: false })),
    ],
  });
  http = TestBed.inject(HttpTestingController);
  return TestBed.inject(CHAT_COMPLETION);
}

afterEach(() => {
  http.verify();
});

const HEADERS = new HttpHeaders({ 'content-type': 'text/event-stream' });
const begins = new HttpHeaderResponse({ status: 200, headers: HEADERS });
const progress = (partialText?: string): HttpDownloadProgressEvent => ({
  type: HttpEventType.DownloadProgress,
  loaded: partialText?.length ?? 0,
  ...(partialText === undefined ? undefined : { partialText }),
});
const asked = (): TestRequest => http.expectOne('/api/chat');

it('emits a delta as soon as its event has come, not with the end', async () => {
  const pieces: string[] = [];
  const subscription = client()
    .stream$('Hi')
    .subscribe((piece) => pieces.push(piece));
  const request = asked();
  request.event(begins);
  let text = '';
  for (const word of ['one', 'two', 'three']) {
    text += delta(word);
    request.event(progress(text));
    await turn();
    expect(pieces.at(-1)).toBe(word);
  }
  expect(pieces).toEqual(['one', 'two', 'three']);
  subscription.unsubscribe();
});

it.each([
  ['that come before anybody reads', [delta('a'), delta('a') + delta('b')]],
  ['that bring nothing', [undefined, '', delta('a'), delta('a'), delta('a')]],
  ['in pieces of a character', Array.from(delta('a'), (_, end) => delta('a').slice(0, end + 1))],
])('takes events %s', async (_, texts) => {
  const outcome = outcomeOf(client().stream$('Hi'));
  const request = asked();
  request.event(begins);
  for (const text of texts) request.event(progress(text));
  const whole = texts.at(-1) ?? '';
  request.flush(whole + END, { headers: HEADERS });
  const { values, completed } = await outcome;
  expect([values.join(''), completed]).toEqual([whole.includes('"b"') ? 'ab' : 'a', true]);
});

it('takes events that come before the headers', async () => {
  const text = lastValueFrom(client().stream$('Hi'));
  const request = asked();
  request.event(progress(delta('a')));
  request.flush(delta('a') + END, { headers: HEADERS });
  expect(await text).toBe('a');
});

it.each([
  ['a text', JSON.stringify({ error: { message: 'because' } }), '400 because'],
  ['nothing', '', '400 no body'],
])('a refusal with %s says so', async (_, body, message) => {
  const failure = errorOf(client().stream$('Hi'));
  asked().flush(body, { status: 400, statusText: 'no' });
  expect(await failure).toMatchObject({ kind: 'bad-request', status: 400, message });
});

it('a redirect is refused', async () => {
  const failure = errorOf(client().stream$('Hi'));
  asked().flush('', { status: 302, statusText: 'Found', headers: { location: '/elsewhere' } });
  expect(await failure).toMatchObject({ kind: 'redirect', status: 302 });
});

it.each([204, 205])('status %i is an answer that never began', async (status) => {
  const failure = errorOf(client().stream$('Hi'));
  asked().flush(null, { status, statusText: 'No Content' });
  expect((await failure).kind).toBe('interrupted');
});

it('a failure is asked about again, as the client does', async () => {
  const clock = new HandClock();
  const text = lastValueFrom(client({ scheduler: clock, timeout: false, retry: { baseDelayMs: 10 } }).stream$('Hi'));
  asked().flush('{}', { status: 503, statusText: 'busy' });
  // The refusal is read first; then comes the pause.
  await turn();
  clock.advance(1_000);
  asked().flush(delta('a') + END, { headers: HEADERS });
  expect(await text).toBe('a');
});

it('interceptors see the request and its refusal', async () => {
  const seen: unknown[] = [];
  const watching: HttpInterceptorFn = (request, next) => {
    seen.push(request.method, request.headers.get('x-mine'));
    return next(request.clone({ setHeaders: { authorization: 'Bearer t' } })).pipe(
      tap({ error: (error: unknown) => seen.push((error as HttpErrorResponse).status) }),
    );
  };
  const failure = errorOf(client({ headers: { 'x-mine': 'yes' } }, watching).stream$('Hi'));
  const request = asked();
  expect(request.request.headers.get('authorization')).toBe('Bearer t');
  request.flush('{}', { status: 401, statusText: 'no' });
  expect((await failure).kind).toBe('authentication');
  expect(seen).toEqual(['POST', 'yes', 401]);
});

it('an interceptor may send again', async () => {
  const again: HttpInterceptorFn = (request, next) => next(request).pipe(catchError(() => next(request)));
  const text = lastValueFrom(client({}, again).stream$('Hi'));
  asked().flush('{}', { status: 401, statusText: 'no' });
  asked().flush(delta('a') + END, { headers: HEADERS });
  expect(await text).toBe('a');
});

it('the clock of the connection cancels the request', async () => {
  const clock = new HandClock();
  const failure = errorOf(client({ scheduler: clock, timeout: { connectMs: 1_000 } }).stream$('Hi'));
  const request = asked();
  clock.advance(1_000);
  expect(await failure).toMatchObject({ kind: 'timeout', clock: 'connect' });
  expect([request.cancelled, clock.pending]).toEqual([true, 0]);
});

it('leaving in the middle cancels the request, and nothing more is emitted', async () => {
  const pieces: string[] = [];
  const subscription = client()
    .stream$('Hi')
    .subscribe((piece) => {
      pieces.push(piece);
      subscription.unsubscribe();
    });
  const request = asked();
  request.event(begins);
  request.event(progress(delta('a') + delta('b')));
  await turn();
  expect([pieces, request.cancelled]).toEqual([['a'], true]);
});

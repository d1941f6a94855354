import {
  HttpEventType,
  HttpHeaderResponse,
  HttpHeaders,
  HttpResponse,
  provideHttpClient,
  withInterceptors,
  type HttpDownloadProgressEvent,
} from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { EMPTY, lastValueFrom, of, toArray } from 'rxjs';
import type { ChatCompletionClient } from '../../../src/angular/config.ts';
import { withHttpClientTransport } from '../../../src/angular/http/index.ts';
import { CHAT_COMPLETION, provideChatCompletion } from '../../../src/angular/provide.ts';
import { delta, END } from '../support/http-server.ts';

let chat: ChatCompletionClient;
let http: HttpTestingController;

beforeEach(() => {
  TestBed.configureTestingModule({
    providers: [
      provideHttpClient(),
      provideHttpClientTesting(),
      provideChatCompletion({ retry: false }, withHttpClientTransport({ terminal: false })),
    ],
  });
  chat = TestBed.inject(CHAT_COMPLETION);
  http = TestBed.inject(HttpTestingController);
});

afterEach(() => {
  http.verify();
});

const HEADERS = new HttpHeaders({ 'content-type': 'text/event-stream', 'x-request-id': 'req_1' });
const progress = (partialText: string): HttpDownloadProgressEvent => ({
  type: HttpEventType.DownloadProgress,
  loaded: partialText.length,
  partialText,
});

it('is asked for in the tick of the subscription', () => {
  const subscription = chat.stream$('Hi', { temperature: 0 }, { headers: { 'x-a': 'b' } }).subscribe();
  const { request, cancelled } = http.expectOne('/api/chat');
  expect(cancelled).toBe(false);
  expect(request.method).toBe('POST');
  expect(request.body).toMatchObject({ temperature: 0, stream: true, messages: [{ role: 'user', content: 'Hi' }] });
  expect(request.headers.get('x-a')).toBe('b');
  subscription.unsubscribe();
});

it('emits what each event has brought', async () => {
  const pieces = lastValueFrom(chat.stream$('Hi').pipe(toArray()));
  const request = http.expectOne('/api/chat');
  const whole = delta('Zü') + delta('rich 🙂') + END;
  request.event(new HttpHeaderResponse({ status: 200, headers: HEADERS }));
  request.event(progress(whole.slice(0, delta('Zü').length)));
  request.event(progress(whole.slice(0, delta('Zü').length + 9)));
  request.flush(whole, { headers: HEADERS });
  expect(await pieces).toEqual(['Zü', 'rich 🙂']);
});

it('takes an answer without progress', async () => {
  const text = lastValueFrom(chat.generate$('Hi'));
  const body = JSON.stringify({ choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }] });
  http.expectOne('/api/chat').flush(body, { headers: { 'content-type': 'application/json' } });
  expect(await text).toBe('Hello');
});

it.each([
  ['status 429', 429, 'rate-limit'],
  ['status 500', 500, 'server'],
])('an error of %s is of its kind', async (_, status, kind) => {
  const text = lastValueFrom(chat.stream$('Hi'));
  const body = JSON.stringify({ error: { message: 'because' } });
  http.expectOne('/api/chat').flush(body, { status, statusText: 'no', headers: HEADERS });
  await expect(text).rejects.toMatchObject({ kind, status, requestId: 'req_1', message: `${String(status)} because` });
});

it('a network that fails is kind connection', async () => {
  const text = lastValueFrom(chat.stream$('Hi'));
  http.expectOne('/api/chat').error(new ProgressEvent('error'));
  await expect(text).rejects.toMatchObject({ kind: 'connection' });
});

it('one that fails in mid-answer is kind interrupted, with what had arrived', async () => {
  const text = lastValueFrom(chat.stream$('Hi'));
  const request = http.expectOne('/api/chat');
  request.event(new HttpHeaderResponse({ status: 200, headers: HEADERS }));
  request.event(progress(delta('Half')));
  request.error(new ProgressEvent('error'));
  await expect(text).rejects.toMatchObject({ kind: 'interrupted', partial: { text: 'Half' } });
});

it('an answer that ends early is no answer', async () => {
  const text = lastValueFrom(chat.stream$('Hi'));
  http.expectOne('/api/chat').flush(delta('Half'), { headers: HEADERS });
  await expect(text).rejects.toMatchObject({ kind: 'interrupted', partial: { text: 'Half' } });
});

it.each([
  ['gives no answer', EMPTY],
  ['makes one up', of(new HttpResponse({ body: { choices: [{ message: { content: 'a' }, finish_reason: 'stop' }] } }))],
])('an interceptor that %s holds nobody up', async (_, answer$) => {
  TestBed.resetTestingModule();
  TestBed.configureTestingModule({
    providers: [
      provideHttpClient(withInterceptors([() => answer$])),
      provideHttpClientTesting(),
      provideChatCompletion({ retry: false }, withHttpClientTransport({ terminal: false })),
    ],
  });
  http = TestBed.inject(HttpTestingController);
  const text = lastValueFrom(TestBed.inject(CHAT_COMPLETION).stream$('Hi'));
  if (answer$ === EMPTY) await expect(text).rejects.toMatchObject({ name: 'CompletionError' });
  else expect(await text).toBe('a');
});

it('unsubscribing cancels the request, before and after the headers', () => {
  const early = chat.stream$('Hi').subscribe();
  const first = http.expectOne('/api/chat');
  early.unsubscribe();
  expect(first.cancelled).toBe(true);
  const late = chat.stream$('Hi').subscribe();
  const second = http.expectOne('/api/chat');
  second.event(new HttpHeaderResponse({ status: 200, headers: HEADERS }));
  late.unsubscribe();
  expect(second.cancelled).toBe(true);
});

it.each([
  [{ terminal: 'no' }, 'terminal'],
  [{ terminl: true }, 'terminl'],
])('refuses %j', (options, param) => {
  let thrown: unknown;
  try {
    withHttpClientTransport(options as never);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ kind: 'configuration', param });
});

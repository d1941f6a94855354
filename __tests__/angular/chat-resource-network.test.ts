import { ApplicationRef, Component, effect, PLATFORM_ID, signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { chatResource } from '../../src/angular/chat-resource.ts';
import { provideChatCompletion } from '../../src/angular/provide.ts';
import type { ChatResource, ChatResourceOptions } from '../../src/angular/resource-types.ts';
import { recordedFetch, type RecordedFetch } from '../support/client.ts';
import { delta, END, HttpServer, refusal, whole } from './support/http-server.ts';

const server = new HttpServer();
let origin: string;

beforeAll(async () => {
  origin = await server.start();
});
afterAll(() => server.stop());

function resourceOf(options: ChatResourceOptions): ChatResource {
  TestBed.configureTestingModule({
    providers: [provideChatCompletion({ url: `${origin}/api/chat`, retry: false })],
  });
  return TestBed.runInInjectionContext(() => chatResource(options));
}

/** As soon as signals say so; the page's own scheduler runs the effect. */
function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    TestBed.runInInjectionContext(() => {
      effect(() => {
        if (condition()) resolve();
      });
    });
  });
}

const begun =
  (text: string): Parameters<HttpServer['answer']>[0] =>
  ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(delta(text));
  };

it('shows an answer of a server as it comes, by the frames of the page', async () => {
  server.answer(begun('Hel'));
  const resource = resourceOf({ messages: () => 'Hi', params: () => ({ temperature: 0 }) });
  await until(() => resource.text() === 'Hel');
  expect([resource.status(), resource.phase()]).toEqual(['loading', 'streaming']);
  server.served[0]?.response.end(delta('lo') + END);
  await until(() => !resource.isLoading());
  expect([resource.status(), resource.text(), resource.error()]).toEqual(['resolved', 'Hello', undefined]);
  expect(server.served).toHaveLength(1);
  expect(JSON.parse(server.served[0]?.body ?? '')).toMatchObject({
    messages: [{ role: 'user', content: 'Hi' }],
    temperature: 0,
    stream: true,
  });
});

it('an error of the server is one of its kind, and reload() asks again', async () => {
  server.answer(refusal(429, 'slow down'));
  const resource = resourceOf({ messages: () => 'Hi' });
  await until(() => resource.status() === 'error');
  expect(resource.error()).toMatchObject({ kind: 'rate-limit', status: 429, requestId: 'req_1' });
  server.answer(whole('Hello'));
  expect(resource.reload()).toBe(true);
  await until(() => resource.status() === 'resolved');
  expect([resource.text(), server.served.length]).toEqual(['Hello', 1]);
});

it('a connection that breaks leaves what had arrived', async () => {
  server.answer(begun('Half'));
  const resource = resourceOf({ messages: () => 'Hi' });
  await until(() => resource.text() === 'Half');
  server.served[0]?.response.destroy();
  await until(() => !resource.isLoading());
  expect(resource.error()).toMatchObject({ kind: 'interrupted', partial: { text: 'Half' } });
  expect([resource.text(), resource.value()?.text]).toEqual(['Half', 'Half']);
});

describe('the server sees the connection closed', () => {
  it('by stop() in the middle of an answer', async () => {
    server.answer(begun('Half'));
    const resource = resourceOf({ messages: () => 'Hi' });
    await until(() => resource.text() === 'Half');
    resource.stop();
    await server.served[0]?.closed;
    expect([resource.phase(), resource.text(), resource.error()]).toEqual(['stopped', 'Half', undefined]);
  });

  it('by stop() before the headers', async () => {
    server.answer(() => undefined);
    const seen = server.next();
    const resource = resourceOf({ messages: () => 'Hi' });
    const { closed } = await seen;
    resource.stop();
    await closed;
    expect([resource.phase(), resource.text(), resource.error()]).toEqual(['stopped', '', undefined]);
  });

  it('by another question', async () => {
    server.answer(begun('one'));
    const question = signal('one');
    const resource = resourceOf({ messages: question });
    await until(() => resource.text() === 'one');
    const [first] = server.served;
    server.answer(whole('two'));
    question.set('two');
    await first?.closed;
    await until(() => resource.status() === 'resolved');
    expect(resource.text()).toBe('two');
  });

  it('by the end of the component', async () => {
    server.answer(begun('Half'));
    @Component({ selector: 'app-answer', template: '{{ answer.text() }}' })
    class Answer {
      readonly answer = chatResource({ messages: () => 'Hi' });
    }
    TestBed.configureTestingModule({ providers: [provideChatCompletion({ url: origin, retry: false })] });
    const fixture = TestBed.createComponent(Answer);
    await until(() => fixture.componentInstance.answer.text() === 'Half');
    await fixture.whenStable();
    expect((fixture.nativeElement as HTMLElement).textContent).toBe('Half');
    fixture.destroy();
    await server.served[0]?.closed;
  });
});

describe('over a fetch of the application', () => {
  /** What had become of the requests before, at the time of each. */
  let before: boolean[][];
  let fetch: RecordedFetch;

  beforeEach(() => {
    before = [];
    fetch = recordedFetch(({ signal }, call) => {
      before.push(fetch.calls.slice(0, call - 1).map(({ signal }) => signal.aborted));
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
    });
    TestBed.configureTestingModule({ providers: [provideChatCompletion({ fetch, retry: false })] });
  });

  /** So many requests have been sent. */
  const sent = async (requests: number): Promise<void> => {
    while (fetch.calls.length < requests) await new Promise((resolve) => setTimeout(resolve, 0));
  };

  it('a new question aborts the one before it first, and is sent then', async () => {
    const question = signal('one');
    TestBed.runInInjectionContext(() => chatResource({ messages: question }));
    await sent(1);
    question.set('two');
    await sent(2);
    question.set('three');
    await sent(3);
    expect(before).toEqual([[], [true], [true, true]]);
    expect(fetch.calls.map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
  });

  it('what is stopped while the client is still loaded is never sent', async () => {
    const stopped = TestBed.runInInjectionContext(() => chatResource({ messages: () => 'stopped' }));
    TestBed.tick();
    expect(stopped.phase()).toBe('connecting');
    stopped.stop();
    TestBed.runInInjectionContext(() => chatResource({ messages: () => 'asked' }));
    await sent(1);
    expect(fetch.calls.map(({ init }) => (init.body as string).includes('asked'))).toEqual([true]);
  });

  it('a resource that is under way holds no page back: it is stable', async () => {
    const resource = TestBed.runInInjectionContext(() => chatResource({ messages: () => 'Hi' }));
    await sent(1);
    await TestBed.inject(ApplicationRef).whenStable();
    expect(resource.isLoading()).toBe(true);
  });
});

it('on a server that renders the page it stays as it began, whatever is done', async () => {
  const fetch = recordedFetch(() => Promise.reject(new Error('never')));
  TestBed.configureTestingModule({
    providers: [{ provide: PLATFORM_ID, useValue: 'server' }, provideChatCompletion({ fetch })],
  });
  const question = signal<string | undefined>('one');
  const resource = TestBed.runInInjectionContext(() => chatResource({ messages: question }));
  await TestBed.inject(ApplicationRef).whenStable();
  expect([resource.status(), resource.reload()]).toEqual(['loading', false]);
  question.set(undefined);
  expect(resource.status()).toBe('idle');
  question.set('two');
  await TestBed.inject(ApplicationRef).whenStable();
  expect([resource.status(), fetch.calls]).toEqual(['loading', []]);
});

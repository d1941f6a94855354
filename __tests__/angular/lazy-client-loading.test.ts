import { lastValueFrom, retry, type Observable } from 'rxjs';
import type { ChatCompletionClient } from '../../src/angular/config.ts';
import { lazyClient } from '../../src/angular/lazy-client.ts';
import { configurationError } from '../../src/errors.ts';
import { fakeCompletion, type FakeChatCompletion } from '../../src/testing/fake-completion.ts';
import { errorOf } from '../support/client.ts';
import { marbles } from '../support/events.ts';
import { turn } from './support/chat.ts';

const LOAD_MS = 60_000;

/** Loads that the test settles, one after the other. */
class Loads {
  readonly #open: { resolve: (client: ChatCompletionClient) => void; reject: (error: unknown) => void }[] = [];

  get count(): number {
    return this.#open.length;
  }

  readonly load = (): Promise<ChatCompletionClient> =>
    new Promise((resolve, reject) => this.#open.push({ resolve, reject }));

  come(index = this.count - 1): FakeChatCompletion {
    const fake = fakeCompletion('a|');
    this.#open[index]!.resolve(fake);
    return fake;
  }

  fail(error: unknown): void {
    this.#open[this.count - 1]!.reject(error);
  }
}

let loads: Loads;
let chat: ChatCompletionClient;

beforeEach(() => {
  loads = new Loads();
  chat = lazyClient(loads.load);
});

const NO_CHUNK = new TypeError('Failed to fetch dynamically imported module: /chunk-A.js');

it('a load that fails while nobody asks is nobody’s error, and the next call loads anew', async () => {
  loads.fail(NO_CHUNK);
  // jest fails a test with a rejection that nobody handles.
  await turn();
  expect(loads.count).toBe(1);
  const answer = lastValueFrom(chat.stream$('Hi'));
  expect(loads.count).toBe(2);
  loads.come();
  expect(await answer).toBe('a');
});

it('all that wait for it get the error, and nothing is sent', async () => {
  const failures = [errorOf(chat.stream$('one')), errorOf(chat.generate$('two')), errorOf(chat.events$('three'))];
  expect(loads.count).toBe(1);
  loads.fail(NO_CHUNK);
  for (const failure of await Promise.all(failures)) {
    expect(failure).toMatchObject({ kind: 'connection', retryable: true });
    expect(failure.message).toBe(`A part of the client could not be loaded: ${NO_CHUNK.message}`);
  }
  expect(loads.count).toBe(1);
});

it('a retry of the caller loads anew', async () => {
  const answer = lastValueFrom(chat.stream$('Hi').pipe(retry(1)));
  loads.fail(NO_CHUNK);
  await turn();
  expect(loads.count).toBe(2);
  loads.come();
  expect(await answer).toBe('a');
});

it('who has left is told nothing of a failed load', async () => {
  const heard: unknown[] = [];
  chat
    .stream$('Hi')
    .subscribe({ error: (error: unknown) => heard.push(error) })
    .unsubscribe();
  loads.fail(NO_CHUNK);
  await turn();
  expect(heard).toEqual([]);
});

it('what a load fails with of ours passes as it is', async () => {
  const own = configurationError('model must be a text', 'model');
  const failure = errorOf(chat.stream$('Hi'));
  loads.fail(own);
  expect(await failure).toBe(own);
});

it.each([['a text'], [undefined], [{ code: 1 }]])('a load that fails with %j is an error of ours', async (thrown) => {
  const failure = errorOf(chat.stream$('Hi'));
  loads.fail(thrown);
  expect(await failure).toMatchObject({ kind: 'connection', retryable: true });
});

it('calls that wait are asked in their order, each with what it was asked', async () => {
  const messages = [{ role: 'user' as const, content: 'one' }];
  const answer$ = chat.stream$(messages);
  const answers = [lastValueFrom(answer$)];
  messages[0]!.content = 'two';
  answers.push(lastValueFrom(answer$));
  messages[0]!.content = 'three';
  const fake = loads.come();
  expect(await Promise.all(answers)).toEqual(['a', 'a']);
  expect(fake.calls.map((call) => call.messages)).toEqual([
    [{ role: 'user', content: 'one' }],
    [{ role: 'user', content: 'two' }],
  ]);
});

it('a client that is there is loaded no more', async () => {
  loads.come();
  for (let i = 0; i < 3; i++) await lastValueFrom(chat.stream$('Hi'));
  expect(loads.count).toBe(1);
});

it('what is asked with its options is copied as deep as it is changed', async () => {
  const options = { headers: { 'x-a': 'then' }, extraBody: { tier: 'then' } };
  const answer = lastValueFrom(chat.stream$('Hi', undefined, options));
  options.headers['x-a'] = 'now';
  options.extraBody.tier = 'now';
  const fake = loads.come();
  await answer;
  expect(fake.calls[0]?.options).toMatchObject({ headers: { 'x-a': 'then' }, extraBody: { tier: 'then' } });
  expect(fake.requests[0]).toMatchObject({ headers: { 'x-a': 'then' }, body: { tier: 'then' } });
});

it.each([['text'], [7], [null]])('options that are no object (%j) are refused as the client does', async (options) => {
  const failure = errorOf(chat.stream$('Hi', {}, options as never));
  loads.come();
  expect(await failure).toMatchObject({ kind: 'configuration' });
});

it('a call whose signal was aborted before sends nothing, loaded or not', async () => {
  const signal = AbortSignal.abort(new Error('left'));
  const [waiting, fake] = [errorOf(chat.stream$('Hi', {}, { signal })), loads.come()];
  expect(await waiting).toMatchObject({ kind: 'aborted' });
  expect(await errorOf(chat.stream$('Hi', {}, { signal }))).toMatchObject({ kind: 'aborted' });
  expect(fake.requests).toEqual([]);
});

describe('one that is on its way for ever', () => {
  const ask = (): Observable<string> => lazyClient(() => new Promise(() => undefined)).stream$('Hi');

  it('is given up after a minute: a retryable error', () => {
    marbles(({ flush }, scheduler) => {
      const heard: unknown[] = [];
      ask().subscribe({ error: (error: unknown) => heard.push([scheduler.now(), error]) });
      flush();
      expect(heard).toEqual([[LOAD_MS, expect.objectContaining({ kind: 'connection', retryable: true })]]);
    });
  });

  it('has no timer left once nobody waits', () => {
    marbles((_, scheduler) => {
      const subscription = ask().subscribe();
      expect(scheduler.actions).toHaveLength(1);
      subscription.unsubscribe();
      expect(scheduler.actions).toHaveLength(0);
    });
  });
});

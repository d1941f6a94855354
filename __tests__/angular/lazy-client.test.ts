import { firstValueFrom, lastValueFrom, of } from 'rxjs';
import type { ChatCompletionClient } from '../../src/angular/config.ts';
import { lazyClient, silentClient } from '../../src/angular/lazy-client.ts';
import { fakeCompletion, type FakeChatCompletion } from '../../src/testing/fake-completion.ts';

/** A client that comes when it is told to. */
function deferred(): { readonly load: () => Promise<ChatCompletionClient>; come(): FakeChatCompletion; loads: number } {
  let resolve: (client: ChatCompletionClient) => void = () => undefined;
  const self = {
    loads: 0,
    load: (): Promise<ChatCompletionClient> => {
      self.loads += 1;
      return new Promise((resolved) => (resolve = resolved));
    },
    come: (): FakeChatCompletion => {
      const fake = fakeCompletion('a|');
      resolve(fake);
      return fake;
    },
  };
  return self;
}

it('is on its way before anything is asked', () => {
  const client = deferred();
  lazyClient(client.load);
  expect(client.loads).toBe(1);
});

it('asks with the messages, parameters and options of the time of the question', async () => {
  const client = deferred();
  const chat = lazyClient(client.load);
  const messages = [{ role: 'user' as const, content: 'Hi' }];
  const params = { temperature: 0 };
  const options = { headers: { 'x-a': 'b' } };
  const answer = lastValueFrom(chat.stream$(messages, params, options));
  messages[0]!.content = 'changed';
  params.temperature = 2;
  options.headers = { 'x-a': 'changed' };
  const fake = client.come();
  expect(await answer).toBe('a');
  expect(fake.calls).toMatchObject([
    { messages: [{ role: 'user', content: 'Hi' }], params: { temperature: 0 }, options: { headers: { 'x-a': 'b' } } },
  ]);
  expect(client.loads).toBe(1);
});

it('asks nothing for who has left before', async () => {
  const client = deferred();
  const chat = lazyClient(client.load);
  chat
    .stream$('Hi')
    .subscribe(() => {
      throw new Error('nobody listens');
    })
    .unsubscribe();
  const fake = client.come();
  await lastValueFrom(chat.stream$('second'));
  expect(fake.calls.map(({ messages }) => messages)).toEqual(['second']);
});

it('is cold: nothing is asked without a subscriber', async () => {
  const client = deferred();
  const chat = lazyClient(client.load);
  void chat.stream$('never');
  const fake = client.come();
  await lastValueFrom(chat.generate$('Hi'));
  expect(fake.calls.map(({ method }) => method)).toEqual(['generate$']);
});

it('that cannot be loaded is a retryable error of the call, and is loaded again with the next', async () => {
  const failure = new TypeError('Failed to fetch dynamically imported module');
  const fake = fakeCompletion('a|');
  let loads = 0;
  const chat = lazyClient(() => (++loads === 1 ? Promise.reject(failure) : Promise.resolve(fake)));
  await expect(lastValueFrom(chat.stream$('Hi'))).rejects.toMatchObject({
    name: 'CompletionError',
    kind: 'connection',
    retryable: true,
    cause: failure,
    message: expect.stringContaining('Failed to fetch') as unknown,
  });
  expect(await lastValueFrom(chat.stream$('Hi'))).toBe('a');
  expect(loads).toBe(2);
});

it('refuses what JSON cannot hold, as the client does', async () => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  const chat = lazyClient(() => Promise.resolve(fakeCompletion('a|')));
  await expect(lastValueFrom(chat.stream$('Hi', cyclic))).rejects.toMatchObject({ kind: 'configuration' });
});

it('a silent client emits nothing and sets no timer', async () => {
  const chat = silentClient();
  const heard: string[] = [];
  const subscription = chat
    .stream$('Hi')
    .subscribe({ next: () => heard.push('value'), complete: () => heard.push('end') });
  await firstValueFrom(of(1));
  expect(heard).toEqual([]);
  subscription.unsubscribe();
});

it('that is still on its way is not waited for by a call that is aborted', async () => {
  const controller = new AbortController();
  const chat = lazyClient(() => new Promise(() => undefined));
  const answer = lastValueFrom(chat.stream$('Hi', {}, { signal: controller.signal }));
  controller.abort();
  await expect(answer).rejects.toMatchObject({ kind: 'aborted' });
});

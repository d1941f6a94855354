import type { Observable } from 'rxjs';
import { PromiseChatCompletion } from '../../src/promises.ts';
import type { OpenAIChatCompletion } from '../../src/index.ts';
import { errorOf, fetchClient, outcomeOfIterable, recordedFetch } from '../support/client.ts';
import { completion } from '../support/faults-steps.ts';

/** One wrong call: messages, params, options, untyped because each is a mistake. */
interface Wrong {
  readonly messages?: unknown;
  readonly params?: unknown;
  readonly options?: unknown;
}

type AnyMethod = (messages: unknown, params?: unknown, options?: unknown) => Observable<unknown>;
const METHODS = ['stream$', 'generate$', 'completion$', 'events$', 'chunks$'] as const;

function call(chat: OpenAIChatCompletion, method: (typeof METHODS)[number], wrong: Wrong): Observable<unknown> {
  const { messages = 'hi', params, options } = { ...wrong };
  return (chat[method] as AnyMethod).call(chat, 'messages' in wrong ? wrong.messages : messages, params, options);
}

const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;

const WRONG: readonly (readonly [name: string, wrong: Wrong, param: string | undefined, message: RegExp])[] = [
  ['an empty prompt', { messages: '' }, 'messages', /empty/],
  ['no messages', { messages: [] }, 'messages', /empty/],
  ['messages that are no list', { messages: {} }, 'messages', /string or an array/],
  ['messages left out', { messages: undefined }, 'messages', /string or an array/],
  ['a message that is a string', { messages: ['hi'] }, 'messages', /messages\[0\]/],
  ['a message that is null', { messages: [{ role: 'user', content: '' }, null] }, 'messages', /messages\[1\]/],
  ['n of 0', { params: { n: 0 } }, 'n', /at least 1/],
  ['n of a half', { params: { n: 1.5 } }, 'n', /whole/],
  ['n of 0 in extraBody', { options: { extraBody: { n: 0 } } }, 'n', /at least 1/],
  ['a temperature that is no number', { params: { temperature: NaN } }, 'temperature', /finite/],
  ['a temperature without end', { params: { temperature: Infinity } }, 'temperature', /finite/],
  ['an empty model', { params: { model: ' ' } }, 'model', /empty/],
  ['params that are a list', { params: [] }, 'params', /object/],
  ['params that are null', { params: null }, 'params', /object/],
  ['params that are a string', { params: 'gpt-4o' }, 'params', /object/],
  ['params with messages', { params: { messages: [] } }, 'messages', /first argument/],
  ['params with stream', { params: { stream: true } }, 'stream', /method decides/],
  ['params with a signal', { params: { signal: {} } }, 'signal', /third argument/],
  ['extraBody with messages', { options: { extraBody: { messages: [] } } }, 'messages', /extraBody/],
  ['extraBody with stream', { options: { extraBody: { stream: false } } }, 'stream', /extraBody/],
  ['extraBody that is a list', { options: { extraBody: [] } }, 'extraBody', /object/],
  ['a cycle', { options: { extraBody: cycle } }, undefined, /JSON/],
  ['a BigInt', { options: { extraBody: { seed: 1n } } }, undefined, /JSON/],
  ['options that are null', { options: null }, 'options', /object/],
  ['options that are a list', { options: [] }, 'options', /object/],
  ['a misspelt option', { options: { signl: undefined } }, 'signl', /did you mean signal\?/],
  ['a signal that is none', { options: { signal: 'stop' } }, 'signal', /AbortSignal/],
  ['headers that cannot be sent', { options: { headers: { 'x-key': 'a\nb' } } }, 'headers', /x-key/],
  ['a clock of 0', { options: { timeout: { idleMs: 0 } } }, 'timeout.idleMs', /positive/],
  ['a clock of outputs of 0', { options: { timeout: { outputMs: 0 } } }, 'timeout.outputMs', /positive/],
  ['a clock of the call as text', { options: { timeout: { totalMs: '5' } } }, 'timeout.totalMs', /positive/],
  ['a clock that is misspelt', { options: { timeout: { totalMS: 5 } } }, 'totalMS', /did you mean totalMs\?/],
  ['a retry that is true', { options: { retry: true } }, 'retry', /maxRetries: 5 \}, or false/],
  ['a retry that is null', { options: { retry: null } }, 'retry', /object/],
  ['half a retry', { options: { retry: { maxRetries: 0.5 } } }, 'retry.maxRetries', /whole/],
  ['a pause below 0', { options: { retry: { baseDelayMs: -1 } } }, 'retry.baseDelayMs', /at least 0/],
  ['more chance than there is', { options: { retry: { jitter: 2 } } }, 'retry.jitter', /from 0 to 1/],
  ['a rule that is none', { options: { retry: { when: 'always' } } }, 'retry.when', /function/],
  ['a mode that is unknown', { options: { retry: { mode: 'always' } } }, 'retry.mode', /'restart'/],
  ['a misspelt option of retry', { options: { retry: { maxRetrys: 1 } } }, 'maxRetrys', /did you mean maxRetries\?/],
];

describe.each(METHODS)('%s with a mistake', (method) => {
  it.each(WRONG)('errors when subscribed to, and sends nothing: %s', async (_, wrong, param, message) => {
    const fetch = recordedFetch(() => Response.json(completion('no')));
    const error = await errorOf(call(fetchClient.client('http://127.0.0.1:9', { fetch }), method, wrong));
    expect(error).toMatchObject({ kind: 'configuration', retryable: false });
    expect(error.param).toBe(param);
    expect(error.message).toMatch(message);
    expect(fetch.calls).toEqual([]);
  });
});

describe('options that only some methods know', () => {
  const fetch = recordedFetch(() => Response.json(completion('no')));
  const chat = fetchClient.client('http://127.0.0.1:9', { fetch });

  it.each([
    ['stream$', { gate: true }, 'gate'],
    ['stream$', { choice: -1 }, 'choice'],
    ['generate$', { choice: 0.5 }, 'choice'],
    ['generate$', { choice: 1 }, 'choice'],
    ['stream$', { onLength: 'throw' }, 'onLength'],
    ['generate$', { gate: () => undefined }, 'gate'],
    ['completion$', { choice: 0 }, 'choice'],
    ['completion$', { onLength: 'error' }, 'onLength'],
    ['events$', { choice: 0 }, 'choice'],
    ['chunks$', { onLength: 'error' }, 'onLength'],
    ['stream$', { retry: { mode: 'restart' } }, 'retry.mode'],
    ['generate$', { retry: { mode: 'restart' } }, 'retry.mode'],
    ['completion$', { retry: { mode: 'restart' } }, 'retry.mode'],
    ['chunks$', { retry: { mode: 'restart' } }, 'retry.mode'],
  ] as const)('%s refuses %p', async (method, options, param) => {
    expect(await errorOf(call(chat, method, { options }))).toMatchObject({ kind: 'configuration', param });
    expect(fetch.calls).toEqual([]);
  });

  it('the facade refuses what it decides itself', async () => {
    const facade = new PromiseChatCompletion(chat);
    const wrong = facade.streamCompletion('hi', {}, { choice: 2 });
    expect((await outcomeOfIterable(wrong)).error).toMatchObject({ kind: 'configuration', param: 'choice' });
    await expect(facade.generateCompletion('')).rejects.toMatchObject({ kind: 'configuration', param: 'messages' });
    expect(fetch.calls).toEqual([]);
  });
});

import { resolveConfig, type ChatCompletionOptions } from '../src/config.ts';
import {
  buildRequest,
  withoutDefault,
  type CallOptions,
  type CallRequest,
  type ChatCompletionParams,
  type ChatMessages,
  type DroppableDefault,
} from '../src/request.ts';
import { promptsOf } from '../src/prompts.ts';
import { platformWith, thrownBy } from './support/client.ts';

interface Asked {
  readonly client?: ChatCompletionOptions;
  readonly messages?: ChatMessages;
  readonly params?: ChatCompletionParams;
  readonly options?: CallOptions;
  readonly stream?: boolean;
  readonly dropped?: readonly DroppableDefault[];
}

function request({ client, messages = 'hi', params, options = {}, stream = true, dropped = [] }: Asked): CallRequest {
  const config = resolveConfig({ apiKey: 'sk-key', envFile: false, ...client }, platformWith({}));
  return buildRequest(config, () => new Set(dropped), stream, messages, params, options);
}

const bodyOf = (asked: Asked) => request(asked).body;

describe('the body', () => {
  it('holds the parameters as given, over our defaults', () => {
    expect(bodyOf({ params: { model: 'm', top_p: 0.1, n: 2, stop: null, user: 'u' } })).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'hi' }],
      temperature: 0.7,
      top_p: 0.1,
      n: 2,
      stop: null,
      user: 'u',
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('takes a string for one user message, and messages as they are', () => {
    const messages = [
      { role: 'system' as const, content: 'Be brief' },
      { role: 'user' as const, content: [{ type: 'text' as const, text: 'hi' }] },
    ];
    expect(bodyOf({ messages: ' ' })['messages']).toEqual([{ role: 'user', content: ' ' }]);
    expect(bodyOf({ messages })['messages']).toEqual(messages);
  });

  it('takes extraBody over params, and over our defaults', () => {
    const extraBody = { top_k: 5, temperature: 0.1, model: 'other', stream_options: null };
    expect(bodyOf({ params: { temperature: 0.9, model: 'm' }, options: { extraBody } })).toMatchObject(extraBody);
  });

  it('is a copy, deep down, and so are its attempts', () => {
    const params: ChatCompletionParams = { metadata: { a: 'before' } };
    const messages = [{ role: 'user' as const, content: 'before' }];
    const { body } = request({ params, messages });
    (params.metadata as Record<string, string>)['a'] = 'after';
    if (messages[0]) messages[0].content = 'after';
    expect(body).toMatchObject({ metadata: { a: 'before' }, messages: [{ content: 'before' }] });
  });

  it('leaves out what is undefined', () => {
    expect(Object.keys(bodyOf({ params: { top_p: undefined as never }, stream: false })).sort()).toEqual([
      'messages',
      'model',
      'stream',
      'temperature',
    ]);
  });
});

describe('the temperature', () => {
  it.each([
    'o1',
    'o1-mini',
    'o3-mini',
    'o4-mini-2025-04-16',
    'gpt-5',
    'GPT-5',
    'gpt-5-mini',
    'gpt-5.1',
    'gpt-5.2-codex',
    'openai/gpt-5.1',
    'openai/o3',
    'ft:o4-mini-2025-04-16:acme::abc',
    'ft:gpt-5:acme',
    'openrouter/openai/gpt-5:free',
  ])('of our own is left out for %s', (model) => {
    expect(bodyOf({ params: { model } })).not.toHaveProperty('temperature');
    expect(bodyOf({ client: { model } })).not.toHaveProperty('temperature');
  });

  it.each([
    'gpt-4o',
    'gpt-4.5',
    'ft:gpt-4o-mini:acme::x',
    'llama3',
    'gpt-50',
    'moto1',
    'o-series',
    'chatgpt-4o-latest',
  ])('of our own is sent for %s', (model) => {
    expect(bodyOf({ params: { model } })['temperature']).toBe(0.7);
  });

  it('of the caller is always sent', () => {
    expect(bodyOf({ params: { model: 'o1', temperature: 1 } })['temperature']).toBe(1);
    expect(bodyOf({ params: { temperature: 0 } })['temperature']).toBe(0);
    expect(bodyOf({ client: { temperature: 0.2 }, params: { model: 'gpt-5' } })['temperature']).toBe(0.2);
    expect(bodyOf({ client: { temperature: 0.2 }, dropped: ['temperature'] })['temperature']).toBe(0.2);
    expect(bodyOf({ params: { temperature: 1 }, dropped: ['temperature'] })['temperature']).toBe(1);
  });

  it('of the call wins over that of the client', () => {
    expect(bodyOf({ client: { temperature: 0.2 }, params: { temperature: 0.9 } })['temperature']).toBe(0.9);
    expect(bodyOf({ client: { temperature: null }, params: { temperature: 0.9 } })['temperature']).toBe(0.9);
    expect(bodyOf({ client: { temperature: 0.2 }, params: { temperature: undefined as never } })['temperature']).toBe(
      0.2,
    );
  });

  it('is not sent with null, of the client or of the call', () => {
    expect(bodyOf({ client: { temperature: null } })).not.toHaveProperty('temperature');
    expect(bodyOf({ params: { temperature: null } })).not.toHaveProperty('temperature');
    expect(bodyOf({ client: { temperature: 0.2 }, params: { temperature: null } })).not.toHaveProperty('temperature');
  });
});

describe('the usage of a stream', () => {
  it('is asked for, and only there', () => {
    expect(bodyOf({})['stream_options']).toEqual({ include_usage: true });
    expect(bodyOf({ stream: false })).not.toHaveProperty('stream_options');
  });

  it("is the caller's choice", () => {
    const stream_options = { include_usage: false };
    expect(bodyOf({ params: { stream_options } })['stream_options']).toEqual(stream_options);
    expect(bodyOf({ params: { stream_options: null } })).not.toHaveProperty('stream_options');
    expect(bodyOf({ options: { extraBody: { stream_options } } })['stream_options']).toEqual(stream_options);
  });
});

describe('defaults that a server may refuse', () => {
  it('are known as ours, and only ours', () => {
    expect([...request({}).defaults]).toEqual(['temperature', 'stream_options']);
    expect([...request({ stream: false }).defaults]).toEqual(['temperature']);
    const params = { temperature: 1, stream_options: { include_usage: true } };
    expect([...request({ params }).defaults]).toEqual([]);
    expect([...request({ options: { extraBody: params } }).defaults]).toEqual([]);
    expect([...request({ client: { temperature: 0.7 } }).defaults]).toEqual(['stream_options']);
  });

  it('are left out where they were refused before', () => {
    const { body, defaults } = request({ dropped: ['temperature', 'stream_options'] });
    expect(body).not.toHaveProperty('temperature');
    expect(body).not.toHaveProperty('stream_options');
    expect(defaults.size).toBe(0);
  });

  it('can be left out of a request that is there already', () => {
    const before = request({});
    const after = withoutDefault(before, 'temperature');
    expect(after.body).not.toHaveProperty('temperature');
    expect([...after.defaults]).toEqual(['stream_options']);
    expect(before.body['temperature']).toBe(0.7);
  });
});

describe('headers and clocks', () => {
  it('of the call win over those of the client, whatever their case', () => {
    const { headers } = request({
      client: { headers: { 'X-A': 'client', 'X-B': 'client' } },
      options: { headers: { 'x-b': 'call', Authorization: 'Bearer call' } },
    });
    expect(headers).toEqual({ 'x-a': 'client', 'x-b': 'call', authorization: 'Bearer call' });
  });

  it('of the call are checked', () => {
    const error = thrownBy(() => request({ options: { headers: { 'x-key': 'a\nsecret' } } }));
    expect(error).toMatchObject({ kind: 'configuration', param: 'headers' });
    expect(error.message).not.toContain('secret');
    expect(thrownBy(() => request({ options: { timeout: { idleMs: -1 } } })).param).toBe('timeout.idleMs');
  });
});

describe('what must not be quoted of a request', () => {
  it('is every prompt that is no mere word, as text and as JSON has it', () => {
    const messages = [
      { role: 'system' as const, content: 'Keep "this" a secret\nplease' },
      { role: 'user' as const, content: [{ type: 'text' as const, text: 'My number is 0123 456789' }] },
      { role: 'user' as const, content: 'hello' },
    ];
    expect(new Set(promptsOf(request({ messages })))).toEqual(
      new Set(['Keep "this" a secret\nplease', 'Keep \\"this\\" a secret\\nplease', 'My number is 0123 456789']),
    );
  });
});

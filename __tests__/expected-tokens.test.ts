import { resolveConfig } from '../src/config.ts';
import { expectedTokens } from '../src/expected-tokens.ts';
import { buildRequest, type CallRequest, type ChatCompletionParams, type ChatMessages } from '../src/request.ts';
import { platformWith } from './support/client.ts';

type Turns = Exclude<ChatMessages, string>;

/** The tokens of a request, its prompt being 8 unless given: `[{"role":"user","content":"hi"}]` are 32 characters. */
function tokensOf(
  params: ChatCompletionParams,
  messages: ChatMessages = 'hi',
  extraBody: Readonly<Record<string, unknown>> = {},
): number {
  return expectedTokens(requestOf(params, messages, extraBody));
}

function requestOf(
  params: ChatCompletionParams,
  messages: ChatMessages,
  extraBody: Readonly<Record<string, unknown>> = {},
): CallRequest {
  const config = resolveConfig({ apiKey: 'sk-key', envFile: false }, platformWith({}));
  return buildRequest(config, () => new Set(), true, messages, params, { extraBody });
}

describe('the tokens a request is expected to cost', () => {
  it.each([
    ['two letters', 'hi', 8],
    ['a letter more, which begins another token', 'his', 9],
    ['four letters more', 'hi you', 9],
    ['a long text', 'x'.repeat(3970), 1000],
    ['a long text of two-byte letters', 'ж'.repeat(3970), 1000],
  ])('are a quarter of the characters of the messages: %s', (_name, text, tokens) => {
    expect(tokensOf({}, text)).toBe(tokens);
  });

  it('count all that is said: earlier turns and parts', () => {
    const one = tokensOf({}, [{ role: 'user', content: 'x'.repeat(400) }]);
    const two = tokensOf({}, [
      { role: 'user', content: 'x'.repeat(400) },
      { role: 'assistant', content: [{ type: 'text', text: 'y'.repeat(400) }] },
    ]);
    expect(one).toBeGreaterThanOrEqual(100);
    expect(two).toBeGreaterThanOrEqual(one + 100);
  });

  it.each<[string, ChatCompletionParams, number]>([
    ['nothing where none is set', {}, 8],
    ['max_completion_tokens', { max_completion_tokens: 50 }, 58],
    ['max_tokens', { max_tokens: 50 }, 58],
    ['max_completion_tokens before max_tokens', { max_completion_tokens: 50, max_tokens: 70 }, 58],
    ['max_tokens where the other is null', { max_completion_tokens: null, max_tokens: 70 }, 78],
    ['nothing for null', { max_tokens: null }, 8],
    ['nothing for 0', { max_tokens: 0 }, 8],
    ['nothing for less than 0', { max_tokens: -50 }, 8],
    ['it for each choice', { max_tokens: 50, n: 3 }, 158],
    ['it once for one choice', { max_tokens: 50, n: 1 }, 58],
    ['it once where n is null', { max_tokens: 50, n: null }, 58],
    ['nothing for choices without a limit', { n: 3 }, 8],
  ])('hold the most that may be answered: %s', (_name, params, tokens) => {
    expect(tokensOf(params)).toBe(tokens);
  });

  it('follow what extraBody has in place of a parameter', () => {
    expect(tokensOf({ max_tokens: 50 }, 'hi', { max_tokens: 20, n: 2 })).toBe(48);
    expect(tokensOf({ max_tokens: 50 }, 'hi', { max_tokens: '20' })).toBe(8);
  });
});

describe('the tokens of a prompt', () => {
  /** 400 characters of JSON each: 100 tokens. */
  const tools: ChatCompletionParams['tools'] = [{ type: 'function', function: { name: 'x'.repeat(356) } }];
  const response_format: ChatCompletionParams['response_format'] = {
    type: 'json_schema',
    json_schema: { name: 'x'.repeat(352) },
  };

  it.each<[string, ChatCompletionParams, number]>([
    ['tools', { tools }, 108],
    ['the format of the answer', { response_format }, 108],
    ['both', { tools, response_format }, 208],
    ['them beside the answer', { tools, response_format, max_tokens: 50 }, 258],
    ['nothing else', { user: 'x'.repeat(400), stop: ['x'.repeat(400)], metadata: { x: 'x'.repeat(400) } }, 8],
  ])('count %s', (_name, params, tokens) => {
    expect(tokensOf(params)).toBe(tokens);
  });

  it('round all that is said together', () => {
    // 33, 2 and 15 characters.
    expect(tokensOf({ tools: [], response_format: { type: 'text' } }, 'his')).toBe(13);
  });

  it('count no fields that are null', () => {
    expect(tokensOf({}, 'hi', { tools: null, response_format: null })).toBe(8);
  });

  const MEGABYTE = 'A'.repeat(1_000_000);
  const image = (url: string): Turns => [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }];
  const sound = (data: string): Turns => [
    { role: 'user', content: [{ type: 'input_audio', input_audio: { data, format: 'wav' } }] },
  ];
  const file = (file_data: string): Turns => [{ role: 'user', content: [{ type: 'file', file: { file_data } }] }];

  it.each<[string, (text: string) => Turns, string]>([
    ['an image', image, 'data:image/png;base64,'],
    ['a sound', sound, ''],
    ['a file', file, 'data:application/pdf;base64,'],
  ])('hold %s of any size as no more than 4000 characters', (_name, messagesOf, prefix) => {
    const around = JSON.stringify(messagesOf('')).length;
    const sized = (characters: number): number =>
      tokensOf({}, messagesOf(prefix + MEGABYTE.slice(0, characters - prefix.length)));
    expect(sized(2000)).toBe(Math.ceil((around + 2000) / 4));
    expect(sized(4000)).toBe(Math.ceil((around + 4000) / 4));
    expect(sized(4100)).toBe(Math.ceil((around + 4000) / 4));
    expect(sized(1_000_000)).toBe(Math.ceil((around + 4000) / 4));
  });

  it('hold each image and sound, and the text beside it', () => {
    const parts = [...image(`data:image/png;base64,${MEGABYTE}`), ...sound(MEGABYTE)];
    const tokens = tokensOf({}, [...parts, { role: 'user', content: 'x'.repeat(4000) }]);
    expect(tokens).toBeGreaterThan(3000);
    expect(tokens).toBeLessThan(3100);
  });

  it.each<[string, ChatMessages]>([
    ['text', MEGABYTE],
    ['text that has such an address in it', `see data:image/png;base64,${MEGABYTE}`],
    ['an address of another kind', image(`https://example.com/${MEGABYTE}`)],
  ])('hold all of %s', (_name, messages) => {
    expect(tokensOf({}, messages)).toBeGreaterThanOrEqual(250_000);
  });

  it('leave what is sent as it is', () => {
    const request = requestOf({}, image(`data:image/png;base64,${MEGABYTE}`));
    const before = JSON.stringify(request.body);
    expectedTokens(request);
    expect(JSON.stringify(request.body)).toBe(before);
  });
});

/** Ways to the text of a streamed completion. Each loads what it needs, and nothing else. */

import type { ChatCompletionOptions, OpenAIChatCompletion } from 'rxjs-openai';

/** What is asked of the server. */
export interface Call {
  readonly model: string;
  readonly chunks: number;
}

/** Where it is asked. */
export interface Endpoint {
  readonly baseURL: string;
  readonly fetch: typeof fetch;
}

/** Streams one completion, whatever comes piece by piece, and returns the whole text. */
export type Contestant = (call: Call) => Promise<string>;

const MESSAGES = 'Say this is a test!';
const API_KEY = 'sk-bench';

/** The measure of all others. It does the least that can be done: no errors, no limits, no `\r\n`, no abort. */
function byHand({ baseURL, fetch }: Endpoint): Contestant {
  return async ({ model, chunks }) => {
    const response = await fetch(`${baseURL}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}` },
      body: JSON.stringify({
        model,
        messages: [{ role: 'user', content: MESSAGES }],
        max_tokens: chunks,
        stream: true,
        stream_options: { include_usage: true },
      }),
    });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const utf8 = new TextDecoder();
    let text = '';
    let buffer = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text;
      buffer += utf8.decode(value, { stream: true });
      let from = 0;
      for (let to = buffer.indexOf('\n\n'); to !== -1; to = buffer.indexOf('\n\n', from)) {
        const data = buffer.slice(from + 'data: '.length, to);
        from = to + 2;
        if (data === '[DONE]') continue;
        const chunk = JSON.parse(data) as { choices: { delta: { content?: string | null } }[] };
        text += chunk.choices[0]?.delta.content ?? '';
      }
      buffer = buffer.slice(from);
    }
  };
}

async function openaiLoop(endpoint: Endpoint): Promise<Contestant> {
  const { OpenAI } = await import('openai');
  const client = new OpenAI({ ...endpoint, apiKey: API_KEY });
  return async ({ model, chunks }) => {
    const stream = await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content: MESSAGES }],
      max_tokens: chunks,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    return text;
  };
}

async function client(endpoint: Endpoint, options: ChatCompletionOptions = {}): Promise<OpenAIChatCompletion> {
  const { OpenAIChatCompletion } = await import('rxjs-openai');
  return new OpenAIChatCompletion({ ...endpoint, apiKey: API_KEY, envFile: false, ...options });
}

/** What retries and clocks cost is seen beside `stream$`, which has both. */
function bareStream$(endpoint: Endpoint): Promise<Contestant> {
  return stream$(endpoint, { retry: false, timeout: false });
}

async function stream$(endpoint: Endpoint, options?: ChatCompletionOptions): Promise<Contestant> {
  const chat = await client(endpoint, options);
  return async ({ model, chunks }) => {
    let text = '';
    await chat.stream$(MESSAGES, { model, max_tokens: chunks }).forEach((piece) => {
      text += piece;
    });
    return text;
  };
}

async function events$(endpoint: Endpoint): Promise<Contestant> {
  const chat = await client(endpoint);
  return async ({ model, chunks }) => {
    let text = '';
    await chat.events$(MESSAGES, { model, max_tokens: chunks }).forEach((event) => {
      if (event.type === 'text-delta') text += event.text;
    });
    return text;
  };
}

async function chunks$(endpoint: Endpoint): Promise<Contestant> {
  const chat = await client(endpoint);
  return async ({ model, chunks }) => {
    let text = '';
    await chat.chunks$(MESSAGES, { model, max_tokens: chunks }).forEach((chunk) => {
      text += chunk.choices[0]?.delta.content ?? '';
    });
    return text;
  };
}

async function accumulate(endpoint: Endpoint): Promise<Contestant> {
  const chat = await client(endpoint);
  const { accumulate: accumulated } = await import('rxjs-openai/operators');
  return async ({ model, chunks }) => {
    let text = '';
    await chat
      .events$(MESSAGES, { model, max_tokens: chunks })
      .pipe(accumulated())
      .forEach((snapshot) => {
        text = snapshot.text;
      });
    return text;
  };
}

async function streamCompletion(endpoint: Endpoint): Promise<Contestant> {
  const { OpenAIChatCompletion } = await import('rxjs-openai/promises');
  const chat = new OpenAIChatCompletion({ ...endpoint, apiKey: API_KEY, envFile: false });
  return async ({ model, chunks }) => {
    let text = '';
    for await (const piece of chat.streamCompletion(MESSAGES, { model, max_tokens: chunks })) text += piece;
    return text;
  };
}

/** By the name in the table; the first is what the others are compared with. */
export const CONTESTANTS = {
  'fetch by hand': byHand,
  'openai for await': openaiLoop,
  stream$: (endpoint) => stream$(endpoint),
  'stream$, no retry, no clocks': bareStream$,
  events$,
  accumulate,
  chunks$,
  streamCompletion,
} as const satisfies Record<string, (endpoint: Endpoint) => Contestant | Promise<Contestant>>;

export type ContestantName = keyof typeof CONTESTANTS;

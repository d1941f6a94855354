import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { Chat, ChatOptions } from '../../../src/angular/chat-types.ts';
import { answer, type FakeExchange } from '../../../src/testing/exchange.ts';
import type { FakeTransport } from '../../../src/testing/fake-transport.ts';
import { sent, toolOf, untilSent } from './chat.ts';
import type { Stage } from './stage.ts';

export const called = (content: string | null, ...ids: readonly string[]): ChatCompletionMessageParam => ({
  role: 'assistant',
  content,
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'add', arguments: '{"n":1}' } })),
});
export const result = (id: string, content: string): ChatCompletionMessageParam => ({
  role: 'tool',
  tool_call_id: id,
  content,
});
export const UNDONE = 'Error: the run ended before this call was done.';
export const USER: ChatCompletionMessageParam = { role: 'user', content: 'Hi' };
export const AGAIN: ChatCompletionMessageParam = { role: 'user', content: 'And?' };
export const SYSTEM: ChatCompletionMessageParam = { role: 'system', content: 'Be brief.' };
export const assistant = (content: string): ChatCompletionMessageParam => ({ role: 'assistant', content });

/** A chat with a tool, after a question that took so many requests. */
export async function asked(
  stage: Stage,
  exchanges: readonly FakeExchange[],
  requests: number,
  options: ChatOptions = {},
  execute: () => unknown = () => 'ok',
): Promise<[Chat, FakeTransport]> {
  const transport = stage.scripted([...exchanges, answer('Fine')]);
  const chat = stage.chat({ system: 'Be brief.', tools: [toolOf(execute)], ...options });
  chat.send('Hi');
  await untilSent(stage, transport, requests);
  return [chat, transport];
}

/** What the model is told of it with the next question. */
export async function told(stage: Stage, [chat, transport]: [Chat, FakeTransport]): Promise<unknown> {
  const before = transport.requests.length;
  chat.send('And?');
  await untilSent(stage, transport, before + 1);
  return sent(transport, before);
}

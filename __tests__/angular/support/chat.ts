import type { ChatAssistantMessage, ChatMessage, ChatToolPart } from '../../../src/angular/chat-message.ts';
import type { Chat } from '../../../src/angular/chat-types.ts';
import type { FakeTransport } from '../../../src/testing/fake-transport.ts';
import { tool, type Tool, type ToolContext } from '../../../src/tools/tool.ts';
import type { Stage } from './stage.ts';

const SCHEMA = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'], additionalProperties: false };

/** A tool that takes a number. */
export function toolOf(execute: (args: { n: number }, context: ToolContext) => unknown, name = 'add'): Tool<never> {
  return tool<{ n: number }>({ name, parameters: SCHEMA, execute });
}

/** A call of it, as a step of an answer. */
export function call(
  id: string,
  n: unknown = 1,
  name = 'add',
): { toolCall: { id: string; name: string; arguments: string } } {
  return { toolCall: { id, name, arguments: JSON.stringify({ n }) } };
}

/** Who said what, and how it ended. */
export function said(chat: Chat): readonly string[] {
  return chat
    .messages()
    .map((message: ChatMessage) => (message.role === 'user' ? message.text : `${message.status}: ${message.text}`));
}

/** The last answer. */
export function last(chat: Chat): ChatAssistantMessage {
  return chat.messages().at(-1) as ChatAssistantMessage;
}

/** The calls of the last answer. */
export function calls(chat: Chat): readonly ChatToolPart[] {
  return last(chat).parts.filter((part): part is ChatToolPart => part.type === 'tool');
}

/** How they stand. */
export function statuses(chat: Chat): readonly string[] {
  return calls(chat).map(({ status }) => status);
}

/** The messages of a request. */
export function sent(transport: FakeTransport, index: number): unknown {
  return transport.requests[index]?.body['messages'];
}

/** Lets promises settle, until so many requests have been sent: the parts of tools are loaded with their first call. */
export async function untilSent(stage: Stage, transport: FakeTransport, requests: number): Promise<void> {
  while (transport.requests.length < requests) {
    await turn();
    stage.pass(1);
  }
  stage.pass(50);
}

/** Whatever promises are ready. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

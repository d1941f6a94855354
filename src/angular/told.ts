import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { ChatToolPart } from './chat-message.ts';

/** A message of the model's with its calls, of which the run itself has not told yet. */
export function callsOf(calls: readonly ChatToolPart[], text: string): ChatCompletionMessageParam {
  return {
    role: 'assistant',
    content: text === '' ? null : text,
    tool_calls: calls.map(({ toolCallId: id, name, arguments: json }) => ({
      id,
      type: 'function',
      function: { name, arguments: json },
    })),
  };
}

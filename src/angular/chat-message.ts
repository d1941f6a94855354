import type { ChatCompletionContentPart, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { CompletionUsage } from 'openai/resources/completions';
import type { FinishReason } from '../events/event.ts';

/** What the user has said. Never changed later. */
export interface ChatUserMessage {
  /** Of this message in its chat; for `track`. */
  readonly id: string;
  readonly role: 'user';
  /** Its text, that of content parts too. */
  readonly text: string;
  /** As it is sent. */
  readonly content: string | readonly ChatCompletionContentPart[];
}

/** An answer, with all its rounds of tools. What has not changed since the last render is the same object. */
export interface ChatAssistantMessage {
  readonly id: string;
  readonly role: 'assistant';
  /**
   * `connecting` before the first event; `streaming`, also while tools run; `done`; `stopped`, by `stop()` or the next question;
   * `error`. After each of the last three what had arrived stays.
   */
  readonly status: 'connecting' | 'streaming' | 'done' | 'stopped' | 'error';
  /** What it consists of, in order. */
  readonly parts: readonly ChatPart[];
  /** Its text parts, with blank lines between them. */
  readonly text: string;
  /** How the model's last answer ended; `undefined` until then. */
  readonly finishReason: FinishReason | undefined;
  /** The tokens of all rounds together; details are those of the last one. */
  readonly usage: CompletionUsage | undefined;
  /** With status `error`. */
  readonly error: Error | undefined;
  /** What of it the model is told with the next question: calls of tools with their results; of a stopped answer what had arrived. */
  readonly history: readonly ChatCompletionMessageParam[];
}

/** A message of {@link Chat}. */
export type ChatMessage = ChatUserMessage | ChatAssistantMessage;

/** A piece of text of one kind. */
export interface ChatTextPart {
  readonly type: 'text' | 'reasoning' | 'refusal';
  readonly text: string;
}

/** A call of a tool, and what became of it. */
export interface ChatToolPart {
  readonly type: 'tool';
  readonly toolCallId: string;
  readonly name: string;
  /** JSON text as far as it has come. */
  readonly arguments: string;
  /** The validated arguments, once somebody is asked about the call. */
  readonly input: unknown;
  /**
   * `calling`: its arguments are being written; `called`: they are whole, and nobody executes them here (no `tools`); `approval`: it waits
   * for `approve()` or `deny()`; `running`; `done`; `error`; `denied`; `stopped`: the answer ended before.
   */
  readonly status: 'calling' | 'called' | 'approval' | 'running' | 'done' | 'error' | 'denied' | 'stopped';
  /** The last value of a tool that tells how far it is. */
  readonly progress: unknown;
  /** The result. */
  readonly value: unknown;
  /** Why it failed, or was not executed. */
  readonly error: unknown;
  /** Why it was denied. */
  readonly reason: string | undefined;
}

/** What an answer consists of. */
export type ChatPart = ChatTextPart | ChatToolPart;

/** The text of a content. */
export function textOfContent(content: ChatUserMessage['content']): string {
  if (typeof content === 'string') return content;
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n\n');
}

import type { Injector, Signal } from '@angular/core';
import type { ChatCompletionContentPart } from 'openai/resources/chat/completions';
import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs';
import type { CompletionEvent } from '../events/event.ts';
import type { ChatCompletionParams } from '../request.ts';
import type { Approve, ToolApprovalRequest } from '../tools/execute.ts';
import type { ToolRunOptions } from '../tools/run-options.ts';
import type { Tool } from '../tools/tool.ts';
import type { ChatMessage } from './chat-message.ts';

/** Options of `injectChat`. */
export interface ChatOptions {
  /** Sent before the messages; a function is read at each question. */
  readonly system?: string | (() => string | undefined) | undefined;
  /** OpenAI's parameters; a function is read at each question. */
  readonly params?: ChatParams | (() => ChatParams | undefined) | undefined;
  /** What the model may call, made by `tool()`. With tools every answer is a run of `runTools$`. */
  readonly tools?: readonly Tool[] | undefined;
  /**
   * Asked before a tool is executed. `'ask'` leaves it to `approve()` and `deny()` of the chat; a function may decide itself, or return
   * `'ask'`. Default: nobody is asked.
   */
  readonly approve?: 'ask' | ((call: ToolApprovalRequest) => ReturnType<Approve> | 'ask') | undefined;
  /** Of each call: `retry`, `timeout`, `headers` …; with tools also `maxRounds`, `toolTimeoutMs`, `onToolError` … */
  readonly options?: Omit<ToolRunOptions, 'tools' | 'approve' | 'signal' | 'gate'> | undefined;
  /** Operators around the events of each answer, with tools of each round: `measure(…)`, `timeoutCompletion(…)`, `fallbackTo(…)` … */
  readonly pipe?: MonoTypeOperatorFunction<CompletionEvent> | undefined;
  /** An earlier conversation to go on with. Default: none. */
  readonly messages?: readonly ChatMessage[] | undefined;
  /** Where there is no injection context. It also ends the chat. */
  readonly injector?: Injector | undefined;
  /** What the frames of rendering run on. Default: the page's animation frames. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** Parameters of the questions of a chat; the tools are in its options. */
export type ChatParams = Omit<ChatCompletionParams, 'tools' | 'n'>;

/** A conversation as signals. Made by `injectChat`. */
export interface Chat {
  /** What was said, in order. The question is there at once, and beside it the answer, which grows. */
  readonly messages: Signal<readonly ChatMessage[]>;
  /** `submitted` until the answer begins, `streaming` until it ends, `error` if it broke; otherwise `ready`. */
  readonly status: Signal<'ready' | 'submitted' | 'streaming' | 'error'>;
  /** Why the last answer ended early. */
  readonly error: Signal<Error | undefined>;
  /** An answer is under way. */
  readonly isLoading: Signal<boolean>;
  /** Asks. An answer that is under way is stopped, and what had arrived of it is part of the conversation. A blank text asks nothing. */
  readonly send: (content: string | readonly ChatCompletionContentPart[]) => void;
  /** Aborts the answer that is under way, and the tools that run. What had arrived stays. */
  readonly stop: () => void;
  /** Takes back the last answer, and asks again; after an error: tries again. */
  readonly regenerate: () => void;
  /** Puts another question in place of a message of the user, drops what was said after it, and asks. */
  readonly edit: (index: number, content: string | readonly ChatCompletionContentPart[]) => void;
  /** Lets a call of a tool that waits for approval run. One that does not wait is left alone. */
  readonly approve: (toolCallId: string) => void;
  /** Refuses it; the model is told, with the reason. */
  readonly deny: (toolCallId: string, reason?: string) => void;
  /** Goes on from another conversation; what is under way is aborted. */
  readonly setMessages: (messages: readonly ChatMessage[]) => void;
  /** Stops, and forgets everything that was said. */
  readonly clear: () => void;
}

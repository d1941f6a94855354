import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { CompletionEvent, FinishReason } from '../events/event.ts';

/** The model is asked. The events of its answer follow. */
export interface RoundStartEvent {
  readonly type: 'round-start';
  /** From 1. */
  readonly round: number;
}

/** Which call of a tool an event belongs to. */
interface OfToolCall {
  readonly round: number;
  readonly toolCallId: string;
  readonly name: string;
}

/** A value of a tool that returned an Observable. */
export interface ToolProgressEvent extends OfToolCall {
  readonly type: 'tool-progress';
  readonly value: unknown;
}

/** A tool is done. */
export interface ToolResultEvent extends OfToolCall {
  readonly type: 'tool-result';
  readonly value: unknown;
  /** What the model is told. */
  readonly content: string;
}

/** A call was not executed, or its tool has failed. */
export interface ToolErrorEvent extends OfToolCall {
  readonly type: 'tool-error';
  /** What the tool threw; of ours a `CompletionError` of kind `tool`, `invalid-output` (the arguments) or `timeout`. */
  readonly error: unknown;
  /** What the model is told, unless the run fails. */
  readonly content: string;
}

/** A call waits for `approve`, or it has answered. */
export interface ToolApprovalEvent extends OfToolCall {
  readonly type: 'tool-approval';
  /** Validated. */
  readonly arguments: unknown;
  readonly status: 'requested' | 'approved' | 'denied';
  /** Why it was denied, where `approve` said. */
  readonly reason?: string;
}

/** The end of a run. */
export interface MessagesEvent {
  readonly type: 'messages';
  /** The whole conversation: the messages that were given, the model's, and the results of tools. */
  readonly messages: readonly ChatCompletionMessageParam[];
  /** How the last answer ended. */
  readonly reason: FinishReason;
  /** How often the model was asked. */
  readonly rounds: number;
}

/**
 * What happens during `runTools$`: of each round `round-start`, the model's events, then, if it called tools,
 * `tool-approval* tool-progress* (tool-result | tool-error)` of each call, side by side (a call that is denied ends with its
 * `tool-approval`); `messages` at the end.
 */
export type ToolRunEvent =
  | CompletionEvent
  | RoundStartEvent
  | ToolProgressEvent
  | ToolResultEvent
  | ToolErrorEvent
  | ToolApprovalEvent
  | MessagesEvent;

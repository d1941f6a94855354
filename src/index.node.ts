export {
  CompletionError,
  isCompletionError,
  type CompletionErrorDetails,
  type CompletionErrorKind,
  type OutputIssue,
  type PartialCompletion,
  type PartialToolCall,
  type TimeoutClock,
} from './errors.ts';
export type { Logger, LogLevel } from './logger.ts';
export type {
  CompletionEvent,
  ExtraEvent,
  FinishEvent,
  FinishReason,
  LogprobsEvent,
  RateLimit,
  ReasoningDeltaEvent,
  ReasoningField,
  RefusalDeltaEvent,
  RestartEvent,
  StartEvent,
  TextDeltaEvent,
  ToolCallDeltaEvent,
  ToolCallEvent,
  ToolCallStartEvent,
  UsageEvent,
} from './events/event.ts';
export { fetchTransport, type FetchTransportOptions } from './transport/fetch.ts';
export type {
  ClientHooks,
  Fetch,
  PromiseClass,
  RequestInfo,
  ResponseInfo,
  RetryInfo,
  Transport,
  TransportRequest,
} from './transport/transport.ts';
export type { ChatCompletionOptions, TimeoutOptions } from './config.ts';
export type { BackoffOptions } from './operators/backoff.ts';
export type { RetryMode, RetryOptions } from './operators/retry.ts';
export type {
  CallOptions,
  ChatCompletionParams,
  ChatMessages,
  ChoiceOptions,
  EventsCallOptions,
  GenerateTextOptions,
  JsonOptions,
  JsonParams,
  StreamCallOptions,
  StreamTextOptions,
} from './request.ts';
export type { DeepPartial } from './json/deep-partial.ts';
export type { InferInput, InferOutput, JsonSchema, StandardSchema } from './json/schema.ts';
export type { JsonEvent } from './operators/growing-json.ts';
export type {
  MessagesEvent,
  RoundStartEvent,
  ToolApprovalEvent,
  ToolErrorEvent,
  ToolProgressEvent,
  ToolResultEvent,
  ToolRunEvent,
} from './tools/events.ts';
export type { Approve, ToolApproval, ToolApprovalRequest } from './tools/execute.ts';
export { runTools$, type EventsSource } from './tools/run-tools.ts';
export type { ToolRunOptions, ToolRunParams } from './tools/run-options.ts';
export { tool, type Tool, type ToolContext, type ToolOptions } from './tools/tool.ts';
export { toAsyncIterable, type AsyncIterableOptions, type ObservableIterable } from './async-iterable.ts';
export { OpenAIChatCompletion } from './node/chat-completion.ts';

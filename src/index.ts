export {
  CompletionError,
  isCompletionError,
  type CompletionErrorDetails,
  type CompletionErrorKind,
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
  StreamCallOptions,
  StreamTextOptions,
} from './request.ts';
export { toAsyncIterable, type AsyncIterableOptions, type ObservableIterable } from './async-iterable.ts';
export { OpenAIChatCompletion } from './chat-completion.ts';

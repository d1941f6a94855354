export { PromiseChatCompletion, PromiseChatCompletion as OpenAIChatCompletion } from './promise-chat-completion.ts';
export type {
  GenerateJsonOptions,
  ReactiveChatCompletion,
  RunToolsOptions,
  StreamCompletionOptions,
  StreamEventsOptions,
} from './promise-chat-completion.ts';
export type { ObservableIterable } from './async-iterable.ts';

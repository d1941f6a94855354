export type { ChatCompletionClient, ChatCompletionConfig, ChatCompletionFeature } from './config.ts';
export { CHAT_COMPLETION, injectChatCompletion, provideChatCompletion } from './provide.ts';
export { chatResource } from './chat-resource.ts';
export type { ChatResource, ChatResourceOptions, ChatResourceSnapshot } from './resource-types.ts';
export { injectChat } from './chat.ts';
export type { Chat, ChatOptions, ChatParams } from './chat-types.ts';
export type {
  ChatAssistantMessage,
  ChatMessage,
  ChatPart,
  ChatTextPart,
  ChatToolPart,
  ChatUserMessage,
} from './chat-message.ts';

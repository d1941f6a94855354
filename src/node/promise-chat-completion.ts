import type { ChatCompletionOptions } from '../config.ts';
import {
  isReactive,
  PromiseChatCompletion as UniversalPromises,
  type ReactiveChatCompletion,
} from '../promise-chat-completion.ts';
import { OpenAIChatCompletion } from './chat-completion.ts';

/** The facade as Node gets it: over the client as Node gets it. */
export class PromiseChatCompletion extends UniversalPromises {
  constructor(chat?: ChatCompletionOptions | ReactiveChatCompletion) {
    super(isReactive(chat) ? chat : new OpenAIChatCompletion(chat));
  }
}

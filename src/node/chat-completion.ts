import { OpenAIChatCompletion as UniversalChatCompletion } from '../chat-completion.ts';
import type { ChatCompletionOptions } from '../config.ts';
import { nodePlatform } from './platform.ts';

/** The client as Node gets it: the same, with variables, `.env` and the SDK behind it. */
export class OpenAIChatCompletion extends UniversalChatCompletion {
  constructor(options?: ChatCompletionOptions) {
    super(options, nodePlatform);
  }
}

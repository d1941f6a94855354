import type { OpenAIChatCompletion } from '../chat-completion.ts';
import type { ChatCompletionOptions } from '../config.ts';

/** Options of `provideChatCompletion`: those of the client, and where the relay is. */
export interface ChatCompletionConfig extends Omit<ChatCompletionOptions, 'baseURL' | 'envFile'> {
  /**
   * The address of the relay, relative to the page or absolute; requests are POSTed to exactly this one. Not beside `transport`.
   * Default: `/api/chat`.
   */
  readonly url?: string | undefined;
  /**
   * Whether the client's methods start a completion while a server renders the page. What they begin there is paid for twice, as the
   * browser begins anew, and the page is not held back for it; on the server `url` must be absolute then. Default: false, nothing is sent and nothing
   * emitted.
   */
  readonly server?: boolean | undefined;
}

/** What changes how requests are sent: `withHttpClientTransport()`. */
export interface ChatCompletionFeature {
  /** Called once, in the injection context of the client. */
  readonly client: (config: ChatCompletionConfig) => ChatCompletionClient;
}

/** The client as it is provided: the methods of `OpenAIChatCompletion`. */
export type ChatCompletionClient = Pick<
  OpenAIChatCompletion,
  'stream$' | 'generate$' | 'completion$' | 'events$' | 'chunks$' | 'json$' | 'runTools$'
>;

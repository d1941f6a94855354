import {
  inject,
  InjectionToken,
  makeEnvironmentProviders,
  PLATFORM_ID,
  type EnvironmentProviders,
} from '@angular/core';
import { configurationError } from '../errors.ts';
import type { ChatCompletionClient, ChatCompletionConfig, ChatCompletionFeature } from './config.ts';
import { lazyClient, silentClient } from './lazy-client.ts';

/** The client. Provided by {@link provideChatCompletion}; in components' tests by `provideFakeChatCompletion`. */
export const CHAT_COMPLETION = new InjectionToken<ChatCompletionClient>('CHAT_COMPLETION');

/**
 * Provides the client that {@link injectChatCompletion}, `chatResource` and `injectChat` use: in the application's providers, in those of a
 * route (which then has a client of its own), or of any environment injector.
 *
 * By default it sends by the browser's `fetch` to a relay at `/api/chat`, without a key and without the `openai` SDK: see `createRelay` of
 * `rxjs-openai/relay`. The code of the client is a chunk of its own, which is loaded when the client is first injected; what is asked before
 * it is there waits. While a server renders the page no completion is started: the methods emit nothing.
 *
 * Wrong options are `configuration` errors of every call.
 *
 * ```ts
 * import { bootstrapApplication } from '@angular/platform-browser';
 * import { provideChatCompletion } from 'rxjs-openai/angular';
 *
 * bootstrapApplication(App, { providers: [provideChatCompletion({ url: '/api/chat' })] });
 * ```
 *
 * @param config - options, or a function that makes them in the injection context. Default: everything by default
 * @param features - at most one that changes the transport, such as `withHttpClientTransport()`
 */
export function provideChatCompletion(
  config: ChatCompletionConfig | (() => ChatCompletionConfig) = {},
  ...features: readonly ChatCompletionFeature[]
): EnvironmentProviders {
  return makeEnvironmentProviders([
    {
      provide: CHAT_COMPLETION,
      useFactory: () => clientFor(typeof config === 'function' ? config() : config, features),
    },
  ]);
}

/**
 * The client of {@link provideChatCompletion}. Its methods return cold Observables: `toSignal(chat.stream$(…))`, the async pipe and
 * `takeUntilDestroyed()` abort the request when the component goes. Must be called in an injection context.
 *
 * Throws a `configuration` error where nothing is provided.
 *
 * ```ts
 * import { Component } from '@angular/core';
 * import { toSignal } from '@angular/core/rxjs-interop';
 * import { catchError, of, scan } from 'rxjs';
 * import { injectChatCompletion } from 'rxjs-openai/angular';
 *
 * @Component({ selector: 'app-haiku', template: `<p>{{ haiku() }}</p>` })
 * export class Haiku {
 *   readonly #chat = injectChatCompletion();
 *   readonly haiku = toSignal(
 *     this.#chat.stream$('A haiku on rivers').pipe(
 *       scan((text, piece) => text + piece, ''),
 *       catchError(() => of('No haiku today.')), // toSignal would throw it at every read
 *     ),
 *   );
 * }
 * ```
 */
export function injectChatCompletion(): ChatCompletionClient {
  const chat = inject(CHAT_COMPLETION, { optional: true });
  if (chat !== null) return chat;
  throw configurationError(
    'No chat completion client is provided: add provideChatCompletion() to the providers of the application or of the route',
  );
}

/** Whether this is a server that renders the page. */
export function injectIsServer(): boolean {
  return inject(PLATFORM_ID) === 'server';
}

function clientFor(config: ChatCompletionConfig, features: readonly ChatCompletionFeature[]): ChatCompletionClient {
  const [feature, ...others] = features;
  if (others.length > 0) {
    throw configurationError(
      'provideChatCompletion takes one feature that sends requests: leave the others out',
      'features',
    );
  }
  if (injectIsServer()) {
    if (config.server !== true) return silentClient();
    if (config.transport === undefined && !/^https?:/i.test(config.url ?? '')) {
      throw configurationError('url must be absolute where server is true: a server has no page to start from', 'url');
    }
  }
  if (feature !== undefined) return feature.client(config);
  return lazyClient(async () => (await import('./client.ts')).createClient(config));
}

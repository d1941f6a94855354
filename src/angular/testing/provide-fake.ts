import { makeEnvironmentProviders, type EnvironmentProviders } from '@angular/core';
import { fakeCompletion } from '../../testing/fake-completion.ts';
import type { MarbleValues } from '../../testing/marbles.ts';
import type { ChatCompletionClient } from '../config.ts';
import { CHAT_COMPLETION } from '../provide.ts';

/**
 * Provides a fake in place of the client, for tests of components: what `injectChatCompletion`, `chatResource` and `injectChat` use then.
 * Takes a fake of `fakeCompletion` (or any other client, such as one over `fakeTransport`), or what `fakeCompletion` takes.
 *
 * ```ts
 * import { TestBed } from '@angular/core/testing';
 * import { provideFakeChatCompletion } from 'rxjs-openai/angular/testing';
 * import { fakeCompletion } from 'rxjs-openai/testing';
 *
 * const chat = fakeCompletion('-a-b-|', { a: 'Hello', b: ' world' });
 * TestBed.configureTestingModule({ providers: [provideFakeChatCompletion(chat)] });
 * // … afterwards: chat.calls
 * ```
 *
 * @param fake - a fake, or a marble diagram
 * @param values - what its letters stand for. Default: themselves
 * @param error - what `#` stands for. Default: a `CompletionError` of kind `interrupted`
 */
export function provideFakeChatCompletion(
  fake: ChatCompletionClient | string,
  values?: MarbleValues,
  error?: unknown,
): EnvironmentProviders {
  const useFactory = (): ChatCompletionClient =>
    typeof fake === 'string' ? fakeCompletion(fake, values, error) : fake;
  return makeEnvironmentProviders([{ provide: CHAT_COMPLETION, useFactory }]);
}

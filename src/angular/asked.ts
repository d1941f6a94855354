import { computed, type Signal } from '@angular/core';
import type { ChatCompletionParams, ChatMessages } from '../request.ts';
import { toError } from './errors.ts';

/** What a resource is asked. */
export interface Asked {
  readonly request: { readonly messages: ChatMessages; readonly params: ChatCompletionParams | undefined } | undefined;
  /** What one of the two functions threw. */
  readonly error: Error | undefined;
  /** How often it was asked again. */
  readonly turn: number;
}

/** Changes only when the messages or the params are others. */
export function askedBy(
  messages: () => ChatMessages | undefined,
  params: (() => ChatCompletionParams | undefined) | undefined,
  turn: Signal<number>,
): Signal<Asked> {
  const [currentMessages, currentParams] = [computed(messages), computed(() => params?.())];
  return computed((): Asked => {
    try {
      const given = currentMessages();
      const request = given === undefined ? undefined : { messages: given, params: currentParams() };
      return { request, error: undefined, turn: turn() };
    } catch (error) {
      return { request: undefined, error: toError(error), turn: turn() };
    }
  });
}

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

/** Changes only when the messages or the params say something else, or when it is asked again. */
export function askedBy(
  messages: () => ChatMessages | undefined,
  params: (() => ChatCompletionParams | undefined) | undefined,
  turn: Signal<number>,
): Signal<Asked> {
  // Also read anew when it is asked again: what has thrown may do so no more.
  const currentMessages = computed(() => (turn(), messages()), { equal: saysTheSame });
  const currentParams = computed(() => (turn(), params?.()), { equal: saysTheSame });
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

/** As it is sent: a list that was made anew is no other question. */
function saysTheSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  try {
    return JSON.stringify(one) === JSON.stringify(other);
  } catch {
    return false;
  }
}

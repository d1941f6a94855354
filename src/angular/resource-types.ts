import type { Injector, Resource, ResourceStatus, Signal } from '@angular/core';
import type { MonoTypeOperatorFunction, SchedulerLike } from 'rxjs';
import type { CompletionEvent } from '../events/event.ts';
import type { CompletionSnapshot } from '../operators/accumulate.ts';
import type { ChatCompletionParams, ChatMessages, EventsCallOptions } from '../request.ts';

/** Options of `chatResource`. */
export interface ChatResourceOptions {
  /** What is asked; reactive. `undefined`: nothing, the resource is idle. A change aborts the request before it. */
  readonly messages: () => ChatMessages | undefined;
  /** OpenAI's parameters; reactive. */
  readonly params?: (() => ChatCompletionParams | undefined) | undefined;
  /** Of each call: `retry`, `timeout`, `headers` … */
  readonly options?: Omit<EventsCallOptions, 'signal' | 'gate'> | undefined;
  /** Operators around the events of each answer: `measure(…)`, `timeoutCompletion(…)`, `fallbackTo(…)` … */
  readonly pipe?: MonoTypeOperatorFunction<CompletionEvent> | undefined;
  /** The choice that is shown. Default: 0. */
  readonly choice?: number | undefined;
  /** Where there is no injection context. It also ends the resource. */
  readonly injector?: Injector | undefined;
  /** What the frames of rendering run on. Default: the page's animation frames. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** What Angular calls the state of a resource, with a value that is there in each of them. */
export type ChatResourceSnapshot =
  | { readonly status: 'idle' | 'loading' | 'reloading' | 'resolved'; readonly value: CompletionSnapshot | undefined }
  | { readonly status: 'error'; readonly error: Error };

/** One completion as signals, a `Resource` of Angular's. Made by `chatResource`. */
export interface ChatResource extends Resource<CompletionSnapshot | undefined> {
  /** The answer as far as it has come; `undefined` only while idle. Never throws: after an error it is what had arrived. */
  readonly value: Signal<CompletionSnapshot | undefined>;
  /** Its text, `''` while there is none. */
  readonly text: Signal<string>;
  /** Where it is: `idle`, or that of the answer that was asked for last. While reloading the `value` is still the one before. */
  readonly phase: Signal<'idle' | CompletionSnapshot['status']>;
  /**
   * As of any resource: `loading` (after `reload()`: `reloading`) until the stream has ended, then `resolved` or `error`; `idle` also after
   * `stop()`, for half an answer is no result.
   */
  readonly status: Signal<ResourceStatus>;
  /** Why the answer ended early. */
  readonly error: Signal<Error | undefined>;
  /** The stream has not ended. */
  readonly isLoading: Signal<boolean>;
  /** Status and value in one, as Angular has it. */
  readonly snapshot: Signal<ChatResourceSnapshot>;
  /** Aborts the request. What had arrived stays. */
  readonly stop: () => void;
  /**
   * Asks again; what was shown stays until the new answer begins, and is there again if it is stopped before. `false` while idle or
   * loading, and after the end of the injector: nothing is done.
   */
  readonly reload: () => boolean;
}

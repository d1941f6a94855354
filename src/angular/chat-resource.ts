import {
  assertInInjectionContext,
  computed,
  DestroyRef,
  effect,
  inject,
  linkedSignal,
  NgZone,
  runInInjectionContext,
  signal,
  untracked,
  type ResourceStatus,
} from '@angular/core';
import { defer, identity, Subscription, tap } from 'rxjs';
import { configurationError } from '../errors.ts';
import { accumulate, type CompletionSnapshot } from '../operators/accumulate.ts';
import { checkNames } from '../option-checks.ts';
import { askedBy, type Asked } from './asked.ts';
import { toError } from './errors.ts';
import { injectCoalescing } from './frames.ts';
import { injectChatCompletion, injectIsServer } from './provide.ts';
import type { ChatResource, ChatResourceOptions, ChatResourceSnapshot } from './resource-types.ts';
import { unfinished } from './unfinished.ts';

const OPTION_NAMES = ['messages', 'params', 'options', 'pipe', 'choice', 'injector', 'scheduler'];

interface State {
  readonly phase: 'idle' | CompletionSnapshot['status'];
  readonly value: CompletionSnapshot | undefined;
  readonly error: Error | undefined;
  /** What was shown when it was asked again. */
  readonly before: State | undefined;
}

const IDLE: State = { phase: 'idle', value: undefined, error: undefined, before: undefined };
const CONNECTING: CompletionSnapshot = {
  status: 'connecting',
  text: '',
  reasoning: '',
  refusal: '',
  toolCalls: [],
  finishReason: undefined,
  usage: undefined,
};

/**
 * One completion as signals, asked anew whenever `messages()` or `params()` change: the request before is aborted. `isLoading()` is true
 * until the stream has ended, and an error leaves the text that had arrived (Angular's `rxResource` is resolved with the first chunk,
 * and its value is gone with an error).
 *
 * Must be called in an injection context, or be given an `injector`, whose end aborts the request. Renders are coalesced: many deltas
 * are one write of signals a frame, and the last one is never lost. While a server renders the page nothing is sent, and the resource is
 * `loading`, as it is in the browser before the first byte. With zone.js everything runs outside of the Angular zone; signals alone
 * schedule change detection.
 *
 * Wrong options are `configuration` errors, thrown at once; wrong messages and params arrive in `error()`, as does an answer that the content
 * filter stopped. A refusal is in `value()`.
 *
 * ```ts
 * import { Component, input } from '@angular/core';
 * import { chatResource } from 'rxjs-openai/angular';
 *
 * @Component({
 *   selector: 'app-summary',
 *   template: `
 *     <p [attr.aria-busy]="summary.isLoading()">{{ summary.text() }}</p>
 *     @if (summary.error(); as error) {
 *       <p role="alert">{{ error.message }} <button (click)="summary.reload()">Again</button></p>
 *     }
 *   `,
 * })
 * export class Summary {
 *   readonly article = input<string>();
 *   readonly summary = chatResource({
 *     messages: () => (this.article() ? `Summarize: ${this.article()}` : undefined),
 *     params: () => ({ temperature: 0 }),
 *   });
 * }
 * ```
 */
export function chatResource(options: ChatResourceOptions): ChatResource {
  checkNames(options, OPTION_NAMES, 'chatResource');
  if (typeof options.messages !== 'function') {
    throw configurationError('chatResource: messages must be a function such as () => this.question()', 'messages');
  }
  if (options.injector !== undefined) return runInInjectionContext(options.injector, () => create(options));
  assertInInjectionContext(chatResource);
  return create(options);
}

function create({ messages, params, options, pipe = identity, choice, scheduler }: ChatResourceOptions): ChatResource {
  const chat = injectChatCompletion();
  const zone = inject(NgZone);
  const isServer = injectIsServer();
  const coalesced = injectCoalescing<CompletionSnapshot>(scheduler);
  const accumulated = accumulate({ choice });

  const turn = signal(0);
  const asked = askedBy(messages, params, turn);
  const state = linkedSignal<Asked, State>({
    source: asked,
    computation: ({ request, error }, previous) => {
      if (error !== undefined) return { ...IDLE, phase: 'error', error };
      if (request === undefined) return IDLE;
      const isAgain = previous !== undefined && isSameQuestion(previous.source.request, request);
      const before = isAgain ? previous.value : undefined;
      return { phase: 'connecting', value: before?.value ?? CONNECTING, error: undefined, before };
    },
  });

  /** What is under way, and how far it is. */
  let running: { readonly asked: Asked; latest: CompletionSnapshot; readonly subscription: Subscription } | undefined;
  let isDestroyed = false;
  const show = (of: Asked, latest: CompletionSnapshot, phase = latest.status, error?: unknown): void => {
    // Between a change of the question and its effect the old answer goes on.
    if (untracked(asked) !== of) return;
    state.update(({ before }) => {
      const hasBegun = before === undefined || latest.status !== 'connecting';
      if (!hasBegun && phase === 'stopped') return before;
      return {
        phase,
        value: hasBegun ? ended(latest, phase, error) : before.value,
        error: phase === 'error' ? toError(error) : undefined,
        before,
      };
    });
  };
  const showEnd = (of: Asked, latest: CompletionSnapshot): void => {
    const error = unfinished(latest.finishReason);
    if (error === undefined) show(of, latest);
    else show(of, latest, 'error', error);
  };
  effect((onCleanup) => {
    const of = asked();
    const { request } = of;
    // Also when it was stopped before it began.
    if (request === undefined || isServer || untracked(state).phase !== 'connecting') return;
    const call = (running = { asked: of, latest: CONNECTING, subscription: new Subscription() });
    onCleanup(() => {
      call.subscription.unsubscribe();
    });
    const answer$ = defer(() => pipe(chat.events$(request.messages, request.params, options))).pipe(
      accumulated,
      tap({
        next: (value) => {
          call.latest = value;
        },
        // The end waits for no frame: in a page that is not painted there may be none for a minute.
        complete: () => {
          call.subscription.unsubscribe();
          showEnd(of, call.latest);
        },
      }),
      coalesced,
    );
    const observer = {
      next: (value: CompletionSnapshot): void => {
        // Of the end the snapshot comes before the word.
        if (isUnderWay(value.status)) show(of, value);
      },
      error: (error: unknown): void => {
        show(of, call.latest, 'error', error);
      },
    };
    zone.runOutsideAngular(() => {
      untracked(() => {
        call.subscription.add(answer$.subscribe(observer));
      });
    });
  });

  const isLoading = computed(() => isUnderWay(state().phase));
  const stop = (): void => {
    if (!untracked(isLoading)) return;
    const of = untracked(asked);
    running?.subscription.unsubscribe();
    show(of, running?.asked === of ? running.latest : CONNECTING, 'stopped');
  };
  inject(DestroyRef).onDestroy(() => {
    isDestroyed = true;
    if (!isServer) stop();
  });
  const status = computed((): Exclude<ResourceStatus, 'local'> => {
    const { phase, before } = state();
    if (isUnderWay(phase)) return before === undefined ? 'loading' : 'reloading';
    return phase === 'done' ? 'resolved' : phase === 'error' ? 'error' : 'idle';
  });
  const value = computed(() => state().value);
  const error = computed(() => state().error);
  return {
    value,
    text: computed(() => value()?.text ?? ''),
    phase: computed(() => state().phase),
    status,
    error,
    isLoading,
    snapshot: computed((): ChatResourceSnapshot => {
      const failure = error();
      const now = status();
      return now === 'error' ? { status: now, error: failure as Error } : { status: now, value: value() };
    }),
    hasValue: (() => status() !== 'error' && hasBegun(value())) as ChatResource['hasValue'],
    stop,
    reload: () => {
      const { request, error: thrown } = untracked(asked);
      const isIdle = request === undefined && thrown === undefined;
      if (isDestroyed || isIdle || untracked(isLoading)) return false;
      turn.update((count) => count + 1);
      return true;
    },
  };
}

function hasBegun(value: CompletionSnapshot | undefined): boolean {
  return value !== undefined && value.status !== 'connecting';
}

function isSameQuestion(one: Asked['request'], other: Asked['request']): boolean {
  return one?.messages === other?.messages && one?.params === other?.params;
}

function ended(latest: CompletionSnapshot, phase: CompletionSnapshot['status'], error: unknown): CompletionSnapshot {
  if (phase === latest.status) return latest;
  return phase === 'error' ? { ...latest, status: phase, error } : { ...latest, status: phase };
}

function isUnderWay(phase: State['phase']): boolean {
  return phase === 'connecting' || phase === 'streaming';
}

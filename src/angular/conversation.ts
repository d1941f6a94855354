import { computed, DestroyRef, inject, NgZone, signal, untracked } from '@angular/core';
import type { ChatCompletionContentPart, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import {
  defer,
  endWith,
  finalize,
  identity,
  map,
  Subscription,
  tap,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import { configurationError } from '../errors.ts';
import type { ToolRunEvent } from '../tools/events.ts';
import { Answer, stoppedParts } from './answer.ts';
import { Approvals } from './approvals.ts';
import { textOfContent, type ChatMessage, type ChatUserMessage } from './chat-message.ts';
import type { Chat, ChatOptions } from './chat-types.ts';
import { injectCoalescing } from './frames.ts';
import { injectChatCompletion, injectIsServer } from './provide.ts';

/** The chat behind `injectChat`. Its methods may be passed on by themselves. */
export class Conversation implements Chat {
  readonly #options: ChatOptions;
  readonly #chat = injectChatCompletion();
  readonly #zone = inject(NgZone);
  readonly #isServer = injectIsServer();
  readonly #coalesced: MonoTypeOperatorFunction<Answer>;
  readonly #messages = signal<readonly ChatMessage[]>([]);
  readonly #approvals = new Approvals();
  #ids = 0;
  /** Ends the answer that is under way: `stop` keeps it, `leave` has it ended without a word. */
  #underWay: { readonly stop: () => void; readonly leave: () => void } | undefined;
  #isDestroyed = false;

  constructor(options: ChatOptions) {
    this.#options = options;
    this.#coalesced = injectCoalescing(options.scheduler);
    this.#messages.set((options.messages ?? []).map(settled));
    inject(DestroyRef).onDestroy(() => {
      this.#isDestroyed = true;
      this.#underWay?.leave();
    });
  }

  readonly messages = this.#messages.asReadonly();

  readonly status = computed(() => {
    const last = this.#messages().at(-1);
    return last?.role === 'assistant' ? STATUS[last.status] : 'ready';
  });

  readonly error = computed(() => {
    const last = this.#messages().at(-1);
    return last?.role === 'assistant' ? last.error : undefined;
  });

  readonly isLoading = computed(() => this.status() === 'submitted' || this.status() === 'streaming');

  readonly send = (content: string | readonly ChatCompletionContentPart[]): void => {
    this.#ask(() => [...this.#list(), this.#userMessage(content)]);
  };

  readonly stop = (): void => {
    this.#underWay?.stop();
  };

  readonly regenerate = (): void => {
    this.#ask(() => {
      const before = this.#list();
      return before.at(-1)?.role === 'assistant' ? before.slice(0, -1) : before;
    });
  };

  readonly edit = (index: number, text: string): void => {
    if (this.#list()[index]?.role !== 'user') {
      throw configurationError(`edit: message ${String(index)} is not one of the user`, 'index');
    }
    this.#ask(() => [...this.#list().slice(0, index), this.#userMessage(text)]);
  };

  readonly approve = (toolCallId: string): void => {
    this.#approvals.answer(toolCallId, true);
  };

  readonly deny = (toolCallId: string, reason?: string): void => {
    this.#approvals.answer(toolCallId, { approved: false, reason });
  };

  readonly clear = (): void => {
    this.#underWay?.leave();
    this.#messages.set([]);
  };

  #list(): readonly ChatMessage[] {
    return untracked(this.#messages);
  }

  #userMessage(content: ChatUserMessage['content']): ChatUserMessage {
    const history = [{ role: 'user', content } as ChatCompletionMessageParam];
    return { id: this.#newId(), role: 'user', text: textOfContent(content), content, history };
  }

  /** Counted: the same on a server and in the browser, and there in pages that have no `crypto.randomUUID`. */
  #newId(): string {
    const taken = new Set(this.#list().map(({ id }) => id));
    do this.#ids += 1;
    while (taken.has(String(this.#ids)));
    return String(this.#ids);
  }

  #ask(said: () => readonly ChatMessage[]): void {
    if (this.#isServer || this.#isDestroyed) return;
    this.stop();
    const before = said();
    if (before.length === 0) return;
    const runsTools = this.#options.tools !== undefined;
    const history = before.flatMap((message) => message.history);
    const answer = new Answer({ id: this.#newId(), runsTools });
    const show = (): void => {
      this.#messages.set([...before, answer.message()]);
    };
    show();
    this.#zone.runOutsideAngular(() => {
      untracked(() => {
        this.#follow(answer, history, show);
      });
    });
  }

  #follow(answer: Answer, history: readonly ChatCompletionMessageParam[], show: () => void): void {
    const controller = new AbortController();
    const subscription = new Subscription();
    const leave = (): void => {
      subscription.unsubscribe();
      this.#underWay = undefined;
    };
    this.#underWay = {
      leave,
      stop: () => {
        answer.stop();
        // Not only unsubscribed: the error tells what has become of tools.
        controller.abort();
        leave();
        show();
      },
    };
    // Operators pass on what they do not know.
    const pipe = (this.#options.pipe ?? identity) as MonoTypeOperatorFunction<ToolRunEvent>;
    const answered$ = defer(() => pipe(this.#events$(answer, history, controller.signal))).pipe(
      tap(answer),
      map(() => answer),
      endWith(answer),
      this.#coalesced,
      finalize(leave),
    );
    subscription.add(answered$.subscribe({ next: show, error: show }));
  }

  #events$(answer: Answer, said: readonly ChatCompletionMessageParam[], signal: AbortSignal): Observable<ToolRunEvent> {
    const { tools, approve, options, params } = this.#options;
    const system = valueOf(this.#options.system);
    const messages = system === undefined ? said : [{ role: 'system' as const, content: system }, ...said];
    if (tools === undefined) return this.#chat.events$(messages, valueOf(params), { ...options, signal });
    answer.asked = messages.length;
    const asking = approve === undefined ? undefined : this.#approvals.asking(approve);
    return this.#chat.runTools$(messages, valueOf(params), { ...options, tools, approve: asking, signal });
  }
}

const STATUS = {
  connecting: 'submitted',
  streaming: 'streaming',
  done: 'ready',
  stopped: 'ready',
  error: 'error',
} as const;

function valueOf<T>(given: T | (() => T)): T {
  return typeof given === 'function' ? (given as () => T)() : given;
}

/** Of an earlier conversation nothing is under way. */
function settled(message: ChatMessage): ChatMessage {
  const isOpen = message.role === 'assistant' && (message.status === 'connecting' || message.status === 'streaming');
  return isOpen ? { ...message, status: 'stopped', parts: stoppedParts(message.parts) } : message;
}

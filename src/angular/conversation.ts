import { computed, DestroyRef, inject, NgZone, signal, untracked } from '@angular/core';
import type { ChatCompletionContentPart, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import {
  defer,
  identity,
  map,
  mergeMap,
  Subscription,
  tap,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import { configurationError } from '../errors.ts';
import { jsonCopy } from '../json-copy.ts';
import { IMPORTED } from '../lazy-parts.ts';
import type { ToolRunEvent } from '../tools/events.ts';
import type { ToolApproval } from '../tools/execute.ts';
import type { EventsSource } from '../tools/run-tools.ts';
import { Answer, stoppedParts } from './answer.ts';
import { Approvals } from './approvals.ts';
import { textOfContent, type ChatMessage, type ChatUserMessage } from './chat-message.ts';
import type { Chat, ChatOptions } from './chat-types.ts';
import { injectCoalescing } from './frames.ts';
import { loaded$ } from './loaded.ts';
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
  /** Ends the answer that is under way: `stop` shows what had arrived, `leave` says nothing. */
  #underWay: UnderWay | undefined;
  #isDestroyed = false;

  constructor(options: ChatOptions) {
    this.#options = options;
    this.#coalesced = injectCoalescing(options.scheduler);
    this.#messages.set((options.messages ?? []).map(settled));
    inject(DestroyRef).onDestroy(() => {
      this.#isDestroyed = true;
      this.stop();
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
    if (typeof content === 'string' && content.trim() === '') return;
    const message = this.#userMessage(content);
    this.#ask(() => [...this.#list(), message]);
  };

  readonly stop = (): void => {
    this.#apart(() => this.#underWay?.stop());
  };

  readonly regenerate = (): void => {
    this.#ask(() => {
      const before = this.#list();
      return before.at(-1)?.role === 'assistant' ? before.slice(0, -1) : before;
    });
  };

  readonly edit = (index: number, content: string | readonly ChatCompletionContentPart[]): void => {
    if (this.#list()[index]?.role !== 'user') {
      throw configurationError(`edit: message ${String(index)} is not one of the user`, 'index');
    }
    const message = this.#userMessage(content);
    this.#ask(() => [...this.#list().slice(0, index), message]);
  };

  readonly approve = (toolCallId: string): void => {
    this.#answer(toolCallId, true);
  };

  readonly deny = (toolCallId: string, reason?: string): void => {
    this.#answer(toolCallId, { approved: false, reason });
  };

  readonly setMessages = (messages: readonly ChatMessage[]): void => {
    this.#apart(() => this.#underWay?.leave());
    this.#messages.set(messages.map(settled));
  };

  readonly clear = (): void => {
    this.setMessages([]);
  };

  /** Whoever asks: what runs is none of his zone's, and what it reads none of his effect's. */
  #apart(work: () => void): void {
    this.#zone.runOutsideAngular(() => {
      untracked(work);
    });
  }

  #answer(toolCallId: string, answer: ToolApproval): void {
    this.#apart(() => {
      this.#approvals.answer(toolCallId, answer);
    });
  }

  #list(): readonly ChatMessage[] {
    return untracked(this.#messages);
  }

  #userMessage(content: ChatUserMessage['content']): ChatUserMessage {
    // The caller's list may be used again.
    const copy = typeof content === 'string' ? content : jsonCopy(content, 'content', 'content');
    return { id: this.#newId(), role: 'user', text: textOfContent(copy), content: copy };
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
    const answer = new Answer({
      id: this.#newId(),
      runsTools: this.#tools !== undefined,
      onLength: this.#options.options?.onLength,
    });
    this.#messages.set([...before, answer.message()]);
    this.#apart(() => {
      this.#follow(answer, before.flatMap(historyOf));
    });
  }

  get #tools(): ChatOptions['tools'] {
    return this.#options.tools?.length === 0 ? undefined : this.#options.tools;
  }

  /** Its message alone: what is done meanwhile to the others stands. */
  #show(answer: Answer): void {
    const now = answer.message();
    this.#messages.update((messages) => messages.map((message) => (message.id === now.id ? now : message)));
  }

  #follow(answer: Answer, history: readonly ChatCompletionMessageParam[]): void {
    const controller = new AbortController();
    const subscription = new Subscription();
    const leave = (): void => {
      // What is torn down may ask anew.
      if (this.#underWay === underWay) this.#underWay = undefined;
      subscription.unsubscribe();
    };
    const end = (): void => {
      leave();
      this.#show(answer);
    };
    const underWay: UnderWay = {
      leave,
      stop: () => {
        if (this.#underWay === underWay) this.#underWay = undefined;
        answer.stop();
        // A run tells what has become of its tools.
        controller.abort();
        end();
      },
    };
    this.#underWay = underWay;
    const answered$ = defer(() => this.#events$(answer, history, controller.signal)).pipe(
      tap(answer),
      // The end waits for no frame: in a page that is not painted there may be none for a minute.
      tap({ complete: end }),
      map(() => answer),
      this.#coalesced,
    );
    subscription.add(
      answered$.subscribe({
        next: () => {
          this.#show(answer);
        },
        error: end,
      }),
    );
  }

  #events$(answer: Answer, said: readonly ChatCompletionMessageParam[], signal: AbortSignal): Observable<ToolRunEvent> {
    const { approve, pipe = identity } = this.#options;
    const { onLength, ...options } = this.#options.options ?? {};
    const system = valueOf(this.#options.system);
    const messages = system === undefined ? said : [{ role: 'system' as const, content: system }, ...said];
    const params = valueOf(this.#options.params);
    const tools = this.#tools;
    if (tools === undefined) return pipe(this.#chat.events$(messages, params, options));
    answer.asked = messages.length;
    // Each round by itself: operators are made for one answer, and what tools have done is not theirs to lose.
    const rounds: EventsSource = {
      events$: (asked, ...rest) => {
        answer.told(asked as readonly ChatCompletionMessageParam[]);
        return pipe(this.#chat.events$(asked, ...rest));
      },
    };
    const asking = approve === undefined ? undefined : this.#approvals.asking(approve);
    const settings = { ...options, ...(onLength && { onLength }), tools, approve: asking, signal };
    return loaded$(IMPORTED.tools(), signal).pipe(
      mergeMap(({ runTools$ }) => runTools$(rounds, messages, params, settings)),
    );
  }
}

interface UnderWay {
  readonly stop: () => void;
  readonly leave: () => void;
}

function historyOf(message: ChatMessage): readonly ChatCompletionMessageParam[] {
  return message.role === 'assistant'
    ? message.history
    : [{ role: 'user', content: message.content } as ChatCompletionMessageParam];
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

/** Of an earlier conversation nothing is under way, and its errors were written as JSON. */
function settled(message: ChatMessage): ChatMessage {
  if (message.role === 'user') return message;
  const isOpen = message.status === 'connecting' || message.status === 'streaming';
  return {
    ...message,
    ...(isOpen ? { status: 'stopped', parts: stoppedParts(message.parts) } : undefined),
    error: (message.error as unknown) == null ? undefined : revived(message.error as Error),
  };
}

function revived(error: Error): Error {
  return error instanceof Error ? error : Object.assign(new Error((error as Error).message), error);
}

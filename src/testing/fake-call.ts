import type { SchedulerLike } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { copyOf } from '../events/merge.ts';
import type {
  ChatCompletionParams,
  ChatMessages,
  EventsCallOptions,
  JsonOptions,
  StreamTextOptions,
} from '../request.ts';
import type { ToolRunOptions } from '../tools/run-options.ts';

/** One call: one subscription to what a method returned. */
export interface FakeCall {
  readonly method: string;
  /** As they were on subscribing. */
  readonly messages: ChatMessages;
  readonly params: ChatCompletionParams | undefined;
  readonly options: EventsCallOptions | StreamTextOptions | JsonOptions<unknown> | ToolRunOptions | undefined;
  /** When it was subscribed to, on the scheduler. */
  readonly subscribedAt: number;
  readonly outcome: 'running' | 'completed' | 'failed' | 'unsubscribed';
  /** When that was, on the scheduler. */
  readonly endedAt: number | undefined;
}

/** The times of a subscription, as `expectSubscriptions` takes them. */
export type FakeSubscription = ReturnType<typeof TestScheduler.parseMarblesAsSubscriptions>;

/** What a method was called with. */
export type Asked = Pick<FakeCall, 'method' | 'messages' | 'params' | 'options'>;

export class RecordedCall implements FakeCall {
  readonly method: string;
  readonly messages: ChatMessages;
  readonly params: ChatCompletionParams | undefined;
  readonly options: FakeCall['options'];
  readonly subscribedAt: number;
  outcome: FakeCall['outcome'] = 'running';
  endedAt: number | undefined;
  readonly #log = TestScheduler.parseMarblesAsSubscriptions(null);
  readonly #scheduler: SchedulerLike;

  constructor({ method, messages, params, options }: Asked, scheduler: SchedulerLike) {
    this.method = method;
    this.messages = copied(messages);
    this.params = copied(params);
    this.options = options;
    this.#scheduler = scheduler;
    this.subscribedAt = this.#log.subscribedFrame = scheduler.now();
  }

  get log(): FakeSubscription {
    return this.#log;
  }

  end(outcome: FakeCall['outcome']): void {
    if (this.outcome !== 'running') return;
    this.outcome = outcome;
    this.endedAt = this.#log.unsubscribedFrame = this.#scheduler.now();
  }
}

/** Histories grow after they were sent. What has no end is refused by the client. */
function copied<T>(value: T): T {
  try {
    return copyOf(value);
  } catch {
    return value;
  }
}

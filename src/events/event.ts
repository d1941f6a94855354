import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionTokenLogprob,
} from 'openai/resources/chat/completions';
import type { CompletionUsage } from 'openai/resources/completions';

/** OpenAI's finish reasons, `null` when the server never said, or what a compatible server made up. */
export type FinishReason = ChatCompletion.Choice['finish_reason'] | (string & {}) | null;

/** The `x-ratelimit-*` headers of an answer; what a server does not send is absent. */
export interface RateLimit {
  readonly limitRequests?: number;
  readonly remainingRequests?: number;
  /** Milliseconds until the request limit is whole again. */
  readonly resetRequestsMs?: number;
  readonly limitTokens?: number;
  readonly remainingTokens?: number;
  /** Milliseconds until the token limit is whole again. */
  readonly resetTokensMs?: number;
}

/** First event of every attempt that is shown. */
export interface StartEvent {
  readonly type: 'start';
  /** The completion's id, `''` where the server gives none. */
  readonly id: string;
  /** The model that answers, as the server names it. */
  readonly model: string;
  /** Unix time in seconds. */
  readonly created: number;
  /** 1 for the first request of a call. */
  readonly attempt: number;
  readonly requestId?: string;
  readonly systemFingerprint?: string;
  readonly rateLimit?: RateLimit;
}

/** A piece of the answer, never `''`. */
export interface TextDeltaEvent {
  readonly type: 'text-delta';
  readonly choice: number;
  readonly text: string;
}

/** A piece of the model's reasoning, never `''`. */
export interface ReasoningDeltaEvent {
  readonly type: 'reasoning-delta';
  readonly choice: number;
  readonly text: string;
  /** The field it came in: some providers refuse the next turn unless it comes back under the same name. */
  readonly field: ReasoningField;
}

/** `both`: the server sent the same text in `reasoning` and `reasoning_content`. */
export type ReasoningField = 'reasoning' | 'reasoning_content' | 'both';

/** A piece of a refusal, never `''`. */
export interface RefusalDeltaEvent {
  readonly type: 'refusal-delta';
  readonly choice: number;
  readonly text: string;
}

/** A tool call begins. `index` counts the calls of the choice from 0 in order of appearance. */
export interface ToolCallStartEvent {
  readonly type: 'tool-call-start';
  readonly choice: number;
  readonly index: number;
  readonly id: string;
  readonly name: string;
}

/** A piece of a call's arguments: JSON text, cut anywhere. */
export interface ToolCallDeltaEvent {
  readonly type: 'tool-call-delta';
  readonly choice: number;
  readonly index: number;
  readonly arguments: string;
}

/** A tool call that is known to be whole; a truncated one never becomes this event. */
export interface ToolCallEvent {
  readonly type: 'tool-call';
  readonly choice: number;
  readonly index: number;
  readonly id: string;
  readonly name: string;
  /** Complete JSON text; for a custom tool its free-form input. */
  readonly arguments: string;
  /** Fields of the call besides OpenAI's own, such as a provider's signatures; `type: 'custom'` for a custom tool. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Log probabilities of the tokens since the last such event. */
export interface LogprobsEvent {
  readonly type: 'logprobs';
  readonly choice: number;
  readonly tokens: readonly ChatCompletionTokenLogprob[];
  readonly refusalTokens: readonly ChatCompletionTokenLogprob[];
}

/** The end of a choice. Comes when the stream ends: no delta of the choice follows. */
export interface FinishEvent {
  readonly type: 'finish';
  readonly choice: number;
  readonly reason: FinishReason;
}

/** Token counts of the attempt that is shown. */
export interface UsageEvent {
  readonly type: 'usage';
  readonly usage: CompletionUsage;
}

/** Fields no other event carries: audio, annotations, service tier, whatever a provider adds. */
export interface ExtraEvent {
  readonly type: 'extra';
  /** The choice it belongs to; absent for fields of the whole completion. */
  readonly choice?: number;
  /** Where it stood: in the choice's message (the delta), in the choice beside it, or in the completion. */
  readonly scope: 'completion' | 'choice' | 'message';
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A retry begins anew: everything shown so far is withdrawn, accumulators clear themselves. */
export interface RestartEvent {
  readonly type: 'restart';
  /** The number of the attempt that begins. */
  readonly attempt: number;
  /** Why the attempt before it failed. */
  readonly cause: unknown;
  /** How many output events are withdrawn. */
  readonly discarded: number;
}

/**
 * What happens during a streamed completion, discriminated by `type`. The order is
 * `start (output | logprobs | extra)* (tool-call* finish)* usage?`, again after each `restart`, then completion. Output is
 * `text-delta`, `reasoning-delta`, `refusal-delta` and `tool-call-*`. New types may be added: pass on what you do not know.
 */
export type CompletionEvent =
  | StartEvent
  | TextDeltaEvent
  | ReasoningDeltaEvent
  | RefusalDeltaEvent
  | ToolCallStartEvent
  | ToolCallDeltaEvent
  | ToolCallEvent
  | LogprobsEvent
  | FinishEvent
  | UsageEvent
  | ExtraEvent
  | RestartEvent;

/** What the response said before its first chunk. */
export interface ResponseMeta {
  readonly attempt: number;
  readonly requestId?: string;
  readonly rateLimit?: RateLimit;
}

export type Chunk = ChatCompletionChunk;

import { defer, map, reduce, timestamp, type OperatorFunction, type TimestampProvider } from 'rxjs';
import type { CompletionEvent, FinishReason, UsageEvent } from 'rxjs-openai';

/** What can be said of an answer once it is there. */
export interface Summary {
  readonly model: string;
  readonly firstTokenMs: number | undefined;
  readonly tokensPerSecond: number | undefined;
  readonly usage: UsageEvent['usage'] | undefined;
  readonly finishReason: FinishReason;
  /** What the model said instead of an answer. */
  readonly refusal: string;
}

interface Tally {
  readonly model: string;
  readonly usage: UsageEvent['usage'] | undefined;
  readonly finishReason: FinishReason;
  readonly refusal: string;
  readonly deltas: number;
  readonly reasoned: boolean;
  /** When the first and the last delta came, in milliseconds after the request. */
  readonly firstMs: number | undefined;
  readonly lastMs: number;
}

const NOTHING: Tally = {
  model: '',
  usage: undefined,
  finishReason: null,
  refusal: '',
  deltas: 0,
  reasoned: false,
  firstMs: undefined,
  lastMs: 0,
};

/**
 * Emits the summary of an answer when it completes; an error passes.
 *
 * ```
 * source:  --start--text--text--finish--usage--|
 * result:  ------------------------------------(summary|)
 * ```
 *
 * @param clock - tells the time in milliseconds. Default: the monotonic clock
 */
export function summarize(clock: TimestampProvider = performance): OperatorFunction<CompletionEvent, Summary> {
  return (event$) =>
    defer(() => {
      const sentAt = clock.now();
      return event$.pipe(
        timestamp(clock),
        reduce((tally, { value, timestamp: at }) => counted(tally, value, at - sentAt), NOTHING),
        map(summaryOf),
      );
    });
}

function counted(tally: Tally, event: CompletionEvent, atMs: number): Tally {
  switch (event.type) {
    case 'start':
      return { ...tally, model: event.model };
    case 'text-delta':
    case 'reasoning-delta':
    case 'refusal-delta':
      return {
        ...tally,
        deltas: tally.deltas + 1,
        reasoned: tally.reasoned || event.type === 'reasoning-delta',
        refusal: event.type === 'refusal-delta' ? tally.refusal + event.text : tally.refusal,
        firstMs: tally.firstMs ?? atMs,
        lastMs: atMs,
      };
    case 'finish':
      return { ...tally, finishReason: event.reason };
    case 'usage':
      return { ...tally, usage: event.usage };
    default:
      return tally;
  }
}

function summaryOf(tally: Tally): Summary {
  const { model, usage, finishReason, refusal, firstMs, lastMs } = tally;
  const seconds = (lastMs - (firstMs ?? lastMs)) / 1000;
  // The first token opens the interval: what was written in it are the others.
  const tokensPerSecond = seconds > 0 ? (tokensSeen(tally) - 1) / seconds : undefined;
  return { model, firstTokenMs: firstMs, tokensPerSecond, usage, finishReason, refusal };
}

/** Reasoning that is not shown was done before the first token. */
function tokensSeen({ usage, deltas, reasoned }: Tally): number {
  if (usage === undefined) return deltas;
  const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0;
  return usage.completion_tokens - (reasoned ? 0 : reasoning);
}

/** One line, of what is known. */
export function summaryLine({ model, firstTokenMs, tokensPerSecond, usage, finishReason }: Summary): string {
  const known = [
    model,
    firstTokenMs === undefined ? '' : `first token after ${firstTokenMs.toFixed(0)} ms`,
    tokensPerSecond === undefined ? '' : `${tokensPerSecond.toFixed(1)} tokens/s`,
    usage === undefined
      ? ''
      : `${String(usage.prompt_tokens)} + ${String(usage.completion_tokens)} = ${String(usage.total_tokens)} tokens`,
    `finish: ${finishReason ?? 'not said'}`,
  ];
  return known.filter((part) => part !== '').join(' · ');
}

import { signal } from '@angular/core';
import type { MonoTypeOperatorFunction } from 'rxjs';
import type { ChatMessage } from 'rxjs-openai/angular';
import { measure } from 'rxjs-openai/operators';

/** How fast an answer came. */
export interface Pace {
  readonly firstOutputMs: number;
  /** Of the server's tokens where it counts them, of deltas otherwise. */
  readonly perSecond: number | undefined;
  readonly unit: 'tokens' | 'deltas';
}

/** A rate of a shorter time than this says nothing of the model: the answer came in one piece. */
const SHORTEST_MS = 200;

/** Measures answers: the one that is under way, and by id those that are done. */
export class PaceMeter {
  readonly current = signal<Pace | undefined>(undefined);
  readonly byId = signal<ReadonlyMap<string, Pace>>(new Map());

  /** @param answer - the one that is under way, or has just ended */
  measuring<T>(answer: () => ChatMessage | undefined): MonoTypeOperatorFunction<T> {
    return measure<T>({
      firstOutput: (firstOutputMs) => {
        this.current.set({ firstOutputMs, perSecond: undefined, unit: 'tokens' });
      },
      end: ({ timeToFirstOutputMs, totalMs, outputsPerSecond, usage }) => {
        const message = answer();
        if (timeToFirstOutputMs === undefined || message?.role !== 'assistant') return;
        const spentMs = totalMs - timeToFirstOutputMs;
        const tokens = usage === undefined ? undefined : (usage.completion_tokens * 1000) / spentMs;
        // With tools the time is that of people who decide, too.
        const ranTools = message.parts.some(({ type }) => type === 'tool');
        const hasRate = !ranTools && spentMs >= SHORTEST_MS;
        const pace: Pace = {
          firstOutputMs: timeToFirstOutputMs,
          perSecond: hasRate ? (tokens ?? outputsPerSecond) : undefined,
          unit: tokens === undefined ? 'deltas' : 'tokens',
        };
        this.current.set(undefined);
        this.byId.update((paces) => new Map(paces).set(message.id, pace));
      },
    });
  }
}

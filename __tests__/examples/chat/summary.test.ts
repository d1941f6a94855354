import { lastValueFrom, map, of, Subject, throwError, type Observable } from 'rxjs';
import type { CompletionEvent, UsageEvent } from '../../../src/index.ts';
import { summarize, summaryLine, type Summary } from '../../../examples/chat/summary.ts';

const START = { type: 'start', id: 'c', model: 'gpt-test', created: 1, attempt: 1 } as const;
const FINISH = { type: 'finish', choice: 0, reason: 'stop' } as const;
const text = (piece: string): CompletionEvent => ({ type: 'text-delta', choice: 0, text: piece });
const reasoning = (piece: string): CompletionEvent => ({
  type: 'reasoning-delta',
  choice: 0,
  text: piece,
  field: 'reasoning',
});
const usage = (completionTokens: number, reasoningTokens?: number): UsageEvent => ({
  type: 'usage',
  usage: {
    prompt_tokens: 10,
    completion_tokens: completionTokens,
    total_tokens: 10 + completionTokens,
    ...(reasoningTokens === undefined
      ? undefined
      : { completion_tokens_details: { reasoning_tokens: reasoningTokens } }),
  },
});

/** Each event at its time in milliseconds; the request is sent at 1000. */
function summaryOf(...timed: readonly (readonly [number, CompletionEvent])[]): Promise<Summary> {
  let now = 1000;
  const event$: Observable<CompletionEvent> = of(...timed).pipe(
    map(([at, event]) => {
      now = 1000 + at;
      return event;
    }),
  );
  return lastValueFrom(event$.pipe(summarize({ now: () => now })));
}

describe('the summary of an answer', () => {
  it('tells model, time to first token, pace, usage and finish reason', async () => {
    const summary = await summaryOf(
      [300, START],
      [400, text('a')],
      [1400, text('b')],
      [2400, text('c')],
      [9000, FINISH],
      [9000, usage(41)],
    );
    expect(summary).toMatchObject({ model: 'gpt-test', firstTokenMs: 400, tokensPerSecond: 20, finishReason: 'stop' });
    expect(summary.usage?.total_tokens).toBe(51);
    expect(summaryLine(summary)).toBe(
      'gpt-test · first token after 400 ms · 20.0 tokens/s · 10 + 41 = 51 tokens · finish: stop',
    );
  });

  it('counts deltas where the server tells no usage', async () => {
    const summary = await summaryOf([0, START], [100, text('a')], [350, text('b')], [600, text('c')], [700, FINISH]);
    expect(summary.tokensPerSecond).toBe(4);
    expect(summaryLine(summary)).toBe('gpt-test · first token after 100 ms · 4.0 tokens/s · finish: stop');
  });

  it('leaves hidden reasoning out of the pace: it was done before the first token', async () => {
    const hidden = await summaryOf([0, START], [5000, text('a')], [6000, text('b')], [6000, usage(1011, 1000)]);
    expect(hidden.tokensPerSecond).toBe(10);
    const shown = await summaryOf([0, START], [1000, reasoning('r')], [11_000, text('b')], [11_000, usage(1001, 990)]);
    expect(shown.tokensPerSecond).toBe(100);
  });

  it('names no pace where one cannot be told', async () => {
    const single = await summaryOf([0, START], [100, text('a')], [900, FINISH], [900, usage(50)]);
    expect(single.tokensPerSecond).toBeUndefined();
    const empty = await summaryOf([0, START], [900, { ...FINISH, reason: null }]);
    expect(empty).toMatchObject({ firstTokenMs: undefined, tokensPerSecond: undefined });
    expect(summaryLine(empty)).toBe('gpt-test · finish: not said');
  });

  it('keeps the words of a refusal', async () => {
    const refusal = (piece: string): CompletionEvent => ({ type: 'refusal-delta', choice: 0, text: piece });
    expect((await summaryOf([0, START], [1, refusal('I ')], [2, refusal('cannot')])).refusal).toBe('I cannot');
  });

  it('measures from the subscription on, each time', async () => {
    let now = 0;
    const event$ = new Subject<CompletionEvent>();
    const summary$ = event$.pipe(summarize({ now: () => now }));
    const first = lastValueFrom(summary$);
    now = 100;
    const second = lastValueFrom(summary$);
    now = 130;
    event$.next(text('a'));
    event$.complete();
    expect((await first).firstTokenMs).toBe(130);
    expect((await second).firstTokenMs).toBe(30);
  });

  it('is not made of an answer that fails', async () => {
    const failure = new Error('cut');
    await expect(lastValueFrom(throwError(() => failure).pipe(summarize()))).rejects.toBe(failure);
  });
});

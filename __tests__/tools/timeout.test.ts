import { map, NEVER, timer } from 'rxjs';
import type { ToolRunOptions } from '../../src/tools/run-options.ts';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { HandClock, outcomeOf } from '../support/client.ts';
import { marbles } from '../support/events.ts';
import { calling, lines, model, ofTools, saying, told, watched } from './conversation.ts';

const CALL = { id: 'a', name: 'look' };
const TOO_LATE = 'The tool look gave no result within 5 ms (toolTimeoutMs)';
const OTHERS = ['5 round 2', '5 messages 4', '5 |'];

type Wanted = Omit<ToolRunOptions, 'tools'>;

/** One call of a tool that says what the diagram does, under a limit of 5 ms. */
function timed(diagram: string, wanted: Wanted = {}): { seen: readonly string[]; signal: AbortSignal } {
  let [seen, signals]: [readonly string[], readonly AbortSignal[]] = [[], []];
  marbles(({ cold, flush, expectSubscriptions }, scheduler) => {
    const progress = cold(diagram);
    const { tool, runs } = watched('look', () => progress);
    const options = { tools: [tool], toolTimeoutMs: 5, scheduler, ...wanted };
    const all = lines(runTools$(model(calling(CALL), saying('Fine')), 'Go', {}, options), scheduler);
    expectSubscriptions(progress.subscriptions).toBe(diagram.includes('(') ? '^---!' : '^----!');
    flush();
    seen = ofTools(all);
    signals = runs.map(({ context }) => context.signal);
  });
  expect(signals).toHaveLength(1);
  return { seen, signal: signals[0]! };
}

describe('toolTimeoutMs', () => {
  it('ends a tool that gives no result, and aborts it with the error', () => {
    const { seen, signal } = timed('------');
    expect(seen).toEqual(['0 round 1', `5 a: error Error: ${TOO_LATE}`, ...OTHERS]);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ kind: 'timeout', clock: 'tool', message: TOO_LATE });
  });

  it('is not put off by progress', () => {
    const { seen, signal } = timed('-x-x-x-x-x|');
    expect(seen).toEqual([
      '0 round 1',
      '1 a: progress "x"',
      '3 a: progress "x"',
      `5 a: error Error: ${TOO_LATE}`,
      ...OTHERS,
    ]);
    expect(signal.aborted).toBe(true);
  });

  it('lets a tool be that is done in time', () => {
    const { seen, signal } = timed('----(x|)');
    expect(seen.slice(0, 4)).toEqual(['0 round 1', '4 a: progress "x"', '4 a: result x', '4 round 2']);
    expect(signal.aborted).toBe(false);
  });

  it('ends the run where tools must not fail', () => {
    expect(timed('------', { onToolError: 'fail' }).seen).toEqual([
      '0 round 1',
      `5 a: error Error: ${TOO_LATE}`,
      '5 # timeout',
    ]);
  });

  it('is as long as a tool likes by default', () => {
    const { seen, signal } = timed('----(x|)', { toolTimeoutMs: undefined });
    expect(seen).toContain('4 a: result x');
    expect(signal.aborted).toBe(false);
    marbles(({ flush }, scheduler) => {
      const { tool } = watched('look', () => timer(1_000_000_000).pipe(map(() => 'x')));
      const run$ = runTools$(model(calling(CALL), saying('Fine')), 'Go', {}, { tools: [tool], scheduler });
      const waited = lines(run$, scheduler);
      flush();
      expect(waited).toContain('1000000000 a: result x');
    });
  });

  it('is counted for each tool from its own beginning', () => {
    marbles(({ flush }, scheduler) => {
      const { tool } = watched('look', () => timer(4));
      const chat = model(calling(CALL, { ...CALL, id: 'b' }, { ...CALL, id: 'c' }), saying('Fine'));
      const options = { tools: [tool], toolTimeoutMs: 5, concurrency: 1, scheduler };
      const seen = lines(runTools$(chat, 'Go', {}, options), scheduler);
      flush();
      expect(ofTools(seen).filter((each) => each.includes('result'))).toEqual([
        '4 a: result 0',
        '8 b: result 0',
        '12 c: result 0',
      ]);
    });
  });

  it('ends one tool and leaves the others alone', () => {
    marbles(({ flush }, scheduler) => {
      const slow = watched('look', () => NEVER);
      const fast = watched('fast', () => timer(7).pipe(map(() => 'x')));
      const chat = model(calling(CALL, { id: 'b', name: 'fast' }, { ...CALL, id: 'c' }), saying('Fine'));
      const options = { tools: [slow.tool, fast.tool], toolTimeoutMs: 8, scheduler };
      lines(runTools$(chat, 'Go', {}, options));
      flush();
      const late = 'Error: The tool look gave no result within 8 ms (toolTimeoutMs)';
      expect(told(chat.asked[1]!)).toEqual([
        ['a', late],
        ['b', 'x'],
        ['c', late],
      ]);
      expect(fast.runs[0]?.context.signal.aborted).toBe(false);
    });
  });

  it('leaves no timer behind, however a call ends, and takes no Promise that comes too late', async () => {
    const clock = new HandClock();
    const { tool } = watched('look', (_args, { toolCallId }) => {
      if (toolCallId === 'a') return 'at once';
      if (toolCallId === 'b') throw new Error('broken');
      return new Promise((resolve) => setImmediate(resolve));
    });
    const chat = model(calling(CALL, { ...CALL, id: 'b' }, { ...CALL, id: 'c' }), saying('Fine'));
    const options = { tools: [tool], toolTimeoutMs: 5, scheduler: clock };
    const run = outcomeOf(runTools$(chat, 'Go', {}, options));
    expect(clock.pending).toBe(1);
    clock.advance(5);
    expect(clock.pending).toBe(0);
    expect((await run).completed).toBe(true);
    expect(told(chat.asked[1]!).at(-1)).toEqual(['c', `Error: ${TOO_LATE}`]);
    expect(chat.asked).toHaveLength(2);
  });

  it('stops with the run', () => {
    const clock = new HandClock();
    const { tool } = watched('look', () => NEVER);
    const options = { tools: [tool], toolTimeoutMs: 5, scheduler: clock };
    const subscription = runTools$(model(calling(CALL)), 'Go', {}, options).subscribe();
    expect(clock.pending).toBe(1);
    subscription.unsubscribe();
    expect(clock.pending).toBe(0);
  });
});

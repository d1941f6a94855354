import { getEventListeners } from 'node:events';
import {
  concat,
  filter,
  finalize,
  from,
  NEVER,
  Observable,
  of,
  Subject,
  Subscription,
  take,
  tap,
  type MonoTypeOperatorFunction,
} from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import type { ToolRunEvent } from '../../src/tools/events.ts';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { errorOf, outcomeOf } from '../support/client.ts';
import { seenBy } from '../support/events.ts';
import { calling, line, lines, model, ofTools, saying, watched, type Watched } from './conversation.ts';

const CALLS = calling({ id: 'a', name: 'look' }, { id: 'b', name: 'look' });

function aborted({ runs }: Watched): readonly boolean[] {
  return runs.map(({ context }) => context.signal.aborted);
}

/** Everything up to the first event of a line, inside which the consumer leaves. */
function until(wanted: string): MonoTypeOperatorFunction<ToolRunEvent> {
  return (source) =>
    source.pipe(
      filter((event) => line(event).startsWith(wanted)),
      take(1),
    );
}

describe('unsubscribing', () => {
  it('aborts every tool that runs in the same tick, and leaves their Observables', () => {
    const running = new Subject<string>();
    const look = watched('look', () => running);
    const seen: unknown[] = [];
    const run$ = runTools$(model(CALLS), 'Go', {}, { tools: [look.tool] });
    const subscription = run$.subscribe({
      complete: () => seen.push('|'),
      error: (error: unknown) => seen.push(error),
    });
    expect(aborted(look)).toEqual([false, false]);
    expect(running.observed).toBe(true);
    subscription.unsubscribe();
    expect(aborted(look)).toEqual([true, true]);
    expect(running.observed).toBe(false);
    expect(seen).toEqual([]);
  });

  it('aborts tools that return Promises, and never looks at them again', async () => {
    const look = watched('look', async () => 'late');
    const chat = model(CALLS, saying('Fine'));
    const subscription = runTools$(chat, 'Go', {}, { tools: [look.tool] }).subscribe();
    subscription.unsubscribe();
    expect(aborted(look)).toEqual([true, true]);
    await new Promise(setImmediate);
    expect(chat.asked).toHaveLength(1);
  });

  it('leaves the request under way, in whatever round', () => {
    for (const before of [0, 1, 2]) {
      let left = 0;
      const pending$ = concat(of<CompletionEvent>(CALLS[0]!), NEVER).pipe(finalize(() => (left += 1)));
      const chat = model(...Array.from({ length: before }, () => CALLS), pending$);
      const subscription = runTools$(chat, 'Go', {}, { tools: [watched('look').tool] }).subscribe();
      expect(left).toBe(0);
      subscription.unsubscribe();
      expect(left).toBe(1);
      expect(chat.asked).toHaveLength(before + 1);
    }
  });

  it('does not abort the signal of a tool that is done', () => {
    const [ended, running] = [watched('ended', () => 'x'), watched('running', () => NEVER)];
    const calls = calling({ id: 'a', name: 'ended' }, { id: 'b', name: 'running' });
    const tools = [ended.tool, running.tool];
    runTools$(model(calls), 'Go', {}, { tools }).subscribe().unsubscribe();
    expect(aborted(ended)).toEqual([false]);
    expect(aborted(running)).toEqual([true]);
  });

  it.each<[string, unknown, string]>([
    ['shows its result', 'x', 'a: result'],
    ['has a result that JSON cannot write', 1n, 'a: error'],
  ])('does not abort the signal of a tool that %s', (_name, value, wanted) => {
    const ended = watched('look', () => value);
    const seen = lines(runTools$(model(CALLS), 'Go', {}, { tools: [ended.tool] }).pipe(until(wanted)));
    expect(seen).toEqual([expect.stringContaining(wanted), '|']);
    expect(aborted(ended)).toEqual([false]);
  });

  it('does not begin what waits for its turn', () => {
    const look = watched('look', () => NEVER);
    runTools$(model(CALLS), 'Go', {}, { tools: [look.tool], concurrency: 1 })
      .subscribe()
      .unsubscribe();
    expect(look.runs.map(({ context }) => context.toolCallId)).toEqual(['a']);
    expect(aborted(look)).toEqual([true]);
  });

  it('aborts a tool that looks at its signal in time, inside the abort', () => {
    const order: string[] = [];
    const look = watched('look', (_args, { signal, toolCallId }) => {
      signal.addEventListener('abort', () => order.push(toolCallId));
      return NEVER;
    });
    const subscription = runTools$(model(CALLS), 'Go', {}, { tools: [look.tool] }).subscribe();
    subscription.unsubscribe();
    order.push('left');
    expect(order).toEqual(['a', 'b', 'left']);
  });
});

describe('a consumer that leaves from inside', () => {
  it.each([
    ['round 1', 0],
    ['start', 0],
    ['call a', 0],
    ['finish', 0],
    ['a: progress', 1],
    ['a: result', 1],
    ['b: progress', 2],
    ['b: result', 2],
    ['round 2', 2],
    ['text', 2],
    ['messages', 2],
  ])('%s has executed %i calls, and nothing runs on', (wanted, executed) => {
    const look = watched('look', () => of('x'));
    let subscribed = 0;
    const answers = [CALLS, saying('Fine')].map((events) => {
      return new Observable<CompletionEvent>((subscriber) => {
        subscribed += 1;
        return from(events).subscribe(subscriber);
      });
    });
    const seen = lines(runTools$(model(...answers), 'Go', {}, { tools: [look.tool] }).pipe(until(wanted)));
    expect(seen).toEqual([expect.stringMatching(wanted), '|']);
    expect(look.runs).toHaveLength(executed);
    expect(subscribed).toBe(wanted === 'round 1' ? 0 : ['text', 'messages'].includes(wanted) ? 2 : 1);
  });

  it.each<[string, (source$: Observable<string>) => unknown]>([
    ['result', () => 'x'],
    ['Observable', (source$) => source$],
    ['Promise of an Observable', async (source$) => source$],
  ])('a tool aborts it, and its %s is looked at by nobody', async (_name, output) => {
    const subscription = new Subscription();
    const seen: string[] = [];
    let subscribed = 0;
    const source$ = new Observable<string>(() => {
      subscribed += 1;
    });
    const look = watched('look', () => {
      subscription.unsubscribe();
      return output(source$);
    });
    const answer$ = new Subject<CompletionEvent>();
    const chat = model(answer$, saying('Fine'));
    const run$ = runTools$(chat, 'Go', {}, { tools: [look.tool] });
    subscription.add(run$.subscribe((event) => void seen.push(line(event))));
    for (const event of CALLS) answer$.next(event);
    answer$.complete();
    expect(look.runs).toHaveLength(1);
    expect(aborted(look)).toEqual([true]);
    await new Promise(setImmediate);
    expect(subscribed).toBe(0);
    expect(ofTools(seen)).toEqual(['round 1']);
    expect(chat.asked).toHaveLength(1);
  });

  it('the progress of one tool aborts the others', () => {
    const progress$ = new Subject<string>();
    const look = watched('look', () => progress$);
    const seen = lines(runTools$(model(CALLS), 'Go', {}, { tools: [look.tool] }).pipe(until('b: progress')));
    progress$.next('x');
    expect(seen).toEqual(['b: progress "x"', '|']);
    expect(aborted(look)).toEqual([true, true]);
    expect(progress$.observed).toBe(false);
  });

  it('a tool may begin another run meanwhile', () => {
    const inner = watched('inner', () => 'in');
    const outer = watched('outer', () =>
      runTools$(model(calling({ id: 'i', name: 'inner' }), saying('Inside')), 'Go', {}, { tools: [inner.tool] }).pipe(
        filter((event) => event.type === 'text-delta'),
      ),
    );
    const chat = model(calling({ id: 'o', name: 'outer' }), saying('Fine'));
    const seen = lines(runTools$(chat, 'Go', {}, { tools: [outer.tool] }));
    expect(ofTools(seen).slice(1, 3)).toEqual([
      expect.stringContaining('o: progress {"type":"text-delta"'),
      expect.stringContaining('o: result {"type":"text-delta"'),
    ]);
    expect(inner.runs).toHaveLength(1);
  });
});

describe('the signal of a run', () => {
  it('aborts the tools and ends in an error', async () => {
    const controller = new AbortController();
    const look = watched('look', () => NEVER);
    const run$ = runTools$(model(CALLS), 'Go', {}, { tools: [look.tool], signal: controller.signal });
    const reason = new Error('enough');
    const outcome = outcomeOf(run$);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort(reason);
    expect(aborted(look)).toEqual([true, true]);
    expect((await outcome).error).toMatchObject({ kind: 'aborted', cause: reason });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('leaves the conversation as far as it came, with what was done and what was not', async () => {
    const controller = new AbortController();
    const tools = [watched('look', () => NEVER).tool, watched('done').tool];
    const calls = calling({ id: 'a', name: 'look' }, { id: 'b', name: 'done' });
    const failed = errorOf(runTools$(model(calls), 'Go', {}, { tools, signal: controller.signal }));
    controller.abort();
    const { messages, toolCalls } = (await failed).partial;
    expect(toolCalls.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(messages).toMatchObject([
      { role: 'user', content: 'Go' },
      { role: 'assistant', tool_calls: [{ id: 'a' }, { id: 'b' }] },
      { role: 'tool', tool_call_id: 'a', content: 'Error: the run ended before this call was done.' },
      { role: 'tool', tool_call_id: 'b', content: 'done' },
    ]);
  });

  it('leaves the text that was being said, and the rounds before it', async () => {
    const controller = new AbortController();
    const talking$ = concat(saying('Fi').slice(0, 2), NEVER);
    const options = { tools: [watched('look').tool], signal: controller.signal };
    const failed = errorOf(runTools$(model(CALLS, talking$), 'Go', {}, options));
    controller.abort();
    const { text, messages } = (await failed).partial;
    expect(text).toBe('Fi');
    expect(messages?.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool']);
  });

  it('that is aborted before asks nothing', async () => {
    const chat = model(CALLS);
    const look = watched('look');
    const run$ = runTools$(chat, 'Go', {}, { tools: [look.tool], signal: AbortSignal.abort() });
    expect((await errorOf(run$)).kind).toBe('aborted');
    expect(chat.asked).toEqual([]);
  });

  it('has no listener left when the run ends, and is not handed to the rounds', () => {
    const { signal } = new AbortController();
    const chat = model(CALLS, saying('Fine'));
    const listening: number[] = [];
    const watch = tap<ToolRunEvent>(() => listening.push(getEventListeners(signal, 'abort').length));
    expect(seenBy(runTools$(chat, 'Go', {}, { tools: [watched('look').tool], signal }).pipe(watch)).at(-1)).toBe('|');
    expect(new Set(listening)).toEqual(new Set([1]));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(chat.asked.map(({ options }) => options.signal)).toEqual([undefined, undefined]);
  });

  it.each([null, undefined])('may be %s', (signal) => {
    const run$ = runTools$(model(saying('Fine')), 'Go', {}, { tools: [watched('look').tool], signal });
    expect(lines(run$).at(-1)).toBe('|');
  });
});

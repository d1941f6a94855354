import { concat, NEVER, of, Subject, throwError } from 'rxjs';
import { CompletionError } from '../../src/errors.ts';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { errorOf } from '../support/client.ts';
import { calling, lines, model, ofTools, saying, told, watched } from './conversation.ts';

const BROKEN = new RangeError('no such city');

describe('a tool that fails', () => {
  const CALLS = calling({ id: 'a', name: 'run' }, { id: 'b', name: 'fail' }, { id: 'c', name: 'run' });

  it('aborts the others where the run fails, and none begins any more', () => {
    const failing$ = new Subject<never>();
    const run = watched('run', () => NEVER);
    const fail = watched('fail', () => failing$);
    const options = { tools: [run.tool, fail.tool], onToolError: 'fail', concurrency: 2 } as const;
    const seen = lines(runTools$(model(CALLS), 'Go', {}, options));
    expect(run.runs[0]?.context.signal.aborted).toBe(false);
    failing$.error(BROKEN);
    expect(run.runs).toHaveLength(1);
    expect(run.runs[0]?.context.signal.aborted).toBe(true);
    expect(ofTools(seen)).toEqual(['round 1', 'b: error Error: no such city', `# ${String(BROKEN)}`]);
  });

  it('loses nothing that was done: the conversation has every call, and what came of it', async () => {
    const failing$ = new Subject<never>();
    const done = watched('done', () => 'sent');
    const tools = [done.tool, watched('run', () => NEVER).tool, watched('fail', () => failing$).tool];
    const names = ['done', 'run', 'fail', 'run'];
    const chat = model(calling(...names.map((name, index) => ({ id: `${index}`, name }))));
    const failed = errorOf(runTools$(chat, 'Go', {}, { tools, onToolError: 'fail', concurrency: 3 }));
    failing$.error(new CompletionError('gone', { kind: 'server' }));
    const { messages } = (await failed).partial;
    expect(told({ messages: messages! })).toEqual([
      ['0', 'sent'],
      ['1', 'Error: the run ended before this call was done.'],
      ['2', 'Error: gone'],
      ['3', 'Error: the run ended before this call was done.'],
    ]);
    expect(messages?.[1]).toMatchObject({
      role: 'assistant',
      tool_calls: names.map((_, index) => ({ id: `${index}` })),
    });
  });

  it('leaves the others alone where it is reported', () => {
    const [failing$, running$] = [new Subject<never>(), new Subject<string>()];
    const run = watched('run', () => running$);
    const fail = watched('fail', () => failing$);
    const chat = model(CALLS, saying('Fine'));
    const seen = lines(runTools$(chat, 'Go', {}, { tools: [run.tool, fail.tool] }));
    failing$.error(BROKEN);
    expect(run.runs.map(({ context }) => context.signal.aborted)).toEqual([false, false]);
    running$.next('x');
    running$.complete();
    expect(seen.at(-1)).toBe('|');
    expect(told(chat.asked[1]!).map(([, content]) => content)).toEqual(['x', 'Error: no such city', 'x']);
  });

  it('has its own signal aborted with its error', () => {
    const fail = watched('fail', () =>
      concat(
        of(1),
        throwError(() => BROKEN),
      ),
    );
    lines(runTools$(model(calling({ id: 'a', name: 'fail' }), saying('Fine')), 'Go', {}, { tools: [fail.tool] }));
    expect(fail.runs[0]?.context.signal).toMatchObject({ aborted: true, reason: BROKEN });
  });

  it('ends in a rejection that nobody handles only if the consumer is there', async () => {
    const fail = watched('fail', () => Promise.reject(BROKEN));
    const run$ = runTools$(model(calling({ id: 'a', name: 'fail' })), 'Go', {}, { tools: [fail.tool] });
    const unhandled = jest.fn();
    process.once('unhandledRejection', unhandled);
    run$.subscribe().unsubscribe();
    await new Promise(setImmediate);
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

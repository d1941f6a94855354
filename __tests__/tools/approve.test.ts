import { EMPTY, NEVER, of, Subject, throwError, timer, map } from 'rxjs';
import type { Approve, ToolApproval, ToolApprovalRequest } from '../../src/tools/execute.ts';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { outcomeOf } from '../support/client.ts';
import { marbles, seenBy } from '../support/events.ts';
import { calling, line, lines, model, ofTools, saying, told, watched } from './conversation.ts';

const CALL = { id: 'a', name: 'remove', arguments: '{"file":"x"}' };
const DENIED = 'The user denied this call.';
const answer = (given: unknown): Approve => (() => given) as Approve;

/** What comes of one call that somebody is asked about. */
async function asked(approve: Approve): Promise<{ seen: readonly string[]; executed: number; content: unknown }> {
  const remove = watched('remove', () => 'gone');
  const chat = model(calling(CALL), saying('Fine'));
  const { values, completed } = await outcomeOf(runTools$(chat, 'Go', {}, { tools: [remove.tool], approve }));
  expect(completed).toBe(true);
  const seen = values.map(line).filter((each) => each.startsWith('a: '));
  return { seen, executed: remove.runs.length, content: told(chat.asked[1]!)[0]?.[1] };
}

describe('a call is executed after a clear yes:', () => {
  it.each<[string, unknown]>([
    ['true', true],
    ['an object', { approved: true }],
    ['an object with a reason', { approved: true, reason: undefined }],
    ['a Promise', Promise.resolve(true)],
    ['a Promise of an object', Promise.resolve({ approved: true })],
    ['an Observable', of(true)],
    ['the first value of an Observable', of(true, false)],
    ['an Observable of an object', of({ approved: true })],
  ])('%s', async (_name, given) => {
    expect(await asked(answer(given))).toEqual({
      seen: ['a: requested', 'a: approved', 'a: result gone'],
      executed: 1,
      content: 'gone',
    });
  });
});

describe('a call is never executed, and the model is told, after', () => {
  it.each<[string, unknown]>([
    ['false', false],
    ['an object', { approved: false }],
    ['a Promise', Promise.resolve(false)],
    ['an Observable', of(false, true)],
    ['an Observable of nothing', EMPTY],
    ['nothing', undefined],
    ['null', null],
    ['a Promise of nothing', Promise.resolve()],
    ['an Observable of undefined', of(undefined, true)],
    ['a word', 'yes'],
    ['one', 1],
    ['a list', [true]],
    ['an empty object', {}],
    ['an object with a word', { approved: 'true' }],
    ['a function', () => true],
    ['a reason that is no text', { approved: false, reason: 7 }],
  ])('%s', async (_name, given) => {
    expect(await asked(answer(given))).toEqual({
      seen: ['a: requested', 'a: denied'],
      executed: 0,
      content: DENIED,
    });
  });

  it.each<[string, unknown]>([
    ['an object', { approved: false, reason: 'too risky' }],
    ['a Promise', Promise.resolve({ approved: false, reason: 'too risky' })],
    ['an Observable', of({ approved: false, reason: 'too risky' })],
  ])('a no with a reason, which is passed on: %s', async (_name, given) => {
    expect(await asked(answer(given))).toEqual({
      seen: ['a: requested', 'a: denied for too risky'],
      executed: 0,
      content: 'The user denied this call: too risky',
    });
  });

  it.each<[string, 'report' | 'fail']>([
    ['no yes', 'report'],
    ["no yes, and the run goes on with onToolError 'fail' too", 'fail'],
  ])('%s', (_name, onToolError) => {
    const remove = watched('remove');
    const chat = model(calling(CALL), saying('Fine'));
    const options = { tools: [remove.tool], approve: () => false, onToolError };
    expect(lines(runTools$(chat, 'Go', {}, options)).at(-1)).toBe('|');
    expect(told(chat.asked[1]!)).toEqual([['a', DENIED]]);
  });
});

describe('approve', () => {
  const failure = new Error('nobody there');

  it.each<[string, Approve]>([
    [
      'throws',
      () => {
        throw failure;
      },
    ],
    ['rejects', () => Promise.reject(failure)],
    ['errors', () => throwError(() => failure)],
  ])('that %s ends the run in its error, and nothing is executed', async (_name, approve) => {
    const remove = watched('remove');
    const chat = model(calling(CALL, { ...CALL, id: 'b' }), saying('Fine'));
    const outcome = await outcomeOf(runTools$(chat, 'Go', {}, { tools: [remove.tool], approve }));
    expect(outcome).toMatchObject({ completed: false });
    expect(outcome.error).toBe(failure);
    expect(remove.runs).toEqual([]);
    expect(chat.asked).toHaveLength(1);
  });

  it('that never answers executes nothing, and its signal is aborted with the run', () => {
    const requests: ToolApprovalRequest[] = [];
    const approve: Approve = (request) => {
      requests.push(request);
      return NEVER;
    };
    const remove = watched('remove');
    const chat = model(calling(CALL), saying('Fine'));
    const seen: string[] = [];
    const run$ = runTools$(chat, 'Go', {}, { tools: [remove.tool], approve });
    const subscription = run$.subscribe((event) => void seen.push(line(event)));
    expect(ofTools(seen)).toEqual(['round 1', 'a: requested']);
    expect(requests[0]?.signal.aborted).toBe(false);
    subscription.unsubscribe();
    expect(requests[0]?.signal.aborted).toBe(true);
    expect(remove.runs).toEqual([]);
    expect(chat.asked).toHaveLength(1);
  });

  it('is told the call, its arguments validated, before the tool is', () => {
    const order: string[] = [];
    const requests: ToolApprovalRequest[] = [];
    const remove = watched('remove', () => void order.push('executed'));
    const approve: Approve = (request) => {
      requests.push(request);
      order.push('asked');
      return true;
    };
    const seen = seenBy(runTools$(model(calling(CALL), saying('Fine')), 'Go', {}, { tools: [remove.tool], approve }));
    const signal = expect.any(AbortSignal) as unknown;
    expect(requests).toEqual([{ toolCallId: 'a', name: 'remove', arguments: { file: 'x' }, round: 1, signal }]);
    expect(requests[0]?.signal.aborted).toBe(false);
    expect(order).toEqual(['asked', 'executed']);
    const told$ = { type: 'tool-approval', round: 1, toolCallId: 'a', name: 'remove', arguments: { file: 'x' } };
    expect(seen.filter((event) => (event as { type?: string }).type === 'tool-approval')).toStrictEqual([
      { ...told$, status: 'requested' },
      { ...told$, status: 'approved' },
    ]);
  });

  it.each([
    ['wrong arguments', { ...CALL, arguments: '{"file":1}' }],
    ['arguments that are no JSON', { ...CALL, arguments: '{' }],
    ['an unknown tool', { ...CALL, name: 'rm' }],
  ])('is not asked about %s', (_name, call) => {
    const approve = jest.fn(() => true);
    const remove = watched('remove', undefined, { type: 'object', properties: { file: { type: 'string' } } });
    const chat = model(calling(call), saying('Fine'));
    expect(ofTools(lines(runTools$(chat, 'Go', {}, { tools: [remove.tool], approve })))[1]).toMatch(/^a: error/);
    expect(approve).not.toHaveBeenCalled();
  });

  it('is asked about each call by itself', () => {
    const remove = watched('remove', () => 'gone');
    const chat = model(calling(CALL, { ...CALL, id: 'b' }, { ...CALL, id: 'c' }), saying('Fine'));
    const approve: Approve = ({ toolCallId }) => toolCallId !== 'b';
    lines(runTools$(chat, 'Go', {}, { tools: [remove.tool], approve }));
    expect(told(chat.asked[1]!).map(([, content]) => content)).toEqual(['gone', DENIED, 'gone']);
    expect(remove.runs.map(({ context }) => context.toolCallId)).toEqual(['a', 'c']);
  });

  it('may take its time, which does not count for toolTimeoutMs', () => {
    marbles(({ cold, flush, expectSubscriptions }, scheduler) => {
      const clicks = cold<ToolApproval>('--------y-n', { y: true, n: false });
      const remove = watched('remove', () => timer(4).pipe(map(() => 'gone')));
      const options = { tools: [remove.tool], approve: () => clicks, toolTimeoutMs: 5, scheduler };
      const seen = lines(runTools$(model(calling(CALL), saying('Fine')), 'Go', {}, options), scheduler);
      flush();
      expect(ofTools(seen)).toEqual([
        '0 round 1',
        '0 a: requested',
        '8 a: approved',
        '12 a: progress "gone"',
        '12 a: result gone',
        ...['12 round 2', '12 messages 4', '12 |'],
      ]);
      expectSubscriptions(clicks.subscriptions).toBe('^-------!');
    });
  });

  it('holds up no other call', () => {
    const click$ = new Subject<boolean>();
    const tools = [watched('remove', () => 'gone').tool, watched('look', () => 'seen').tool];
    const approve: Approve = ({ name }) => (name === 'look' ? true : click$);
    const chat = model(calling(CALL, { id: 'b', name: 'look' }), saying('Fine'));
    const seen = lines(runTools$(chat, 'Go', {}, { tools, approve }));
    expect(ofTools(seen)).toEqual(['round 1', 'a: requested', 'b: requested', 'b: approved', 'b: result seen']);
    click$.next(true);
    expect(ofTools(seen).slice(5)).toEqual(['a: approved', 'a: result gone', 'round 2', 'messages 5', '|']);
    expect(click$.observed).toBe(false);
  });

  it('that is still awaited is aborted when another call ends the run', () => {
    const signals: AbortSignal[] = [];
    const approve: Approve = ({ name, signal }) => {
      signals.push(signal);
      return name === 'fail' ? true : NEVER;
    };
    const fail = watched('fail', () => throwError(() => failure));
    const chat = model(calling(CALL, { id: 'b', name: 'fail' }));
    const options = { tools: [watched('remove').tool, fail.tool], approve, onToolError: 'fail' } as const;
    expect(lines(runTools$(chat, 'Go', {}, options)).at(-1)).toBe('# Error: nobody there');
    expect(signals[0]?.aborted).toBe(true);
  });

  it('that is left from inside executes nothing', () => {
    const remove = watched('remove');
    const answer$ = new Subject<never>();
    const chat = model(answer$, saying('Fine'));
    const approve: Approve = () => {
      subscription.unsubscribe();
      return true;
    };
    const subscription = runTools$(chat, 'Go', {}, { tools: [remove.tool], approve }).subscribe();
    for (const event of calling(CALL)) answer$.next(event as never);
    answer$.complete();
    expect(remove.runs).toEqual([]);
    expect(chat.asked).toHaveLength(1);
  });

  it.each(['requested', 'approved'])('executes nothing for a consumer that leaves at %s', (status) => {
    const remove = watched('remove');
    const approve = jest.fn(() => true);
    const answer$ = new Subject<never>();
    const run$ = runTools$(model(answer$), 'Go', {}, { tools: [remove.tool], approve });
    const subscription = run$.subscribe((event) => {
      if (event.type === 'tool-approval' && event.status === status) subscription.unsubscribe();
    });
    for (const event of calling(CALL)) answer$.next(event as never);
    answer$.complete();
    expect(approve).toHaveBeenCalledTimes(status === 'requested' ? 0 : 1);
    expect(remove.runs).toEqual([]);
  });
});

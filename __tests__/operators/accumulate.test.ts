import { defer, from, NEVER, Subject, take, takeUntil, throwError } from 'rxjs';
import type { CompletionEvent } from '../../src/events/event.ts';
import { accumulate, type AccumulateOptions, type CompletionSnapshot } from '../../src/operators/accumulate.ts';
import { thrownBy } from '../support/client.ts';
import { CAUSE, EVENTS, inOrder, marbles, seenBy, seenByLeaver, synchronous, untilEnd } from '../support/events.ts';

type Change = Partial<CompletionSnapshot>;

const INITIAL: CompletionSnapshot = {
  status: 'connecting',
  text: '',
  reasoning: '',
  refusal: '',
  toolCalls: [],
  finishReason: undefined,
  usage: undefined,
};

/** Snapshots by number: the first is `connecting`, each of the others is the one before it with a change. */
function growing(...changes: readonly Change[]): Readonly<Record<string, CompletionSnapshot>> {
  const snapshots = [INITIAL];
  for (const change of changes) snapshots.push({ ...snapshots.at(-1)!, ...change });
  return Object.fromEntries(snapshots.entries());
}

const STREAMING: Change = { status: 'streaming' };
const DONE: Change = { status: 'done' };
const STOPPED: Change = { status: 'stopped' };
const ENDED: Change = { finishReason: 'stop' };
const CALL = { index: 0, id: 'c', name: 'f', arguments: '', whole: false };

describe('accumulate', () => {
  it.each<[string, string, string, readonly Change[]]>([
    ['is connecting while the source says nothing', '---', '0--', []],
    ['streams while the source does', '-sa---', '012---', [STREAMING, { text: 'a' }]],
    ['has stopped where the source was empty', '-|', '0(1|)', [STOPPED]],
    ['has stopped where the source says nothing else', '-s|', '01(2|)', [STREAMING, STOPPED]],
    ['has stopped without a finish', '-sa-|', '012-(3|)', [STREAMING, { text: 'a' }, STOPPED]],
    ['is done only when the source is', '-s-f-u-|', '01-2-3-(4|)', [STREAMING, ENDED, { usage: EVENTS.u.usage }, DONE]],
    ['is done without a reason', '-sZ|', '012(3|)', [STREAMING, { finishReason: null }, DONE]],
    ['is done at the token limit', '-sL|', '012(3|)', [STREAMING, { finishReason: 'length' }, DONE]],
    ['is done at a content filter', '-sC|', '012(3|)', [STREAMING, { finishReason: 'content_filter' }, DONE]],
    ['grows in text', '-sa-ab|', '012-34(5|)', [STREAMING, { text: 'a' }, { text: 'aa' }, { text: 'aab' }, STOPPED]],
    ['grows in reasoning', '-srr|', '0123(4|)', [STREAMING, { reasoning: 'hm' }, { reasoning: 'hmhm' }, STOPPED]],
    ['grows in refusal', '-snn|', '0123(4|)', [STREAMING, { refusal: 'no' }, { refusal: 'nono' }, STOPPED]],
    [
      'grows in tool calls',
      '-stdw|',
      '01234(5|)',
      [
        STREAMING,
        { toolCalls: [CALL] },
        { toolCalls: [{ ...CALL, arguments: '{}' }] },
        { toolCalls: [{ ...CALL, arguments: '{}', whole: true }] },
        STOPPED,
      ],
    ],
    [
      'has the last usage',
      '-uU|',
      '012(3|)',
      [{ ...STREAMING, usage: EVENTS.u.usage }, { usage: EVENTS.U.usage }, STOPPED],
    ],
    ['says nothing of what no snapshot shows', '-slxX?*|', '01-----(2|)', [STREAMING, STOPPED]],
    ['says nothing of other choices', '-sAQNTDWF|', '01-------(2|)', [STREAMING, STOPPED]],
    ['says nothing of a piece of a call that never began', '-sd|', '01-(2|)', [STREAMING, STOPPED]],
    ['streams from the first event on, of whatever choice', '-A|', '01(2|)', [STREAMING, STOPPED]],
    ['streams from the first event on, of whatever type', '-*|', '01(2|)', [STREAMING, STOPPED]],
    ['shows what comes with the first event', '-a|', '01(2|)', [{ ...STREAMING, text: 'a' }, STOPPED]],
    ['follows a restart of nothing', '-R-sb|', '01--2(3|)', [STREAMING, { text: 'b' }, STOPPED]],
    [
      'says nothing of a restart that withdraws nothing',
      '-sA-R-b|',
      '01----2(3|)',
      [STREAMING, { text: 'b' }, STOPPED],
    ],
    [
      'clears everything at a restart',
      '-arnwuf-R-sb|',
      '0123456-7--8(9|)',
      [
        { ...STREAMING, text: 'a' },
        { reasoning: 'hm' },
        { refusal: 'no' },
        { toolCalls: [{ ...CALL, arguments: '{}', whole: true }] },
        { usage: EVENTS.u.usage },
        ENDED,
        { ...INITIAL, ...STREAMING },
        { text: 'b' },
        STOPPED,
      ],
    ],
    [
      'is no longer done after a restart',
      '-f-R|',
      '01-2(3|)',
      [{ ...STREAMING, ...ENDED }, { finishReason: undefined }, STOPPED],
    ],
    ['passes on an error at once', '-#', '0#', []],
    ['passes on an error after output', '-sa-#', '012-#', [STREAMING, { text: 'a' }]],
  ])('%s', (_name, source, expected, changes) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<CompletionEvent>(source, EVENTS);
      expectObservable(events.pipe(accumulate())).toBe(expected, growing(...changes));
      expectSubscriptions(events.subscriptions).toBe(untilEnd(source));
    });
  });

  it('shows another choice where it is asked to', () => {
    marbles(({ cold, expectObservable }) => {
      const events = cold<CompletionEvent>('-saAQNWfF|', EVENTS);
      expectObservable(events.pipe(accumulate({ choice: 1 }))).toBe(
        '01-2345-6(7|)',
        growing(
          STREAMING,
          { text: 'A' },
          { reasoning: 'HM' },
          { refusal: 'NO' },
          { toolCalls: [{ index: 0, id: 'C', name: 'F', arguments: '{}', whole: true }] },
          ENDED,
          DONE,
        ),
      );
    });
  });

  it.each<[string, string, string, readonly Change[]]>([
    ['has stopped, keeping the text', '-sa-b-f|', '012(3|)', [STREAMING, { text: 'a' }, STOPPED]],
    ['has stopped before anything came', '----s', '0--(1|)', [STOPPED]],
    ['is done where the choice was', '-sf---', '012(3|)', [STREAMING, ENDED, DONE]],
  ])('%s, when takeUntil ends the source', (_name, source, expected, changes) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<CompletionEvent>(source, EVENTS);
      const stopped$ = events.pipe(takeUntil(cold('---x')));
      expectObservable(stopped$.pipe(accumulate())).toBe(expected, growing(...changes));
      expectSubscriptions(events.subscriptions).toBe('^--!');
    });
  });

  it('passes on the very error of the source', () => {
    const error = seenBy(throwError(() => CAUSE).pipe(accumulate({ catchErrors: false }))).at(-1);
    expect(error).toBe(CAUSE);
  });
});

describe('accumulate with catchErrors', () => {
  const FAILED: Change = { status: 'error', error: CAUSE };

  it.each<[string, string, string, readonly Change[]]>([
    ['before anything came', '-#', '0(1|)', [FAILED]],
    ['after text, which it keeps', '-sa-#', '012-(3|)', [STREAMING, { text: 'a' }, FAILED]],
    ['after a finish', '-sf#', '012(3|)', [STREAMING, ENDED, FAILED]],
    ['after a restart', '-saR#', '0123(4|)', [STREAMING, { text: 'a' }, { text: '' }, FAILED]],
    ['of which there is none', '-sf|', '012(3|)', [STREAMING, ENDED, DONE]],
  ])('ends in a snapshot of an error %s', (_name, source, expected, changes) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<CompletionEvent>(source, EVENTS, CAUSE);
      expectObservable(events.pipe(accumulate({ catchErrors: true }))).toBe(expected, growing(...changes));
      expectSubscriptions(events.subscriptions).toBe(untilEnd(source));
    });
  });

  it('keeps the very error, whatever it is', () => {
    for (const error of [CAUSE, 'text', undefined]) {
      const seen = seenBy(throwError(() => error).pipe(accumulate({ catchErrors: true })));
      expect(seen).toStrictEqual([INITIAL, { ...INITIAL, status: 'error', error }, '|']);
      expect((seen[1] as CompletionSnapshot).error).toBe(error);
    }
  });
});

describe('the options of accumulate', () => {
  it.each<[string, unknown]>([
    ['catchError', { catchError: true }],
    ['catchErrors', { catchErrors: 'no' }],
    ['choice', { choice: Infinity }],
    ['choice', { choice: -1 }],
    ['choice', { choice: 1.5 }],
    ['choice', { choice: '0' }],
    ['choice', { choice: null }],
    ['options', null],
  ])('are refused when it is made, by name: %s of %j', (param, options) => {
    const error = thrownBy(() => accumulate(options as AccumulateOptions));
    expect(error).toMatchObject({ kind: 'configuration', param });
  });

  it('are the defaults where they are undefined', () => {
    const operator = accumulate({ choice: undefined, catchErrors: undefined });
    expect(seenBy(throwError(() => CAUSE).pipe(operator))).toEqual([INITIAL, CAUSE]);
    expect(seenBy(from(inOrder('aA')).pipe(operator)).at(-2)).toMatchObject({ text: 'a' });
  });
});

describe('a subscription of accumulate', () => {
  it('has its first snapshot at once, as a signal needs it', () => {
    let latest: CompletionSnapshot | undefined;
    const source = new Subject<CompletionEvent>();
    const subscription = source.pipe(accumulate()).subscribe((snapshot) => (latest = snapshot));
    expect(latest).toStrictEqual(INITIAL);
    expect(source.observed).toBe(true);
    source.next(EVENTS.a);
    expect(latest).toMatchObject({ status: 'streaming', text: 'a' });
    subscription.unsubscribe();
    expect(source.observed).toBe(false);
  });

  it('never reaches the source where the first snapshot is enough', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<CompletionEvent>('sa-f|', EVENTS);
      expectObservable(events.pipe(accumulate(), take(1))).toBe('(0|)', growing());
      expectSubscriptions(events.subscriptions).toBe([]);
    });
    const { source$, said } = synchronous(inOrder('saf'));
    expect(seenByLeaver(source$.pipe(accumulate()))).toEqual([INITIAL]);
    expect(said).toEqual([]);
  });

  it('ends with its subscriber, and inside next, and runs a synchronous source no further', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const left = cold<CompletionEvent>('-sa-b-f|', EVENTS);
      expectObservable(left.pipe(accumulate()), '^--!').toBe('012-', growing(STREAMING, { text: 'a' }));
      expectSubscriptions(left.subscriptions).toBe('^--!');
      const taken = cold<CompletionEvent>('-sa-b-f|', EVENTS);
      expectObservable(taken.pipe(accumulate(), take(2))).toBe('0(1|)', growing(STREAMING));
      expectSubscriptions(taken.subscriptions).toBe('^!');
    });
    const { source$, said } = synchronous(inOrder('sabf'));
    expect(seenBy(source$.pipe(accumulate(), take(3))).slice(2)).toEqual([
      { ...INITIAL, ...STREAMING, text: 'a' },
      '|',
    ]);
    expect(said).toEqual(inOrder('sa'));
    const left$ = new Subject<void>();
    NEVER.pipe(accumulate(), takeUntil(left$)).subscribe(() => {
      left$.next();
    });
    expect(left$.observed).toBe(false);
  });

  it('begins anew', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<CompletionEvent>('-af|', EVENTS);
      const result = events.pipe(accumulate());
      const snapshots = growing({ ...STREAMING, text: 'a' }, ENDED, DONE);
      expectObservable(result).toBe('012(3|)', snapshots);
      expectObservable(result, '--^').toBe('--012(3|)', snapshots);
      expectSubscriptions(events.subscriptions).toBe(['^--!', '--^--!']);
    });
    const turns = ['af', ''];
    const result = defer(() => from(inOrder(turns.shift() ?? ''))).pipe(accumulate());
    expect(seenBy(result).at(-2)).toMatchObject({ status: 'done', text: 'a' });
    expect(seenBy(result)).toStrictEqual([INITIAL, { ...INITIAL, ...STOPPED }, '|']);
  });
});

import { defer, from, Subject, take, type Observable, type OperatorFunction } from 'rxjs';
import type { PartialCompletion } from '../../src/errors.ts';
import type { CompletionEvent, ToolCallEvent } from '../../src/events/event.ts';
import { reasoning, refusal, toolCalls, usage } from '../../src/operators/projections.ts';
import type { ChoiceOption } from '../../src/operators/choice.ts';
import { thrownBy } from '../support/client.ts';
import {
  CAUSE,
  EVENTS,
  inOrder,
  marbles,
  plainErrors,
  seenBy,
  seenByLeaver,
  synchronous,
  untilEnd,
  withdrawal,
} from '../support/events.ts';

/** An operator that shows one kind of event, `o` in the diagrams below, `O` that of choice 1. */
interface Projection {
  readonly name: string;
  readonly operator: (options?: ChoiceOption) => OperatorFunction<CompletionEvent, string | ToolCallEvent>;
  readonly own: keyof typeof EVENTS;
  readonly other: keyof typeof EVENTS;
  /** What is shown for `o` and for `O`. */
  readonly shown: Readonly<Record<'o' | 'O', string | ToolCallEvent>>;
  /** What an error says that withdraws it. */
  readonly what: string;
  readonly partial: Partial<PartialCompletion>;
}

const PROJECTIONS: readonly Projection[] = [
  {
    name: 'reasoning',
    operator: reasoning,
    own: 'r',
    other: 'Q',
    shown: { o: 'hm', O: 'HM' },
    what: 'reasoning',
    partial: { reasoning: 'hm' },
  },
  {
    name: 'refusal',
    operator: refusal,
    own: 'n',
    other: 'N',
    shown: { o: 'no', O: 'NO' },
    what: 'a refusal',
    partial: { refusal: 'no' },
  },
  {
    name: 'toolCalls',
    operator: toolCalls,
    own: 'w',
    other: 'W',
    shown: { o: EVENTS.w, O: EVENTS.W },
    what: 'a tool call',
    partial: { toolCalls: [{ id: 'c', name: 'f', arguments: '{}' }] },
  },
];

/** Every event but those an operator shows. */
const foreign = ({ own, other }: Projection): string =>
  Object.keys(EVENTS)
    .filter(isNeither([own, other, 'R']))
    .join('');
const isNeither =
  (letters: readonly string[]) =>
  (letter: string): boolean =>
    !letters.includes(letter);

describe.each(PROJECTIONS)('$name', (projection) => {
  const { operator, own, other, shown, what, partial } = projection;
  const events = { ...EVENTS, o: EVENTS[own], O: EVENTS[other] };
  const named = (letters: string): CompletionEvent[] => inOrder(letters.replaceAll('o', own).replaceAll('O', other));

  it.each([
    ['never says anything if the source does not', '---', '---'],
    ['never ends if the source does not', 's-o--', '--o--'],
    ['is empty for an empty source', '|', '|'],
    ['is empty for an answer without it', 'sa-f-u|', '------|'],
    ['shows one', 'so-f|', '-o--|'],
    ['shows many', 'so-o-ao-f|', '-o-o--o--|'],
    ['shows one choice', 'sO-o-OF-f|', '---o-----|'],
    ['passes on an error at once', '#', '#'],
    ['passes on an error after it', 's-o-#', '--o-#'],
    ['completes without a finish', 'so|', '-o|'],
    ['completes without a reason', 'so-Z|', '-o--|'],
    ['completes at the token limit', 'so-L|', '-o--|'],
    ['completes at a content filter', 'so-C|', '-o--|'],
    ['completes after a refusal', 'son-f|'.replace('n', own === 'n' ? 'a' : 'n'), '-o---|'],
    ['completes after tool calls', 'sotd-K|', '-o----|'],
    ['follows a restart before it', 'satd-R-so-f|', '--------o--|'],
    ['follows a restart after that of another choice', 'sO-R-so-f|', '------o--|'],
  ])('%s', (_name, source, expected) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold<CompletionEvent>(source, events);
      expectObservable(source$.pipe(operator())).toBe(expected, shown);
      expectSubscriptions(source$.subscriptions).toBe(untilEnd(source));
    });
  });

  it('passes over all other events, also of types it does not know', () => {
    const letters = foreign(projection);
    expect(letters).toContain('?*');
    expect(seenBy(from(inOrder(letters)).pipe(operator()))).toEqual(['|']);
    expect(seenBy(from(inOrder(letters)).pipe(operator({ choice: 1 })))).toEqual(['|']);
  });

  it('ends with an error at a restart after it', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold<CompletionEvent>('sao-R-so-f|', events);
      const withdrawn = withdrawal(what, { text: 'a', ...partial });
      expectObservable(source$.pipe(operator(), plainErrors())).toBe('--o-#', shown, withdrawn);
      expectSubscriptions(source$.subscriptions).toBe('^---!');
    });
  });

  it('has in that error what came since the restart before', () => {
    const source$ = from(named('saRbo-R'));
    expect(seenBy(source$.pipe(operator(), plainErrors()))).toEqual([
      shown.o,
      withdrawal(what, { text: 'b', ...partial }),
    ]);
  });

  it('shows another choice where it is asked to, also in its errors', () => {
    const source$ = from(named('sabAoO-R'));
    const [seen, error] = seenBy(source$.pipe(operator({ choice: 1 })));
    expect(seen).toEqual(shown.O);
    expect(error).toMatchObject({ kind: 'interrupted', partial: { text: 'A' } });
    expect(seenBy(from(named('oOf')).pipe(operator({ choice: undefined })))).toEqual([shown.o, '|']);
  });

  it('passes on the very error of the source', () => {
    const source = new Subject<CompletionEvent>();
    let error: unknown;
    source.pipe(operator()).subscribe({ error: (caught: unknown) => (error = caught) });
    source.error(CAUSE);
    expect(error).toBe(CAUSE);
  });

  it('ends its subscription with its subscriber, and at take(1)', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const left = cold<CompletionEvent>('so-o-f|', events);
      expectObservable(left.pipe(operator()), '^--!').toBe('-o--', shown);
      expectSubscriptions(left.subscriptions).toBe('^--!');
      const taken = cold<CompletionEvent>('s-o-o-f|', events);
      expectObservable(taken.pipe(operator(), take(1))).toBe('--(o|)', shown);
      expectSubscriptions(taken.subscriptions).toBe('^-!');
    });
  });

  it('ends inside next, and runs a synchronous source no further', () => {
    const taken = synchronous(named('soof'));
    expect(seenBy(taken.source$.pipe(operator(), take(1)))).toEqual([shown.o, '|']);
    expect(taken.said).toEqual(named('so'));
    const left = synchronous(named('soof'));
    expect(seenByLeaver(left.source$.pipe(operator()))).toEqual([shown.o]);
    expect(left.said).toEqual(named('so'));
    const withdrawn = synchronous(named('soRso'));
    expect(seenBy(withdrawn.source$.pipe(operator()))).toHaveLength(2);
    expect(withdrawn.said).toEqual(named('soR'));
  });

  it('begins anew with each subscription', () => {
    const result = inTurns(named('so'), named('Rso'), named('R')).pipe(operator(), plainErrors());
    expect([seenBy(result), seenBy(result), seenBy(result)]).toEqual([[shown.o, '|'], [shown.o, '|'], ['|']]);
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source$ = cold<CompletionEvent>('so-f|', events);
      const twice = source$.pipe(operator());
      expectObservable(twice).toBe('-o--|', shown);
      expectObservable(twice, '--^').toBe('---o--|', shown);
      expectSubscriptions(source$.subscriptions).toBe(['^---!', '--^---!']);
    });
  });
});

describe.each([
  ['reasoning', reasoning, { ...EVENTS.r, text: '' }, EVENTS.r, 'hm'],
  ['refusal', refusal, { ...EVENTS.n, text: '' }, EVENTS.n, 'no'],
] as const)('%s', (_name, operator, blank, own, shown) => {
  it("never shows '', which nothing need withdraw", () => {
    expect(seenBy(from<CompletionEvent[]>([blank, EVENTS.R, own]).pipe(operator()))).toEqual([shown, '|']);
  });
});

describe('toolCalls', () => {
  it('shows every call as the event it was, and none that was cut off', () => {
    const signed: ToolCallEvent = { ...EVENTS.w, index: 1, extra: { sign: 's' } };
    const events: readonly CompletionEvent[] = [...inOrder('stdw'), signed, EVENTS.f];
    const seen = seenBy(from(events).pipe(toolCalls()));
    expect(seen).toEqual([EVENTS.w, signed, '|']);
    expect(seen[1]).toBe(signed);
    expect(seenBy(from(inOrder('std')).pipe(toolCalls()))).toEqual(['|']);
  });
});

describe('the options of', () => {
  it.each([
    ['reasoning', reasoning],
    ['refusal', refusal],
    ['toolCalls', toolCalls],
    ['usage', usage],
  ])('%s are checked when it is made', (name, operator) => {
    const refused = (options: unknown): unknown => thrownBy(() => operator(options as ChoiceOption));
    expect(refused({ chioce: 0 })).toMatchObject({ kind: 'configuration', param: 'chioce' });
    expect(refused({ chioce: 0 })).toMatchObject({ message: expect.stringContaining(` of ${name};`) as unknown });
    expect(refused({ onLength: 'error' })).toMatchObject({ kind: 'configuration', param: 'onLength' });
    for (const choice of [-1, 0.5, '0', null, Number.NaN]) {
      expect(refused({ choice })).toMatchObject({ kind: 'configuration', param: 'choice' });
    }
    expect(refused(null)).toMatchObject({ kind: 'configuration', param: 'options' });
  });
});

/** What a source says differs from subscription to subscription. */
function inTurns(...turns: readonly (readonly CompletionEvent[])[]): Observable<CompletionEvent> {
  const left = [...turns];
  return defer(() => from(left.shift() ?? []));
}

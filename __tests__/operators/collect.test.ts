import fc from 'fast-check';
import type { ChatCompletion } from 'openai/resources/chat/completions';
import { defer, from, startWith, Subject, take } from 'rxjs';
import { CompletionError } from '../../src/errors.ts';
import { Collector } from '../../src/events/collector.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { collect } from '../../src/operators/collect.ts';
import { answers, ownFields } from '../events/answers.ts';
import { calls, chunk, delta, eventsOf, finished, USAGE } from '../support/chunks.ts';
import {
  CAUSE,
  EVENTS,
  inOrder,
  marbles,
  plainError,
  plainErrors,
  seenBy,
  seenByLeaver,
  synchronous,
  untilEnd,
} from '../support/events.ts';

const CUT = new CompletionError('The events ended before the completion did: a choice has no finish', {
  kind: 'interrupted',
  retryable: true,
});

/** A completion of the table's events with one choice for each of the given contents. */
function completionOf(...contents: readonly (string | null)[]): ChatCompletion {
  const choices = contents.map((content, index) => ({
    index,
    message: { role: 'assistant' as const, content, refusal: null },
    finish_reason: 'stop' as const,
    logprobs: null,
  }));
  return { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices };
}

/** What is collected, by the letter that stands for it below. */
const COMPLETIONS = {
  1: completionOf('a'),
  2: completionOf('ab'),
  3: completionOf('a', 'A'),
  4: completionOf(null),
  5: { ...completionOf('a'), usage: EVENTS.u.usage },
  6: completionOf('b'),
  7: { ...completionOf('a'), id: '', created: 0, model: '' },
};

describe('collect', () => {
  it.each([
    ['says nothing if the source does not', '---', '---'],
    ['says nothing before the source completes', 'sa-f-u--', '--------'],
    ['collects one piece', 'sa-f|', '----(1|)'],
    ['collects many', 'sab-f|', '-----(2|)'],
    ['collects an empty answer', 's-f|', '---(4|)'],
    ['collects all choices', 'sAa-F-f|', '-------(3|)'],
    ['collects what comes after the finish', 'sa-f-u-|', '-------(5|)'],
    ['collects what has no start', 'af|', '--(7|)'],
    ['begins anew with a restart', 'saA-nf-uX-R-sb-f|', '----------------(6|)'],
    ['passes over events of a choice that it does not know', 'sa?f|', '----(1|)'],
    ['gives way to an error at once', '#', '#'],
    ['gives way to an error after a whole answer', 'sa-f-#', '-----#'],
  ])('%s', (_name, source, expected) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<CompletionEvent>(source, EVENTS);
      expectObservable(events.pipe(collect())).toBe(expected, COMPLETIONS);
      expectSubscriptions(events.subscriptions).toBe(untilEnd(source));
    });
  });

  it.each([
    ['there was nothing', '|', {}],
    ['there was but a start', 's|', {}],
    ['there were but fields of the completion', 'sXu|', {}],
    ['the only choice has no finish', 'sarb|', { text: 'ab', reasoning: 'hm' }],
    ['another choice has no finish', 'saAf|', { text: 'a' }],
    ['the choice of the partial has not begun', 'sA|', {}],
    ['the first choice has no finish, another has', 'sanAF|', { text: 'a', refusal: 'no' }],
    ['a tool call has no end', 'std|', { toolCalls: [{ id: 'c', name: 'f', arguments: '{}' }] }],
    ['a restart brought nothing', 'safR|', {}],
    ['a restart brought too little', 'safRsb|', { text: 'b' }],
    ['but an extra of a choice came', 'sx|', {}],
    ['but the log probabilities of a choice came', 'sl|', {}],
    ['but the start of a tool call came', 'st|', { toolCalls: [{ id: 'c', name: 'f', arguments: '' }] }],
  ])('never gives a short answer where %s', (_name, source, partial) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<CompletionEvent>(source, EVENTS);
      const expected = `${'-'.repeat(source.length - 1)}#`;
      expectObservable(events.pipe(collect(), plainErrors())).toBe(expected, undefined, plainError(CUT, partial));
      expectSubscriptions(events.subscriptions).toBe(untilEnd(source));
    });
  });

  it.each<[string, CompletionEvent]>([
    ['without a choice', EVENTS['*']],
    ['of a choice that is not there', { type: 'new', choice: 5 } as unknown as CompletionEvent],
  ])('passes over an event of a type that it does not know, %s', (_name, unknown) => {
    const events = [EVENTS.s, EVENTS.a, unknown, EVENTS.f];
    expect(seenBy(from(events).pipe(collect()))).toEqual([COMPLETIONS[1], '|']);
  });

  it('passes on the very error of the source', () => {
    const source = new Subject<CompletionEvent>();
    let error: unknown;
    source.pipe(collect()).subscribe({ error: (caught: unknown) => (error = caught) });
    source.error(CAUSE);
    expect(error).toBe(CAUSE);
  });
});

describe('a subscription of collect', () => {
  it('ends with its subscriber, who sees nothing more', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const left = cold<CompletionEvent>('sa-f-|', EVENTS);
      expectObservable(left.pipe(collect()), '^---!').toBe('-----', COMPLETIONS);
      expectSubscriptions(left.subscriptions).toBe('^---!');
      const taken = cold<CompletionEvent>('sa-f-|', EVENTS);
      expectObservable(taken.pipe(collect(), take(1))).toBe('-----(1|)', COMPLETIONS);
      expectSubscriptions(taken.subscriptions).toBe('^----!');
    });
  });

  it('ends inside next, and runs a synchronous source no further than its subscriber stays', () => {
    const { source$, said } = synchronous(inOrder('saf'));
    expect(seenBy(source$.pipe(collect(), startWith(undefined), take(1)))).toEqual([undefined, '|']);
    expect(said).toEqual([]);
    expect(seenByLeaver(source$.pipe(collect()))).toEqual([COMPLETIONS[1]]);
    expect(said).toEqual(inOrder('saf'));
  });

  it('collects for itself', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<CompletionEvent>('sa-f|', EVENTS);
      const result = events.pipe(collect());
      expectObservable(result).toBe('----(1|)', COMPLETIONS);
      expectObservable(result, '--^').toBe('------(1|)', COMPLETIONS);
      expectSubscriptions(events.subscriptions).toBe(['^---!', '--^---!']);
    });
    const turns = ['saf', '', 'sb'];
    const result = defer(() => from(inOrder(turns.shift() ?? ''))).pipe(collect(), plainErrors());
    expect(seenBy(result)).toEqual([COMPLETIONS[1], '|']);
    expect(seenBy(result)).toEqual([plainError(CUT)]);
    expect(seenBy(result)).toEqual([plainError(CUT, { text: 'b' })]);
  });
});

describe('what is collected', () => {
  it('is the completion that a request without streaming gives', () => {
    const chunks = [
      chunk({ system_fingerprint: 'fp_1', service_tier: 'flex' }),
      delta({ content: 'a', audio: { data: 'A' } }),
      delta({ content: 'c', refusal: 'no' }, 1),
      delta({ content: 'b', reasoning: 'r', audio: { data: 'B' } }),
      calls({ index: 0, id: 'x', function: { name: 'f', arguments: '{}' } }),
      finished('length', 1),
      finished('tool_calls'),
      chunk({ usage: USAGE }),
    ];
    const call = { id: 'x', type: 'function', function: { name: 'f', arguments: '{}' } };
    expect(seenBy(from(eventsOf(chunks)).pipe(collect()))[0]).toEqual({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'gpt-test',
      system_fingerprint: 'fp_1',
      service_tier: 'flex',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'ab',
            refusal: null,
            reasoning: 'r',
            audio: { data: 'AB' },
            tool_calls: [call],
          },
          finish_reason: 'tool_calls',
          logprobs: null,
        },
        {
          index: 1,
          message: { role: 'assistant', content: 'c', refusal: 'no' },
          finish_reason: 'length',
          logprobs: null,
        },
      ],
      usage: USAGE,
    });
  });

  it('is that for any answer, and nothing for any that was cut before its last finish', () => {
    fc.assert(
      fc.property(answers, fc.nat(), ({ whole, chunks }, place) => {
        const events = eventsOf(chunks);
        expect(canonical(seenBy(from(events).pipe(collect())))).toBe(canonical([whole, '|']));
        const finish = events.findLastIndex(({ type }) => type === 'finish');
        const cut = events.slice(0, place % (finish + 1));
        expect(seenBy(from(cut).pipe(collect()))).toEqual([CUT]);
      }),
      { numRuns: 100 },
    );
  });

  it('can be changed without harm to the events, or to the next subscriber', () => {
    const events = inOrder('safu');
    const [first] = seenBy(from(events).pipe(collect()));
    (first as ChatCompletion).choices[0]!.message.content = 'ruined';
    (first as ChatCompletion).usage!.total_tokens = -1;
    expect(seenBy(from(events).pipe(collect()))).toEqual([COMPLETIONS[5], '|']);
  });
});

describe('a Collector is whole', () => {
  it.each([
    ['not at first', '', false],
    ['not without a choice', 'suX', false],
    ['not while a choice has no finish', 'sa', false],
    ['when the only choice has one', 'saf', true],
    ['when a choice has one without a reason', 'saZ', true],
    ['not while another choice has none', 'saAf', false],
    ['when all have one', 'saAfF', true],
    ['not after a restart', 'safR', false],
    ['when what came after a restart has one', 'saRsbf', true],
    ['whatever types it does not know', 'saf?*', true],
  ])('%s', (_name, letters, whole) => {
    const collector = new Collector();
    for (const event of inOrder(letters)) collector.add(event);
    expect(collector.whole).toBe(whole);
  });
});

/** One spelling for equal values: names sorted, `__proto__` an own name like any other (jest's equality passes over it). */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? ownFields(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

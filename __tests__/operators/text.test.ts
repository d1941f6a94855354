import { defer, from, Subject, take } from 'rxjs';
import { EMPTY_PARTIAL, type CompletionError } from '../../src/errors.ts';
import type { CompletionEvent } from '../../src/events/event.ts';
import { shownText, text, unshowable, type TextOptions } from '../../src/operators/text.ts';
import { thrownBy } from '../support/client.ts';
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
  withdrawal,
} from '../support/events.ts';

/** The error of a turn that `text` cannot show. */
function turnError(end: Partial<Parameters<typeof unshowable>[0]>): CompletionError | undefined {
  return unshowable({ reason: 'stop', refused: false, called: false, onLength: 'complete', ...end });
}

const REFUSED = turnError({ refused: true });
const FILTERED = turnError({ reason: 'content_filter' });
const CALLED = turnError({ called: true });
const TOO_LONG = turnError({ reason: 'length', onLength: 'error' });
const CALL = { id: 'c', name: 'f', arguments: '{}' };

describe('text', () => {
  it.each([
    ['shows the text, and nothing else', 's-ra-lxXb-f-u|', '  ---a----b----|'],
    ["never shows ''", '                 se-a-e-f|', '       ---a----|'],
    ['is empty for an empty source', '   |', '              |'],
    ['is empty for an empty answer', '   s-f|', '            ---|'],
    ['shows one choice', '               sA-a-N-T-F-f|', '   ---a--------|'],
    ['completes without a finish', '     sa|', '             -a|'],
    ['completes without a reason', '     sa-Z|', '           -a--|'],
    ['completes at the token limit', '   sa-L|', '           -a--|'],
    ['passes over events it does not know', 's?a*-f|', '       --a---|'],
    ['never says anything if the source does not', '---', '     ---'],
    ['never ends if the source does not', 'sa----', '         -a----'],
    ['passes on an error at once', '     #', '              #'],
    ['passes on an error after text', '  sa-#', '            -a-#'],
    ['follows a restart before any text', 'srR-sa-f|', '   -----a--|'],
    ["follows a restart after ''", '     se-R-sa-f|', '      ------a--|'],
    ['follows a restart after the text of another choice', 'sA-R-sa-f|', '------a--|'],
  ])('%s', (_name, source, expected) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold(source.trim(), EVENTS);
      expectObservable(events.pipe(text())).toBe(expected.trim());
      expectSubscriptions(events.subscriptions).toBe(untilEnd(source.trim()));
    });
  });

  it.each([
    ['a refusal', '             sanr-f-u|', '-a---#', REFUSED, { text: 'a', refusal: 'no', reasoning: 'hm' }],
    ['a refusal that ends oddly', 'sn-Z|', '    ---#', REFUSED, { refusal: 'no' }],
    ['a content filter', '       sa-C|', '    -a-#', FILTERED, { text: 'a' }],
    ['tool calls', '             sa-td-wK|', '-a-----#', CALLED, { text: 'a', toolCalls: [CALL] }],
    ['a tool call alone', 's-w-f|', '        ----#', CALLED, { toolCalls: [CALL] }],
    ['tool calls under stop', '  s-t-f|', '   ----#', CALLED, { toolCalls: [{ ...CALL, arguments: '' }] }],
    ['the reason tool_calls', '  s-K|', '     --#', CALLED, {}],
    ['the reason function_call', 's-G|', '    --#', CALLED, {}],
    ['after a restart', '       srR-sn-f|', '-------#', REFUSED, { refusal: 'no' }],
  ])('ends with an error at the end of a turn that it cannot show: %s', (_name, source, expected, error, partial) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold(source.trim(), EVENTS);
      const result = events.pipe(text(), plainErrors());
      expectObservable(result).toBe(expected.trim(), undefined, plainError(error, partial));
      expectSubscriptions(events.subscriptions).toBe(untilEnd(expected.trim()));
    });
  });

  it('ends with an error at a restart after text, which holds the text', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold('sr-ab-R-sb-f|', EVENTS);
      const withdrawn = withdrawal('text', { text: 'ab', reasoning: 'hm' });
      expectObservable(events.pipe(text(), plainErrors())).toBe('---ab-#', undefined, withdrawn);
      expectSubscriptions(events.subscriptions).toBe('^-----!');
    });
  });

  it('passes on the very error of the source', () => {
    const source = new Subject<CompletionEvent>();
    let error: unknown;
    source.pipe(text()).subscribe({ error: (caught: unknown) => (error = caught) });
    source.error(CAUSE);
    expect(error).toBe(CAUSE);
  });

  it('forgets with a restart what was refused or called before it', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('sn-R-sa-f|', EVENTS).pipe(text())).toBe('------a--|');
      expectObservable(cold('st-R-sa-f|', EVENTS).pipe(text())).toBe('------a--|');
    });
  });

  it('shows another choice where it is asked to, also in its errors', () => {
    marbles(({ cold, expectObservable }) => {
      const other = text({ choice: 1 });
      expectObservable(cold('saA-n-t-f-F|', EVENTS).pipe(other)).toBe('--A--------|');
      expectObservable(cold('sA-aN-F|', EVENTS).pipe(other, plainErrors())).toBe(
        '-A----#',
        undefined,
        plainError(REFUSED, { text: 'A', refusal: 'NO' }),
      );
    });
  });

  it('takes the token limit for an error where it is asked to', () => {
    marbles(({ cold, expectObservable }) => {
      const strict = text({ onLength: 'error' });
      expectObservable(cold('sa-L|', EVENTS).pipe(strict, plainErrors())).toBe(
        '-a-#',
        undefined,
        plainError(TOO_LONG, { text: 'a' }),
      );
      expectObservable(cold('sa-f|', EVENTS).pipe(strict)).toBe('-a--|');
      expectObservable(cold('sa-L|', EVENTS).pipe(text({ onLength: 'complete' }))).toBe('-a--|');
    });
  });

  it.each<[string, unknown]>([
    ['chioce', { chioce: 1 }],
    ['choice', { choice: -1 }],
    ['choice', { choice: 0.5 }],
    ['choice', { choice: '0' }],
    ['choice', { choice: null }],
    ['choice', { choice: Number.NaN }],
    ['onLength', { onLength: 'ignore' }],
    ['onLength', { onLength: true }],
    ['options', null],
    ['options', 1],
  ])('refuses a wrong %s when it is made: %j', (param, options) => {
    expect(thrownBy(() => text(options as TextOptions))).toMatchObject({ kind: 'configuration', param });
  });

  it('takes an undefined option for one that was left out', () => {
    expect(seenBy(from(inOrder('saAL')).pipe(text({ choice: undefined, onLength: undefined })))).toEqual(['a', '|']);
  });
});

describe('a subscription of text', () => {
  it('ends with its subscriber, and at take(1)', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const left = cold('sa-b-f|', EVENTS);
      expectObservable(left.pipe(text()), '^--!').toBe('-a--');
      expectSubscriptions(left.subscriptions).toBe('^--!');
      const taken = cold('s-a-b-f|', EVENTS);
      expectObservable(taken.pipe(text(), take(1))).toBe('--(a|)');
      expectSubscriptions(taken.subscriptions).toBe('^-!');
    });
  });

  it('ends inside next, and runs a synchronous source no further', () => {
    const taken = synchronous(inOrder('sabf'));
    expect(seenBy(taken.source$.pipe(text(), take(1)))).toEqual(['a', '|']);
    expect(taken.said).toEqual(inOrder('sa'));
    const left = synchronous(inOrder('sabf'));
    expect(seenByLeaver(left.source$.pipe(text()))).toEqual(['a']);
    expect(left.said).toEqual(inOrder('sa'));
    const failed = synchronous(inOrder('sKab'));
    expect(seenBy(failed.source$.pipe(text()))).toEqual([CALLED]);
    expect(failed.said).toEqual(inOrder('sK'));
  });

  it('begins anew', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('sn-f|', EVENTS);
      const result = source.pipe(text(), plainErrors());
      const refused = plainError(REFUSED, { refusal: 'no' });
      expectObservable(result).toBe('---#', undefined, refused);
      expectObservable(result, '------^').toBe('---------#', undefined, refused);
      expectSubscriptions(source.subscriptions).toBe(['^--!', '------^--!']);
    });
    let turns = ['san', 'Rsbf'];
    const result = defer(() => {
      const [now = '', ...later] = turns;
      turns = later;
      return from(inOrder(now));
    }).pipe(text());
    expect([seenBy(result), seenBy(result)]).toEqual([
      ['a', '|'],
      ['b', '|'],
    ]);
  });
});

describe('shownText', () => {
  it('shows and fails as text does, but leaves partial to others', () => {
    const seen = (options: TextOptions, letters: string): unknown[] =>
      seenBy(
        from(inOrder(letters)).pipe(shownText(options.choice ?? 0, options.onLength ?? 'complete'), plainErrors()),
      );
    expect(seen({}, 'sabefu')).toEqual(['a', 'b', '|']);
    expect(seen({ choice: 1 }, 'saAF')).toEqual(['A', '|']);
    expect(seen({ onLength: 'error' }, 'saL')).toEqual(['a', plainError(TOO_LONG, EMPTY_PARTIAL)]);
    expect(seen({}, 'sanf')).toEqual(['a', plainError(REFUSED, EMPTY_PARTIAL)]);
    expect(seen({}, 'saR')).toEqual(['a', withdrawal('text', EMPTY_PARTIAL)]);
  });

  it('begins anew with each subscription', () => {
    const result = from(inOrder('sabf')).pipe(shownText(0, 'complete'));
    expect(seenBy(result)).toEqual(seenBy(result));
    let first = true;
    const restarting = defer(() => from(inOrder(first ? ((first = false), 'sn') : 'saf'))).pipe(
      shownText(0, 'complete'),
    );
    expect([seenBy(restarting), seenBy(restarting)]).toEqual([['|'], ['a', '|']]);
  });
});

describe('the errors of a turn', () => {
  it.each([
    [REFUSED, 'refusal', undefined, /partial\.refusal/],
    [FILTERED, 'content-filter', undefined, /content_filter/],
    [CALLED, 'tool', undefined, /events\$ or completion\$/],
    [TOO_LONG, 'limit', 'length', /max_completion_tokens/],
    [turnError({ refused: true, called: true, reason: 'content_filter' }), 'refusal', undefined, /refus/],
    [turnError({ called: true, reason: 'content_filter' }), 'content-filter', undefined, /filter/],
    [turnError({ called: true, reason: 'length', onLength: 'error' }), 'tool', undefined, /tool/],
  ])('%s', (error, kind, code, remedy) => {
    expect(error).toMatchObject({ kind, retryable: false });
    expect(error?.code).toBe(code);
    expect(error?.message).toMatch(remedy);
  });

  it('are none where text shows everything', () => {
    for (const reason of ['stop', 'length', null, 'eos']) expect(turnError({ reason })).toBeUndefined();
  });
});

import { of, take } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { CompletionError } from '../../src/errors.ts';
import type { CompletionEvent, FinishReason } from '../../src/events/event.ts';
import { text, unshowable } from '../../src/operators/text.ts';

const finish = (reason: FinishReason, choice = 0): CompletionEvent => ({ type: 'finish', choice, reason });

const CAUSE = new Error('lost');
const EVENTS: Readonly<Record<string, CompletionEvent>> = {
  s: { type: 'start', id: 'x', model: 'm', created: 1, attempt: 1 },
  a: { type: 'text-delta', choice: 0, text: 'a' },
  b: { type: 'text-delta', choice: 0, text: 'b' },
  e: { type: 'text-delta', choice: 0, text: '' },
  A: { type: 'text-delta', choice: 1, text: 'A' },
  r: { type: 'reasoning-delta', choice: 0, text: 'hm', field: 'reasoning' },
  n: { type: 'refusal-delta', choice: 0, text: 'no' },
  N: { type: 'refusal-delta', choice: 1, text: 'no' },
  t: { type: 'tool-call-start', choice: 0, index: 0, id: 'c', name: 'f' },
  T: { type: 'tool-call-start', choice: 1, index: 0, id: 'c', name: 'f' },
  d: { type: 'tool-call-delta', choice: 0, index: 0, arguments: '{}' },
  w: { type: 'tool-call', choice: 0, index: 0, id: 'c', name: 'f', arguments: '{}' },
  l: { type: 'logprobs', choice: 0, tokens: [], refusalTokens: [] },
  x: { type: 'extra', choice: 0, scope: 'message', fields: {} },
  u: { type: 'usage', usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } },
  R: { type: 'restart', attempt: 2, cause: CAUSE, discarded: 1 },
  f: finish('stop'),
  F: finish('stop', 1),
  L: finish('length'),
  C: finish('content_filter'),
  K: finish('tool_calls'),
  G: finish('function_call'),
  0: finish(null),
  '?': { type: 'new', choice: 0 } as unknown as CompletionEvent,
};

const WITHDRAWN = new CompletionError(
  'A retry withdraws text that was already shown; use events$ to follow a restart',
  { kind: 'interrupted', cause: CAUSE },
);

/** The error of a turn that `text` cannot show. */
function turnError(end: Partial<Parameters<typeof unshowable>[0]>): CompletionError | undefined {
  return unshowable({ reason: 'stop', refused: false, called: false, onLength: 'complete', ...end });
}

const REFUSED = turnError({ refused: true });
const FILTERED = turnError({ reason: 'content_filter' });
const CALLED = turnError({ called: true });
const TOO_LONG = turnError({ reason: 'length', onLength: 'error' });

type Helpers = Parameters<Parameters<TestScheduler['run']>[0]>[0];

function marbles(test: (helpers: Helpers) => void): void {
  new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected);
  }).run(test);
}

describe('text', () => {
  it.each([
    ['shows the text, and nothing else', 's-ra-lxb-f-u|', '   ---a---b----|'],
    ["never shows ''", '                 se-a-e-f|', '     ---a----|'],
    ['is empty for an empty answer', '   s-f|', '         ---|'],
    ['shows one choice', '               sA-a-N-T-F-f|', '  ---a--------|'],
    ['completes without a finish', '     sa|', '           -a|'],
    ['completes without a reason', '     sa-0|', '         -a--|'],
    ['completes at the token limit', '   sa-L|', '         -a--|'],
    ['passes over events it does not know', 's?a-f|', ' --a--|'],
    ['never ends if the source does not', 'sa----', '   -a----'],
    ['passes on an error', '             sa-#', '         -a-#'],
    ['follows a restart before any text', 'srR-sa-f|', '-----a--|'],
  ])('%s', (_name, source, expected) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold(source.trim(), EVENTS);
      expectObservable(events.pipe(text())).toBe(expected.trim());
      const end = /[|#]/.exec(source.trim())?.index;
      expectSubscriptions(events.subscriptions).toBe(end === undefined ? '^' : `^${'-'.repeat(end - 1)}!`);
    });
  });

  it.each([
    ['a refusal', '             sanr-f-u|', '    -a---#', REFUSED],
    ['a refusal that ends oddly', 'sn-0|', '        ---#', REFUSED],
    ['a content filter', '       sa-C|', '        -a-#', FILTERED],
    ['tool calls', '             sa-td-wK|', '   -a-----#', CALLED],
    ['tool calls under stop', '  s-t-f|', '      ----#', CALLED],
    ['the reason tool_calls', '  s-K|', '        --#', CALLED],
    ['the reason function_call', 's-G|', '       --#', CALLED],
    ['a restart after text', '   sa-R-sb-f|', '  -a-#', WITHDRAWN],
  ])('ends with an error at the end of a turn that it cannot show: %s', (_name, source, expected, error) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold(source.trim(), EVENTS);
      expectObservable(events.pipe(text())).toBe(expected.trim(), undefined, error);
      expectSubscriptions(events.subscriptions).toBe(`^${'-'.repeat(expected.trim().indexOf('#') - 1)}!`);
    });
  });

  it('forgets with a restart what was refused or called before it', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('sn-R-sa-f|', EVENTS).pipe(text())).toBe('------a--|');
      expectObservable(cold('st-R-sa-f|', EVENTS).pipe(text())).toBe('------a--|');
    });
  });

  it('shows another choice where it is asked to', () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('saA-n-t-f-F|', EVENTS).pipe(text({ choice: 1 }))).toBe('--A--------|');
      expectObservable(cold('sA-N-F|', EVENTS).pipe(text({ choice: 1 }))).toBe('-A---#', undefined, REFUSED);
    });
  });

  it('takes the token limit for an error where it is asked to', () => {
    marbles(({ cold, expectObservable }) => {
      const strict = text({ onLength: 'error' });
      expectObservable(cold('sa-L|', EVENTS).pipe(strict)).toBe('-a-#', undefined, TOO_LONG);
      expectObservable(cold('sa-f|', EVENTS).pipe(strict)).toBe('-a--|');
    });
  });

  it('unsubscribes from the source with its subscriber, and at take(1)', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const left = cold('sa-b-f|', EVENTS);
      expectObservable(left.pipe(text()), '^--!').toBe('-a--');
      expectSubscriptions(left.subscriptions).toBe('^--!');
      const taken = cold('s-a-b-f|', EVENTS);
      expectObservable(taken.pipe(text(), take(1))).toBe('--(a|)');
      expectSubscriptions(taken.subscriptions).toBe('^-!');
    });
  });

  it('begins anew with each subscription', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('sn-f|', EVENTS);
      const result = source.pipe(text());
      expectObservable(result).toBe('---#', undefined, REFUSED);
      expectObservable(result, '------^').toBe('---------#', undefined, REFUSED);
      expectSubscriptions(source.subscriptions).toBe(['^--!', '------^--!']);
    });
    const shown: string[] = [];
    const result = of<CompletionEvent[]>({ type: 'text-delta', choice: 0, text: 'a' }, finish('stop')).pipe(text());
    result.subscribe((piece) => shown.push(piece));
    result.subscribe((piece) => shown.push(piece));
    expect(shown).toEqual(['a', 'a']);
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

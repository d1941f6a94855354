import fc from 'fast-check';
import { concat, from, of, take, throwError } from 'rxjs';
import { CompletionError } from '../../src/errors.ts';
import { parseJson } from '../../src/operators/parse-json.ts';
import { marbles, plainError, plainErrors, seenBy, seenByLeaver, synchronous, untilEnd } from '../support/events.ts';

const LOST = new Error('lost');
const invalid = (what: string, partial: { readonly text: string; readonly value?: unknown }): unknown =>
  plainError(
    new CompletionError(`The output is not the JSON it should be: ${what}`, { kind: 'invalid-output' }),
    partial,
  );

const PIECES = { a: '{"x":"A', b: 'B"', c: ',"y":2}', w: ' ', z: 'Oops' };
const VALUES = { V: { x: 'AB', y: 2 } };

describe('parseJson', () => {
  it.each([
    ['nothing of a source that says nothing', '-', '-', undefined],
    ['nothing before the source completes', '-a-b-c-', '-', undefined],
    ['an error where there is no JSON', '--|', '--#', invalid('there is no JSON', { text: '' })],
    ['the value of many pieces at their end', '-a-b-c-w-|', '---------(V|)', undefined],
    [
      'an error where text follows',
      '-a-b-c-z-|',
      '---------#',
      invalid('text follows the JSON', { text: '{"x":"AB","y":2}Oops', value: VALUES.V }),
    ],
    [
      'an error where the JSON ends in the middle',
      '-a-b-|',
      '-----#',
      invalid('the JSON ends in the middle', { text: '{"x":"AB"', value: { x: 'AB' } }),
    ],
    ['an error where there is other text', '-z-|', '---#', invalid('it is no valid JSON', { text: 'Oops' })],
    ['an error of the source before all', '--#', '--#', LOST],
    ['an error of the source behind the whole JSON', '-a-b-c-#', '-------#', LOST],
  ])('shows %s', (_name, source, expected, error) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const pieces = cold(source, PIECES, LOST);
      expectObservable(pieces.pipe(parseJson(), plainErrors())).toBe(expected, VALUES, error);
      expectSubscriptions(pieces.subscriptions).toBe(untilEnd(expected));
    });
  });

  it('ends with its subscriber, and inside next', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const left = cold('-a-b-c|', PIECES);
      expectObservable(left.pipe(parseJson()), '^--!').toBe('----');
      expectSubscriptions(left.subscriptions).toBe('^--!');
    });
    const { source$, said } = synchronous(['[1', ']']);
    expect(seenBy(source$.pipe(parseJson(), take(1)))).toEqual([[1], '|']);
    expect(seenByLeaver(source$.pipe(parseJson()))).toEqual([[1]]);
    expect(seenBy(source$.pipe(parseJson(), take(0)))).toEqual(['|']);
    expect(said).toEqual(['[1', ']', '[1', ']']);
  });

  it('begins anew with each subscription', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c|', PIECES);
      const result = source.pipe(parseJson());
      expectObservable(result).toBe('------(V|)', VALUES);
      expectObservable(result, '----^').toBe('----------(V|)', VALUES);
      expectSubscriptions(source.subscriptions).toBe(['^-----!', '----^-----!']);
    });
  });

  it('passes on errors of the source as they are', () => {
    expect(
      seenBy(
        concat(
          of('[1]'),
          throwError(() => LOST),
        ).pipe(parseJson()),
      )[0],
    ).toBe(LOST);
  });

  it('agrees with JSON.parse on every JSON, also in a fence and with blanks', () => {
    const frames = fc.constantFrom(['', ''], [' \n', '\n '], ['```json\n', '\n```'], ['\n```\n', '\n```\n']);
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.constantFrom(0, 2), frames, (value, indent, frame) => {
        const text = JSON.stringify(value, null, indent);
        expect(seenBy(from([frame[0] ?? '', text, frame[1] ?? '']).pipe(parseJson()))).toEqual([JSON.parse(text), '|']);
      }),
    );
  });

  it('errs for every beginning of a list or an object, and says that it ends there', () => {
    for (const text of ['{"a":[1.5e3,"\\u00e9\\n",true,null],"b":{"c":{}}}', '[[],{"a":-1},"x",false]']) {
      for (let length = 1; length < text.length; length += 1) {
        expect(seenBy(of(text.slice(0, length)).pipe(parseJson(), plainErrors()))).toMatchObject([
          { kind: 'invalid-output', message: 'The output is not the JSON it should be: the JSON ends in the middle' },
        ]);
      }
    }
  });
});

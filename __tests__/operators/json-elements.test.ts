import fc from 'fast-check';
import { concat, from, of, Subject, take, throwError } from 'rxjs';
import { CompletionError } from '../../src/errors.ts';
import { jsonElements } from '../../src/operators/json-elements.ts';
import { thrownBy } from '../support/client.ts';
import { marbles, plainError, plainErrors, seenBy, seenByLeaver, synchronous, untilEnd } from '../support/events.ts';

const LOST = new Error('lost');
const invalid = (what: string): unknown =>
  plainError(new CompletionError(`The output is not the JSON it should be: ${what}`, { kind: 'invalid-output' }));

const PIECES = { a: '{"items":[1', b: ',"t', c: 'wo",', d: '{"n":3}', e: ']', f: ',"x":[4]}', w: ' ', z: 'Oops' };
const ELEMENTS = { B: 1, C: 'two', D: { n: 3 } };

describe('jsonElements', () => {
  it.each([
    ['nothing of a source that says nothing', '-', '-', undefined],
    ['an error where there is no JSON', '--|', '--#', invalid('there is no JSON')],
    ['each element when it is whole', '-a-b-c-d-e-f|', '---B-C-D----|', undefined],
    ['the elements of one piece one by one', '-(abcdef|)', '-(BCD|)', undefined],
    ['an error behind the elements that were whole', '-a-b-c-|', '---B-C-#', invalid('the JSON ends in the middle')],
    ['an error at once for what is no JSON', '-a-b-c-z-|', '---B-C-#', invalid('it is no valid JSON')],
    ['an error where text follows', '-a-e-f-z-|', '---B-----#', invalid('text follows the JSON')],
    ['an error of the source before all', '--#', '--#', LOST],
    ['an error of the source behind an element', '-a-b-#', '---B-#', LOST],
  ])('shows %s', (_name, source, expected, error) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const pieces = cold(source, PIECES, LOST);
      expectObservable(pieces.pipe(jsonElements('items'), plainErrors())).toBe(expected, ELEMENTS, error);
      expectSubscriptions(pieces.subscriptions).toBe(untilEnd(expected));
    });
  });

  it('shows the elements before what is wrong in the same piece', () => {
    expect(seenBy(of('[1,2,}').pipe(jsonElements(''), plainErrors()))).toEqual([1, 2, invalid('it is no valid JSON')]);
  });

  it('shows no number of which only the beginning may have come', () => {
    const cutOff = seenBy(of('[1,2').pipe(jsonElements(''), plainErrors()));
    expect(cutOff).toEqual([1, invalid('the JSON ends in the middle')]);
  });

  it('ends with its subscriber, and at take, also in the middle of a piece', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const left = cold('-a-b-c-d|', PIECES);
      expectObservable(left.pipe(jsonElements('items')), '^---!').toBe('---B-', ELEMENTS);
      expectSubscriptions(left.subscriptions).toBe('^---!');
      const taken = cold('-a-b-c-d|', PIECES);
      expectObservable(taken.pipe(jsonElements('items'), take(2))).toBe('---B-(C|)', ELEMENTS);
      expectSubscriptions(taken.subscriptions).toBe('^----!');
    });
    expect(seenBy(of('[1,2,3,}').pipe(jsonElements(''), take(2)))).toEqual([1, 2, '|']);
    expect(seenByLeaver(of('[1,2,3]').pipe(jsonElements('')))).toEqual([1]);
  });

  it('ends inside next, and runs a synchronous source no further', () => {
    const taken = synchronous(['[1,', '2,', '3]']);
    expect(seenBy(taken.source$.pipe(jsonElements(''), take(1)))).toEqual([1, '|']);
    expect(taken.said).toEqual(['[1,']);
    const left = synchronous(['[1,', '2,', '3]']);
    expect(seenByLeaver(left.source$.pipe(jsonElements('')))).toEqual([1]);
    expect(left.said).toEqual(['[1,']);
    const failed = synchronous(['[1,', '}', '3]']);
    expect(seenBy(failed.source$.pipe(jsonElements('')))).toMatchObject([1, { kind: 'invalid-output' }]);
    expect(failed.said).toEqual(['[1,', '}']);
  });

  it('begins anew with each subscription', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-d-e-f|', PIECES);
      const result = source.pipe(jsonElements('items'));
      expectObservable(result).toBe('---B-C-D----|', ELEMENTS);
      expectObservable(result, '----^').toBe('-------B-C-D----|', ELEMENTS);
      expectSubscriptions(source.subscriptions).toBe(['^-----------!', '----^-----------!']);
    });
  });

  it('shows each element once and in order where a consumer makes the source go on inside next', () => {
    const source = new Subject<string>();
    const seen: unknown[] = [];
    source.pipe(jsonElements<number>('')).subscribe((value) => {
      seen.push(value);
      if (value === 1) source.next('3,');
    });
    source.next('[1,2,');
    source.next('4]');
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('passes on errors of the source as they are', () => {
    const seen = seenBy(
      concat(
        of('[1,'),
        throwError(() => LOST),
      ).pipe(jsonElements('')),
    );
    expect(seen).toEqual([1, LOST]);
    expect(seen[1]).toBe(LOST);
  });

  it('gives 50,000 elements, each once and in order', () => {
    const pieces = Array.from({ length: 50_000 }, (_, index) => `${index === 0 ? '' : ','}{"n":${index}}`);
    let next = 0;
    from(['{"items":[', ...pieces, ']}'])
      .pipe(jsonElements<{ n: number }>('items'))
      .subscribe(({ n }) => {
        if (n === next) next += 1;
      });
    expect(next).toBe(50_000);
  });
});

describe('the path of jsonElements', () => {
  it.each<[string, string, string, readonly unknown[]]>([
    ['the JSON itself', '', '[1,[2,[3]],{"items":[4]}]', [1, [2, [3]], { items: [4] }]],
    ['no lists in an object that should be the list', '', '{"items":[1],"":[2]}', []],
    ['a field', 'items', '{"items":[1,[2]],"other":[3]}', [1, [2]]],
    ['a field of a field', 'a.b', '{"b":[0],"a":{"c":[1],"b":[2],"a":{"b":[3]}},"a.b":[4]}', [2]],
    ['no list of the same name elsewhere', 'items', '{"x":{"items":[1]},"y":[{"items":[2]}],"items":[3]}', [3]],
    ['no fields of an object in its place', 'items', '{"items":{"0":1,"items":[2]}}', []],
    ['no letters of a string in its place', 'items', '{"items":"[1,2]"}', []],
    ['nothing of a number or null in its place', 'items', '{"items":null}', []],
    ['nothing where the list is empty', 'items', '{"items":[]}', []],
    ['nothing where it is not there', 'items', '{"other":1}', []],
    ['no lists in lists', 'items', '[{"items":[1]},[2]]', []],
    ['no place of a list that is written like a key', '0', '[[1],[2]]', []],
    ['a key that is a number', '0', '{"0":[1]}', [1]],
    ['a key that objects inherit', '__proto__', '{"__proto__":[1],"constructor":[2]}', [1]],
    ['a key that is empty', 'a.', '{"a":{"":[1]}}', [1]],
    ['both lists of a key that is said twice', 'items', '{"items":[1],"items":[2]}', [1, 2]],
    ['the list in a fence', 'items', '```json\n{"items":[1]}\n```', [1]],
  ])('names %s', (_name, path, text, expected) => {
    for (const pieces of [[text], text.split('')]) {
      expect(seenBy(from(pieces).pipe(jsonElements(path)))).toEqual([...expected, '|']);
    }
  });

  it.each([undefined, null, 5, ['items'], {}])('is no %j', (path) => {
    expect(thrownBy(() => jsonElements(path as string))).toMatchObject({
      kind: 'configuration',
      param: 'path',
      message: "jsonElements: path must be a text such as 'items'",
    });
  });

  it('leads to each element of any list once, in order, in any pieces and between decoys', () => {
    const value = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' });
    const wraps = fc.constantFrom<[string, (list: unknown) => unknown]>(
      ['', (list) => list],
      ['items', (list) => ({ item: [0], x: { items: [0] }, y: [[0], { items: [0] }], items: list, z: [0] })],
      ['a.b', (list) => ({ b: [0], a: { a: { b: [0] }, b: list, c: [0] }, 'a.b': [0] })],
    );
    const places = fc.array(fc.nat(), { maxLength: 30 });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 8 }), wraps, places, (list, [path, wrap], at) => {
        const text = JSON.stringify(wrap(list));
        const ends = [...at.map((place) => place % text.length), text.length].sort((one, other) => one - other);
        const pieces = ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end));
        const elements = JSON.parse(JSON.stringify(list)) as unknown[];
        expect(seenBy(from(pieces).pipe(jsonElements(path)))).toEqual([...elements, '|']);
      }),
    );
  });
});

import fc from 'fast-check';
import { JsonBuilder, JsonSyntaxError } from '../../src/json/builder.ts';

/** The value of a text in pieces. */
function valueOf(pieces: readonly string[]): unknown {
  const builder = new JsonBuilder();
  for (const piece of pieces) builder.push(piece);
  builder.end();
  return builder.snapshot();
}

function failureOf(pieces: readonly string[]): unknown {
  try {
    valueOf(pieces);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('text that is no JSON', () => {
  const INVALID = 'it is no valid JSON';
  it.each([
    ...[
      '}',
      ']',
      ',',
      ':',
      '[1}',
      '{"a":1]',
      '[,1]',
      '[1,]',
      '[1 2]',
      '["a""b"]',
      '{,}',
      '{"a":1,}',
      '{"a"}',
      '{"a":}',
    ],
    ...[
      '{"a",1}',
      '{1:2}',
      '{"a":1 "b":2}',
      '{"a" "b"}',
      '{a:1}',
      '{[]:1}',
      '{true:1}',
      '[1:2]',
      "['a']",
      '[01]',
      '[+1]',
    ],
    ...[
      '[.5]',
      '[1.]',
      '[-]',
      '[1e]',
      '["\n"]',
      '["\\x"]',
      '["\\u12g4"]',
      '[nul]',
      '[True]',
      '[undefined]',
      '[NaN]',
      '[//]',
    ],
  ])('%j is refused as JSON.parse refuses it, in any pieces', (text) => {
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    for (const pieces of [[text], Array.from(text)]) {
      const error = failureOf(pieces);
      expect(error).toBeInstanceOf(JsonSyntaxError);
      expect(error).toMatchObject({ name: 'JsonSyntaxError', message: INVALID });
    }
  });

  it.each([
    ['', 'there is no JSON'],
    [' \n', 'there is no JSON'],
    ['{"a":[1', 'the JSON ends in the middle'],
    ['[1,', 'the JSON ends in the middle'],
    ['["a', 'the JSON ends in the middle'],
    ['"a\\', 'the JSON ends in the middle'],
    ['{"a', 'the JSON ends in the middle'],
    ['[tru', 'the JSON ends in the middle'],
    ['[-', 'the JSON ends in the middle'],
    ['{} {}', 'text follows the JSON'],
    ['1 2', 'text follows the JSON'],
    ['"a"x', 'text follows the JSON'],
  ])('%j is told apart: %s', (text, message) => {
    for (const pieces of [[text], Array.from(text)]) expect(failureOf(pieces)).toMatchObject({ message });
  });

  it('that ends in the middle of a number leaves that number out', () => {
    const told: unknown[] = [];
    const builder = new JsonBuilder((value) => told.push(value));
    builder.push('[1,2');
    expect(() => {
      builder.end();
    }).toThrow('the JSON ends in the middle');
    expect([told, builder.snapshot()]).toEqual([[1], [1]]);
  });

  it('is what is nested more than 500 times', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(valueOf([nested(500)])).toEqual(JSON.parse(nested(500)));
    expect(failureOf([nested(501)])).toMatchObject({ message: 'the JSON is nested too deeply' });
    expect(failureOf(['[{"a":'.repeat(251)])).toMatchObject({ message: 'the JSON is nested too deeply' });
  });

  it('is every beginning of a list or an object', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.nat(), (list, place) => {
        for (const text of [JSON.stringify(list), JSON.stringify({ list })]) {
          expect(failureOf([text.slice(0, place % text.length)])).toBeInstanceOf(JsonSyntaxError);
        }
      }),
    );
  });
});

import fc from 'fast-check';
import { JsonBrackets } from '../../src/events/json-brackets.ts';

const container = fc.oneof(fc.object(), fc.array(fc.object())).map((value) => JSON.stringify(value));

describe('the brackets of JSON text', () => {
  it('are open in every part of it that lacks an end, and closed in the whole', () => {
    fc.assert(
      fc.property(container, (json) => {
        const lengths = Array.from({ length: json.length - 1 }, (_, at) => at + 1);
        const parts = lengths.map((length) => new JsonBrackets().add(json.slice(0, length)));
        expect(parts.filter((part) => !part.open || part.closed)).toEqual([]);
        const whole = new JsonBrackets().add(json);
        expect([whole.open, whole.closed]).toEqual([false, true]);
      }),
    );
  });

  it('are the same in pieces', () => {
    fc.assert(
      fc.property(container, (json) => {
        const pieces = new JsonBrackets();
        for (const unit of json) pieces.add(unit);
        const whole = new JsonBrackets().add(json);
        expect([pieces.open, pieces.closed, pieces.deepest]).toEqual([whole.open, whole.closed, whole.deepest]);
      }),
    );
  });

  it.each([
    ['', false, false, 0],
    ['  ', false, false, 0],
    ['12', false, false, 0],
    ['"text', true, false, 0],
    ['"text"', false, false, 0],
    ['"\\""', false, false, 0],
    ['"\\\\"', false, false, 0],
    ['{"a":"}', true, false, 1],
    ['[[[]]]', false, true, 3],
    ['[[],[[]]]', false, true, 3],
    ['{} ', false, true, 1],
    ['{}}', false, true, 1],
  ])('of %j', (text, open, closed, deepest) => {
    const brackets = new JsonBrackets().add(text);
    expect([brackets.open, brackets.closed, brackets.deepest]).toEqual([open, closed, deepest]);
  });
});

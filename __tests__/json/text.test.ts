import fc from 'fast-check';
import { JsonText } from '../../src/json/text.ts';

const VALUE = { a: [1, { b: 'x`y' }], c: '```' };
const JSON_TEXT = JSON.stringify(VALUE, null, 2);

/** The value of a text in pieces, or what is wrong with it. */
function read(pieces: readonly string[]): unknown {
  const json = new JsonText();
  try {
    for (const piece of pieces) json.push(piece);
    json.end();
  } catch (error) {
    return (error as Error).message;
  }
  return json.builder.snapshot();
}

/** A text whole, in single characters, and cut once at every place. */
function everyCut(text: string): readonly (readonly string[])[] {
  const cuts = Array.from({ length: text.length - 1 }, (_, at) => [text.slice(0, at + 1), text.slice(at + 1)]);
  return [[text], text.split(''), ...cuts];
}

/** What a text comes to in all these pieces: one result, if it does not depend on them. */
const readings = (text: string): readonly unknown[] => [
  ...new Map(everyCut(text).map((pieces) => [JSON.stringify(read(pieces)), read(pieces)])).values(),
];

describe('JSON as models write it, cut anywhere, is read', () => {
  it.each([
    ['alone', JSON_TEXT],
    ['between blanks', ` \n\t${JSON_TEXT}\r\n \n`],
    ['behind a byte order mark', `\ufeff${JSON_TEXT}`],
    ['in a fence', `\`\`\`\n${JSON_TEXT}\n\`\`\``],
    ['in a fence of a language', `\`\`\`json\n${JSON_TEXT}\n\`\`\``],
    ['in a fence with blanks in its lines', `\`\`\`json  \n${JSON_TEXT}\n\`\`\`  \n`],
    ['in a fence with CRLF', `\`\`\`json\r\n${JSON_TEXT}\r\n\`\`\`\r\n`],
    ['in an indented fence between empty lines', `\n\n  \`\`\`JSON\n\n  ${JSON_TEXT}\n\n  \`\`\`\n\n`],
    ['in a fence that ends in the line of the JSON', `\`\`\`json\n${JSON_TEXT}\`\`\``],
    ['in a fence that does not end', `\`\`\`json\n${JSON_TEXT}`],
  ])('%s', (_name, text) => {
    expect(readings(text)).toEqual([VALUE]);
  });

  it.each([
    ['a number', '12', 12],
    ['a negative number with an exponent', '-1.5e3', -1500],
    ['a string', '"`"', '`'],
    ['true', 'true', true],
    ['null', 'null', null],
    ['an empty list', '[]', []],
  ])('where it is %s, alone and in a fence with and without its lines', (_name, json, value) => {
    for (const text of [json, ` ${json}\n`, `\`\`\`json\n${json}\n\`\`\``, `\`\`\`json\n${json}\`\`\``]) {
      expect(readings(text)).toEqual([value]);
    }
  });

  it('with any blanks around it and around its fence', () => {
    const blanks = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 5 });
    const places = fc.array(fc.nat(), { maxLength: 10 });
    const fence = fc.tuple(blanks, fc.constantFrom('', 'json', 'JSON5', ' json'), blanks, blanks, blanks);
    fc.assert(
      fc.property(
        fence,
        fc.jsonValue({ maxDepth: 2 }),
        places,
        ([lead, language, before, behind, trail], value, at) => {
          const json = JSON.stringify(value);
          const text = `${lead}\`\`\`${language}\n${before}${json}\n${behind}\`\`\`${trail}`;
          const ends = [...at.map((place) => place % text.length), text.length].sort((one, other) => one - other);
          expect(read(ends.map((end, index) => text.slice(ends[index - 1] ?? 0, end)))).toEqual(JSON.parse(json));
        },
      ),
    );
  });

  it('however many blanks surround it', () => {
    const blanks = ' \n'.repeat(500);
    for (const text of [
      blanks + JSON_TEXT + blanks,
      `${blanks}\`\`\`json\n${blanks}${JSON_TEXT}${blanks}\`\`\`${blanks}`,
    ]) {
      expect(read([text])).toEqual(VALUE);
      expect(read(text.split(''))).toEqual(VALUE);
    }
  });
});

describe('JSON, cut anywhere, is refused', () => {
  const INVALID = 'it is no valid JSON';
  const FOLLOWED = 'text follows the JSON';
  it.each([
    ['behind other text', `Here it is: ${JSON_TEXT}`, INVALID],
    ['in a fence behind other text', `Sure!\n\`\`\`json\n${JSON_TEXT}\n\`\`\``, INVALID],
    ['in single backticks', `\`${JSON_TEXT}\``, INVALID],
    ['in a fence of two backticks', `\`\`\n${JSON_TEXT}\n\`\``, INVALID],
    ['in a fence without a first line', `\`\`\`${JSON_TEXT.replaceAll('\n', '')}\`\`\``, INVALID],
    ['in a fence of which only the first line came', '```json', INVALID],
    ['of which only the beginning of a fence came', '``', INVALID],
    ['with a tick in it', '{"a":`1`}', INVALID],
    ['before other text', `${JSON_TEXT} Enjoy!`, FOLLOWED],
    ['before other text in the next line', `${JSON_TEXT}\nEnjoy!`, FOLLOWED],
    ['before much other text', `{}\n${'Enjoy! '.repeat(30)}`, FOLLOWED],
    ['before another value', '{"a":1} {"a":2}', FOLLOWED],
    ['before another line of JSON', '[1]\n[2]', FOLLOWED],
    ['before a fence that did not begin', '{}\n```', FOLLOWED],
    ['in a fence before other text', '```json\n{}\n```\nEnjoy!', FOLLOWED],
    ['in a fence with other text in it', '```json\n{}\nEnjoy!\n```', FOLLOWED],
    ['in a fence before another one', '```\n{}\n```\n```\n{}\n```', FOLLOWED],
    ['in a fence of which not all closed', '```\n{}\n``', FOLLOWED],
    ['in a fence closed by too much', '```\n{}\n````', FOLLOWED],
    ['before half a surrogate pair', '{}\ud83d', FOLLOWED],
    ['where there is none', ' \n ', 'there is no JSON'],
    ['where there is none in the fence', '```json\n\n', 'there is no JSON'],
    ['that ends in the middle', '{"a":[1,', 'the JSON ends in the middle'],
  ])('%s', (_name, text, message) => {
    expect(readings(text)).toEqual([message]);
  });

  it.each([
    ['a blank that JSON does not know behind it', '{}\u00a0'],
    ['a fence line that is far too long', `\`\`\`${'x'.repeat(150)}\n{}\n\`\`\``],
  ])('or accepted with %s, but the same in all pieces', (_name, text) => {
    expect(readings(text)).toHaveLength(1);
  });

  it('where no text is', () => {
    expect(read([])).toBe('there is no JSON');
    expect(read(['', ''])).toBe('there is no JSON');
  });

  it('as soon as it is clear that neither a fence nor blanks come', () => {
    const before = new JsonText();
    expect(() => {
      before.push(`\`\`\`${'x'.repeat(100)}`);
    }).toThrow(INVALID);
    const behind = new JsonText();
    behind.push('{}');
    expect(() => {
      behind.push('x'.repeat(101));
    }).toThrow(FOLLOWED);
  });
});

describe('the reader of JSON', () => {
  it('shows the value inside of the fence while it comes', () => {
    const json = new JsonText();
    const shown = ['```js', 'on\n{"a', '":"`', '``x', '"}\n`', '``'].map((piece) => {
      json.push(piece);
      return json.builder.snapshot();
    });
    expect(shown).toEqual([undefined, {}, { a: '`' }, { a: '```x' }, { a: '```x' }, { a: '```x' }]);
    json.end();
  });

  it('tells what is whole inside of the fence', () => {
    const told: unknown[] = [];
    const json = new JsonText((value, path) => told.push([value, path]));
    for (const letter of '```\n[1,"`"]\n```') json.push(letter);
    json.end();
    expect(told).toEqual([
      [1, [0]],
      ['`', [1]],
      [[1, '`'], []],
    ]);
  });
});

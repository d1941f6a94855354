import fc from 'fast-check';
import { MAX_MESSAGE_LENGTH, redact } from '../src/redact.ts';

const SECRET = 'Zx9-very-secret-value';

describe('keys', () => {
  it.each([
    'sk-proj-abcdef123456',
    'sk-ant-api03-Ab_Cd-Ef',
    'gsk_abcdefgh',
    'xai-abcdefgh',
    'pplx-abcdefgh',
    'nvapi-abcdefgh',
    'rk_live_abcdefgh',
    'pk-abcdefgh',
    'sk-abc***xyz',
  ])('that look like one are masked: %s', (key) => {
    expect(redact(`Incorrect API key provided: ${key}. Find yours at example.com.`)).toMatch(
      /^Incorrect API key provided: \*\*\*.* at example\.com\.$/,
    );
    expect(redact(`("${key}")`)).toBe('("***")');
  });

  it.each(['Bearer abc.def-ghi', 'bearer  abcdefgh', 'Basic dXNlcjpwYXNz='])('in a header are masked: %s', (header) => {
    expect(redact(`authorization: ${header}, accept`)).toMatch(/^authorization: \w+ \*\*\*, accept$/);
  });

  it('that are only words are left: a mask in every message would help nobody', () => {
    expect(redact('the task-force asked for risk-assessment; skill')).toBe(
      'the task-force asked for risk-assessment; skill',
    );
  });
});

describe('secrets', () => {
  it('are masked wherever they stand, however often', () => {
    expect(redact(`${SECRET} a ${SECRET}${SECRET}`, [SECRET])).toBe('*** a ******');
  });

  it('are masked as a whole where one begins like another', () => {
    expect(redact('abcdefghijkl', ['abcdef', 'abcdefghijkl'])).toBe('***');
  });

  it('are masked as they stand in JSON', () => {
    const prompt = 'line one\nline "two"';
    expect(redact(JSON.stringify({ prompt }), [prompt])).toBe('{"prompt":"***"}');
  });

  it('are no patterns', () => {
    expect(redact('abcdefg', ['a.c.e.g', '[a-z]+', '$&$&$&'])).toBe('abcdefg');
    expect(redact('cost: $&$&$& (a+b)', ['$&$&$&'])).toBe('cost: *** (a+b)');
  });

  it('of a few letters are left: masking "json" would mangle every message', () => {
    expect(redact('json is not text', ['json', ''])).toBe('json is not text');
  });

  it('are masked before control characters go: what looks whole to us looked whole to the server', () => {
    expect(redact('a\u0000b: key\nwith\tcontrols!', ['key\nwith\tcontrols'])).toBe('a b: ***!');
  });

  it('may be as long as prompts are: what is said behind one is still shown', () => {
    const prompt = 'Tell me all about it. '.repeat(5000);
    const text = `Cannot answer "${prompt}": too long. ${'x'.repeat(1_000_000)}`;
    expect(redact(text, [SECRET, prompt], 60)).toMatch(/^Cannot answer "\*\*\*": too long\. x+…$/);
  });

  it('are not shown in part where a long text is cut, however it shrinks', () => {
    const fillers = ['x', ' ', '\u0000', '\u001b[31m', SECRET, 'sk-abcdefgh '];
    const shape = fc.tuple(
      fc.constantFrom(...fillers),
      fc.nat(2200),
      fc.string({ maxLength: 40 }),
      fc.integer({ min: 8, max: 700 }),
    );
    fc.assert(
      fc.property(shape, ([filler, before, between, maxLength]) => {
        const text = filler.repeat(Math.ceil(before / filler.length)) + between + SECRET.repeat(200);
        const shown = redact(text, [SECRET], maxLength);
        expect(shown.length).toBeLessThanOrEqual(maxLength);
        expect(shown).not.toMatch(/Zx9-/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('one readable line', () => {
  it.each([
    ['line breaks', 'a\r\nb\nc\u2028d\u2029e\u0085f', 'a b c d e f'],
    ['tabs and runs of blanks', '  a \t\t b   c ', 'a b c'],
    ['NUL and other controls', 'a\u0000b\u0007c\u007fd', 'a b c d'],
    ['colours', '\u001b[1;31mred\u001b[0m text', 'red text'],
    ['a terminal title', '\u001b]0;owned\u0007text', 'text'],
    ['a terminal link', '\u001b]8;;http://x\u001b\\text\u001b]8;;\u001b\\', 'text'],
    ['cursor moves', 'a\u001b[2J\u001b[Hb\u001bcd', 'ab cd'],
    ['a lone escape', 'a\u001b', 'a'],
    ['a C1 control sequence', 'a\u009b31mb', 'a 31mb'],
    ['bidirectional controls', 'a\u202eb\u2066c\u2069\u200fd', 'a b c d'],
    ['invisible characters', 'a\u200bb\u2060c\ufeffd\u00ade', 'a b c d e'],
  ])('without %s', (_name, text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it('holds no control character, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
        expect(redact(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
        expect(redact(redact(text))).toBe(redact(text));
      }),
    );
  });

  it('keeps what people write', () => {
    expect(redact('Größe: 5 € – 日本語 😀 (100%)')).toBe('Größe: 5 € – 日本語 😀 (100%)');
  });
});

describe('length', () => {
  it('is cut at the limit, marked by an ellipsis', () => {
    expect(redact('x'.repeat(MAX_MESSAGE_LENGTH))).toBe('x'.repeat(MAX_MESSAGE_LENGTH));
    expect(redact('x'.repeat(MAX_MESSAGE_LENGTH + 1))).toBe(`${'x'.repeat(MAX_MESSAGE_LENGTH - 1)}…`);
    expect(redact('abcdef', [], 4)).toBe('abc…');
  });

  it('is never cut inside a character', () => {
    for (const before of ['', ' '.repeat(8), 'x']) {
      for (let maxLength = 2; maxLength < 12; maxLength++) {
        const shown = redact(before + '😀'.repeat(50), [], maxLength);
        expect(shown).toMatch(/^x?(?:😀)*…?$/u);
        expect(shown.length).toBeLessThanOrEqual(maxLength);
      }
    }
  });

  it('of the input costs nothing: a body may be as long as a string can be', () => {
    const long = 'x'.repeat(50_000_000);
    expect(redact(long, [SECRET])).toHaveLength(MAX_MESSAGE_LENGTH);
  });
});

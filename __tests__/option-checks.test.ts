import { CompletionError } from '../src/errors.ts';
import { unknownNames, validMembers } from '../src/option-checks.ts';
import { headerText, textOf, validBaseURL, validHeaders } from '../src/request-checks.ts';

/** The configuration error of a check that must fail. */
function refusal(check: () => unknown): CompletionError {
  try {
    check();
  } catch (error) {
    if (error instanceof CompletionError && error.kind === 'configuration') return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('a text', () => {
  it.each([
    [' key\n', 'key'],
    ['a b', 'a b'],
    ['', undefined],
    [' \t\r\n', undefined],
    [undefined, undefined],
    [null, undefined],
  ])('%j is %j', (value, expected) => {
    expect(textOf('apiKey', value)).toBe(expected);
  });

  it.each(['my\nkey', 'my\u0000key', 'my\u007fkey', 'my\rkey'])(
    'with a control character inside is refused, never quoted',
    (key) => {
      const error = refusal(() => textOf('apiKey', key));
      expect(error).toMatchObject({ param: 'apiKey', message: expect.stringMatching(/^apiKey contains/) as string });
      expect(JSON.stringify(error)).not.toContain('my');
    },
  );

  it.each([5, true, {}, ['key'], Symbol('key')])('that is none is refused: %p', (value) => {
    expect(refusal(() => textOf('apiKey', value)).message).toBe('apiKey must be a string');
  });

  it('for a header holds what a header can carry', () => {
    expect(headerText('apiKey', ' kéy ')).toBe('kéy');
    expect(headerText('apiKey', undefined)).toBeUndefined();
    for (const key of ['my–key', 'my😀key', 'my\u2028key']) {
      const error = refusal(() => headerText('apiKey', key));
      expect(error.param).toBe('apiKey');
      expect(error.message).not.toContain('my');
    }
  });
});

describe('a base URL', () => {
  it.each(['https://api.openai.com/v1', 'http://127.0.0.1:8080', 'https://x.example/openai/'])('may be %s', (url) => {
    expect(validBaseURL(url, undefined)).toBe(url);
  });

  it('may be relative where there is something to be relative to', () => {
    expect(validBaseURL('/api/chat', 'https://app.example/page')).toBe('/api/chat');
    expect(refusal(() => validBaseURL('/api/chat', undefined)).message).toMatch(/not a valid address.*https:/);
  });

  it.each([
    ['no address', 'not an address'],
    ['another protocol', 'ftp://x.example'],
    ['no protocol', 'api.openai.com/v1'],
    ['a file', 'file:///etc/passwd'],
    ['a user', 'https://secret@x.example'],
    ['a password', 'https://:secret@x.example'],
    ['a query', 'https://x.example/v1?key=secret'],
    ['a fragment', 'https://x.example/v1#secret'],
  ])('may not have %s, and is not quoted', (_name, url) => {
    const error = refusal(() => validBaseURL(url, undefined));
    expect(error.param).toBe('baseURL');
    expect(error.message).not.toMatch(/secret|passwd/);
  });
});

describe('an object with methods', () => {
  const target = { info: () => undefined, warn: () => undefined };

  it('is the very one that was given; one left out is none', () => {
    expect(validMembers(target, 'logger', ['info', 'warn'])).toBe(target);
    const callable = Object.assign(() => undefined, target);
    expect(validMembers(callable, 'logger', ['info'])).toBe(callable);
    expect(validMembers(undefined, 'logger', ['info'])).toBeUndefined();
  });

  it('may inherit them', () => {
    class Target {
      info(): void {
        return undefined;
      }
    }
    const inherited = new Target();
    expect(validMembers(inherited, 'logger', ['info'])).toBe(inherited);
  });

  it('without one of them is refused by name', () => {
    expect(refusal(() => validMembers(target, 'logger', ['info', 'debug'])).message).toMatch(
      /^logger .* debug is a function/,
    );
  });

  it.each([null, 5, 'console'])('that is none is refused: %p', (value) => {
    expect(refusal(() => validMembers(value as never, 'logger', ['info'])).param).toBe('logger');
    expect(refusal(() => validMembers(value as never, 'hooks', [])).message).toBe('hooks must be an object');
  });
});

describe('headers', () => {
  it('have lower-case names and trimmed values, whatever they came in', () => {
    const given = { 'X-Team': ' a ', accept: 'b', 'x-none': undefined };
    expect(validHeaders(given, 'headers')).toEqual({ 'x-team': 'a', accept: 'b' });
    expect(validHeaders(new Headers({ 'X-Team': 'a' }), 'headers')).toEqual({ 'x-team': 'a' });
    expect(validHeaders(undefined, 'headers')).toEqual({});
  });

  it('may hold Latin-1, tabs and nothing', () => {
    expect(validHeaders({ a: 'ü\tx', b: '' }, 'headers')).toEqual({ a: 'ü\tx', b: '' });
  });

  it.each([null, 5, 'a: b', [['a', 'b']]])('that are %p are refused', (given) => {
    expect(refusal(() => validHeaders(given, 'headers')).param).toBe('headers');
  });

  it.each([{ 'bad name': 'x' }, { 'a\nb': 'x' }, { '': 'x' }, { ü: 'x' }, { 'a:b': 'x' }])(
    'with the name of %j are refused',
    (given) => {
      expect(refusal(() => validHeaders(given, 'headers')).message).toMatch(/no valid header name/);
    },
  );

  it.each(['secret\r\nx: y', 'secret\u0000', 'secret–', 'secret😀'])(
    'with a value no header can carry are refused, unquoted',
    (value) => {
      const error = refusal(() => validHeaders({ 'x-key': `a${value}a` }, 'headers'));
      expect(error.message).toMatch(/value of x-key/);
      expect(JSON.stringify(error)).not.toContain('secret');
    },
  );

  it.each([5, null, ['x'], {}])('with the value %p are refused', (value) => {
    expect(refusal(() => validHeaders({ 'x-key': value }, 'headers')).message).toMatch(/x-key must be a string/);
  });
});

describe('unknown names', () => {
  const KNOWN = ['apiKey', 'baseURL', 'model', 'temperature'];

  it('are none where all are known', () => {
    expect(() => {
      unknownNames({ model: 1, apiKey: undefined }, KNOWN, 'options');
    }).not.toThrow();
  });

  it.each([
    ['apikey', 'apiKey'],
    ['api_key', 'apiKey'],
    ['baseUrl', 'baseURL'],
    ['modle', 'model'],
    ['models', 'model'],
    ['temprature', 'temperature'],
    ['temperatureee', 'temperature'],
  ])('are refused with what was meant: %s', (name, meant) => {
    const error = refusal(() => {
      unknownNames({ model: 'x', [name]: 'secret' }, KNOWN, 'options');
    });
    expect(error).toMatchObject({ param: name, message: `Unknown option ${name} of options; did you mean ${meant}?` });
  });

  it('like none are refused with the list of those there are', () => {
    const error = refusal(() => {
      unknownNames({ verbosity: 1 }, KNOWN, 'options');
    });
    expect(error.message).toBe('Unknown option verbosity of options; known are apiKey, baseURL, model, temperature');
  });

  it('are shown short', () => {
    const error = refusal(() => {
      unknownNames({ ['x'.repeat(10_000)]: 1 }, KNOWN, 'options');
    });
    expect(error.param).toHaveLength(40);
    expect(error.message.length).toBeLessThan(150);
  });

  it('are refused where nothing is known', () => {
    expect(
      refusal(() => {
        unknownNames({ a: 1 }, [], 'options');
      }).param,
    ).toBe('a');
  });
});

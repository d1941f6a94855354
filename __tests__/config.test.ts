import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { firstValueFrom } from 'rxjs';
import { OpenAIChatCompletion } from '../src/chat-completion.ts';
import { DEFAULTS, type ChatCompletionOptions } from '../src/config.ts';
import { universalPlatform, type Environment, type Platform } from '../src/platform.ts';
import { fetchTransport } from '../src/transport/fetch.ts';
import { platformWith, recordedFetch, recordingLogger, thrownBy } from './support/client.ts';
import { completion } from './support/faults-steps.ts';

const SECRET = 'sk-4f7Qm2Zx9LwVt0Rb8Yc3';
const PROMPT = 'Say this is a test!';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'rxjs-openai-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** The three places settings come from. */
interface Sources {
  readonly option?: ChatCompletionOptions;
  readonly process?: Environment;
  readonly file?: string;
}

function clientOf({ option = {}, process = {}, file }: Sources, changes?: Partial<Platform>): OpenAIChatCompletion {
  const envFile = join(directory, '.env.test');
  writeFileSync(envFile, file ?? '');
  return new OpenAIChatCompletion({ envFile, ...option }, platformWith(process, changes));
}

/** What a call of such a client sends. */
async function sent(sources: Sources) {
  const fetch = recordedFetch(() => Response.json(completion('yes')));
  await firstValueFrom(clientOf({ ...sources, option: { fetch, ...sources.option } }).generate$(PROMPT));
  const [call] = fetch.calls;
  const headers = new Headers(call?.init.headers);
  return {
    url: call?.url,
    authorization: headers.get('authorization'),
    organization: headers.get('openai-organization'),
    project: headers.get('openai-project'),
    body: JSON.parse(String(call?.init.body)) as Record<string, unknown>,
  };
}

const KEYED = { OPENAI_API_KEY: 'from-process' };

describe('where settings come from', () => {
  const file = [
    'OPENAI_API_KEY=from-file',
    'OPENAI_MODEL=model-file',
    'OPENAI_BASE_URL=http://file.test/v1',
    'OPENAI_ORG_ID=org-file',
    'OPENAI_PROJECT_ID=proj-file',
  ].join('\n');
  const process = {
    OPENAI_API_KEY: 'from-process',
    OPENAI_MODEL: 'model-process',
    OPENAI_BASE_URL: 'http://process.test/v1',
    OPENAI_ORG_ID: 'org-process',
    OPENAI_PROJECT_ID: 'proj-process',
  };
  const option = {
    apiKey: 'from-option',
    model: 'model-option',
    baseURL: 'http://option.test/v1',
    organization: 'org-option',
    project: 'proj-option',
  };
  const expected = (source: string) => ({
    url: `http://${source}.test/v1/chat/completions`,
    authorization: `Bearer from-${source}`,
    organization: `org-${source}`,
    project: `proj-${source}`,
    body: expect.objectContaining({ model: `model-${source}` }) as unknown,
  });

  it('the option wins over the process, the process over the file', async () => {
    expect(await sent({ option, process, file })).toEqual(expected('option'));
    expect(await sent({ process, file })).toEqual(expected('process'));
    expect(await sent({ file })).toEqual(expected('file'));
  });

  it('a blank option or variable counts as left out', async () => {
    const blankOption = { apiKey: ' ', baseURL: '', organization: '\n', project: '  ' };
    expect(await sent({ option: blankOption, process, file })).toEqual(expected('process'));
    const blankProcess = Object.fromEntries(Object.keys(process).map((name) => [name, ' ']));
    expect(await sent({ process: blankProcess, file })).toEqual(expected('file'));
    const blankFile = file.replace(/(?<!KEY)=.*/g, '= ');
    expect(await sent({ file: blankFile })).toEqual({
      url: 'https://api.openai.com/v1/chat/completions',
      authorization: 'Bearer from-file',
      organization: null,
      project: null,
      body: expect.objectContaining({ model: 'gpt-4o-mini' }) as unknown,
    });
  });

  it('the defaults are these', () => {
    expect(DEFAULTS).toEqual({
      model: 'gpt-4o-mini',
      baseURL: 'https://api.openai.com/v1',
      temperature: 0.7,
      logLevel: 'warn',
      maxEventBytes: 8 * 1024 * 1024,
      timeout: { connectMs: 240_000, idleMs: 120_000, outputMs: 300_000, totalMs: undefined },
      retry: {
        maxRetries: 2,
        mode: 'before-output',
        baseDelayMs: 500,
        maxDelayMs: 8000,
        jitter: 0.25,
        maxRetryAfterMs: 60_000,
        when: expect.any(Function) as unknown,
        random: expect.any(Function) as unknown,
      },
    });
  });

  it('a line break at the end of a key is trimmed: `cat key.txt` has one', async () => {
    expect((await sent({ option: { apiKey: ' from-cat\r\n' } })).authorization).toBe('Bearer from-cat');
    expect((await sent({ process: { OPENAI_API_KEY: 'from-cat\n' } })).authorization).toBe('Bearer from-cat');
  });

  it('are read once, at construction', async () => {
    const environment: Record<string, string> = { ...KEYED, OPENAI_MODEL: 'before' };
    const fetch = recordedFetch(() => Response.json(completion('yes')));
    const chat = new OpenAIChatCompletion({ fetch, envFile: false }, platformWith(environment));
    environment['OPENAI_MODEL'] = 'after';
    await firstValueFrom(chat.generate$(PROMPT));
    expect(JSON.parse(String(fetch.calls[0]?.init.body))).toMatchObject({ model: 'before' });
  });

  it('envFile: false reads none', () => {
    expect(thrownBy(() => clientOf({ option: { envFile: false }, file: 'OPENAI_API_KEY=k' })).param).toBe('apiKey');
  });

  it.each([
    ['the option', { logLevel: 'info' }, { OPENAI_LOG: 'off' }, 1],
    ['the variable', {}, { OPENAI_LOG: ' info ' }, 1],
    ['the default', {}, {}, 0],
    ['the default, for a level that only other programs know', {}, { OPENAI_LOG: 'trace' }, 0],
  ] as const)('the log level: %s', async (_, option, process, lines) => {
    const logger = recordingLogger();
    await sent({ option: { ...option, logger }, process: { ...KEYED, ...process } });
    expect(logger.lines).toHaveLength(lines);
  });
});

describe('without a key', () => {
  it('the constructor throws, and names the option and the variable', () => {
    const error = thrownBy(() => clientOf({}));
    expect(error).toMatchObject({ kind: 'configuration', retryable: false, param: 'apiKey' });
    expect(error.message).toMatch(/apiKey.*OPENAI_API_KEY/);
  });

  it('a transport of its own is enough', () => {
    const transport = fetchTransport({ baseURL: '/api' });
    expect(() => clientOf({ option: { transport } })).not.toThrow();
  });

  it('a baseURL is not enough in Node: the SDK is behind it', () => {
    expect(thrownBy(() => clientOf({ option: { baseURL: 'http://relay.test' } })).param).toBe('apiKey');
  });

  it('a transport of its own gets the identity that is given for it, not what lies about', async () => {
    const process = { OPENAI_API_KEY: SECRET, OPENAI_ORG_ID: 'org', OPENAI_PROJECT_ID: 'proj' };
    const fetch = recordedFetch(() => Response.json(completion('yes')));
    const transport = fetchTransport({ baseURL: 'http://relay.test', fetch });
    await firstValueFrom(clientOf({ option: { transport }, process }).generate$(PROMPT));
    await firstValueFrom(
      clientOf({ option: { transport, apiKey: 'given', project: 'given' }, process }).generate$(PROMPT),
    );
    const headers = fetch.calls.map(({ init }) => new Headers(init.headers));
    expect(headers.map((it) => it.get('authorization'))).toEqual([null, 'Bearer given']);
    expect(headers.map((it) => it.get('openai-organization'))).toEqual([null, null]);
    expect(headers.map((it) => it.get('openai-project'))).toEqual([null, 'given']);
  });
});

describe('in a browser', () => {
  const page = { isBrowser: () => true, base: () => 'https://page.test/app/', transport: universalPlatform.transport };

  it('a key is refused, wherever it comes from', () => {
    const error = thrownBy(() => clientOf({ option: { apiKey: SECRET } }, page));
    expect(error).toMatchObject({ kind: 'configuration', param: 'apiKey' });
    expect(error.message).toMatch(/dangerouslyAllowBrowser/);
    expect(inspect(error)).not.toContain(SECRET);
    expect(thrownBy(() => clientOf({ process: KEYED }, page)).param).toBe('apiKey');
    const transport = fetchTransport({ baseURL: '/api' });
    expect(thrownBy(() => clientOf({ option: { apiKey: SECRET, transport } }, page)).param).toBe('apiKey');
  });

  it('a key is accepted by name', () => {
    expect(() => clientOf({ option: { apiKey: SECRET, dangerouslyAllowBrowser: true } }, page)).not.toThrow();
  });

  it('a baseURL or a transport needs no key, and the baseURL may be relative', async () => {
    const fetch = recordedFetch(() => Response.json(completion('yes')));
    await firstValueFrom(clientOf({ option: { baseURL: '/api/chat', fetch } }, page).generate$(PROMPT));
    expect(fetch.calls.map(({ url }) => url)).toEqual(['/api/chat/chat/completions']);
    expect(new Headers(fetch.calls[0]?.init.headers).has('authorization')).toBe(false);
    expect(() => clientOf({ option: { transport: fetchTransport({ baseURL: '/api' }) } }, page)).not.toThrow();
  });

  it('neither key nor baseURL is an error', () => {
    expect(thrownBy(() => clientOf({}, page)).param).toBe('apiKey');
  });
});

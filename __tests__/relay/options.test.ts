import { createRelay as createNodeRelay } from '../../src/relay/index.node.ts';
import { createRelay, type RelayOptions } from '../../src/relay/index.ts';
import { API_KEY, recordingLogger, thrownBy } from '../support/client.ts';
import { startFaultServer } from '../support/fault-server.ts';
import { completion, json } from '../support/faults-steps.ts';
import { MODEL, post } from './setting.ts';

const models = [MODEL];
const apiKey = API_KEY;

describe('createRelay refuses', () => {
  it.each([
    [{ models: [] }, 'models'],
    [{ models: 'gpt-4o-mini' }, 'models'],
    [{ models: [' '] }, 'models'],
    [{ models: undefined }, 'models'],
    [{ model: MODEL }, 'model'],
    [{ origins: ['*'] }, 'origins'],
    [{ origins: '*' }, 'origins'],
    [{ origins: ['null'] }, 'origins'],
    [{ origins: ['https://app.test/'] }, 'origins'],
    [{ origins: ['app.test'] }, 'origins'],
    [{ origins: ['https://*.app.test'] }, 'origins'],
    [{ origins: ['file://'] }, 'origins'],
    [{ authorize: 'token' }, 'authorize'],
    [{ onUsage: {} }, 'onUsage'],
    [{ limiter: {} }, 'limiter'],
    [{ limiter: 5 }, 'limiter'],
    [{ maxBodyBytes: 0 }, 'maxBodyBytes'],
    [{ maxBodyBytes: '1mb' }, 'maxBodyBytes'],
    [{ timeout: { bodyMs: 0 } }, 'timeout.bodyMs'],
    [{ timeout: { idleMs: 5 } }, 'idleMs'],
    [{ timeout: 5 }, 'timeout'],
    [{ headers: { 'x-a': 'a\nb' } }, 'headers'],
    [{ logLevel: 'loud' }, 'logLevel'],
    [{ logger: {} }, 'logger'],
    [{ scheduler: {} }, 'scheduler'],
    [{ params: [] }, 'params'],
    [{ params: { max_tokens: true } }, 'params.max_tokens'],
    [{ params: { max_tokens: 500 } }, 'params.max_tokens'],
    [{ params: { max_tokens: { maximum: 5 } } }, 'maximum'],
    [{ params: { max_tokens: { max: '5' } } }, 'params.max_tokens.max'],
    [{ params: { max_tokens: { type: 'float' } } }, 'params.max_tokens.type'],
    [{ params: { max_tokens: { type: 'constructor' } } }, 'params.max_tokens.type'],
    [{ params: { max_tokens: { check: true } } }, 'params.max_tokens.check'],
    [{ params: { messages: false } }, 'params.messages'],
    [{ params: { stream: {} } }, 'params.stream'],
    [{ params: { model: {} } }, 'params.model'],
    [{ params: JSON.parse('{"__proto__":{}}') as object }, 'params.__proto__'],
    [{ completion: { baseURL: 'nowhere', apiKey } }, 'baseURL'],
    [{ completion: { apikey: apiKey } }, 'apikey'],
    [{ completion: {} }, 'apiKey'],
    [{ completion: null }, 'completion'],
  ])('%j, and names what is wrong', (options, param) => {
    const error = thrownBy(() =>
      createRelay({ models, completion: { apiKey }, ...options } as unknown as RelayOptions),
    );
    expect([error.kind, error.param]).toEqual(['configuration', param]);
    expect(error.message).not.toContain(API_KEY);
  });

  it.each([undefined, null, 5, []])('%j instead of options', (options) => {
    expect(thrownBy(() => createRelay(options as unknown as RelayOptions)).kind).toBe('configuration');
  });
});

it('createRelay takes the origins of apps', () => {
  const origins = ['http://localhost:4200', 'https://[::1]:8443', 'capacitor://localhost', 'chrome-extension://abcdef'];
  expect(createRelay({ models, completion: { apiKey }, origins })).toBeInstanceOf(Function);
});

describe('the client that a relay makes for itself', () => {
  it('logs where the relay logs, and the other way round', async () => {
    const server = await startFaultServer({ v1: json(200, completion('yes')) });
    for (const place of ['relay', 'completion']) {
      const logger = recordingLogger();
      const logging = { logger, logLevel: 'info' as const };
      const client = { apiKey, baseURL: server.baseURL('v1'), ...(place === 'completion' ? logging : undefined) };
      const relay = createRelay({ models, completion: client, ...(place === 'relay' ? logging : undefined) });
      expect((await relay(post())).status).toBe(200);
      expect(logger.lines).toEqual([
        expect.stringMatching(/^info rxjs-openai: chat completion model=/),
        expect.stringMatching(
          /^info rxjs-openai: relay model=gpt-4o-mini stream=false durationMs=\d+ outcome=completed$/,
        ),
      ]);
    }
    await server.close();
  });

  it('is in Node the one that has the SDK behind it', async () => {
    const server = await startFaultServer({ v1: json(200, completion('yes')) });
    const relay = createNodeRelay({
      models,
      completion: { apiKey, baseURL: server.baseURL('v1'), envFile: false, logLevel: 'off' },
    });
    expect((await relay(post())).status).toBe(200);
    expect(server.requests[0]?.headers).toHaveProperty('x-stainless-lang');
    await server.close();
  });
});

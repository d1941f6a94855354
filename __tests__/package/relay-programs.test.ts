import { join } from 'node:path';
import OpenAI from 'openai';
import { start, type Program } from '../examples/chat/program.ts';
import { fetchTransport, OpenAIChatCompletion } from '../../src/index.ts';
import { outcomeOf } from '../support/client.ts';
import { startFaultServer } from '../support/fault-server.ts';
import { hang, head, say, script, text } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';
const ANSWER = 'This is a test!';
const MESSAGES = [{ role: 'user' as const, content: PROMPT }];

describe.each(['relay-hono', 'relay-express'])('examples/%s', (name) => {
  const run = (environment: Readonly<Record<string, string>> = {}): Program =>
    start([], {
      program: join(__dirname, `../../examples/${name}/main.ts`),
      environment: { PORT: '0', ...environment },
    });

  async function addressOf(program: Program): Promise<string> {
    await program.shows('/v1\n');
    return /listening on (\S+)/.exec(program.stdout())?.[1] ?? '';
  }

  async function over(program: Program): Promise<void> {
    program.interrupt();
    expect([await program.ended, program.stderr()]).toEqual([0, '']);
  }

  it('answers our client, the SDK and plain fetch, without a key, and ends on Ctrl-C', async () => {
    const program = run();
    const baseURL = await addressOf(program);
    const headers = { authorization: 'Bearer demo-ada' };
    const chat = new OpenAIChatCompletion({ transport: fetchTransport({ baseURL, headers }), logLevel: 'off' });
    const { values, completed } = await outcomeOf(chat.stream$(PROMPT));
    expect([values.join(''), completed]).toEqual([ANSWER, true]);

    const sdk = new OpenAI({ apiKey: 'demo-grace', baseURL, maxRetries: 0, dangerouslyAllowBrowser: true });
    const whole = await sdk.chat.completions.create({ model: 'gpt-4o-mini', messages: MESSAGES });
    expect(whole.choices[0]?.message.content).toBe(ANSWER);
    await program.shows('grace: ');

    const post = (headers: Readonly<Record<string, string>>, body: unknown): Promise<Response> =>
      fetch(`${baseURL}/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) });
    const json = { 'content-type': 'application/json' };
    const statuses = [
      await post({ ...json, authorization: 'Bearer demo-eve' }, { messages: MESSAGES }),
      await post({ ...headers }, { messages: MESSAGES }),
      await post({ ...json, ...headers, origin: 'https://evil.test' }, { messages: MESSAGES }),
      await post({ ...json, ...headers }, { messages: MESSAGES, base_url: 'http://evil.test' }),
      await fetch(`${baseURL}/chat/completions`, { headers }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([401, 415, 403, 400, 405]);
    expect(program.stdout()).toMatch(/^listening on .*\nada: \d+ tokens, completed\ngrace: \d+ tokens, completed\n$/);
    await over(program);
  });

  it('uses the key of the environment, and aborts the call of a client that leaves', async () => {
    const server = await startFaultServer({ v1: script(head(), say(text('so far')), hang) });
    const program = run({ OPENAI_API_KEY: 'sk-test-0123456789abcdef', OPENAI_BASE_URL: server.baseURL('v1') });
    const baseURL = await addressOf(program);
    const leave = new AbortController();
    const { body } = await fetch(`${baseURL}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer demo-ada' },
      body: JSON.stringify({ messages: MESSAGES, stream: true }),
      signal: leave.signal,
    });
    const { value } = await body!.getReader().read();
    expect(new TextDecoder().decode(value)).toBe(text('so far'));
    leave.abort();
    expect(await server.closed(0)).toBe('aborted');
    expect(server.requests[0]?.headers.authorization).toBe('Bearer sk-test-0123456789abcdef');
    await program.shows('ada: unknown tokens, left');
    await over(program);
    await server.close();
  });
});

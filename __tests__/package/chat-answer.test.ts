import type { CompletionEvent } from '../../src/index.ts';
import { start } from '../examples/chat/program.ts';
import { chunk, delta, finished, USAGE } from '../support/chunks.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { sse } from '../support/sse.ts';

const KEY = 'sk-test-0123456789abcdef';

let server: FaultServer;
let environment: { OPENAI_API_KEY: string; OPENAI_BASE_URL: string };
beforeAll(async () => {
  server = await startFaultServer();
  const baseURL = server.route('answer', ({ response }) => {
    const chunks = [delta('This is'), delta(' a test!'), finished(), chunk({ usage: USAGE })];
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(sse([...chunks, '[DONE]']));
  });
  environment = { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: baseURL };
});
beforeEach(() => {
  server.clear();
});
afterAll(() => server.close());

describe('without a key', () => {
  it('answers from an embedded server: the answer on stdout, everything else on stderr', async () => {
    const program = start(['Say this is a test!']);
    await expect(program.ended).resolves.toBe(0);
    expect(program.stdout()).toBe('This is a test!\n');
    const [notice, summary, ...more] = program.stderr().split('\n');
    expect(notice).toMatch(/^OPENAI_API_KEY is not set: an embedded server at http:\/\/127\.0\.0\.1:\d+\/v1 /);
    expect(summary).toMatch(
      /^gpt-4o-mini · first token after \d+ ms · \d+\.\d tokens\/s · \d+ \+ \d+ = \d+ tokens · finish: stop$/,
    );
    expect(more).toEqual(['']);
  });

  it('streams: stdout has the answer in several pieces', async () => {
    const program = start(['Tell me something']);
    await program.ended;
    expect(program.pieces.length).toBeGreaterThan(3);
    expect(program.stdout()).toContain('“Tell me something”');
  });

  it('does not follow OPENAI_BASE_URL, and takes a blank key for none', async () => {
    const program = start(['Say hi'], { environment: { ...environment, OPENAI_API_KEY: ' ' } });
    await program.ended;
    expect(program.stdout()).toBe('Hi\n');
    expect(server.requests).toEqual([]);
  });

  it('prints events that follow the grammar with --json', async () => {
    const program = start(['--json', 'Say this is a test!']);
    await program.ended;
    const lines = program.stdout().split('\n');
    expect(lines.pop()).toBe('');
    const events = lines.map((line) => JSON.parse(line) as CompletionEvent);
    expect(events.map(({ type }) => type).join(' ')).toMatch(/^start( text-delta)+ finish usage$/);
    expect(events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')).toBe('This is a test!');
  });
});

describe('with a key', () => {
  it('talks to OPENAI_BASE_URL and says nothing of an embedded server', async () => {
    const program = start(['Say this is a test!'], { environment });
    await expect(program.ended).resolves.toBe(0);
    expect(program.stdout()).toBe('This is a test!\n');
    expect(program.stderr()).toMatch(/^gpt-test · .*3 \+ 5 = 8 tokens · finish: stop\n$/);
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(server.requests[0]?.json['messages']).toEqual([{ role: 'user', content: 'Say this is a test!' }]);
  });

  it('takes key and address from a .env file', async () => {
    const envFile = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
    const program = start(['Hi'], { envFile: envFile.join('') });
    await expect(program.ended).resolves.toBe(0);
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  it('sends model, temperature and system message', async () => {
    const flags = ['--model', 'gpt-special', '--temperature', '0.25', '--system', 'Be brief'];
    await start([...flags, 'Hi'], { environment }).ended;
    expect(server.requests[0]?.json).toMatchObject({
      model: 'gpt-special',
      temperature: 0.25,
      messages: [
        { role: 'system', content: 'Be brief' },
        { role: 'user', content: 'Hi' },
      ],
    });
  });

  it('reads the prompt from stdin, after the argument if there is one', async () => {
    await start([], { environment, input: 'What is this?\n' }).ended;
    await start(['Review'], { environment, input: 'a diff\n' }).ended;
    const prompts = server.requests.map(({ json }) => json['messages']);
    expect(prompts).toEqual([
      [{ role: 'user', content: 'What is this?' }],
      [{ role: 'user', content: 'Review\n\na diff' }],
    ]);
  });

  it('keeps stdout clean and the key secret, however much is logged', async () => {
    const program = start(['Hi'], { environment: { ...environment, OPENAI_LOG: 'debug' } });
    await program.ended;
    expect(program.stdout()).toBe('This is a test!\n');
    expect(program.stderr()).toContain('outcome=completed');
    expect(program.stderr()).not.toContain(KEY);
  });

  it.each([{ NO_COLOR: '1' }, { FORCE_COLOR: '1' }])('writes no escape sequence into pipes (%j)', async (colour) => {
    const program = start(['Hi'], { environment: { ...environment, ...colour } });
    await program.ended;
    expect(program.stdout() + program.stderr()).not.toMatch(/[\r\u001b]/);
  });
});

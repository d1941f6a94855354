import { firstValueFrom, Subject } from 'rxjs';
import { start } from '../examples/chat/program.ts';
import { delta, finished } from '../support/chunks.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import { sse } from '../support/sse.ts';

const KEY = 'sk-test-0123456789abcdef';

let server: FaultServer;
beforeEach(async () => {
  server = await startFaultServer();
});
afterEach(() => server.close());

const answering = (handler: Handler) => ({
  OPENAI_API_KEY: KEY,
  OPENAI_BASE_URL: server.route('chat', (exchange) => {
    exchange.response.writeHead(200, { 'content-type': 'text/event-stream' });
    return handler(exchange);
  }),
});

describe('the answer', () => {
  it('is on stdout as it arrives: each piece before the next one is sent', async () => {
    const pieces = ['This', ' is', ' a', ' test!'];
    const shown$ = new Subject<void>();
    const environment = answering(async ({ write, response }) => {
      for (const piece of pieces) {
        const shown = firstValueFrom(shown$);
        await write(sse([delta(piece)]));
        await shown;
      }
      response.end(sse([finished(), '[DONE]']));
    });
    const program = start(['Hi'], { environment });
    for (const [index] of pieces.entries()) {
      await program.shows(pieces.slice(0, index + 1).join(''));
      shown$.next();
    }
    await expect(program.ended).resolves.toBe(0);
    expect(program.pieces).toEqual([...pieces, '\n']);
  });

  it('is aborted by Ctrl-C, with a note and exit code 130', async () => {
    const program = start(['Hi'], { environment: answering(({ write }) => write(sse([delta('This is')]))) });
    await program.shows('This is');
    program.interrupt();
    await expect(server.closed(0)).resolves.toBe('aborted');
    await expect(program.ended).resolves.toBe(130);
    expect(program.stdout()).toBe('This is\n');
    expect(program.stderr()).toBe('Interrupted\n');
  });

  it('is aborted when nobody reads it any more: quietly, with exit code 0', async () => {
    const environment = answering(async ({ write, seen }) => {
      while (seen.ending === undefined) await write(sse([delta('the same line again and again\n')]));
    });
    const shell = '("$0" "$@"; echo "exit code $?" >&2) | head -n 1';
    const program = start(['Hi'], { environment, shell });
    await expect(server.closed(0)).resolves.toBe('aborted');
    await expect(program.ended).resolves.toBe(0);
    expect(program.stdout()).toBe('the same line again and again\n');
    expect(program.stderr()).toBe('exit code 0\n');
  });
});

describe('an error', () => {
  const oneLine = /^Error: [^\n]{10,300}\n$/;

  it.each([
    [401, { error: { message: `Incorrect API key provided: ${KEY}`, code: 'invalid_api_key' } }, '401 Incorrect'],
    [404, { error: { message: 'The model `gpt-9` does not exist\nor you may not use it' } }, 'does not exist'],
    [502, '<html><h1>Bad gateway</h1>\n<pre>\u001b[31mred\u001b[0m</pre></html>', 'Bad gateway'],
  ])('of the server (%d) is one line on stderr, and exit code 1', async (status, body, said) => {
    const baseURL = server.route('failing', ({ response }) => {
      response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
    const program = start(['Hi'], { environment: { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: baseURL } });
    await expect(program.ended).resolves.toBe(1);
    expect(program.stdout()).toBe('');
    expect(program.stderr()).toMatch(oneLine);
    expect(program.stderr()).toContain(said);
    expect(program.stderr()).not.toContain(KEY);
  });

  it('in the middle of the answer comes after what was shown, and is no success', async () => {
    const environment = answering(({ response }) => {
      response.end(sse([delta('This is')]));
    });
    const program = start(['Hi'], { environment });
    await expect(program.ended).resolves.toBe(1);
    expect(program.stdout()).toBe('This is\n');
    expect(program.stderr()).toMatch(oneLine);
  });

  it('of the network is one line', async () => {
    const baseURL = server.route('gone', ({ socket, cutting }) => {
      cutting();
      socket.destroy();
    });
    const program = start(['Hi'], { environment: { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: baseURL } });
    await expect(program.ended).resolves.toBe(1);
    expect(program.stderr()).toMatch(oneLine);
  });

  it.each([
    [['--modle', 'x', 'Hi'], '--modle'],
    [['--temperature', 'warm', 'Hi'], '--temperature'],
    [[], 'prompt is empty'],
  ])('of the command line %j is one line, and nothing is started', async (args, said) => {
    const program = start(args);
    await expect(program.ended).resolves.toBe(1);
    expect(program.stdout()).toBe('');
    expect(program.stderr()).toMatch(oneLine);
    expect(program.stderr()).toContain(said);
  });

  it('of the settings is one line', async () => {
    const program = start(['Hi'], { environment: { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: 'nonsense' } });
    await expect(program.ended).resolves.toBe(1);
    expect(program.stderr()).toMatch(oneLine);
    expect(program.stderr()).toContain('baseURL');
  });
});

describe('--help', () => {
  it('goes to stdout and needs neither key, prompt nor stdin', async () => {
    const program = start(['--help'], { input: null });
    await expect(program.ended).resolves.toBe(0);
    expect(program.stdout()).toContain('npm start --silent -- "Say hi" | cat');
    expect(program.stderr()).toBe('');
  });
});

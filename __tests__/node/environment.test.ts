import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { nodeEnvironment } from '../../src/node/environment.ts';
import { thrownBy } from '../support/client.ts';

const run = promisify(execFile);

let directory: string;
let file: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'rxjs-openai-'));
  file = join(directory, '.env');
  writeFileSync(file, 'OPENAI_API_KEY="from-file"\nexport OPENAI_MODEL=file # a comment\nOPENAI_ORG_ID=\n');
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('nodeEnvironment', () => {
  it('reads the file, the process wins over it, and blank values of the process do not', () => {
    const environment = nodeEnvironment(file, { OPENAI_API_KEY: 'process', OPENAI_MODEL: ' ', HOME: '/home/me' });
    expect(environment).toMatchObject({ OPENAI_API_KEY: 'process', OPENAI_MODEL: 'file', HOME: '/home/me' });
  });

  it('reads no file with false', () => {
    expect(nodeEnvironment(false, { A: 'b' })).toEqual({ A: 'b' });
  });

  it('changes neither the process environment nor what it was given', () => {
    const before = { ...process.env };
    const given = Object.freeze({ OPENAI_MODEL: 'given' });
    expect(nodeEnvironment(file, given)['OPENAI_API_KEY']).toBe('from-file');
    expect(process.env).toEqual(before);
  });

  it.each([
    ['is not there', () => join(directory, 'nowhere'), /ENOENT/],
    ['is a directory', () => directory, /EISDIR/],
  ])('a file that was asked for and %s is an error', (_, path, message) => {
    const error = thrownBy(() => nodeEnvironment(path(), {}));
    expect(error).toMatchObject({ kind: 'configuration', param: 'envFile' });
    expect(error.message).toMatch(message);
  });
});

/** A program of its own, in a directory of its own, with nothing in its environment but what is given. */
async function program(cwd: string, body: string, env: Record<string, string> = {}) {
  const entry = JSON.stringify(pathToFileURL(join(__dirname, '../../src/index.node.ts')).href);
  const source = `import { OpenAIChatCompletion } from ${entry};\n${body}`;
  return run(process.execPath, ['--input-type=module', '--eval', source], { cwd, env });
}

const SENT = `
  let sent;
  const fetch = async (url, init) => {
    sent = { url, key: new Headers(init.headers).get('authorization'), model: JSON.parse(init.body).model };
    return Response.json({ choices: [{ index: 0, message: { content: 'yes' }, finish_reason: 'stop' }] });
  };
  const before = JSON.stringify(process.env);
  const { lastValueFrom } = await import('rxjs');
`;

describe('the client as Node gets it', () => {
  it('finds .env in the working directory, keeps silent and leaves process.env alone', async () => {
    // rxjs is found from here, not from the working directory of the program.
    const rxjs = JSON.stringify(pathToFileURL(require.resolve('rxjs')).href);
    const body = `${SENT.replace("'rxjs'", rxjs)}
      await lastValueFrom(new OpenAIChatCompletion({ fetch }).generate$('hi'));
      console.log(JSON.stringify({ ...sent, same: JSON.stringify(process.env) === before }));`;
    const { stdout, stderr } = await program(directory, body, { OPENAI_MODEL: 'from-process' });
    expect(JSON.parse(stdout)).toEqual({
      url: 'https://api.openai.com/v1/chat/completions',
      key: 'Bearer from-file',
      model: 'from-process',
      same: true,
    });
    expect(stderr).toBe('');
  });

  it('needs no .env', async () => {
    const empty = mkdtempSync(join(directory, 'empty-'));
    const body = `try { new OpenAIChatCompletion() } catch (error) { console.log(error.kind, error.param) }`;
    expect(await program(empty, body)).toEqual({ stdout: 'configuration apiKey\n', stderr: '' });
    expect((await program(empty, `new OpenAIChatCompletion()`, { OPENAI_API_KEY: 'k' })).stderr).toBe('');
  });

  it('reads nothing at import: variables that are set after it count', async () => {
    const empty = mkdtempSync(join(directory, 'empty-'));
    const body = `process.env.OPENAI_API_KEY = 'k'; process.env.OPENAI_MODEL = 'late';
      console.log(new OpenAIChatCompletion().model);`;
    expect((await program(empty, body)).stdout).toBe('late\n');
  });
});

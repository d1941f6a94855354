import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { promisify } from 'node:util';

const source = (path: string): string => pathToFileURL(join(__dirname, '../../src', path)).href;

/** Runs a program that can tell which modules it has loaded. */
async function program(body: string): Promise<unknown> {
  const prelude = `
    import { registerHooks } from 'node:module';
    const urls = new Set();
    registerHooks({ resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      urls.add(found.url);
      return found;
    } });
    // The error class alone is a module of its own.
    const hasSdk = () => [...urls].some((url) => /node_modules\\/openai\\/(?:index|client)\\./.test(url));
    const { OpenAIChatCompletion } = await import(${JSON.stringify(source('index.node.ts'))});
    const { lastValueFrom } = await import(${JSON.stringify(pathToFileURL(require.resolve('rxjs')).href)});
    const fetch = async () => Response.json({ choices: [{ index: 0, message: { content: 'yes' }, finish_reason: 'stop' }] });
    const options = { apiKey: 'sk-key', envFile: false, fetch };
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', prelude + body], {
    env: {},
  });
  return JSON.parse(stdout);
}

describe('the SDK', () => {
  it('is loaded by the first request, not by the import nor by the constructor', async () => {
    const report = await program(`
      const imported = hasSdk();
      const chat = new OpenAIChatCompletion(options);
      const answer$ = chat.generate$('hi');
      const constructed = hasSdk();
      await lastValueFrom(answer$);
      console.log(JSON.stringify({ imported, constructed, asked: hasSdk() }));
    `);
    expect(report).toEqual({ imported: false, constructed: false, asked: true });
  });

  it('is never loaded for a transport of its own', async () => {
    const report = await program(`
      const { fetchTransport } = await import(${JSON.stringify(source('index.node.ts'))});
      const transport = fetchTransport({ baseURL: 'http://host.test', fetch });
      const answer = await lastValueFrom(new OpenAIChatCompletion({ envFile: false, transport }).generate$('hi'));
      console.log(JSON.stringify({ answer, loaded: hasSdk() }));
    `);
    expect(report).toEqual({ answer: 'yes', loaded: false });
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ANSWER, consumer, FORMATS, runScript, startServer, type Server } from './consumer.ts';

/** Puts the addresses of all modules that are loaded from here on into `urls`. */
const RECORD = `
  const urls = [];
  (await load('node:module')).registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      urls.push(resolved.url);
      return resolved;
    },
  });
  const openai = () => [...new Set(urls.filter((url) => url.includes('/node_modules/openai/')))].sort();
`;

let server: Server;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.close());

describe.each(FORMATS)('$format', (format) => {
  const json = async (body: string, options?: Parameters<typeof runScript>[2]): Promise<unknown> =>
    JSON.parse((await runScript(format, body, options)).stdout) as unknown;

  it('answers through every entry point', async () => {
    const answers = await json(
      `const { OpenAIChatCompletion } = await load('rxjs-openai');
       const promises = await load('rxjs-openai/promises');
       const { sdkTransport } = await load('rxjs-openai/node');
       const { OpenAI } = await load('openai');
       const { lastValueFrom } = await load('rxjs');
       const texts = [await lastValueFrom(new OpenAIChatCompletion().generate$('Hi'))];
       for await (const text of new promises.OpenAIChatCompletion().streamCompletion('Hi')) texts.push(text);
       const over = new OpenAIChatCompletion({ transport: sdkTransport(new OpenAI()) });
       texts.push(await lastValueFrom(over.stream$('Hi')));
       const { collect } = await load('rxjs-openai/operators');
       const whole = await lastValueFrom(over.events$('Hi').pipe(collect()));
       texts.push(whole.choices[0].message.content);
       const { createRelay } = await load('rxjs-openai/relay');
       const response = await createRelay({ models: ['gpt-4o-mini'] })(new Request('http://localhost/', {
         method: 'POST',
         headers: { 'content-type': 'application/json' },
         body: JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }] }),
       }));
       texts.push((await response.json()).choices[0].message.content);
       console.log(JSON.stringify(texts));`,
      { environment: server.environment },
    );
    expect(answers).toEqual([ANSWER, ANSWER, ANSWER, ANSWER, ANSWER]);
  });

  it('runs in virtual time over a fake', async () => {
    const frames = await json(
      `const { OpenAIChatCompletion } = await load('rxjs-openai');
       const { answer, fakeCompletion, fakeTransport } = await load('rxjs-openai/testing');
       const { TestScheduler } = await load('rxjs/testing');
       const transport = fakeTransport([answer({ afterMs: 2, text: 'a' }, { afterMs: 1 })]);
       const chat = new OpenAIChatCompletion({ transport });
       const seen = [];
       new TestScheduler((actual, expected) => {
         seen.push(actual.map(({ frame }) => frame), JSON.stringify(actual) === JSON.stringify(expected));
       }).run(({ expectObservable }) => {
         expectObservable(chat.stream$('Hi')).toBe('--a|');
         expectObservable(fakeCompletion('-a|').stream$('Hi')).toBe('-a|');
       });
       console.log(JSON.stringify(seen));`,
    );
    expect(frames).toEqual([[2, 3], true, [1, 2], true]);
  });

  it('loads the SDK on the first request, and only its error class before', async () => {
    const { atImport, atRequest } = (await json(
      `${RECORD}
       const { PromiseChatCompletion } = await load('rxjs-openai/promises');
       await load('rxjs-openai');
       await load('rxjs-openai/operators');
       await load('rxjs-openai/relay');
       await load('rxjs-openai/node');
       const chat = new PromiseChatCompletion();
       const atImport = openai();
       await chat.generateCompletion('Hi');
       console.log(JSON.stringify({ atImport, atRequest: openai() }));`,
      { environment: server.environment },
    )) as { atImport: readonly string[]; atRequest: readonly string[] };
    const ofErrorClass = await json(
      `${RECORD}
       await load('openai/core/error');
       console.log(JSON.stringify(openai()));`,
    );
    expect(atImport).toEqual(ofErrorClass);
    expect(atImport.filter((url) => /\/client\.m?js$/.test(url))).toEqual([]);
    expect(atRequest.filter((url) => /\/client\.m?js$/.test(url))).toHaveLength(1);
  });

  it('has no effect when it is imported: prints nothing, changes no variable, reads no .env', async () => {
    writeFileSync(join(consumer, '.env'), 'OPENAI_API_KEY=sk-early-0123456789\nOPENAI_MODEL=early\n');
    const { stdout, stderr } = await runScript(
      format,
      `const { writeFileSync } = await load('node:fs');
       const seen = () => JSON.stringify([process.env, Object.keys(globalThis), process.eventNames()]);
       const before = seen();
       const { OpenAIChatCompletion } = await load('rxjs-openai');
       await load('rxjs-openai/operators');
       await load('rxjs-openai/promises');
       await load('rxjs-openai/relay');
       await load('rxjs-openai/node');
       await load('rxjs-openai/testing');
       writeFileSync('.env', 'OPENAI_API_KEY=sk-late-0123456789\\nOPENAI_MODEL=late\\n');
       const { model } = new OpenAIChatCompletion();
       console.log(JSON.stringify({ model, unchanged: before === seen() }));`,
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ model: 'late', unchanged: true });
  });

  it('needs no permission but to read the packages', async () => {
    const readable = [join(consumer, 'node_modules'), join(__dirname, '../../node_modules')];
    const { stdout } = await runScript(
      format,
      `await load('rxjs-openai');
       await load('rxjs-openai/operators');
       await load('rxjs-openai/promises');
       await load('rxjs-openai/relay');
       await load('rxjs-openai/node');
       await load('rxjs-openai/testing');
       console.log('loaded');`,
      { flags: ['--permission', ...readable.map((path) => `--allow-fs-read=${path}/`)] },
    );
    expect(stdout).toBe('loaded\n');
  });

  it('recognises the errors of the other copy', async () => {
    const recognised = await json(
      `const { createRequire } = await load('node:module');
       const cjs = createRequire(process.cwd() + '/')('rxjs-openai');
       const esm = await import('rxjs-openai');
       const error = new cjs.CompletionError('no', { kind: 'server' });
       console.log(JSON.stringify({
         same: esm.CompletionError === cjs.CompletionError,
         byBrand: [esm.isCompletionError(error), cjs.isCompletionError(new esm.CompletionError('no', { kind: 'server' }))],
       }));`,
    );
    expect(recognised).toEqual({ same: false, byBrand: [true, true] });
  });
});

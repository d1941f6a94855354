import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { compile, settings, surfaceOf, type Compiled } from '../support/compile.ts';
import { consumer } from './consumer.ts';

/** A program of a user's: every entry point, and what its types promise. */
const USE = `
import { OpenAIChatCompletion, isCompletionError, toAsyncIterable } from 'rxjs-openai';
import { OpenAIChatCompletion as Promises } from 'rxjs-openai/promises';
import { sdkTransport } from 'rxjs-openai/node';
import { accumulate, retryCompletion, text, type CompletionSnapshot } from 'rxjs-openai/operators';
import { answer as scripted, fakeCompletion, fakeTransport, type FakeRequest } from 'rxjs-openai/testing';
import { createRelay, type Relay } from 'rxjs-openai/relay';
import { interval, type Observable } from 'rxjs';

const transport = fakeTransport([scripted('Hello', { afterMs: 5, end: 'reset' })]);
const asked: readonly FakeRequest[] = transport.requests;
const fake: OpenAIChatCompletion = asked.length > 0 ? fakeCompletion('a|') : new OpenAIChatCompletion({ transport });
new Promises(fake);

const chat = new OpenAIChatCompletion({ transport: sdkTransport({ apiKey: 'key' }) });
const text$: Observable<string> = chat.stream$('Hi', { temperature: 0.2 }, { choice: 0 });
const view$: Observable<CompletionSnapshot> = chat.events$('Hi').pipe(retryCompletion({ mode: 'restart' }), accumulate());
const joined$: Observable<string> = chat.events$('Hi', {}, { retry: false }).pipe(retryCompletion(), text());
const answer: Promise<string> = new Promises(chat).generateCompletion([{ role: 'user', content: 'Hi' }]);
const relay: Relay = createRelay({
  completion: chat,
  models: ['gpt-4o-mini'],
  authorize: () => ({ id: 1 }),
  onUsage: (usage, { user }) => [usage?.total_tokens, user.id.toFixed()],
});
void relay;
view$.subscribe(({ text }) => joined$.subscribe((piece) => text + piece));
text$.subscribe({ error: (error: unknown) => isCompletionError(error) && error.kind.length });

export async function main(): Promise<string[]> {
  const texts: string[] = [await answer];
  for await (const text of new Promises().streamCompletion('Hi')) texts.push(text);
  for await (const value of toAsyncIterable(interval(1))) texts.push(value.toFixed());
  return texts;
}
`;

/** The same of a page's. */
const USE_OF_ANGULAR = `
import type { Resource, Signal } from '@angular/core';
import { provideHttpClient, withInterceptors } from '@angular/common/http';
import { CHAT_COMPLETION, chatResource, injectChat, injectChatCompletion, provideChatCompletion, type ChatMessage } from 'rxjs-openai/angular';
import { chatCompletionInterceptor, withHttpClientTransport } from 'rxjs-openai/angular/http';
import { provideFakeChatCompletion } from 'rxjs-openai/angular/testing';
import type { CompletionSnapshot } from 'rxjs-openai/operators';
import { fakeCompletion } from 'rxjs-openai/testing';
import type { Observable } from 'rxjs';

export class Page {
  readonly answer = chatResource({ messages: () => 'Hi', params: () => ({ temperature: 0 }) });
  readonly resource: Resource<CompletionSnapshot | undefined> = this.answer;
  readonly messages: Signal<readonly ChatMessage[]> = injectChat({ approve: 'ask' }).messages;
  readonly text$: Observable<string> = injectChatCompletion().stream$('Hi');
}
export const providers = [
  provideHttpClient(withInterceptors([chatCompletionInterceptor])),
  provideChatCompletion(() => ({ url: '/api' }), withHttpClientTransport({ terminal: false })),
  provideFakeChatCompletion(fakeCompletion('a|')),
  { provide: CHAT_COMPLETION, useValue: fakeCompletion('a|') },
];
`;

const MISTAKE = `
import { OpenAIChatCompletion } from 'rxjs-openai';
new OpenAIChatCompletion({ apikey: 'key' });
`;

const DISPOSING = `
import { OpenAIChatCompletion } from 'rxjs-openai/promises';
await using texts = new OpenAIChatCompletion().streamCompletion('Hi');
for await (const text of texts) process.stdout.write(text);
`;

/** Shows what the bare program does not know. */
const UNKNOWN = `export type Dispose = typeof Symbol.asyncDispose; export const pid = process.pid;`;

const ENTRIES = {
  'index.mts': `export * from 'rxjs-openai';`,
  'operators.mts': `export * from 'rxjs-openai/operators';`,
  'promises.mts': `export * from 'rxjs-openai/promises';`,
  'testing.mts': `export * from 'rxjs-openai/testing';`,
  'relay.mts': `export * from 'rxjs-openai/relay';`,
};

/** Libraries are checked; neither Node's types nor disposables are known, nor found where the links lead to. */
const BARE = { types: [], lib: ['ES2022', 'DOM'], skipLibCheck: false, preserveSymlinks: true };

function compileAs(options: object, files: Readonly<Record<string, string>>): Compiled {
  return compile(consumer, files, settings({ ...BARE, ...options }));
}

/** The declarations of the package that the program found: which format, which side. */
function declarationsIn({ program }: Compiled): readonly string[] {
  const installed = realpathSync(join(consumer, 'node_modules/rxjs-openai'));
  const paths = program.getSourceFiles().map(({ fileName }) => fileName);
  return paths.filter((path) => path.startsWith(installed)).map((path) => path.slice(installed.length + 1));
}

let nodenext: Compiled;
let bundler: Compiled;

beforeAll(() => {
  nodenext = compileAs(
    { module: 'nodenext', moduleResolution: 'nodenext' },
    { 'main.mts': USE, 'main.cts': USE, 'mistake.mts': MISTAKE, 'unknown.mts': UNKNOWN, ...ENTRIES },
  );
  bundler = compileAs(
    { module: 'esnext', moduleResolution: 'bundler' },
    { 'main.mts': USE, 'mistake.mts': MISTAKE, 'unknown.mts': UNKNOWN, ...ENTRIES },
  );
});

describe('a consumer that checks its libraries, without the types of Node and without disposables', () => {
  it('compiles under nodenext, as an ES module and as CommonJS, and gets the types of each', () => {
    expect(nodenext.errors).toMatchObject({ 'main.mts': [], 'main.cts': [], elsewhere: [] });
    const declarations = declarationsIn(nodenext);
    expect(declarations).toContain('dist/esm/index.node.d.ts');
    expect(declarations).toContain('dist/cjs/index.node.d.ts');
    expect(declarations).not.toContain('dist/esm/index.d.ts');
  });

  it('compiles under bundler', () => {
    expect(bundler.errors).toMatchObject({ 'main.mts': [], elsewhere: [] });
    expect(declarationsIn(bundler)).toContain('dist/esm/index.d.ts');
    expect(declarationsIn(bundler)).not.toContain('dist/esm/index.node.d.ts');
  });

  it('is that bare', () => {
    const missing = [expect.stringMatching(/^TS2550: .*'asyncDispose'/), expect.stringMatching(/^TS2591: .*'process'/)];
    expect(nodenext.errors['unknown.mts']).toEqual(missing);
    expect(bundler.errors['unknown.mts']).toEqual(missing);
  });

  it('is told of a mistake', () => {
    const told = [expect.stringMatching(/^TS2561: .*'apikey'/)];
    expect(nodenext.errors['mistake.mts']).toEqual(told);
    expect(bundler.errors['mistake.mts']).toEqual(told);
  });
});

it.each([
  { module: 'esnext', moduleResolution: 'bundler' },
  { module: 'nodenext', moduleResolution: 'nodenext' },
])('a consumer with Angular that checks its libraries compiles under $moduleResolution', (resolution) => {
  const compiled = compileAs({ ...resolution, preserveSymlinks: false }, { 'page.mts': USE_OF_ANGULAR });
  expect(compiled.errors).toEqual({ 'page.mts': [], elsewhere: [] });
});

it('a consumer with disposables may dispose of a stream', () => {
  const typeRoots = [join(__dirname, '../../node_modules/@types')];
  const { errors } = compileAs(
    { module: 'nodenext', lib: ['ES2022', 'ESNext.Disposable'], types: ['node'], typeRoots, preserveSymlinks: false },
    { 'main.mts': DISPOSING },
  );
  expect(errors).toEqual({ 'main.mts': [], elsewhere: [] });
});

it('a consumer for Node alone, without the types of a page, compiles', () => {
  const typeRoots = [join(__dirname, '../../node_modules/@types')];
  const { errors } = compileAs(
    { module: 'nodenext', lib: ['ES2022'], types: ['node'], typeRoots, preserveSymlinks: false },
    { 'main.mts': `import { fetchTransport } from 'rxjs-openai'; fetchTransport({ baseURL: 'http://127.0.0.1' });` },
  );
  expect(errors).toEqual({ 'main.mts': [], elsewhere: [] });
});

describe('the Node side and the universal side', () => {
  it.each(Object.keys(ENTRIES))('of %s have the same names and types', (name) => {
    const surface = surfaceOf(nodenext, join(consumer, name));
    expect(Object.keys(surface).length).toBeGreaterThan(3);
    expect(Object.entries(surface).filter(([, shape]) => shape.length === 0)).toEqual([]);
    expect(surface).toEqual(surfaceOf(bundler, join(consumer, name)));
  });
});

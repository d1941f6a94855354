/** The ways to ask for the same answer. All must show the same. */
import { filter, map, tap, type Observable } from 'rxjs';
import type { ChatCompletionOptions, ChatCompletionParams } from '../../src/index.ts';
import { PromiseChatCompletion } from '../../src/promises.ts';
import { CLIENTS, outcomeOf, outcomeOfIterable, type Outcome } from './client.ts';

export const PROMPT = 'Say this is a test!';

export interface Question {
  readonly url: string;
  readonly params: ChatCompletionParams | undefined;
  readonly options: ChatCompletionOptions;
  /** Told whenever something has been shown. */
  readonly onShown: () => void;
}

export interface Way {
  readonly name: string;
  readonly ask: (question: Question) => Promise<Outcome<string>>;
}

/** The text of a stream, as an Observable and as an iterable. */
export const TEXT: readonly Way[] = CLIENTS.flatMap(({ name, client }) => [
  {
    name: `${name}: stream$`,
    ask: ({ url, params, options, onShown }) =>
      outcomeOf(client(url, options).stream$(PROMPT, params).pipe(tap(onShown))),
  },
  {
    name: `${name}: streamCompletion`,
    ask: ({ url, params, options, onShown }) => {
      const chat = new PromiseChatCompletion(client(url, options));
      return outcomeOfIterable(told(chat.streamCompletion(PROMPT, params), onShown));
    },
  },
]);

/** What shows more than the text of a stream. */
export const DATA: readonly Way[] = CLIENTS.flatMap(({ name, client }) => [
  {
    name: `${name}: events$`,
    ask: ({ url, params, options, onShown }) =>
      outcomeOf(
        pieces(client(url, options).events$(PROMPT, params).pipe(tap(onShown)), (event) =>
          event.type === 'text-delta' && event.choice === 0 ? event.text : '',
        ),
      ),
  },
  {
    name: `${name}: chunks$`,
    ask: ({ url, params, options, onShown }) =>
      outcomeOf(pieces(client(url, options).chunks$(PROMPT, params).pipe(tap(onShown)), rawText)),
  },
]);

export const STREAMING: readonly Way[] = [...TEXT, ...DATA];

/** The text of an answer in one piece. */
export const WHOLE: readonly Way[] = CLIENTS.flatMap(({ name, client }) => [
  {
    name: `${name}: generate$`,
    ask: ({ url, params, options }) => outcomeOf(client(url, options).generate$(PROMPT, params)),
  },
  {
    name: `${name}: generateCompletion`,
    ask: ({ url, params, options }) =>
      promised(new PromiseChatCompletion(client(url, options)).generateCompletion(PROMPT, params)),
  },
]);

/** The answer in one piece as the wire had it. */
export const DOCUMENT: readonly Way[] = CLIENTS.map(({ name, client }) => ({
  name: `${name}: completion$`,
  ask: ({ url, params, options }) =>
    outcomeOf(
      client(url, options)
        .completion$(PROMPT, params)
        .pipe(map(({ choices }) => choices[0]?.message.content ?? '')),
    ),
}));

export const IN_ONE_PIECE: readonly Way[] = [...WHOLE, ...DOCUMENT];
export const ALL: readonly Way[] = [...STREAMING, ...IN_ONE_PIECE];

function pieces<T>(source$: Observable<T>, textOf: (value: T) => string): Observable<string> {
  return source$.pipe(
    map(textOf),
    filter((text) => text !== ''),
  );
}

async function* told<T>(source: AsyncIterable<T>, onShown: () => void): AsyncGenerator<T> {
  for await (const value of source) {
    onShown();
    yield value;
  }
}

function promised(answer: Promise<string>): Promise<Outcome<string>> {
  return answer.then(
    (text) => ({ values: [text], completed: true }),
    (error: unknown) => ({ values: [], completed: false, error }),
  );
}

interface RawChoice {
  readonly index?: number;
  readonly delta?: Content | null;
  readonly message?: Content;
}

interface Content {
  readonly content?: unknown;
}

/** The text of a chunk that may lack whatever OpenAI promises. */
function rawText(chunk: unknown): string {
  const choices = (chunk as { choices?: readonly RawChoice[] | null }).choices ?? [];
  return choices
    .filter(({ index = 0 }) => index === 0)
    .map(({ delta, message }) => contentText((delta ?? message)?.content))
    .join('');
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return Array.isArray(content) ? (content as { text: string }[]).map(({ text }) => text).join('') : '';
}

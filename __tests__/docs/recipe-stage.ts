/** Where recipes run: the functions of docs/recipes.md, and a server that answers each prompt in its own way. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as rxjs from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import * as index from '../../src/index.node.ts';
import * as operators from '../../src/operators/index.ts';
import type { CompletionSnapshot } from '../../src/operators/index.ts';
import type { ChatCompletionOptions, OpenAIChatCompletion } from '../../src/index.ts';
import { turn, type ClientCase } from '../support/client.ts';
import { codeBlocks, exportsOf } from '../support/code-blocks.ts';
import type { FaultServer, Handler, SeenRequest } from '../support/fault-server.ts';

export const BLOCKS = codeBlocks(readFileSync(join(__dirname, '../../docs/recipes.md'), 'utf8'));

const MODULES = { rxjs, 'rxjs-openai': index, 'rxjs-openai/operators': operators };

export type Chat = OpenAIChatCompletion;

/** What the document exports, as a user calls it. */
export interface Recipes {
  readonly typeAhead: (chat: Chat, prompts$: Observable<string>) => Observable<string>;
  readonly inTurn: (chat: Chat, prompts$: Observable<string>) => Observable<string>;
  readonly fanOut: (
    chat: Chat,
    prompts$: Observable<string>,
    concurrency: number,
  ) => Observable<{ readonly prompt: string; readonly answer: string }>;
  readonly stoppable: (chat: Chat, prompt: string, stop$: Observable<unknown>) => Observable<CompletionSnapshot>;
  readonly faster: (one: Chat, other: Chat, prompt: string) => Observable<string>;
  readonly inBatches: (chat: Chat, prompt: string, scheduler: SchedulerLike) => Observable<string>;
  readonly firstParagraph: (chat: Chat, prompt: string) => Observable<string>;
  readonly choices: (
    chat: Chat,
    prompt: string,
    n: number,
  ) => Observable<{ readonly choice: number; readonly text: string }>;
  readonly patient: (chat: Chat, prompt: string, scheduler: SchedulerLike) => Observable<string>;
  readonly orElse: (chat: Chat, prompt: string, canned: string) => Observable<string>;
}

/** The function of that name out of the document. */
export function recipe<N extends keyof Recipes>(name: N): Recipes[N] {
  const found = exportsOf(BLOCKS.find((block) => block.name === name)?.code ?? '', MODULES)[name];
  if (typeof found !== 'function') throw new Error(`docs/recipes.md has no function ${name}`);
  return found as Recipes[N];
}

/** What a recipe promises in words, and how that is seen. */
export type Promises = Readonly<Record<string, (stage: Stage) => Promise<void>>>;

export interface Stage {
  readonly client: ClientCase['client'];
  readonly server: FaultServer;
  /** A client whose prompts are answered each by the handler of its name. */
  readonly chat: (answers: Readonly<Record<string, Handler>>, options?: ChatCompletionOptions) => Chat;
  /** The signals of the requests, in their order. */
  readonly signals: readonly AbortSignal[];
}

export function stageOf(server: FaultServer, { client }: ClientCase): Stage {
  const signals: AbortSignal[] = [];
  let count = 0;
  return {
    client,
    server,
    signals,
    chat: (answers, options) => {
      const baseURL = server.route(`client ${++count}`, (exchange) => {
        const answer = answers[promptOf(exchange.seen)];
        if (answer === undefined) throw new Error(`nobody expected the prompt ${promptOf(exchange.seen)}`);
        return answer(exchange);
      });
      return client(baseURL, {
        ...options,
        fetch: (input, init) => {
          if (init?.signal) signals.push(init.signal);
          return globalThis.fetch(input, init);
        },
      });
    },
  };
}

export function promptOf({ json }: SeenRequest): string {
  return (json['messages'] as readonly { readonly content: string }[])[0]?.content ?? '';
}

/** Lets everything happen that is going to without anybody's help. */
export async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await turn();
}

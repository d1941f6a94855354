import { once } from 'node:events';
import { defer, finalize, tap, type Observable } from 'rxjs';
import type { ChatMessages, CompletionEvent, OpenAIChatCompletion } from 'rxjs-openai';

type Message = Exclude<ChatMessages, string>[number];

/** A conversation with its memory: each prompt is sent with everything said before. */
export class Conversation {
  readonly #chat: Pick<OpenAIChatCompletion, 'events$'>;
  readonly #reader: NodeJS.WritableStream & { readonly writableNeedDrain?: boolean };
  #messages: readonly Message[];

  /** @param reader - where the answer is written to: a slow one slows the server down */
  constructor(chat: Pick<OpenAIChatCompletion, 'events$'>, reader: NodeJS.WritableStream, system?: string) {
    this.#chat = chat;
    this.#reader = reader;
    this.#messages = system === undefined ? [] : [{ role: 'system', content: system }];
  }

  /** The answer to a prompt. What came of it is remembered, however it ended; a turn without a word is forgotten. */
  ask$(prompt: string): Observable<CompletionEvent> {
    return defer(() => {
      const messages: readonly Message[] = [...this.#messages, { role: 'user', content: prompt }];
      const gate = (): Promise<void> => this.#drained();
      let answer = '';
      return this.#chat.events$(messages, {}, { gate }).pipe(
        tap((event) => {
          if (event.type === 'text-delta') answer += event.text;
        }),
        finalize(() => {
          if (answer !== '') this.#messages = [...messages, { role: 'assistant', content: answer }];
        }),
      );
    });
  }

  async #drained(): Promise<void> {
    if (this.#reader.writableNeedDrain === true) await once(this.#reader, 'drain');
  }
}

import { Console } from 'node:console';
import type { Observable } from 'rxjs';
import type { ChatCompletionOptions, OpenAIChatCompletion } from 'rxjs-openai';
import { client$ as sharedClient$ } from '../shared/client.ts';
import { prepare } from './embedded-server.ts';
import { note, type Terminal } from './terminal.ts';

/** Emits the client to talk to, with its log lines and the note about the embedded server beside the answer. */
export function client$(settings: ChatCompletionOptions, terminal: Terminal): Observable<OpenAIChatCompletion> {
  // By default log lines go to the console, whose lower levels are on stdout.
  const options = { ...settings, logger: new Console(terminal.stderr, terminal.stderr) };
  const onStart = (baseURL: string): void => {
    note(terminal, `OPENAI_API_KEY is not set: an embedded server at ${baseURL} gives canned answers`);
  };
  return sharedClient$(options, { prepare, onStart });
}

/** What each method of the client sends, what body it expects, and what it makes of it. */
import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions';
import { identity, reduce, type Observable } from 'rxjs';
import { configurationError } from './errors.ts';
import type { CompletionEvent } from './events/event.ts';
import { shownText } from './operators/text.ts';
import {
  COMPLETION_OPTION_NAMES,
  GENERATE_OPTION_NAMES,
  STREAM_OPTION_NAMES,
  STREAM_TEXT_OPTION_NAMES,
  type ChoiceOptions,
  type EventsCallOptions,
} from './request.ts';
import {
  chunkDecoder,
  completionDecoder,
  completionEventDecoder,
  eventDecoder,
  type BodyDecoderFactory,
} from './wire/body-decoder.ts';

/** How a method makes its values: the request it sends, the body it expects, what it does with the choice. */
export interface Method<T, R> {
  readonly name: string;
  readonly optionNames: readonly string[];
  readonly stream: boolean;
  /** What it emits can be withdrawn, by a restart. */
  readonly restarts?: boolean;
  /** What it emits does not say itself whether it is output; the decoder knows. */
  readonly opaque?: boolean;
  readonly decoderFor: BodyDecoderFactory<T>;
  readonly project: (source: Observable<T>, options: ProjectOptions) => Observable<R>;
}

/** What of the options of a call the way of its values depends on. */
export type ProjectOptions = ChoiceOptions & Pick<EventsCallOptions, 'signal'>;

const asText = (source: Observable<CompletionEvent>, { choice, onLength }: ChoiceOptions): Observable<string> =>
  source.pipe(shownText(choice ?? 0, onLength ?? 'complete'));

export const STREAM_TEXT: Method<CompletionEvent, string> = {
  name: 'stream$',
  optionNames: STREAM_TEXT_OPTION_NAMES,
  stream: true,
  decoderFor: eventDecoder,
  project: asText,
};

export const GENERATE_TEXT: Method<CompletionEvent, string> = {
  name: 'generate$',
  optionNames: GENERATE_OPTION_NAMES,
  stream: false,
  decoderFor: completionEventDecoder,
  project: (source, options) => asText(source, options).pipe(reduce((whole, piece) => whole + piece, '')),
};

export const COMPLETION: Method<ChatCompletion, ChatCompletion> = {
  name: 'completion$',
  optionNames: COMPLETION_OPTION_NAMES,
  stream: false,
  decoderFor: completionDecoder,
  project: identity,
};

export const EVENTS: Method<CompletionEvent, CompletionEvent> = {
  name: 'events$',
  optionNames: STREAM_OPTION_NAMES,
  stream: true,
  restarts: true,
  decoderFor: eventDecoder,
  project: identity,
};

export const CHUNKS: Method<ChatCompletionChunk, ChatCompletionChunk> = {
  name: 'chunks$',
  optionNames: STREAM_OPTION_NAMES,
  stream: true,
  opaque: true,
  decoderFor: chunkDecoder,
  project: identity,
};

/** What was emitted once cannot be taken back, but by an event. */
export function checkMode(
  { retry }: EventsCallOptions,
  { restarts = false, name }: Pick<Method<unknown, unknown>, 'restarts' | 'name'>,
): void {
  if (restarts || typeof retry !== 'object' || retry.mode !== 'restart') return;
  throw configurationError(
    `retry.mode 'restart' has no effect in ${name}, which cannot take back what it has emitted; use events$`,
    'retry.mode',
  );
}

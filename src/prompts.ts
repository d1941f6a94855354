import { isFields } from './fields.ts';
import type { CallRequest } from './request.ts';

/** Shorter prompts are words that any message may hold. */
const MIN_PROMPT_LENGTH = 16;

/** What was asked, as it is and as JSON has it: a server that quotes it in an error must not put it into logs. */
export function promptsOf({ body }: Pick<CallRequest, 'body'>): readonly string[] {
  const messages = Array.isArray(body['messages']) ? (body['messages'] as unknown[]) : [];
  return messages
    .flatMap((message) => textsOf(isFields(message) ? message['content'] : undefined))
    .filter((text) => text.length >= MIN_PROMPT_LENGTH)
    .flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]);
}

function textsOf(content: unknown): readonly string[] {
  if (typeof content === 'string') return [content];
  if (!Array.isArray(content)) return [];
  return (content as unknown[]).flatMap((part) => textsOf(isFields(part) ? part['text'] : undefined));
}

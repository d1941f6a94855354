import type { CallRequest } from './request.ts';

/** About four characters of English make a token. */
const CHARACTERS_PER_TOKEN = 4;
/** Images and sounds are not counted by the length of their base64 text; so much of it stands for some 1000 tokens. */
const MEDIA_CHARACTERS = 4000;

/** How many tokens a request may cost, as servers count before they know: what is said and the most that may be answered. */
export function expectedTokens({ body }: Pick<CallRequest, 'body'>): number {
  const answer = body['max_completion_tokens'] ?? body['max_tokens'];
  const choices = typeof body['n'] === 'number' ? body['n'] : 1;
  const said = [body['messages'], body['tools'], body['response_format']].map(charactersOf).reduce((a, b) => a + b);
  const prompt = Math.ceil(said / CHARACTERS_PER_TOKEN);
  return prompt + (typeof answer === 'number' && answer > 0 ? answer * choices : 0);
}

function charactersOf(value: unknown): number {
  const isMedia = (key: string, text: string): boolean => key === 'data' || text.startsWith('data:');
  const json = JSON.stringify(value ?? null, (key, part: unknown) =>
    typeof part === 'string' && isMedia(key, part) ? part.slice(0, MEDIA_CHARACTERS) : part,
  );
  return value === undefined || value === null ? 0 : json.length;
}

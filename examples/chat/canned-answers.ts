/** What the embedded server needs of a message. */
interface Message {
  readonly role: string;
  readonly content: unknown;
}

/** "Say …" is done as told; everything else gets the same answer, which says so. */
export function cannedAnswer(messages: readonly Message[]): string {
  const prompts = messages.filter(({ role }) => role === 'user').map(({ content }) => String(content).trim());
  const prompt = prompts.at(-1) ?? '';
  const told = /^(?:please )?say:?\s+["“']?(.+?)["”']?$/is.exec(prompt)?.[1];
  if (told !== undefined) return told.charAt(0).toUpperCase() + told.slice(1);
  const paragraphs = [
    `You wrote: “${excerpt(prompt)}”`,
    'This is a canned answer, no model has read that. Set OPENAI_API_KEY in the environment or in a .env file, and the same program talks to OpenAI, or to the server at OPENAI_BASE_URL.',
  ];
  if (prompts.length > 1) {
    paragraphs.push(
      `The conversation has ${String(prompts.length)} turns and began with “${excerpt(prompts[0] ?? '')}”`,
    );
  }
  return paragraphs.join('\n\n');
}

/** Words with the space before them, much as models have them. */
export function tokensOf(text: string): readonly string[] {
  return text.match(/\s*[\p{L}\p{N}_]+|\s*[^\s\p{L}\p{N}_]+|\s+/gu) ?? [];
}

function excerpt(text: string): string {
  const characters = Array.from(text.replace(/\s+/g, ' '));
  return characters.length > 60 ? `${characters.slice(0, 59).join('')}…` : characters.join('');
}

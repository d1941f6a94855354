/** What the server sends, and the text that every contestant must make of it. */

/**
 * How the events reach the client. A server that writes them one by one as fast as it can is no slower to read than one that
 * writes 60 kB at a time, because Node and the network join small writes. A model is never that fast: its chunks come one in
 * a read. Paced by a clock that would measure waiting and nothing else, so there the body comes from a stream without network.
 */
export const SHAPES = ['one write per chunk', '60 kB writes', 'one read per chunk'] as const;

export type Shape = (typeof SHAPES)[number];

export const isServed = (shape: Shape): boolean => shape !== 'one read per chunk';

/** OpenAI pads its chunks to hide the length of the tokens, so they are all about this long. */
const EVENT_BYTES = 330;

const WORDS = ['The', ' answer', ' is', ' streamed', ' token', ' by', ' token', ',', ' as', ' "JSON"', '.', '\n\n'];

/** The text of `chunks` chunks. */
export function textOf(chunks: number): string {
  return Array.from({ length: chunks }, (_, i) => wordAt(i)).join('');
}

/** A completion with `chunks` chunks of text, and the events that OpenAI sends before and after them. */
function* eventsOf(chunks: number): Generator<string> {
  yield eventOf({ choices: [choice({ role: 'assistant', content: '', refusal: null })], usage: null });
  for (let i = 0; i < chunks; i += 1) yield eventOf({ choices: [choice({ content: wordAt(i) })], usage: null });
  yield eventOf({ choices: [choice({}, 'stop')], usage: null });
  const usage = { prompt_tokens: 8, completion_tokens: chunks, total_tokens: chunks + 8 };
  yield eventOf({ choices: [], usage });
  yield 'data: [DONE]\n\n';
}

/** The body in the pieces that are written, or read, at once. */
export function piecesOf(shape: Shape, chunks: number): readonly Buffer[] {
  return joined(eventsOf(chunks), shape === '60 kB writes' ? 60_000 : 0);
}

function joined(events: Iterable<string>, bytes: number): Buffer[] {
  const writes: Buffer[] = [];
  let pending: string[] = [];
  let length = 0;
  const flush = (): void => {
    if (length > 0) writes.push(Buffer.from(pending.join('')));
    pending = [];
    length = 0;
  };
  for (const event of events) {
    pending.push(event);
    length += event.length;
    if (length >= bytes) flush();
  }
  flush();
  return writes;
}

function wordAt(i: number): string {
  return WORDS[i % WORDS.length] as string;
}

function choice(delta: object, reason: string | null = null): object {
  return { index: 0, delta, logprobs: null, finish_reason: reason };
}

function eventOf({ choices, usage }: { choices: readonly object[]; usage: object | null }): string {
  const chunk = {
    id: 'chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT',
    object: 'chat.completion.chunk',
    created: 1741569952,
    model: 'gpt-4o-mini-2024-07-18',
    service_tier: 'default',
    system_fingerprint: 'fp_44added55e',
    choices,
    usage,
    obfuscation: '',
  };
  const length = `data: ${JSON.stringify(chunk)}\n\n`.length;
  chunk.obfuscation = 'x'.repeat(Math.max(0, EVENT_BYTES - length));
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

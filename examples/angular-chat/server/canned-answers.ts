import type { LLMock } from '@copilotkit/aimock';

/** About as fast as a model of middling size. */
const PACE = { ttft: 350, tps: 45, jitter: 0.3 };

const SWITCH_MAP = `## switchMap

\`switchMap\` subscribes to what comes **last**, and unsubscribes from what was there before. With a completion that means: the request
before is *aborted*.

\`\`\`ts
typed$.pipe(
  debounceTime(300),
  switchMap((text) => chat.stream$(text)),
);
\`\`\`

| operator | what becomes of the one before |
| --- | --- |
| \`switchMap\` | aborted |
| \`concatMap\` | waited for |
| \`mergeMap\` | goes on beside it |
| \`exhaustMap\` | goes on, the new one is ignored |

1. Type-ahead wants \`switchMap\`.
2. A queue wants \`concatMap\`.
3. A button that must not be pressed twice wants \`exhaustMap\`.
`;

const SENTENCES = [
  'A river begins as rain that nobody counts.',
  'It gathers in the *hollow* of a field, and finds a ditch.',
  'By the time it has a name it has already decided where to go.',
  'What follows is **patience**: a bend for every stone that would not move.',
  'Mills come and go, and take their share of the hurry.',
  'In summer one can hear where it is shallow.',
  'Bridges are what people say to it; it does not answer.',
];

/** Two sentences of seven, other two each time. */
const paragraph = (_: unknown, n: number): string =>
  `${n % 8 === 0 ? `### Mile ${String(n + 1)}\n\n` : ''}${SENTENCES[n % 7] ?? ''} ${SENTENCES[(n + 1 + (Math.floor(n / 7) % 6)) % 7] ?? ''}\n\n`;

/** Over 5,000 chunks of four characters. */
const LONG = Array.from({ length: 200 }, paragraph).join('');

const HELLO = `I am **canned**: without a key there is nobody here but an embedded server.

- The page is Angular: \`injectChat()\` for this conversation, \`json$\` for the form under *Extract*.
- The relay is Hono: \`createRelay()\` at \`/api/chat\` keeps the key and says which models may be asked.
- Ask about **switchMap**, about the **weather**, for something **long**; let an answer **break off** or hit the **rate limit**.

\`OPENAI_API_KEY=… npm run demo:web\` asks a real model.
`;

const MEETING = {
  title: 'Launch',
  when: 'Tuesday at ten',
  people: [
    { name: 'Ada', brings: 'the figures' },
    { name: 'Grace', brings: 'the demo' },
    { name: 'Linus', brings: 'the keys to the hall' },
  ],
};

/** Teaches the embedded server what the page's suggestions ask for. */
export function prepare(server: LLMock): void {
  const answer = (userMessage: RegExp, content: string, options: object = {}): void => {
    server.on({ endpoint: 'chat', userMessage }, { content }, { streamingProfile: PACE, ...options });
  };
  server.on(
    { endpoint: 'chat', hasToolResult: true },
    ({ messages }) => {
      const told = messages
        .filter(({ role }) => role === 'tool')
        .map(({ content }) => String(content))
        .at(-1);
      return { content: `The tool says: **${told ?? 'nothing'}**` };
    },
    { streamingProfile: PACE },
  );
  server.on(
    { endpoint: 'chat', userMessage: /weather/i },
    { content: 'I will look it up.', toolCalls: [{ name: 'weather', arguments: '{"city":"Oslo"}' }] },
    { streamingProfile: PACE },
  );
  answer(/switchMap/i, SWITCH_MAP);
  answer(/break off/i, SWITCH_MAP, { truncateAfterChunks: 14 });
  server.on(
    { endpoint: 'chat', userMessage: /rate limit/i },
    { error: { message: 'Rate limit reached for requests', type: 'rate_limit_error' }, status: 429 },
  );
  answer(/long/i, LONG, { streamingProfile: { ttft: 350, tps: 400 }, chunkSize: 4 });
  answer(/extract/i, JSON.stringify(MEETING), { streamingProfile: { ttft: 350, tps: 12 }, chunkSize: 6 });
  server.on({ endpoint: 'chat' }, { content: HELLO }, { streamingProfile: PACE });
}

import type { LLMock } from '@copilotkit/aimock';
import { cannedAnswer, tokensOf } from './canned-answers.ts';

/** About as fast as a model of middling size. */
const PACE = { ttft: 400, tps: 25, jitter: 0.4 };

/** Teaches the embedded server the chat's canned answers. */
export function prepare(server: LLMock): void {
  server.on(
    { endpoint: 'chat' },
    // A block a token: text alone would be cut every so many UTF-16 units, also inside an emoji.
    ({ messages }) => ({ blocks: tokensOf(cannedAnswer(messages)).map((text) => ({ type: 'text', text })) }),
    { streamingProfile: PACE },
  );
}

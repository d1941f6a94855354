import type { LLMock } from '@copilotkit/aimock';

const PACE = { ttft: 200, tps: 40 };

/** Asks for the weather of two cities at once and for a reminder, then says what it was told. */
export function prepare(server: LLMock): void {
  const calls = [
    { name: 'weather', arguments: '{"city":"Oslo"}' },
    { name: 'weather', arguments: '{"city":"Cairo"}' },
    { name: 'remind', arguments: '{"text":"Pack a coat"}' },
  ];
  server.on({ endpoint: 'chat', hasToolResult: false }, { toolCalls: calls }, { streamingProfile: PACE });
  server.on(
    { endpoint: 'chat', hasToolResult: true },
    ({ messages }) => {
      const results = messages.filter(({ role }) => role === 'tool').map(({ content }) => String(content));
      return { content: `I was told: ${results.join('; ')}` };
    },
    { streamingProfile: PACE },
  );
}

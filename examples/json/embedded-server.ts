import type { LLMock } from '@copilotkit/aimock';

const ANSWER = {
  title: 'Launch',
  when: 'Tuesday at ten',
  people: [
    { name: 'Ada', brings: 'the figures' },
    { name: 'Grace', brings: 'the demo' },
    { name: 'Linus', brings: null },
  ],
};

/** Slow enough to watch. */
const PACE = { ttft: 200, tps: 40 };

export function prepare(server: LLMock): void {
  server.on({ endpoint: 'chat' }, { content: JSON.stringify(ANSWER) }, { streamingProfile: PACE });
}

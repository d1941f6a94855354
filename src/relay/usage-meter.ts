import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions';
import type { CompletionUsage } from 'openai/resources/completions';
import { isFields } from '../fields.ts';
import type { LimiterLease } from '../operators/limiter-queue.ts';

/** How a call of the relay ended: whole, by a failure, or because the client left. */
export type RelayOutcome = 'completed' | 'failed' | 'left';

/** Keeps what a call has cost, as far as it is known. */
export class UsageMeter {
  readonly #lease: LimiterLease | undefined;
  usage: CompletionUsage | undefined;
  /** Characters of the answer so far, reasoning and tool calls included. */
  characters = 0;

  constructor(lease: LimiterLease | undefined) {
    this.#lease = lease;
  }

  /** Of servers that tell the usage in every chunk, the last one counts. */
  add({ usage, choices }: ChatCompletionChunk | ChatCompletion): void {
    if (isFields(usage)) {
      this.usage = usage;
      this.#lease?.usage(usage.total_tokens);
    }
    for (const choice of Array.isArray(choices) ? (choices as readonly unknown[]) : []) {
      if (isFields(choice)) this.characters += charactersOf(choice['delta'] ?? choice['message']);
    }
  }
}

/** The length of all that is said in a delta or a message. */
function charactersOf(said: unknown): number {
  if (!isFields(said)) return 0;
  const { role: _, tool_calls: calls, ...rest } = said;
  // Some servers repeat the reasoning under a second name.
  if (rest['reasoning'] === rest['reasoning_content']) delete rest['reasoning'];
  const texts = Object.values(rest).map((value) => (typeof value === 'string' ? value.length : 0));
  const ofCalls = (Array.isArray(calls) ? (calls as unknown[]) : []).map((call) => {
    const made = isFields(call) ? call['function'] : undefined;
    const said = isFields(made) ? made['arguments'] : undefined;
    return typeof said === 'string' ? said.length : 0;
  });
  return [...texts, ...ofCalls].reduce((sum, length) => sum + length, 0);
}

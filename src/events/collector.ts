import type { ChatCompletion } from 'openai/resources/chat/completions';
import type { ToolCallEvent } from './event.ts';
import { Gathered, type GatheredChoice } from './gathered.ts';
import { copyOf, getOwn, setOwn } from './merge.ts';
import type { Fields } from '../fields.ts';

/** Events → the `ChatCompletion` that a non-streaming request would have given. A `restart` begins anew. */
export class Collector extends Gathered {
  /** Every choice that began has ended. */
  get whole(): boolean {
    return this.choices.size > 0 && [...this.choices.values()].every(({ finish }) => finish !== undefined);
  }

  /** The completion as far as it came. */
  toCompletion(): ChatCompletion {
    const { id = '', created = 0, model = '', systemFingerprint } = this.start ?? {};
    const choices = [...this.choices.values()].sort((a, b) => a.choice - b.choice).map(toChoice);
    const completion: Fields = { id, object: 'chat.completion', created, model, choices };
    if (systemFingerprint !== undefined) completion['system_fingerprint'] = systemFingerprint;
    if (this.usage !== undefined) completion['usage'] = copyOf(this.usage.usage);
    copyFields(completion, this.extra);
    return completion as unknown as ChatCompletion;
  }
}

function toChoice(gathered: GatheredChoice): Fields {
  const { text, reasoning, refusal, field, whole, tokens, refusalTokens, extras } = gathered;
  const message: Fields = {
    role: 'assistant',
    content: text?.toString() ?? null,
    refusal: refusal?.toString() ?? null,
  };
  if (reasoning !== undefined) {
    if (field !== 'reasoning_content') message['reasoning'] = reasoning.toString();
    if (field !== 'reasoning') message['reasoning_content'] = reasoning.toString();
  }
  if (whole.length > 0) message['tool_calls'] = whole.map(toToolCall);
  copyFields(message, extras.get('message'));
  const logprobs = { content: orNull(tokens), refusal: orNull(refusalTokens) };
  const result: Fields = {
    index: gathered.choice,
    message,
    finish_reason: gathered.finish?.reason ?? null,
    logprobs: (logprobs.content ?? logprobs.refusal) ? logprobs : null,
  };
  copyFields(result, extras.get('choice'));
  return result;
}

function orNull(list: readonly unknown[]): readonly unknown[] | null {
  return list.length > 0 ? copyOf(list) : null;
}

function toToolCall(call: ToolCallEvent): Fields {
  const { id, name, arguments: json, extra = {} } = call;
  const toolCall: Fields =
    getOwn(extra, 'type') === 'custom'
      ? { id, type: 'custom', custom: { name, input: json } }
      : { id, type: 'function', function: { name, arguments: json } };
  copyFields(toolCall, extra);
  return toolCall;
}

/** A copy, so that what was returned once does not change when more events come. */
function copyFields(target: Fields, fields: Fields = {}): void {
  for (const [key, value] of Object.entries(fields)) {
    setOwn(target, key, copyOf(value));
  }
}

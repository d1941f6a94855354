import { relayOver, type Relay } from '../relay/relay.ts';
import type { RelayOptions } from '../relay/options.ts';
import { OpenAIChatCompletion } from './chat-completion.ts';

/** The relay as Node gets it: its client reads variables and `.env`, and has the SDK behind it. */
export function createRelay<User = undefined>(options: RelayOptions<User>): Relay {
  return relayOver(options, (completion) => new OpenAIChatCompletion(completion));
}

import { OpenAIChatCompletion } from '../chat-completion.ts';
import { configurationError } from '../errors.ts';
import { validSwitch } from '../option-checks.ts';
import { fetchTransport } from '../transport/fetch.ts';
import type { Transport } from '../transport/transport.ts';
import type { ChatCompletionConfig } from './config.ts';

/** Where the relay is, and that nothing is started on a server. */
const DEFAULTS = { url: '/api/chat', server: false } as const;

/** The client of a configuration. Throws a `configuration` error that names the option and the remedy. */
export function createClient(
  config: ChatCompletionConfig,
  transportTo?: (url: string) => Transport,
): OpenAIChatCompletion {
  const { url, server, fetch, transport: given, ...options } = config;
  const transport = given ?? transportTo?.(url ?? DEFAULTS.url);
  const idle = fetch !== undefined ? 'fetch' : given !== undefined && url !== undefined ? 'url' : undefined;
  if (transport !== undefined && idle !== undefined) {
    throw configurationError(`${idle} has no effect beside a transport of your own: leave one of them out`, idle);
  }
  validSwitch('server', server, DEFAULTS.server);
  return new OpenAIChatCompletion({
    ...options,
    transport: transport ?? fetchTransport({ url: url ?? DEFAULTS.url, ...(fetch && { fetch }) }),
  });
}

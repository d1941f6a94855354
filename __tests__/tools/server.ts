/** A server whose model calls tools, and what it was asked. */
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { z } from 'zod';
import { tool, type Tool, type ToolContext, type ToolRunEvent } from '../../src/index.ts';
import type { Outcome } from '../support/client.ts';
import type { Handler, SeenRequest } from '../support/fault-server.ts';
import { chunk, DONE, finish, sentence, stream } from '../support/faults-steps.ts';

/** A piece of a call, as a chunk. */
export function piece(index: number, fields: { readonly id?: string; readonly name?: string }, json: string): string {
  const { id, name } = fields;
  const call = { index, id, type: 'function', function: { name, arguments: json } };
  return chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: null, tool_calls: [call] } }] });
}

/** The whole of an answer that calls `weather` for each city, arguments in pieces. */
export function calls(...cities: readonly string[]): string {
  const pieces = cities.flatMap((city, index) => {
    const json = JSON.stringify({ city });
    return [piece(index, { id: `call_${city}`, name: 'weather' }, json.slice(0, 5)), piece(index, {}, json.slice(5))];
  });
  return pieces.join('') + finish('tool_calls') + DONE;
}

export function messagesOf({ json }: Pick<SeenRequest, 'json'>): readonly ChatCompletionMessageParam[] {
  return json['messages'] as readonly ChatCompletionMessageParam[];
}

/** Calls `weather` for the cities, and tells what it was told. */
export function talk(...cities: readonly string[]): Handler {
  return (exchange) => {
    const results = messagesOf(exchange.seen).filter(({ role }) => role === 'tool');
    const told = results.map(({ content }) => String(content)).join(' and ');
    return stream(results.length === 0 ? calls(...cities) : sentence('It is ', told))(exchange);
  };
}

/** A tool that knows the weather, and what it was asked for. */
export interface Weather {
  readonly tool: Tool<{ city: string }>;
  /** Which cities it was asked for. */
  readonly cities: readonly string[];
  readonly signals: readonly AbortSignal[];
  /** Resolves when it is called first. */
  readonly called: Promise<void>;
}

export function weatherOf(
  answer: (city: string, context: ToolContext) => unknown = (city) => `fine in ${city}`,
): Weather {
  const cities: string[] = [];
  const signals: AbortSignal[] = [];
  let tell = (): void => undefined;
  const called = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const made = tool({
    name: 'weather',
    description: 'The weather of a city',
    parameters: z.object({ city: z.string() }),
    execute: ({ city }, context) => {
      cities.push(city);
      signals.push(context.signal);
      tell();
      return answer(city, context);
    },
  });
  return { tool: made, cities, signals, called };
}

/** All the text of a run. */
export function textOf({ values }: Outcome<ToolRunEvent>): string {
  return values.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
}

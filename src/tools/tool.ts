import type { ChatCompletionFunctionTool } from 'openai/resources/chat/completions';
import { configurationError } from '../errors.ts';
import { resolveSchema, type InferOutput, type JsonSchema, type StandardSchema } from '../json/schema.ts';
import type { Verdict } from '../json/verdict.ts';
import { checkNames, validSwitch } from '../option-checks.ts';

/** What a tool is told besides its arguments. */
export interface ToolContext {
  /** Aborted when nobody waits for the result any more: the run was left or has failed, or the tool's time is over. */
  readonly signal: AbortSignal;
  /** The model's id of the call. */
  readonly toolCallId: string;
}

/** Options of {@link tool}. `S`: the schema of the arguments; `Args`: what its validator makes of them. */
export interface ToolOptions<S, Args> {
  /** What the model calls it: letters, digits, `_` and `-`, at most 64. */
  readonly name: string;
  /** Tells the model what it does, and when to call it. */
  readonly description?: string | undefined;
  /** The arguments: a Standard Schema with its JSON Schema side (zod, valibot, arktype …), or a JSON Schema. */
  readonly parameters: S;
  /**
   * Has the server keep the model to the schema, as far as its strict mode can express it: what it cannot is a `configuration` error.
   * `false` sends the schema as it is. The arguments are validated here in any case. Default: true.
   */
  readonly strict?: boolean | undefined;
  /**
   * Does it. Returns the result, a Promise of it, or an Observable (also an async iterable, or a Promise of one): each of its values is
   * progress as it comes, the last one the result.
   * The model is told the result: a text as it is, anything else as JSON.
   */
  execute(args: Args, context: ToolContext): unknown;
}

/** A function the model may call. Made by {@link tool}. */
export interface Tool<Args = unknown> {
  readonly name: string;
  /** As it is sent. */
  readonly definition: ChatCompletionFunctionTool;
  /** What the schema's validator makes of the arguments. */
  validate(args: unknown): Verdict | Promise<Verdict>;
  /** As it was given. */
  execute(args: Args, context: ToolContext): unknown;
}

const TOOL_DEFAULTS = { strict: true } as const;

const TOOL_OPTION_NAMES = ['name', 'description', 'parameters', 'strict', 'execute'];

/**
 * A function the model may call, for `runTools$`. The type of its arguments is that of the schema, and they are validated before
 * `execute` sees them: it is never called with anything else.
 *
 * Throws a `configuration` error if an option is wrong, or if strict mode cannot express the schema.
 *
 * ```ts
 * import { OpenAIChatCompletion, tool } from 'rxjs-openai';
 * import { z } from 'zod';
 *
 * const weather = tool({
 *   name: 'weather',
 *   description: 'The weather of a city',
 *   parameters: z.object({ city: z.string() }),
 *   execute: async ({ city }, { signal }) => (await fetch(`https://wttr.in/${city}?format=3`, { signal })).text(),
 * });
 * new OpenAIChatCompletion().runTools$('Do I need a coat in Oslo?', {}, { tools: [weather] }).subscribe((event) => {
 *   if (event.type === 'text-delta') process.stdout.write(event.text);
 * });
 * ```
 *
 * The schema is any Standard Schema with its JSON Schema side, or a JSON Schema, whose type is then to be said: `tool<Args>(…)`.
 *
 * @param options - `strict`: default true
 */
export function tool<S extends StandardSchema>(options: ToolOptions<S, InferOutput<S>>): Tool<InferOutput<S>>;
export function tool<Args = unknown>(options: ToolOptions<JsonSchema, Args>): Tool<Args>;
export function tool(options: ToolOptions<unknown, unknown>): Tool {
  checkNames(options, TOOL_OPTION_NAMES, 'tool');
  const { name, description, parameters } = options;
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name)) {
    throw configurationError('tool: name must consist of letters, digits, _ and -, at most 64', 'name');
  }
  if (description !== undefined && typeof description !== 'string') {
    throw configurationError('tool: description must be a text', 'description');
  }
  if (typeof options.execute !== 'function') throw configurationError('tool: execute must be a function', 'execute');
  const strict = validSwitch('strict', options.strict, TOOL_DEFAULTS.strict);
  const { json, validate } = resolveSchema(parameters, `tool ${name}`, 'parameters', strict);
  return {
    name,
    definition: {
      type: 'function',
      function: { name, ...(description === undefined ? undefined : { description }), parameters: { ...json }, strict },
    },
    validate,
    execute: (args, context) => options.execute(args, context),
  };
}

import { describeVerdicts } from '../support/verdicts.ts';

const IMPORTS = `
import {
  OpenAIChatCompletion, runTools$, tool, type Approve, type MessagesEvent, type Tool, type ToolContext, type ToolOptions,
  type ToolRunEvent, type ToolRunOptions, type ToolRunParams,
} from '../../src/index.ts';
import { OpenAIChatCompletion as Promises, type ObservableIterable } from '../../src/promises.ts';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { asapScheduler, of, type Observable } from 'rxjs';
import * as v from 'valibot';
import { z } from 'zod';
declare const chat: OpenAIChatCompletion;
declare const promises: Promises;
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Equal<A, B>): void => {};
const Place = z.object({ city: z.string(), unit: z.enum(['C', 'F']) });
interface Place { city: string; unit: 'C' | 'F' }
const PLAIN = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const;
const weather = tool({ name: 'weather', parameters: Place, execute: ({ city }) => city });
const add = tool({ name: 'add', parameters: z.object({ a: z.number() }), execute: async ({ a }) => a });
`;

/** What a user may write. */
const ACCEPTED = {
  'arguments inferred from a schema of zod': `
    const made = tool({ name: 'f', parameters: Place, execute: (args, { signal, toolCallId }) => {
      same<typeof args, Place>(true);
      [signal, toolCallId] satisfies [AbortSignal, string];
    } });
    same<typeof made, Tool<Place>>(true);`,
  'arguments as transformations and defaults make them': `
    tool({
      name: 'f',
      parameters: z.object({ at: z.string().transform((iso) => new Date(iso)), days: z.number().default(1) }),
      execute: (args) => { same<typeof args, { at: Date; days: number }>(true); },
    });`,
  'arguments inferred from a schema of valibot, wrapped': `
    tool({ name: 'f', parameters: toStandardJsonSchema(v.object({ city: v.string() })), execute: (args) => {
      same<typeof args, { city: string }>(true);
    } });`,
  'arguments inferred from a schema of arktype': `
    tool({ name: 'f', parameters: type({ city: 'string', days: 'string.numeric.parse' }), execute: (args) => {
      same<typeof args, { city: string; days: number }>(true);
    } });`,
  'a JSON Schema, with the type that it describes': `
    const made = tool<Place>({ name: 'f', parameters: PLAIN, execute: (args) => { same<typeof args, Place>(true); } });
    same<typeof made, Tool<Place>>(true);
    tool({ name: 'f', parameters: PLAIN, execute: (args: { city: string }) => args.city });`,
  'a JSON Schema without a type: something that has to be looked at': `
    tool({ name: 'f', parameters: PLAIN, execute: (args) => { same<typeof args, unknown>(true); } });`,
  'any result: a value, nothing, a Promise, an Observable': `
    tool({ name: 'f', parameters: Place, execute: () => 5 });
    tool({ name: 'f', parameters: Place, execute: () => {} });
    tool({ name: 'f', parameters: Place, execute: async ({ city }) => ({ city }) });
    tool({ name: 'f', parameters: Place, execute: ({ city }) => of(city, city) });`,
  'fewer arguments, or a method': `
    tool({ name: 'f', description: 'D', strict: false, parameters: Place, execute() { return this.name; } });
    const execute = (args: { city: string }, context: ToolContext): string => args.city + context.toolCallId;
    tool({ name: 'f', description: undefined, strict: undefined, parameters: Place, execute });`,
  'options from a variable': `
    declare const options: ToolOptions<typeof Place, Place>;
    const made: Tool<Place> = tool(options);`,
  'tools of different arguments in one list': `
    const tools = [weather, add];
    const events$: Observable<ToolRunEvent> = chat.runTools$('Hi', {}, { tools: [weather, add] });
    declare const list: readonly Tool[];
    chat.runTools$('Hi', undefined, { tools: list });`,
  'events told apart by their type, and none forgotten': `
    chat.runTools$('Hi', {}, { tools: [weather] }).subscribe((event) => {
      switch (event.type) {
        case 'round-start': event.round satisfies number; break;
        case 'tool-progress': same<typeof event.value, unknown>(true); break;
        case 'tool-result': [event.toolCallId, event.name, event.content] satisfies string[]; break;
        case 'tool-error': event.content satisfies string; same<typeof event.error, unknown>(true); break;
        case 'tool-approval': event.status satisfies 'requested' | 'approved' | 'denied'; break;
        case 'messages': event.messages satisfies readonly ChatCompletionMessageParam[]; break;
        case 'text-delta': event.text satisfies string; break;
        case 'start': case 'reasoning-delta': case 'refusal-delta': case 'tool-call-start': case 'tool-call-delta': case 'tool-call':
        case 'logprobs': case 'finish': case 'usage': case 'extra': case 'restart': break;
        default: event satisfies never;
      }
    });`,
  'every option': `
    const approve: Approve = ({ name, toolCallId, arguments: args }) => name === 'weather';
    const options: ToolRunOptions = { tools: [], maxRounds: 3, concurrency: 1, toolTimeoutMs: 5, onToolError: 'fail', approve,
      onLength: 'error', scheduler: asapScheduler, signal: AbortSignal.abort(), timeout: { totalMs: 5 }, retry: { mode: 'restart' },
      headers: { a: 'b' }, extraBody: { top_k: 1 } };
    const params: ToolRunParams = { model: 'm', temperature: 1, tool_choice: 'required', parallel_tool_calls: false };
    chat.runTools$([{ role: 'user', content: 'Hi' }], params, options);
    runTools$(chat, 'Hi', params, options) satisfies Observable<ToolRunEvent>;`,
  'Promises and iterators of a run': `
    const messages: Promise<readonly ChatCompletionMessageParam[]> = promises.runTools('Hi', {}, { tools: [weather, add] });
    const events: ObservableIterable<ToolRunEvent> = promises.streamTools('Hi', undefined, { tools: [weather] });
    for await (const event of events) if (event.type === 'messages') event satisfies MessagesEvent;`,
} as const;

const NO_OVERLOAD = /TS2769: No overload matches/;

/** What the compiler must refuse, and how it puts it. */
const REFUSED: Readonly<Record<string, readonly [code: string, error: RegExp]>> = {
  'a tool without a name': [`tool({ parameters: Place, execute: () => 1 })`, NO_OVERLOAD],
  'a tool without parameters': [`tool({ name: 'f', execute: () => 1 })`, NO_OVERLOAD],
  'a tool that does nothing': [`tool({ name: 'f', parameters: Place })`, NO_OVERLOAD],
  'parameters that are no schema': [`tool({ name: 'f', parameters: 'city', execute: () => 1 })`, NO_OVERLOAD],
  'an option that a tool does not have': [
    `tool({ name: 'f', parameters: Place, execute: () => 1, descripton: 'D' })`,
    NO_OVERLOAD,
  ],
  'an argument that the schema does not have': [
    `tool({ name: 'f', parameters: Place, execute: ({ town }) => town })`,
    /TS2339: Property 'town' does not exist/,
  ],
  'an argument of another type than the schema has': [
    `tool({ name: 'f', parameters: Place, execute: ({ city }: { city: number }) => city })`,
    NO_OVERLOAD,
  ],
  'an argument taken for what the model wrote': [
    `tool({ name: 'f', parameters: z.object({ at: z.string().transform(Number) }), execute: ({ at }) => at.trim() })`,
    /TS2339: Property 'trim' does not exist on type 'number'/,
  ],
  'arguments of a JSON Schema of no type, not looked at': [
    `tool({ name: 'f', parameters: PLAIN, execute: (args) => args.city })`,
    /TS18046: 'args' is of type 'unknown'/,
  ],
  'a schema of valibot that knows no JSON Schema': [
    `tool({ name: 'f', parameters: v.object({ city: v.string() }), execute: ({ city }) => city })`,
    NO_OVERLOAD,
  ],
  'a context that does not exist': [
    `tool({ name: 'f', parameters: Place, execute: (_, { abort }) => abort })`,
    /TS2339: Property 'abort' does not exist on type 'ToolContext'/,
  ],
  'a change of a tool': [`weather.name = 'f'`, /TS2540: Cannot assign to 'name' because it is a read-only property/],
  'a tool called with other arguments': [
    `weather.execute({ city: 'Oslo', unit: 'K' }, { signal: AbortSignal.abort(), toolCallId: 'a' })`,
    /TS2322: Type '"K"' is not assignable to type '"C" \| "F"'/,
  ],
  'a run without options': [`chat.runTools$('Hi', {})`, /TS2554: Expected 3 arguments/],
  'a run without tools': [
    `chat.runTools$('Hi', {}, { maxRounds: 3 })`,
    /TS2345: .*not assignable to parameter of type 'ToolRunOptions'/,
  ],
  'a tool that is none': [
    `chat.runTools$('Hi', {}, { tools: [{ name: 'f' }] })`,
    /TS2739: .*missing the following properties from type 'Tool<unknown>'/,
  ],
  "OpenAI's tools for ours": [
    `chat.runTools$('Hi', {}, { tools: [{ type: 'function', function: { name: 'f' } }] })`,
    /TS2353: .*'type' does not exist in type 'Tool<unknown>'/,
  ],
  'one tool for a list': [
    `chat.runTools$('Hi', {}, { tools: weather })`,
    /TS2740: .*missing the following properties from type 'readonly Tool<unknown>\[\]'/,
  ],
  'tools among the parameters': [
    `chat.runTools$('Hi', { tools: [] }, { tools: [weather] })`,
    /TS2353: .*'tools' does not exist/,
  ],
  'n among the parameters': [`chat.runTools$('Hi', { n: 2 }, { tools: [weather] })`, /TS2353: .*'n' does not exist/],
  'a choice of a run': [
    `chat.runTools$('Hi', {}, { tools: [weather], choice: 1 })`,
    /TS2353: .*'choice' does not exist/,
  ],
  'a schema of a run': [`chat.runTools$('Hi', {}, { tools: [weather], schema: Place })`, /TS2353: .*'schema'/],
  'another word for what becomes of errors': [
    `chat.runTools$('Hi', {}, { tools: [weather], onToolError: 'throw' })`,
    /TS2322: Type '"throw"' is not assignable/,
  ],
  'the text of any event of a run': [
    `chat.runTools$('Hi', {}, { tools: [weather] }).subscribe((event) => { event.text; })`,
    /TS2339: Property 'text' does not exist/,
  ],
  'the value of an event not looked at': [
    `chat.runTools$('Hi', {}, { tools: [weather] }).subscribe((event) => { if (event.type === 'tool-result') event.value.city; })`,
    /TS18046: 'event.value' is of type 'unknown'/,
  ],
  'a gate of their own for iterators': [
    `promises.streamTools('Hi', {}, { tools: [weather], gate: () => {} })`,
    /TS2353: .*'gate' does not exist/,
  ],
  'tools among the parameters of a Promise': [
    `promises.runTools('Hi', { tools: [] }, { tools: [weather] })`,
    /TS2353: .*'tools' does not exist/,
  ],
};

describeVerdicts(__dirname, { imports: IMPORTS, accepted: ACCEPTED, refused: REFUSED });

import { describeVerdicts } from '../support/verdicts.ts';

const IMPORTS = `
import { isCompletionError, OpenAIChatCompletion, type ChatCompletionOptions, type CompletionEvent, type Logger, type RetryOptions } from '../../src/index.ts';
import { OpenAIChatCompletion as Promises } from '../../src/promises.ts';
import type { ChatCompletionChunk, ChatCompletionCreateParams, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { Observable } from 'rxjs';
declare const chat: OpenAIChatCompletion;
declare const promises: Promises;
declare const event: CompletionEvent;
`;

/** What a user may write. */
const ACCEPTED = {
  'a string for the messages': `chat.stream$('Hi')`,
  "OpenAI's messages": `declare const m: ChatCompletionMessageParam[]; chat.events$(m)`,
  'messages nobody may change': `chat.stream$([{ role: 'user', content: 'Hi' }] as const)`,
  "OpenAI's parameters": `chat.stream$('Hi', { model: 'm', temperature: 1, max_completion_tokens: 5, n: 2, stop: ['x'], tools: [
    { type: 'function', function: { name: 'f', parameters: {} } }], response_format: { type: 'json_object' }, seed: 1 })`,
  "OpenAI's parameters, taken from a variable": `declare const p: Omit<ChatCompletionCreateParams, 'messages' | 'stream'>;
    chat.completion$('Hi', p)`,
  'no temperature': `new OpenAIChatCompletion({ temperature: null })`,
  'fields OpenAI does not know, as extraBody': `chat.stream$('Hi', {}, { extraBody: { top_k: 5 } })`,
  'options that may be undefined': `declare const signal: AbortSignal | undefined;
    chat.stream$('Hi', undefined, { signal, timeout: { idleMs: false } })`,
  'clocks, and those that are off': `new OpenAIChatCompletion({ timeout: { outputMs: 1000, totalMs: false } });
    new OpenAIChatCompletion({ timeout: false });
    chat.generate$('Hi', {}, { timeout: { totalMs: 1000, outputMs: undefined } });
    chat.events$('Hi', {}, { timeout: false });`,
  'retries, and none': `new OpenAIChatCompletion({ retry: { maxRetries: 5, baseDelayMs: 1, maxDelayMs: 2, jitter: 0, maxRetryAfterMs: 3 } });
    new OpenAIChatCompletion({ retry: { mode: 'restart', when: (error: unknown) => isCompletionError(error), random: () => 0 } });
    new OpenAIChatCompletion({ retry: false });
    declare const retry: Omit<RetryOptions, 'mode'> | false | undefined;
    chat.stream$('Hi', {}, { retry }); chat.generate$('Hi', {}, { retry }); chat.completion$('Hi', {}, { retry });
    chat.chunks$('Hi', {}, { retry }); promises.generateCompletion('Hi', {}, { retry }); promises.streamEvents('Hi', {}, { retry })`,
  'a restart of all events': `chat.events$('Hi', {}, { retry: { mode: 'restart' } });
    chat.events$('Hi', {}, { retry: { mode: 'before-output', maxRetries: 1 } });
    declare const retry: RetryOptions; chat.events$('Hi', {}, { retry })`,
  'hooks that are told of retries': `new OpenAIChatCompletion({ hooks: { onRetry: ({ attempt, delayMs, error }) => {
    [attempt, delayMs] satisfies [number, number]; if (isCompletionError(error)) error.kind.trim(); } } })`,
  'what each method emits': `
    const text$: Observable<string> = chat.stream$('Hi');
    const whole$: Observable<string> = chat.generate$('Hi');
    const events$: Observable<CompletionEvent> = chat.events$('Hi');
    const chunks$: Observable<ChatCompletionChunk> = chat.chunks$('Hi');
    const answer: Promise<string> = promises.generateCompletion('Hi');`,
  'an event narrowed by its type': `
    if (event.type === 'text-delta') event.text satisfies string;
    else if (event.type === 'tool-call') [event.name, event.arguments] satisfies [string, string];
    else if (event.type === 'usage') event.usage.total_tokens satisfies number;
    else if (event.type === 'start') event.model satisfies string;`,
  'every event told apart, and none forgotten': `
    const name = (e: CompletionEvent): string => {
      switch (e.type) {
        case 'start': case 'text-delta': case 'reasoning-delta': case 'refusal-delta': case 'tool-call-start':
        case 'tool-call-delta': case 'tool-call': case 'logprobs': case 'finish': case 'usage': case 'extra': case 'restart':
          return e.type;
        default: return e satisfies never;
      }
    };`,
  'console as a logger': `declare const console: Console; const logger: Logger = console;`,
  'a logger of levels and overloads, as pino has them': `
    interface LogFn { (obj: unknown, msg?: string, ...args: unknown[]): void; (msg: string, ...args: unknown[]): void }
    interface Pino { level: string; fatal: LogFn; error: LogFn; warn: LogFn; info: LogFn; debug: LogFn; trace: LogFn }
    declare const pino: Pino;
    new OpenAIChatCompletion({ logger: pino });`,
  'a logger whose methods return it, as winston has them': `
    interface Winston { error(m: string): Winston; warn(m: string): Winston; info(m: string): Winston; debug(m: string): Winston }
    declare const winston: Winston;
    new OpenAIChatCompletion({ logger: winston });`,
  'for await': `for await (const text of promises.streamCompletion('Hi')) text satisfies string;
    for await (const e of promises.streamEvents('Hi')) e.type satisfies string;`,
  'await using': `await using texts = promises.streamCompletion('Hi'); for await (const text of texts) text.trim();`,
  'a client of its own behind the facade': `new Promises(chat); new Promises({ apiKey: 'key' }); new Promises();`,
} as const;

/** What the compiler must refuse, and how it puts it. */
const REFUSED: Readonly<Record<string, readonly [code: string, error: RegExp]>> = {
  'messages among the parameters': [`chat.stream$('Hi', { messages: [] })`, /TS2353: .*'messages' does not exist/],
  'stream among the parameters': [`chat.generate$('Hi', { stream: true })`, /TS2353: .*'stream' does not exist/],
  'a signal among the parameters': [
    `chat.stream$('Hi', { signal: AbortSignal.abort() })`,
    /TS2353: .*'signal' does not exist/,
  ],
  'a parameter of the wrong type': [`chat.stream$('Hi', { temperature: '1' })`, /TS2322: Type 'string'/],
  'a parameter nobody knows': [`chat.stream$('Hi', { temprature: 1 })`, /TS2561: .*'temprature'/],
  'a message without a role': [
    `chat.stream$([{ content: 'Hi' }])`,
    /TS2322: Type '{ content: string; }' is not assignable to type '.*ChatCompletionMessageParam'/,
  ],
  'a gate for an answer in one piece': [`chat.generate$('Hi', {}, { gate: () => {} })`, /TS2353: .*'gate'/],
  'a choice of all events': [`chat.events$('Hi', {}, { choice: 1 })`, /TS2353: .*'choice'/],
  'a gate of their own for iterators': [`promises.streamCompletion('Hi', {}, { gate: () => {} })`, /TS2353: .*'gate'/],
  'an option nobody knows': [`new OpenAIChatCompletion({ apikey: 'key' })`, /TS2561: .*'apikey'/],
  'the text of any event': [`event.text`, /TS2339: Property 'text' does not exist/],
  'the arguments of a tool call that only began': [
    `if (event.type === 'tool-call-start') event.arguments`,
    /TS2339: Property 'arguments' does not exist/,
  ],
  'a change of an event': [
    `if (event.type === 'text-delta') event.text = ''`,
    /TS2540: Cannot assign to 'text' because it is a read-only property/,
  ],
  ...Object.fromEntries(
    (['stream$', 'generate$', 'completion$', 'chunks$'] as const).map((method) => [
      `a restart of ${method}`,
      [`chat.${method}('Hi', {}, { retry: { mode: 'restart' } })`, /TS2353: .*'mode' does not exist/] as const,
    ]),
  ),
  'a mode of retry nobody knows': [
    `new OpenAIChatCompletion({ retry: { mode: 'always' } })`,
    /TS2322: Type '"always"' is not assignable to type 'RetryMode/,
  ],
  'retries as a number': [`new OpenAIChatCompletion({ retry: 5 })`, /TS2322: Type 'number'/],
  'retries that are only wished for': [`chat.stream$('Hi', {}, { retry: true })`, /TS2322: Type 'true'/],
  'an option of retry nobody knows': [`chat.stream$('Hi', {}, { retry: { maxRetry: 5 } })`, /TS2353: .*'maxRetry'/],
  'a clock nobody knows': [`chat.stream$('Hi', {}, { timeout: { totalMS: 5 } })`, /TS2561: .*'totalMS'/],
  'a clock that is true': [`new OpenAIChatCompletion({ timeout: { outputMs: true } })`, /TS2322: Type 'true'/],
  'a timeout as a number': [`new OpenAIChatCompletion({ timeout: 5 })`, /TS2322: Type 'number'/],
  'a logger without levels': [`new OpenAIChatCompletion({ logger: { log: () => {} } })`, /TS2353: .*'log'/],
};

describeVerdicts(__dirname, { imports: IMPORTS, accepted: ACCEPTED, refused: REFUSED });

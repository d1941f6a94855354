import type { CompletionUsage } from 'openai/resources/completions';
import type { SchedulerLike } from 'rxjs';
import type { OpenAIChatCompletion } from '../chat-completion.ts';
import type { ChatCompletionOptions } from '../config.ts';
import { configurationError } from '../errors.ts';
import { levelledLogger, logLevelOf, type Logger, type LogLevel } from '../logger.ts';
import { checkNames, validFunction, validMembers, validNumber, validScheduler } from '../option-checks.ts';
import { validTimeouts } from '../clock-options.ts';
import { validHeaders } from '../request-checks.ts';
import type { Limiter } from '../operators/limiter.ts';
import { validOrigins } from './origin.ts';
import { resolveParams, type ParamRule, type ParamRules } from './params.ts';
import type { RelayOutcome } from './usage-meter.ts';

/** What the relay needs of a client; also a client of another copy of this package, or a fake. */
export type RelayCompletion = Pick<OpenAIChatCompletion, 'chunks$' | 'completion$'>;

/** The times of the relay's own, in milliseconds; `false` turns one off. Those of the upstream call are the client's. */
export interface RelayTimeouts {
  /** Until the whole body of the request has come; then 408. Default: 30,000. */
  readonly bodyMs?: number | false | undefined;
  /**
   * How long the status of a streamed answer waits for the first chunk, so that a failure before it has a status of its own. After that
   * the status is 200, keep-alive comments follow, and a failure is an event. Default: 10,000.
   */
  readonly headersMs?: number | false | undefined;
  /** Silence of a streamed answer before a keep-alive comment. Default: 15,000; proxies give up after 30 to 60 seconds. */
  readonly keepAliveMs?: number | false | undefined;
  /** How long a client may take nothing of what waits for it; then it is let go, and the upstream call with it. Default: 120,000. */
  readonly stallMs?: number | false | undefined;
}

/** What is known of a call when it has ended. */
export interface RelayCallInfo<User> {
  /** What `authorize` returned. */
  readonly user: User;
  readonly model: string;
  readonly stream: boolean;
  readonly outcome: RelayOutcome;
  /** How many characters of the answer came: all there is to go by where the usage is unknown. */
  readonly characters: number;
  readonly durationMs: number;
}

/** Options of {@link createRelay}. */
export interface RelayOptions<User = undefined> {
  /**
   * The client that calls the upstream server, or its options: the key lives there alone, and so do retries and the clocks of the call.
   * Given options, it has no temperature by default. Default: `{}`, which in Node reads `OPENAI_API_KEY` and its kin.
   */
  readonly completion?: ChatCompletionOptions | RelayCompletion | undefined;
  /** The models that may be asked for. A request that names none gets the first. */
  readonly models: readonly string[];
  /**
   * Says who asks, before the body is read; what it returns is the `user` of the other options. `undefined`, `null`, `false` and `''`
   * are answered with 401, a `Response` is answered as it is, an error with 500 and nothing of its message. It must leave the body alone.
   * Default: whoever reaches the relay may use it.
   */
  readonly authorize?:
    ((request: Request) => User | Response | Denied | PromiseLike<User | Response | Denied>) | undefined;
  /**
   * What each field of a request may hold, over the defaults, field by field: `{}` allows anything, `false` nothing. A field without a
   * rule is refused by name. Default: `messages` (256 at most), the sampling fields within OpenAI's bounds, `max_tokens` and
   * `max_completion_tokens` (4096 at most; who names neither gets that), `n` (1), `stop`, `seed`, `response_format`, `logprobs`, tools that run at the client.
   */
  readonly params?: Readonly<Record<string, ParamRule | false | undefined>> | undefined;
  /** Pages of other origins that may use the relay, with cookies. Never `*`. Default: only pages of the relay's own origin may. */
  readonly origins?: readonly string[] | undefined;
  /** The largest body of a request, in bytes; beyond it 413. Default: 1 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /**
   * Asked before each call; or a function that finds the one of a user or an address, `undefined` for none. Whom it refuses gets 429
   * with `Retry-After`. Whom it makes wait, waits: `maxQueued: 0` refuses instead. Default: none.
   */
  readonly limiter?: Limiter | ((user: User, request: Request) => Limiter | undefined) | undefined;
  /**
   * Told once for each call that went upstream, however it ended. `usage` is `undefined` if the server had not said by then, as when the
   * client leaves in the middle. What it throws is logged.
   */
  readonly onUsage?: ((usage: CompletionUsage | undefined, call: RelayCallInfo<User>) => unknown) | undefined;
  readonly timeout?: RelayTimeouts | false | undefined;
  /** Headers of every answer. The relay's own win. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Where log lines go. Default: that of `completion`'s options, or `console`. */
  readonly logger?: Logger | undefined;
  /** Default: that of `completion`'s options, or `warn`. Nothing ever logged holds a key, a prompt or an answer. */
  readonly logLevel?: LogLevel | undefined;
  /** What the clocks run on. Default: RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** What `authorize` says of nobody. */
export type Denied = undefined | null | false | '';

export const RELAY_DEFAULTS = {
  maxBodyBytes: 1024 * 1024,
  timeout: { bodyMs: 30_000, headersMs: 10_000, keepAliveMs: 15_000, stallMs: 120_000 },
} as const;

/** What the relay works with. */
export interface RelayConfig<User> {
  readonly chat: RelayCompletion;
  readonly models: readonly string[];
  readonly authorize: RelayOptions<User>['authorize'];
  readonly params: ParamRules;
  readonly origins: ReadonlySet<string>;
  readonly maxBodyBytes: number;
  readonly limiterOf: (user: User, request: Request) => Limiter | undefined;
  readonly onUsage: RelayOptions<User>['onUsage'];
  readonly timeout: { readonly [K in keyof RelayTimeouts]-?: number | undefined };
  readonly headers: Readonly<Record<string, string>>;
  readonly logger: Logger;
  readonly scheduler: SchedulerLike;
}

const OPTION_NAMES = [
  'completion',
  'models',
  'authorize',
  'params',
  'origins',
  'maxBodyBytes',
  'limiter',
  'onUsage',
  'timeout',
  'headers',
  'logger',
  'logLevel',
  'scheduler',
] as const satisfies readonly (keyof RelayOptions)[];

/** Throws a `configuration` error that names the option and the remedy. */
export function resolveRelay<User>(
  options: RelayOptions<User>,
  clientOf: (options: ChatCompletionOptions) => RelayCompletion,
): RelayConfig<User> {
  checkNames(options, OPTION_NAMES, 'createRelay');
  const { completion = {} } = options;
  if (typeof completion !== 'object' || (completion as unknown) === null) {
    throw configurationError('completion must be a client, or the options of one', 'completion');
  }
  const ofClient = isClient(completion) ? {} : completion;
  const { logger = ofClient.logger, logLevel = ofClient.logLevel } = options;
  const target = validMembers(logger, 'logger', ['error', 'warn', 'info', 'debug']) ?? globalThis.console;
  const scheduler = validScheduler(options.scheduler);
  const optional = <F extends (...args: never[]) => unknown>(name: string, given: F | undefined): F | undefined =>
    given === undefined ? undefined : validFunction(name, given, given);
  return {
    // No temperature: what the client of the relay leaves out is the server's to choose.
    chat: isClient(completion)
      ? completion
      : clientOf({ scheduler, ...completion, temperature: completion.temperature ?? null, logger: target, logLevel }),
    models: validModels(options.models),
    authorize: optional('authorize', options.authorize),
    params: resolveParams(options.params),
    origins: validOrigins(options.origins),
    maxBodyBytes: validNumber('maxBodyBytes', options.maxBodyBytes, RELAY_DEFAULTS.maxBodyBytes, {
      min: 1,
      whole: true,
    }),
    limiterOf: limiterOf(options.limiter),
    onUsage: optional('onUsage', options.onUsage),
    timeout: validTimeouts(options.timeout, RELAY_DEFAULTS.timeout),
    headers: validHeaders(options.headers, 'headers'),
    logger: levelledLogger(target, logLevelOf(logLevel, undefined, 'warn')),
    scheduler,
  };
}

function isClient(completion: ChatCompletionOptions | RelayCompletion): completion is RelayCompletion {
  return typeof (completion as { chunks$?: unknown } | null)?.chunks$ === 'function';
}

function validModels(models: unknown): readonly string[] {
  const isName = (model: unknown): boolean => typeof model === 'string' && model.trim() !== '';
  if (Array.isArray(models) && models.length > 0 && models.every(isName)) return [...(models as readonly string[])];
  throw configurationError('models must be a list of at least one model that may be asked for', 'models');
}

function limiterOf<User>(limiter: RelayOptions<User>['limiter']): RelayConfig<User>['limiterOf'] {
  if (typeof limiter === 'function') return limiter;
  const valid = validMembers(limiter, 'limiter', ['acquire']);
  return () => valid;
}

import type { SchedulerLike } from 'rxjs';
import { configurationError } from './errors.ts';
import { levelledLogger, logLevelOf, type Logger, type LogLevel } from './logger.ts';
import { checkNames, mustBe, unknownNames, validMembers, validModel, validScheduler } from './option-checks.ts';
import { validTimeouts, type TimeoutOptions, type Timeouts } from './clock-options.ts';
import { headerText, textOf, validBaseURL, validHeaders } from './request-checks.ts';
import type { Limiter } from './operators/limiter.ts';
import { resolveRetryOption, RETRY_DEFAULTS, type RetryOptions, type RetryPolicy } from './operators/retry.ts';
import type { Environment, Platform } from './platform.ts';
import type { ClientHooks, Fetch, Transport } from './transport/transport.ts';
import { DEFAULT_MAX_EVENT_BYTES } from './wire/sse.ts';

/**
 * Options of `OpenAIChatCompletion`. What is left out comes from the process environment, then from `.env` (both in Node
 * only), then from the default. A blank value counts as left out.
 */
export interface ChatCompletionOptions {
  /** The API key. Variable: `OPENAI_API_KEY`. Needed unless a `transport` is given, or, in a browser, a `baseURL`. */
  readonly apiKey?: string | undefined;
  /** The model of calls that name none. Variable: `OPENAI_MODEL`. Default: `gpt-4o-mini`. */
  readonly model?: string | undefined;
  /** The address before `/chat/completions`. Variable: `OPENAI_BASE_URL`. Default: `https://api.openai.com/v1`. */
  readonly baseURL?: string | undefined;
  /** Sent as `OpenAI-Organization`. Variable: `OPENAI_ORG_ID`. */
  readonly organization?: string | undefined;
  /** Sent as `OpenAI-Project`. Variable: `OPENAI_PROJECT_ID`. */
  readonly project?: string | undefined;
  /**
   * The temperature of calls that set none, 0 to 2. Default: 0.7, left out for models that refuse it (o-series, gpt-5
   * family). `null`: never sent unless a call sets it. A value given here is always sent.
   */
  readonly temperature?: number | null | undefined;
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The fetch to send with (proxies, tests). Default: the runtime's. */
  readonly fetch?: Fetch | undefined;
  /** How requests are sent, instead of `baseURL` and `fetch`. Default: the `openai` SDK in Node, plain fetch elsewhere. */
  readonly transport?: Transport | undefined;
  /** Where log lines go. Default: `console`. */
  readonly logger?: Logger | undefined;
  /** Variable: `OPENAI_LOG`. Default: `warn`. Nothing ever logged holds a key, a prompt or an answer. */
  readonly logLevel?: LogLevel | undefined;
  /** A `.env` file to read, relative to the working directory; `false`: none. Default: `.env` if there is one. Node only. */
  readonly envFile?: string | false | undefined;
  /** The clocks of every call; `false`: none. */
  readonly timeout?: TimeoutOptions | false | undefined;
  /**
   * When a failed request is sent again, and after what pause; `false`: never. The mode `restart` has effect in `events$` alone: no
   * other method could take back what it has emitted.
   */
  readonly retry?: RetryOptions | false | undefined;
  /** Asked before each HTTP request, below the retry: see `createLimiter` of `rxjs-openai/operators`. Default: none. */
  readonly limiter?: Limiter | undefined;
  /** Largest event of a stream, and largest body of a non-streaming request, in bytes. Default: 8 MiB. */
  readonly maxEventBytes?: number | undefined;
  /** What every clock runs on. Default: RxJS's `asyncScheduler`. */
  readonly scheduler?: SchedulerLike | undefined;
  /** Callbacks for telemetry. */
  readonly hooks?: ClientHooks | undefined;
  /** Allows `apiKey` in a browser, where everybody can read it. Better: a relay and no key. Default: false. */
  readonly dangerouslyAllowBrowser?: boolean | undefined;
}

/** Times in milliseconds; `false`: this clock is off. */
export type { TimeoutOptions } from './clock-options.ts';

/** Every default in one place. */
export const DEFAULTS = {
  model: 'gpt-4o-mini',
  baseURL: 'https://api.openai.com/v1',
  temperature: 0.7,
  logLevel: 'warn',
  maxEventBytes: DEFAULT_MAX_EVENT_BYTES,
  timeout: { connectMs: 240_000, idleMs: 120_000, outputMs: 300_000, totalMs: undefined },
  retry: RETRY_DEFAULTS,
} as const;

/** What the client works with: valid, complete, secrets in `headers` alone. */
export interface Config {
  readonly model: string;
  /** `undefined`: none by default. */
  readonly temperature: number | undefined;
  /** Whether the temperature is ours to drop, or was asked for. */
  readonly temperatureIsDefault: boolean;
  readonly transport: Transport;
  readonly headers: Readonly<Record<string, string>>;
  readonly logger: Logger;
  readonly timeout: Timeouts;
  /** `undefined`: no retries. */
  readonly retry: RetryPolicy | undefined;
  readonly limiter: Limiter | undefined;
  readonly maxEventBytes: number;
  readonly scheduler: SchedulerLike;
  readonly hooks: ClientHooks;
}

const OPTION_NAMES = [
  'apiKey',
  'model',
  'baseURL',
  'organization',
  'project',
  'temperature',
  'headers',
  'fetch',
  'transport',
  'logger',
  'logLevel',
  'envFile',
  'timeout',
  'retry',
  'limiter',
  'maxEventBytes',
  'scheduler',
  'hooks',
  'dangerouslyAllowBrowser',
] as const satisfies readonly (keyof ChatCompletionOptions)[];

/** Options and environment → configuration. Throws a `configuration` error that names the option and the remedy. */
export function resolveConfig(options: ChatCompletionOptions, platform: Platform): Config {
  checkNames(options, OPTION_NAMES, 'OpenAIChatCompletion');
  const { envFile } = options;
  if (envFile !== undefined && envFile !== false && typeof envFile !== 'string') {
    return mustBe('envFile', 'the path of a file, or false');
  }
  const environment = platform.environment(envFile);
  const headers = identity(options, environment);
  const transport = resolveTransport(options, environment, platform, headers);
  Object.assign(headers, validHeaders(options.headers, 'headers'));
  const maxEventBytes = options.maxEventBytes ?? DEFAULTS.maxEventBytes;
  if (!Number.isInteger(maxEventBytes) || maxEventBytes < 1) {
    return mustBe('maxEventBytes', 'a whole number of bytes, at least 1');
  }
  return {
    model: modelOf(options.model, environment),
    ...temperatureOf(options.temperature),
    transport,
    headers,
    logger: levelledLogger(
      validMembers(options.logger, 'logger', ['error', 'warn', 'info', 'debug']) ?? console,
      logLevelOf(options.logLevel, environment['OPENAI_LOG'], DEFAULTS.logLevel),
    ),
    timeout: validTimeouts(options.timeout, DEFAULTS.timeout),
    retry: resolveRetryOption(options.retry, DEFAULTS.retry),
    limiter: validMembers(options.limiter, 'limiter', ['acquire']),
    maxEventBytes,
    scheduler: validScheduler(options.scheduler),
    hooks: validHooks(options.hooks),
  };
}

/** The headers that say who asks, from the options and, for the default transport, from the environment. */
function identity(options: ChatCompletionOptions, environment: Environment): Record<string, string> {
  // A transport of the caller's own may lead anywhere: it gets what was given for it, not what lies about.
  const variables = options.transport === undefined ? environment : {};
  const headers: Record<string, string> = {};
  for (const [option, variable, header, scheme] of IDENTITY) {
    const text = headerText(option, options[option]) ?? headerText(variable, variables[variable]);
    if (text !== undefined) headers[header] = scheme + text;
  }
  return headers;
}

const IDENTITY = [
  ['apiKey', 'OPENAI_API_KEY', 'authorization', 'Bearer '],
  ['organization', 'OPENAI_ORG_ID', 'openai-organization', ''],
  ['project', 'OPENAI_PROJECT_ID', 'openai-project', ''],
] as const;

function resolveTransport(
  options: ChatCompletionOptions,
  environment: Environment,
  platform: Platform,
  headers: Readonly<Record<string, string>>,
): Transport {
  const { transport, fetch, dangerouslyAllowBrowser } = options;
  const hasKey = headers['authorization'] !== undefined;
  if (hasKey && platform.isBrowser() && dangerouslyAllowBrowser !== true) {
    throw configurationError(
      'apiKey is refused in a browser, where everybody can read it: put a relay in front of the API and set baseURL to it, or set dangerouslyAllowBrowser: true',
      'apiKey',
    );
  }
  if (fetch !== undefined && typeof fetch !== 'function') return mustBe('fetch', 'a function');
  if (transport !== undefined) {
    if (typeof transport !== 'function') {
      return mustBe('transport', 'a function: use fetchTransport(…) or sdkTransport(…)');
    }
    const idle = options.baseURL !== undefined ? 'baseURL' : fetch !== undefined ? 'fetch' : undefined;
    if (idle !== undefined) {
      throw configurationError(`${idle} has no effect beside transport: give it to the transport instead`, idle);
    }
    return transport;
  }
  const baseURL = textOf('baseURL', options.baseURL) ?? textOf('OPENAI_BASE_URL', environment['OPENAI_BASE_URL']);
  if (!hasKey && !(platform.isBrowser() && baseURL !== undefined)) {
    throw configurationError(
      'The API key is missing: pass the option apiKey or set the variable OPENAI_API_KEY (or pass a transport that needs none)',
      'apiKey',
    );
  }
  return platform.transport({ baseURL: validBaseURL(baseURL ?? DEFAULTS.baseURL, platform.base()), fetch });
}

function validHooks(hooks: ClientHooks | undefined): ClientHooks {
  if (hooks === undefined) return {};
  const known = ['onRequest', 'onResponse', 'onRetry'] as const;
  validMembers(
    hooks,
    'hooks',
    known.filter((name) => hooks[name] !== undefined),
  );
  unknownNames(hooks, known, 'hooks');
  return hooks;
}

function modelOf(option: unknown, environment: Environment): string {
  if (option !== undefined) validModel(option);
  return textOf('model', option) ?? textOf('OPENAI_MODEL', environment['OPENAI_MODEL']) ?? DEFAULTS.model;
}

function temperatureOf(option: unknown): Pick<Config, 'temperature' | 'temperatureIsDefault'> {
  if (option === undefined) return { temperature: DEFAULTS.temperature, temperatureIsDefault: true };
  if (option === null) return { temperature: undefined, temperatureIsDefault: false };
  if (typeof option !== 'number' || !(option >= 0 && option <= 2)) {
    return mustBe('temperature', 'a number from 0 to 2, or null to leave it to the server');
  }
  return { temperature: option, temperatureIsDefault: false };
}

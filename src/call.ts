import { catchError, defer, finalize, mergeMap, type Observable } from 'rxjs';
import type { Config } from './config.ts';
import type { DeadlineClock } from './deadline-clock.ts';
import type { ResponseFacts } from './error-response.ts';
import { isCompletionError, withDetails } from './errors.ts';
import type { Method } from './methods.ts';
import type { LimiterLease } from './operators/limiter-queue.ts';
import { longestDelayBefore } from './operators/backoff.ts';
import { RETRY_DEFAULTS, retryAttempts, type RetryPolicy } from './operators/retry.ts';
import { totalTimeout } from './operators/timeout.ts';
import { expectedTokens } from './expected-tokens.ts';
import { promptsOf } from './prompts.ts';
import { redact } from './redact.ts';
import { withoutDefault, type CallRequest, type DroppableDefault, type StreamCallOptions } from './request.ts';
import { attempt$, type AttemptRequest, type EndIfWhole } from './transport/attempt.ts';
import type { BodyDecoder, BodyDecoderFactory } from './wire/body-decoder.ts';

/** Defaults of ours that the server refused, by model. */
export type DroppedDefaults = Map<string, Set<DroppableDefault>>;

/** What a call is made of. */
export interface CallSettings<T> {
  readonly config: Config;
  readonly dropped: DroppedDefaults;
  readonly method: Pick<Method<T, never>, 'decoderFor' | 'restarts' | 'opaque'>;
  readonly request: CallRequest;
  readonly gate: StreamCallOptions['gate'];
  /** Whose `partial` errors tell. */
  readonly choice: number;
}

/** The explanation of a failure that is asked again about is awaited this long. */
const DISCARD_MS = 1000;

/** One subscription to a method of the client: its attempts, one after the other, and what is known of them. */
export class Call<T> {
  readonly #settings: CallSettings<T>;
  #request: CallRequest;
  /** The number of the request that was sent last. */
  #attempt = 0;
  #retries = 0;
  /** Knows what has arrived of the attempt that runs. */
  #decoder: BodyDecoder | undefined;
  /** Knows what the consumer has: a new attempt withdraws nothing before it has output of its own. */
  #shown: BodyDecoder | undefined;
  #endIfWhole: EndIfWhole | undefined;
  #total: DeadlineClock | undefined;

  constructor(settings: CallSettings<T>) {
    this.#settings = settings;
    this.#request = settings.request;
  }

  /** The attempts, within the time for all of them. To be subscribed once. */
  run(): Observable<T> {
    const { scheduler } = this.#settings.config;
    const { totalMs } = this.#request.timeout;
    const attempts$ = this.#retried(defer(() => this.#next()));
    if (totalMs === undefined) return attempts$;
    const onStart = (clock: DeadlineClock): void => {
      this.#total = clock;
    };
    return attempts$.pipe(totalTimeout<T>(totalMs, scheduler, onStart, () => this.#endIfWhole?.() ?? false));
  }

  /** The error with what the call knows: how often it was sent, and what had arrived. */
  informed(error: unknown): unknown {
    if (!isCompletionError(error)) return error;
    const known = outputsOf(this.#decoder) > 0 ? this.#decoder : (this.#shown ?? this.#decoder);
    const partial = known?.partial?.(this.#settings.choice) ?? error.partial;
    const { value } = error.partial;
    return withDetails(error, {
      attempts: this.#attempt,
      partial: value === undefined ? partial : { ...partial, value },
    });
  }

  #retried(attempt$: Observable<T>): Observable<T> {
    const { config, method } = this.#settings;
    const policy = this.#request.retry;
    if (policy === undefined) return attempt$;
    return attempt$.pipe(
      retryAttempts<T>(method.restarts ? policy : { ...policy, mode: 'before-output' }, config.scheduler, {
        sent: () => this.#attempt,
        leftMs: () => this.#total?.leftMs,
        ...(method.opaque ? { isOutput: () => outputsOf(this.#decoder) > 0 } : undefined),
        onRetry: (error, delayMs) => {
          this.#onRetry(error, delayMs);
        },
      }),
    );
  }

  #onRetry(error: unknown, delayMs: number): void {
    const { logger, hooks } = this.#settings.config;
    this.#retries += 1;
    const attempt = this.#attempt + 1;
    const why = isCompletionError(error) ? error.kind : 'an error';
    logger.info(`rxjs-openai: attempt=${String(attempt)} follows in ${String(delayMs)} ms, after ${why}`);
    hooks.onRetry?.({ attempt, error, delayMs });
  }

  /** One request, or several where the server refuses defaults of ours. Each waits for its turn. */
  #next(): Observable<T> {
    const { limiter } = this.#settings.config;
    if (limiter === undefined) return this.#send(undefined);
    const release = (lease: LimiterLease) => (): void => {
      lease.release();
    };
    return limiter
      .acquire(expectedTokens(this.#request))
      .pipe(mergeMap((lease) => this.#send(lease).pipe(finalize(release(lease)))));
  }

  #send(lease: LimiterLease | undefined): Observable<T> {
    if (outputsOf(this.#decoder) > 0) this.#shown = this.#decoder;
    this.#attempt += 1;
    this.#decoder = this.#endIfWhole = undefined;
    const request = this.#request;
    let emitted = false;
    const decoderFor: BodyDecoderFactory<T> = (context) => {
      const emit = (value: T): void => {
        emitted = true;
        if (lease !== undefined) tellUsage(value, lease);
        context.emit(value);
      };
      return this.#settings.method.decoderFor({ ...context, emit });
    };
    return attempt$(this.#attemptRequest(request, lease), decoderFor).pipe(
      catchError((error: unknown) => {
        const refused = emitted ? undefined : refusedDefault(error, request);
        // Before the error is told: who answers it with the next call must find the place free.
        lease?.release();
        if (refused === undefined) throw this.informed(error);
        this.#drop(refused, error);
        return this.#next();
      }),
    );
  }

  #attemptRequest(request: CallRequest, lease: LimiterLease | undefined): AttemptRequest {
    const { config, gate } = this.#settings;
    const { body, headers, model, timeout, retry } = request;
    return {
      ...config,
      ...timeout,
      outputMs: body['stream'] === true ? timeout.outputMs : undefined,
      discardMs: (facts) => (retry !== undefined && this.#followsUp(facts, retry) ? DISCARD_MS : undefined),
      total: this.#total,
      body,
      headers,
      model,
      attempt: this.#attempt,
      gate,
      secrets: () => promptsOf(request),
      onLimits: lease?.response,
      onBody: (decoder, endIfWhole) => {
        this.#decoder = decoder;
        this.#endIfWhole = endIfWhole;
      },
    };
  }

  /** Whether another attempt follows a failure whatever its explanation is. */
  #followsUp({ retryAfterMs }: ResponseFacts, policy: RetryPolicy): boolean {
    // A condition of the user's own may look at the explanation.
    if (this.#retries >= policy.maxRetries || policy.when !== RETRY_DEFAULTS.when) return false;
    const pauseMs = longestDelayBefore(this.#retries + 1, retryAfterMs, policy);
    return pauseMs !== undefined && DISCARD_MS + pauseMs < (this.#total?.leftMs ?? Number.POSITIVE_INFINITY);
  }

  /** Prepares the same call without a default of ours that the server refused, and remembers it for the next one. */
  #drop(name: DroppableDefault, error: unknown): void {
    const { config, dropped } = this.#settings;
    const { model } = this.#request;
    const names = dropped.get(model) ?? new Set();
    dropped.set(model, names.add(name));
    config.logger.warn(`rxjs-openai: ${redact(model, [], 100)} refuses the default ${name}; asking again without it`);
    this.#request = withoutDefault(this.#request, name);
    config.hooks.onRetry?.({ attempt: this.#attempt + 1, error, delayMs: 0 });
  }
}

const outputsOf = (decoder: BodyDecoder | undefined): number => decoder?.outputs ?? 0;

/** Events, chunks and completions all have it under the same name. */
function tellUsage(value: unknown, lease: LimiterLease): void {
  const { usage } = (value ?? {}) as { readonly usage?: { readonly total_tokens?: unknown } | null };
  if (typeof usage?.total_tokens === 'number') lease.usage(usage.total_tokens);
}

/** The default of ours that the server objects to, by name of the parameter or, where it names none, in its message. */
function refusedDefault(error: unknown, { defaults }: CallRequest): DroppableDefault | undefined {
  if (!isCompletionError(error) || error.kind !== 'bad-request') return undefined;
  const { param, message } = error;
  return [...defaults].find((name) => {
    if (param !== undefined) return param === name || param.startsWith(`${name}.`);
    return mentions(message, name) || (name === 'stream_options' && mentions(message, 'include_usage'));
  });
}

/** Says the name, and not because it quotes the request. */
function mentions(message: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(message) && !new RegExp(`["']${name}["']\\s*:`).test(message);
}

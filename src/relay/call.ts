/** One call of the relay: its turn in the limiter, what goes upstream, what it has cost. */
import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions';
import { catchError, defer, finalize, mergeMap, of, tap, type Observable } from 'rxjs';
import { isCompletionError } from '../errors.ts';
import { expectedTokens } from '../expected-tokens.ts';
import type { LimiterLease } from '../operators/limiter-queue.ts';
import type { Limiter } from '../operators/limiter.ts';
import { redact } from '../redact.ts';
import type { RelayConfig } from './options.ts';
import { Refusal, retryAfter } from './refusal.ts';
import type { RelayRequest } from './relay-request.ts';
import { UsageMeter, type RelayOutcome } from './usage-meter.ts';

/** A request that may be sent upstream. */
export interface RelayCall<User> {
  readonly config: RelayConfig<User>;
  readonly asked: RelayRequest;
  readonly user: User;
  readonly limiter: Limiter | undefined;
  /** Aborts when the client leaves, if the server says so. */
  readonly signal: AbortSignal;
  /** Tells the operator of a failure. */
  readonly onFailure: (error: unknown) => void;
}

type Answer = ChatCompletion | ChatCompletionChunk;

/** What comes from upstream, when it is the call's turn. Unsubscribing aborts it and gives its place to the next. */
export function upstream$<User, T extends Answer>(
  call: RelayCall<User>,
  answerFor: () => Observable<T>,
): Observable<T> {
  return leased(call).pipe(mergeMap((lease) => metered(call, lease, answerFor)));
}

function leased<User>({ limiter, asked }: RelayCall<User>): Observable<LimiterLease | undefined> {
  if (limiter === undefined) return of(undefined);
  const body = { ...asked.params, messages: asked.messages };
  return limiter.acquire(expectedTokens({ body })).pipe(
    catchError((error: unknown) => {
      // When a place is given back is not known where no window is full: a second is a guess.
      throw isCompletionError(error) ? tooMany(error.retryAfterMs ?? 1000) : error;
    }),
  );
}

function tooMany(ms: number): Refusal {
  return new Refusal(429, 'Too many requests', {
    type: 'rate_limit_error',
    code: 'rate_limit_exceeded',
    headers: retryAfter(ms),
  });
}

function metered<User, T extends Answer>(
  call: RelayCall<User>,
  lease: LimiterLease | undefined,
  answerFor: () => Observable<T>,
): Observable<T> {
  return defer(() => {
    const startedAt = call.config.scheduler.now();
    const meter = new UsageMeter(lease);
    let over = false;
    // When it is told, not when it is finalized: whoever sees the end may ask again, or look at the books.
    const end = (outcome: RelayOutcome) => (): void => {
      if (over) return;
      over = true;
      lease?.release();
      report(call, meter, outcome, call.config.scheduler.now() - startedAt);
    };
    return defer(answerFor).pipe(
      tap({
        next: (value) => {
          meter.add(value);
        },
        error: end('failed'),
        complete: end('completed'),
      }),
      finalize(end('left')),
    );
  });
}

function report<User>(
  { config, asked, user, onFailure }: RelayCall<User>,
  { usage, characters }: UsageMeter,
  outcome: RelayOutcome,
  durationMs: number,
): void {
  const { model, stream } = asked;
  config.logger.info(
    `rxjs-openai: relay model=${redact(model, [], 100)} stream=${String(stream)} durationMs=${String(Math.round(durationMs))} outcome=${outcome}`,
  );
  const told = (): unknown => config.onUsage?.(usage, { user, model, stream, outcome, characters, durationMs });
  // The books are the operator's: an error in them is no reason to break the answer.
  new Promise((resolve) => {
    resolve(told());
  }).catch(onFailure);
}

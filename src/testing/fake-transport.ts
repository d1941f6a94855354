import type { SchedulerLike } from 'rxjs';
import { configurationError } from '../errors.ts';
import { checkNames, validScheduler } from '../option-checks.ts';
import type { Transport } from '../transport/transport.ts';
import { validExchange, type FakeExchange } from './exchange.ts';
import { Immediate } from './immediate.ts';
import { perform, type FakeOutcome } from './performance.ts';
import { timelineOf, type PlayedExchange } from './timeline.ts';

/** What the server saw of one HTTP request. */
export interface FakeRequest {
  /** From 0; retries count. */
  readonly index: number;
  /** The JSON body: `model`, `messages`, `stream` and the parameters. */
  readonly body: Readonly<Record<string, unknown>>;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** When it was sent, on the scheduler. */
  readonly sentAt: number;
  /** `ended`: everything in the script was done. `aborted`: the client went away before. `unanswered`: the script has nothing. */
  readonly outcome: FakeOutcome;
  /** When that was, on the scheduler. */
  readonly endedAt: number | undefined;
}

/** Exchanges in the order of the requests, or what to do with each. What the function throws ends the call unchanged. */
export type FakeScript = readonly FakeExchange[] | ((request: FakeRequest) => FakeExchange);

/** Options of {@link fakeTransport}. */
export interface FakeTransportOptions {
  /**
   * What the times of the script run on; the client needs the same. Default: RxJS's `asyncScheduler`, which inside
   * `TestScheduler.run` is virtual time.
   */
  readonly scheduler?: SchedulerLike | undefined;
}

/** A transport that follows a script. */
export interface FakeTransport extends Transport {
  /** Every request so far. Its objects are kept up to date. */
  readonly requests: readonly FakeRequest[];
  /** Throws what went wrong with the script, which the code under test may have caught: too many requests, or too few. */
  readonly verify: () => void;
}

/**
 * A transport without a network, for tests: the client above it is the real one, with its retries, clocks, checks and decoder.
 * Nothing is answered inside `subscribe`. Everything else happens on the scheduler, without promises in between: inside
 * `TestScheduler.run` in virtual time, and under the fake timers of a test runner in the tick in which they are moved.
 *
 * A request that finds no exchange in a list gets an error of kind `configuration`. Aborting one ends its exchange.
 *
 * ```ts
 * import { lastValueFrom } from 'rxjs';
 * import { OpenAIChatCompletion } from 'rxjs-openai';
 * import { answer, fakeTransport, httpError } from 'rxjs-openai/testing';
 *
 * const transport = fakeTransport([httpError(503), answer('Hello', ' world')]);
 * const chat = new OpenAIChatCompletion({ transport, retry: { baseDelayMs: 0 } });
 * console.log(await lastValueFrom(chat.generate$('Hi'))); // Hello world
 * console.log(transport.requests.length); // 2
 * ```
 *
 * @param script - a list of exchanges, or a function of the request
 */
export function fakeTransport(script: FakeScript, options: FakeTransportOptions = {}): FakeTransport {
  checkNames(options, ['scheduler'], 'fakeTransport');
  const scheduler = validScheduler(options.scheduler);
  if (typeof script === 'function') {
    return playedTransport((request) => validExchange(script(request), 'What the script returns'), scheduler);
  }
  if (!Array.isArray(script)) {
    throw configurationError('fakeTransport: the script must be a list of exchanges, or a function', 'script');
  }
  const exchanges = (script as readonly FakeExchange[]).map((exchange, place) =>
    validExchange(exchange, `script[${String(place)}]`),
  );
  const next = ({ index }: FakeRequest): FakeExchange => {
    const exchange = exchanges[index];
    if (exchange !== undefined) return exchange;
    const planned = `${String(exchanges.length)} exchange${exchanges.length === 1 ? '' : 's'}`;
    throw configurationError(
      `fakeTransport: request ${String(index + 1)} came, and the script has ${planned}; add one, or turn retries off`,
      'script',
    );
  };
  return playedTransport(next, scheduler, exchanges.length);
}

/** The same for exchanges that are known to be right. */
export function playedTransport(
  exchangeFor: (request: FakeRequest) => PlayedExchange,
  scheduler: SchedulerLike,
  planned = 0,
): FakeTransport {
  const requests: Seen[] = [];
  const failures: unknown[] = [];
  const transport: Transport = (asked) => {
    const headers = new Headers({ 'content-type': 'application/json', ...asked.headers });
    const body = JSON.stringify(asked.body);
    const seen = new Seen(requests.length, JSON.parse(body) as Seen['body'], scheduler);
    seen.headers = Object.fromEntries(headers);
    try {
      const acts = timelineOf(exchangeFor(seen), seen);
      const send = asked.bound((_url, init) => {
        seen.headers = Object.fromEntries(new Headers(init?.headers));
        requests.push(seen);
        return perform(acts, scheduler, asked.signal, seen.end);
      }, Immediate);
      return send(ADDRESS, { method: 'POST', headers, body, signal: asked.signal });
    } catch (error) {
      failures.push(error);
      requests.push(seen);
      seen.end('unanswered');
      return Immediate.failed(error);
    }
  };
  const verify = (): void => {
    if (failures.length > 0) throw failures[0];
    if (requests.length >= planned) return;
    throw new Error(
      `fakeTransport: the script has ${String(planned)} exchanges, and ${String(requests.length)} requests came`,
    );
  };
  return Object.assign(transport, { requests, verify });
}

const ADDRESS = 'http://fake.invalid/v1/chat/completions';

class Seen implements FakeRequest {
  readonly index: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly sentAt: number;
  headers: Readonly<Record<string, string>> = {};
  outcome: FakeOutcome = 'pending';
  endedAt: number | undefined;
  readonly #scheduler: SchedulerLike;

  constructor(index: number, body: Readonly<Record<string, unknown>>, scheduler: SchedulerLike) {
    this.index = index;
    this.body = body;
    this.sentAt = scheduler.now();
    this.#scheduler = scheduler;
  }

  readonly end = (outcome: FakeOutcome): void => {
    this.outcome = outcome;
    this.endedAt = this.#scheduler.now();
  };
}

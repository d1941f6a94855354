/** Asks in some way and compares what came of it with what the row states. */
import {
  isCompletionError,
  type ChatCompletionOptions,
  type CompletionError,
  type RetryInfo,
} from '../../src/index.ts';
import { HandClock, type Outcome } from './client.ts';
import type { FaultServer } from './fault-server.ts';
import { attemptsOf, type ExpectedError, type Fault } from './faults.ts';
import { watchedCaller } from './faults-caller.ts';
import { inTurn } from './faults-steps.ts';
import type { Question, Way } from './faults-ways.ts';

/** When the calls of the tables begin. */
export const NOW = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT');

/** A row as far as the caller sees it. */
export type Expected = Omit<Fault, 'answer' | 'then' | 'endings' | 'anyEnding'>;

/** Asks the server in each of the ways: all see what the row states, and so does the server. */
export async function check(server: FaultServer, row: Fault, ways: readonly Way[]): Promise<void> {
  for (const way of ways) {
    server.clear();
    const url = server.route('fault', row.then === undefined ? row.answer : inTurn(row.answer, ...row.then));
    await ask(way, row, { url, onShown: server.show, server });
    const endings = await Promise.all(server.requests.map(({ closed }) => closed));
    const expected = Array.from({ length: attemptsOf(row) }, (_, index) =>
      row.anyEnding === true ? endings[index] : (row.endings?.[index] ?? row.endings?.at(-1) ?? 'finished'),
    );
    expect({ way: way.name, endings }).toEqual({ way: way.name, endings: expected });
  }
}

interface Circumstances extends Pick<Question, 'url' | 'onShown'> {
  /** Where answers are given that let time pass. */
  readonly server?: FaultServer;
  readonly clock?: HandClock;
}

/** Asks once: what the caller sees is what is expected, after pauses on a clock that nobody waits for. */
export async function ask(way: Way, row: Expected, circumstances: Circumstances): Promise<void> {
  const { url, onShown, server, clock = new HandClock(NOW) } = circumstances;
  const { options, told } = patience(clock);
  const caller = watchedCaller(clock);
  server?.callFrom(row.timed === true ? caller : undefined);
  const watched = row.timed === true ? { fetch: caller.fetch } : undefined;
  const question = { url, params: row.params, options: { ...options, ...watched, ...row.options }, onShown };
  const outcome = await way.ask(question);
  expect({ way: way.name, ...visible(outcome, row) }).toEqual({ way: way.name, ...wanted(row) });
  if (isCompletionError(outcome.error)) checkMessage(outcome.error, row);
  checkRetries(told, row);
  await clock.untilPending(0);
}

/** The default retries, whose pauses are over as soon as they begin, and what the hook was told of them. */
export function patience(clock = new HandClock(NOW)): {
  readonly options: ChatCompletionOptions;
  readonly told: readonly RetryInfo[];
} {
  const told: RetryInfo[] = [];
  const onRetry = (retry: RetryInfo): void => {
    told.push(retry);
    // The pause begins when the hook has returned.
    queueMicrotask(() => {
      clock.advance(retry.delayMs);
    });
  };
  return { told, options: { retry: {}, scheduler: clock, hooks: { onRetry } } };
}

function visible({ values, completed, error }: Outcome<string>, { anyCode }: Expected): object {
  if (!isCompletionError(error)) return { text: values.join(''), completed, error };
  return {
    text: values.join(''),
    completed,
    error: { ...factsOf(error), ...(anyCode === true ? { code: undefined } : undefined) },
    partial: error.partial.text,
    attempts: error.attempts,
  };
}

function wanted(row: Expected): object {
  const { text, error } = row;
  if (error === undefined) return { text, completed: true, error: undefined };
  return { text, completed: false, error: { ...NO_FACTS, ...error }, partial: text, attempts: attemptsOf(row) };
}

const FACTS = ['kind', 'retryable', 'status', 'code', 'type', 'param', 'requestId', 'retryAfterMs', 'clock'] as const;
const NO_FACTS = Object.fromEntries(FACTS.map((fact) => [fact, undefined]));

function factsOf(error: CompletionError): Partial<ExpectedError> {
  return Object.fromEntries(FACTS.map((fact) => [fact, error[fact]]));
}

function checkMessage({ message }: CompletionError, row: Expected): void {
  expect(message).toMatch(/^[^\u0000-\u001f\u007f]{1,500}$/);
  if (row.message !== undefined) expect(message).toMatch(row.message);
  if (row.never !== undefined) expect(message).not.toMatch(row.never);
}

/** Before each retry a pause that doubles, up to a quarter of it left to chance, and never less than was asked for. */
function checkRetries(told: readonly RetryInfo[], row: Expected): void {
  expect(told.map(({ attempt }) => attempt)).toEqual(
    Array.from({ length: attemptsOf(row) - 1 }, (_, index) => index + 2),
  );
  const pauses = row.pausesMs ?? [row.error?.retryAfterMs ?? 0];
  for (const [retry, { delayMs }] of told.entries()) {
    const asked = pauses[retry] ?? pauses.at(-1) ?? 0;
    const longest = Math.min(8000, 500 * 2 ** retry);
    expect(delayMs).toBeGreaterThanOrEqual(Math.max(asked, 0.75 * longest));
    expect(delayMs).toBeLessThanOrEqual(Math.max(asked, longest));
  }
}

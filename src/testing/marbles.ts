/** A marble diagram of texts and events → the answer that a server would give. */
import { TestScheduler } from 'rxjs/testing';
import { CompletionError, configurationError, isCompletionError, withDetails } from '../errors.ts';
import type { CompletionEvent, StartEvent, ToolCallEvent } from '../events/event.ts';
import type { Fields } from '../fields.ts';
import { RATE_LIMIT_HEADERS } from '../transport/response-headers.ts';
import type { FakeStep } from './exchange.ts';
import type { PlayedAnswer } from './timeline.ts';

/** What the letters of a diagram stand for: text, or an event of the answer. A letter that is not here is itself the text. */
export type MarbleValues = Readonly<Record<string, string | CompletionEvent>>;

/** A character is a millisecond, in `run` and out of it. */
class Marbles extends TestScheduler {
  static override frameTimeFactor = 1;
}

/** The error that a test gives, on its way through the client as the cause of another: the client copies what passes. */
class GivenError extends Error {
  readonly given: unknown;

  constructor(given: unknown) {
    super('an error of the test');
    this.given = given;
  }
}

/** What the client lets through. */
function sent(error: unknown): CompletionError {
  if (error === undefined) return new CompletionError('The answer broke off', { kind: 'interrupted', retryable: true });
  const cause = new GivenError(error);
  if (isCompletionError(error)) return withDetails(error, { cause });
  return new CompletionError(cause.message, { kind: 'interrupted', cause });
}

/** The error as it was given, but for what had arrived; the client's own errors as they are. */
export function asGiven(error: unknown): unknown {
  if (!isCompletionError(error) || !(error.cause instanceof GivenError)) return error;
  const { given } = error.cause;
  if (!isCompletionError(given)) return given;
  // One attempt goes without saying: the error stays equal to the one that the test gave.
  return withDetails(given, { partial: error.partial, ...(error.attempts === 1 ? {} : { attempts: error.attempts }) });
}

export function answerOf(marbles: string, values: MarbleValues, error: unknown): PlayedAnswer {
  if (typeof marbles !== 'string') throw configurationError('fakeCompletion: marbles must be a diagram', 'marbles');
  for (const mark of ['^', '!']) {
    if (marbles.includes(mark)) {
      throw configurationError(`fakeCompletion: ${mark} has no meaning in the diagram of a cold answer`, 'marbles');
    }
  }
  const steps: FakeStep[] = [];
  const writer = new EventWriter();
  let now = 0;
  let ending: { readonly afterMs: number; readonly kind: 'C' | 'E' } | undefined;
  for (const { frame, notification } of Marbles.parseMarbles(marbles, undefined, undefined, false, true)) {
    if (ending !== undefined) {
      throw configurationError('fakeCompletion: nothing may follow the end of the answer (| or #)', 'marbles');
    }
    const afterMs = frame - now;
    now = frame;
    if (notification.kind !== 'N') ending = { afterMs, kind: notification.kind };
    else steps.push({ afterMs, ...writer.step(notification.value as string, values) });
  }
  const { start } = writer;
  const answer: PlayedAnswer = {
    type: 'answer',
    steps,
    ...(start === undefined ? undefined : { id: start.id, model: start.model, created: start.created }),
    headers: start === undefined ? {} : headersOf(start),
  };
  if (ending?.kind !== 'E') {
    steps.push(ending === undefined ? { end: 'hang' } : { afterMs: ending.afterMs, end: 'done' });
    return answer;
  }
  if (writer.finished) {
    throw configurationError('fakeCompletion: after a finish the answer is whole, and # no error any more', 'marbles');
  }
  return { ...answer, failure: { afterMs: ending.afterMs, error: sent(error) } };
}

/** Values → steps, with what the events before have said. */
class EventWriter {
  readonly #calls = new Set<string>();
  start: StartEvent | undefined;
  finished = false;

  step(letter: string, values: MarbleValues): FakeStep {
    const value: unknown = Object.hasOwn(values, letter) ? values[letter] : letter;
    if (typeof value === 'string') return { text: value };
    const type: unknown = typeof value === 'object' && value !== null ? (value as { type?: unknown }).type : undefined;
    if (typeof type !== 'string') {
      throw configurationError(`fakeCompletion: values.${letter} must be a text or a CompletionEvent`, 'values');
    }
    return this.#stepOf(value as CompletionEvent, letter);
  }

  #stepOf(event: CompletionEvent, letter: string): FakeStep {
    switch (event.type) {
      case 'start':
        this.start = event;
        return { chunk: { ...systemFingerprint(event), choices: [choiceOf(0, { role: 'assistant', content: '' })] } };
      case 'text-delta':
        return { choice: event.choice, text: event.text };
      case 'reasoning-delta': {
        const fields = event.field === 'both' ? ['reasoning', 'reasoning_content'] : [event.field];
        return said(event.choice, Object.fromEntries(fields.map((field) => [field, event.text])));
      }
      case 'refusal-delta':
        return { choice: event.choice, refusal: event.text };
      case 'tool-call-start':
        return this.#call(event, { id: event.id, type: 'function', function: { name: event.name, arguments: '' } });
      case 'tool-call-delta':
        return this.#call(event, { function: { arguments: event.arguments } });
      case 'tool-call':
        // Its pieces have come before, unless the test gives it whole.
        return this.#calls.has(callKey(event)) ? {} : this.#call(event, wholeCall(event));
      case 'logprobs':
        return {
          chunk: {
            choices: [
              { ...choiceOf(event.choice, {}), logprobs: { content: event.tokens, refusal: event.refusalTokens } },
            ],
          },
        };
      case 'finish':
        this.finished = true;
        return { choice: event.choice, finish: event.reason };
      case 'usage':
        return { usage: event.usage };
      case 'extra': {
        const { choice, scope, fields } = event;
        if (choice === undefined) return { chunk: fields };
        return scope === 'choice'
          ? { chunk: { choices: [{ ...choiceOf(choice, {}), ...fields }] } }
          : said(choice, fields);
      }
      case 'restart':
        throw configurationError(
          `fakeCompletion: values.${letter} is a restart, which is what the client makes of a retry; use fakeTransport with two exchanges and retry: { mode: 'restart' }`,
          'values',
        );
      default:
        throw configurationError(
          `fakeCompletion: values.${letter} is an event that no server sends: ${String((event as { type: unknown }).type)}`,
          'values',
        );
    }
  }

  #call(event: { readonly choice: number; readonly index: number }, fields: Fields): FakeStep {
    this.#calls.add(callKey(event));
    return said(event.choice, { tool_calls: [{ index: event.index, ...fields }] });
  }
}

const callKey = ({ choice, index }: { readonly choice: number; readonly index: number }): string =>
  `${String(choice)}/${String(index)}`;

function choiceOf(index: number, delta: Fields): Fields {
  return { index, delta, logprobs: null, finish_reason: null };
}

function said(choice: number, delta: Fields): FakeStep {
  return { chunk: { choices: [choiceOf(choice, delta)] } };
}

function wholeCall({ id, name, arguments: json, extra }: ToolCallEvent): Fields {
  const call =
    extra?.['type'] === 'custom'
      ? { type: 'custom', custom: { name, input: json } }
      : { type: 'function', function: { name, arguments: json } };
  return { id, ...call, ...extra };
}

function systemFingerprint({ systemFingerprint: fingerprint }: StartEvent): Fields {
  return fingerprint === undefined ? {} : { system_fingerprint: fingerprint };
}

/** What `start` tells of the response's headers, as headers. */
function headersOf({ requestId, rateLimit = {} }: StartEvent): Record<string, string> {
  const headers: Record<string, string> = requestId === undefined ? {} : { 'x-request-id': requestId };
  for (const [field, header] of RATE_LIMIT_HEADERS) {
    const value = rateLimit[field];
    if (value !== undefined) headers[header] = `${String(value)}${field.endsWith('Ms') ? 'ms' : ''}`;
  }
  return headers;
}

/** An exchange → what a server does for one request, and when. */
import type { Fields } from '../fields.ts';
import { configurationError } from '../errors.ts';
import { Composer } from './composer.ts';
import type { FakeAnswer, FakeConnectionFailure, FakeExchange, FakeHttpError, FakeStep } from './exchange.ts';

/** The headers of a response. */
export interface Head {
  readonly status: number;
  readonly headers: Headers;
}

/** One thing a server does, so long after the one before. */
export interface Act {
  readonly afterMs: number;
  readonly head?: Head;
  readonly bytes?: readonly Uint8Array[];
  /** The response is over, or breaks. After this nothing comes. */
  readonly end?: 'close' | { readonly error: unknown };
}

/** An answer that may break with an error of the test's own. */
export interface PlayedAnswer extends FakeAnswer {
  readonly failure?: { readonly afterMs: number; readonly error: unknown };
}

export type PlayedExchange = Exclude<FakeExchange, FakeAnswer> | PlayedAnswer;

/** What of a request the answer depends on. */
export interface Asked {
  readonly index: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export function timelineOf(exchange: PlayedExchange, asked: Asked): readonly Act[] {
  switch (exchange.type) {
    case 'answer':
      return asked.body['stream'] === true ? streamed(exchange, asked) : whole(exchange, asked);
    case 'http-error':
      return refused(exchange);
    case 'connection-failure':
      return [{ afterMs: exchange.afterMs ?? 0, end: { error: connectionError(exchange) } }];
    case 'silence':
      return [];
  }
}

function streamed(answer: PlayedAnswer, asked: Asked): readonly Act[] {
  const options = asked.body['stream_options'] as { readonly include_usage?: unknown } | null | undefined;
  const composer = composerFor(answer, asked, options?.include_usage === true);
  const steps = stepsOf(answer);
  const raw = isRaw(steps);
  const acts: Act[] = [{ afterMs: answer.headersAfterMs ?? 0, head: headOf(200, answer.headers, 'text/event-stream') }];
  for (const step of steps) {
    const said = composer.add(step).map(sse);
    if (step.bytes !== undefined) said.push(step.bytes);
    if (step.end === 'done' && !raw) said.push(...composer.end().map(sse), DONE);
    acts.push({ afterMs: step.afterMs ?? 0, bytes: said.map(encoded), ...ending(step) });
  }
  if (answer.failure !== undefined) acts.push({ afterMs: answer.failure.afterMs, end: answer.failure });
  return acts;
}

/** A server that does not stream says nothing, headers included, until it knows everything. */
function whole(answer: PlayedAnswer, asked: Asked): readonly Act[] {
  const steps = stepsOf(answer);
  const afterMs = steps.reduce((sum, step) => sum + (step.afterMs ?? 0), answer.headersAfterMs ?? 0);
  if (answer.failure !== undefined) return [{ afterMs: afterMs + answer.failure.afterMs, end: answer.failure }];
  const last = steps.at(-1) ?? {};
  if (last.end === 'hang') return [];
  const head = headOf(200, answer.headers, 'application/json');
  return [{ afterMs, head, bytes: documentOf(answer, steps, asked), ...ending(last) }];
}

function documentOf(answer: PlayedAnswer, steps: readonly FakeStep[], asked: Asked): readonly Uint8Array[] {
  if (isRaw(steps)) return steps.flatMap(({ bytes }) => (bytes === undefined ? [] : [encoded(bytes)]));
  if (steps.some(({ bytes }) => bytes !== undefined)) {
    throw configurationError(
      'The request is not to be streamed, and an answer of bytes among other steps is a stream: use bytes alone, or none',
      'bytes',
    );
  }
  const composer = composerFor(answer, asked, true);
  for (const step of steps) composer.add(step);
  const isWhole = steps.at(-1)?.end === 'done';
  if (isWhole) composer.end();
  const json = JSON.stringify(composer.toCompletion());
  // Half a document is what a cut leaves of it.
  return [encoded(isWhole ? json : json.slice(0, json.length / 2))];
}

/** The script writes the body itself. */
function isRaw(steps: readonly FakeStep[]): boolean {
  const speaking = steps.filter((step) => Object.keys(step).some((name) => name !== 'afterMs' && name !== 'end'));
  return speaking.length > 0 && speaking.every(({ bytes }) => bytes !== undefined);
}

function refused({ status, afterMs = 0, headers, error, body }: FakeHttpError): readonly Act[] {
  const report = { message: `The fake server answers ${String(status)}`, type: null, code: null, param: null };
  const text = body ?? JSON.stringify({ error: { ...report, ...error } });
  const head = headOf(status, headers, body === undefined ? 'application/json' : 'text/html');
  return [{ afterMs, head, bytes: [encoded(text)], end: 'close' }];
}

function composerFor(answer: PlayedAnswer, { index, body }: Asked, usageAsked: boolean): Composer {
  const asked = typeof body['model'] === 'string' ? body['model'] : '';
  const { id = `chatcmpl-${String(index + 1)}`, created = 0, model = asked } = answer;
  return new Composer({ id, created, model }, usageAsked);
}

/** Every answer has a last step that ends it. */
function stepsOf({ steps, failure }: PlayedAnswer): readonly FakeStep[] {
  const all = steps.map((step): FakeStep => (typeof step === 'string' ? { text: step } : step));
  return all.at(-1)?.end !== undefined || failure !== undefined ? all : [...all, { end: 'done' }];
}

function ending({ end }: FakeStep): Pick<Act, 'end'> {
  if (end === undefined || end === 'hang') return {};
  return { end: end === 'reset' ? { error: reset() } : 'close' };
}

function headOf(status: number, headers: Readonly<Record<string, string>> | undefined, type: string): Head {
  return { status, headers: new Headers({ 'content-type': type, ...headers }) };
}

function encoded(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? new TextEncoder().encode(data) : data;
}

const sse = (chunk: Fields): string | Uint8Array => `data: ${JSON.stringify(chunk)}\n\n`;
const DONE = 'data: [DONE]\n\n';

/** What Node's fetch says of a broken body, and of no connection. */
const reset = (): Error => failed('terminated', 'other side closed', 'UND_ERR_SOCKET');
const connectionError = ({ code = 'ECONNREFUSED' }: FakeConnectionFailure): Error =>
  failed('fetch failed', `connect ${code}`, code);

function failed(message: string, reason: string, code: string): Error {
  return new TypeError(message, { cause: Object.assign(new Error(reason), { code }) });
}

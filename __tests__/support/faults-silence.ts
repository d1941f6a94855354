/** Servers that let the caller wait. Their time passes on the caller's clock. */
import type { Handler } from './fault-server.ts';
import { fault, type ExpectedError, type Fault } from './faults.ts';
import {
  chunk,
  completion,
  DONE,
  end,
  finish,
  hang,
  head,
  json,
  pass,
  raw,
  say,
  script,
  sentence,
  text,
  whole,
  type Step,
} from './faults-steps.ts';

/** The clocks' defaults. */
const [CONNECT_MS, IDLE_MS] = [240_000, 120_000];
/** How long the explanation of a failure is awaited that is asked again about. */
const DISCARD_MS = 1000;
const MINUTE = 60_000;

const TEXT = 'Hello, world';
const ROLE = chunk({ choices: [{ index: 0, delta: { role: 'assistant' } }] });
const COMMENT = ': keep-alive\n\n';
const JSON_HEAD = { 'content-type': 'application/json' };
const HALF_A_REPORT = '{"error":{"mess';

/** The clocks that run once the headers have come know the status. */

/** Errors that hold the exchange until the caller ends it. */
const timeout = (
  clock: 'connect' | 'idle' | 'output' | 'total',
  name: string,
  answer: Handler,
  { error, ...rest }: Partial<Omit<Fault, 'error'>> & { readonly error?: Partial<ExpectedError> } = {},
): Fault =>
  fault(name, answer, rest.text ?? '', {
    timed: true,
    endings: ['aborted'],
    ...rest,
    error: { kind: 'timeout', clock, retryable: clock !== 'total', ...error },
  });

/** These pieces in turn, for ever, each after a while. */
function trickle(pieces: Iterable<string>, everyMs = MINUTE): Step {
  const all = [...pieces];
  return async (exchange) => {
    for (let at = 0; exchange.seen.ending === undefined; at = (at + 1) % all.length) {
      await exchange.write(all[at] ?? '');
      await pass(everyMs)(exchange);
    }
  };
}

const minutes = (count: number, step: Step): readonly Step[] =>
  Array.from({ length: count }, () => [step, pass(MINUTE)]).flat();

const HEADERS_BEGIN = raw('HTTP/1.1 200 OK\r\n');

export const BEFORE_THE_BODY: readonly Fault[] = [
  timeout('connect', 'no answer at all', script(pass(CONNECT_MS), hang)),
  timeout('connect', 'headers that never end', script(HEADERS_BEGIN, pass(CONNECT_MS), hang)),
  timeout('connect', 'headers a line each minute', script(HEADERS_BEGIN, ...minutes(4, raw('x: y\r\n')), hang)),
  timeout('connect', "no answer within the client's connectMs", script(pass(50), hang), {
    options: { timeout: { connectMs: 50 } },
  }),
  timeout('idle', 'headers and nothing after them', script(head(), pass(IDLE_MS), hang)),
];

export const SILENT_STREAMS: readonly Fault[] = [
  timeout('idle', 'silence after the role', script(head(), say(ROLE), pass(IDLE_MS), hang)),
  timeout('idle', 'silence after a comment', script(head(), say(COMMENT), pass(IDLE_MS), hang)),
  timeout(
    'idle',
    'silence inside the first event',
    script(head(), say(text('Hello').slice(0, -9)), pass(IDLE_MS), hang),
  ),
  timeout('idle', 'silence after a byte each minute', script(head(), ...minutes(3, say(':')), pass(MINUTE), hang)),
];

/** Bytes enough that nothing is idle, and no output: five minutes of it. */
export const SLOW_STREAMS: readonly Fault[] = [
  timeout('output', 'a comment, a byte each minute, for ever', script(head(), trickle(COMMENT))),
  timeout('output', 'a comment each minute, for ever', script(head(), trickle([COMMENT]))),
  timeout('output', 'roles without end', script(head(), trickle([ROLE]))),
  timeout('output', 'one event, a byte each minute', script(head(), trickle(text('Hello')))),
  timeout('output', 'blanks without end', script(head(), trickle(['\n']))),
  timeout('output', "comments for longer than the client's outputMs", script(head(), trickle([COMMENT], 100)), {
    options: { timeout: { outputMs: 1000 } },
  }),
];

/** The same once there was text: told at once. */
export const SILENT_AFTER_TEXT: readonly Fault[] = [
  timeout('idle', 'silence after some text', script(head(), say(text('Hello')), pass(IDLE_MS), hang), {
    text: 'Hello',
  }),
  timeout(
    'idle',
    'silence inside the second event',
    script(head(), say(text('Hello') + text(', world').slice(0, -9)), pass(IDLE_MS), hang),
    { text: 'Hello' },
  ),
  timeout('output', 'comments without end after some text', script(head(), say(text('Hello')), trickle(COMMENT)), {
    text: 'Hello',
  }),
];

/** Slow, and whole in the end. */
export const PATIENT_STREAMS: readonly Fault[] = [
  fault(
    'an answer whose text comes every four minutes, between comments',
    script(
      head(),
      ...minutes(4, say(COMMENT)),
      say(text('Hello, ')),
      ...minutes(4, say(COMMENT)),
      say(text('world')),
      ...minutes(4, say(COMMENT)),
      say(finish() + DONE),
      end,
    ),
    TEXT,
    { timed: true },
  ),
  fault('headers after nearly connectMs', script(pass(CONNECT_MS - 1), head(), say(sentence(TEXT)), end), TEXT, {
    timed: true,
  }),
  fault('silence after the finish reason', script(head(), say(text(TEXT) + finish()), pass(IDLE_MS), hang), TEXT, {
    timed: true,
    endings: ['aborted'],
  }),
  fault('a body that goes on after [DONE]', script(head(), say(text(TEXT) + DONE), pass(100), hang), TEXT, {
    timed: true,
    endings: ['aborted'],
  }),
];

const document = JSON.stringify(completion(TEXT));

export const SILENT_DOCUMENTS: readonly Fault[] = [
  timeout('idle', 'silence in the middle', script(head(JSON_HEAD), say(document.slice(0, 90)), pass(IDLE_MS), hang)),
  timeout('idle', 'silence before the end', script(head(JSON_HEAD), say(document), pass(IDLE_MS), hang)),
  timeout('total', 'blanks without end, in a call that has ten minutes', script(head(JSON_HEAD), trickle(' ')), {
    options: { timeout: { totalMs: 10 * MINUTE } },
  }),
];

const refusing = (status: number, ...steps: readonly Step[]): Handler =>
  script(head(JSON_HEAD, status), say(HALF_A_REPORT), ...steps, hang);

/** Refusals whose explanation hangs: worth a second, where the call is made again, and the usual patience where not. */
export const SILENT_REFUSALS: readonly Fault[] = [
  timeout('idle', 'a 503 that is never explained', refusing(503, pass(DISCARD_MS)), {
    then: [refusing(503, pass(DISCARD_MS)), refusing(503, pass(IDLE_MS))],
    error: { status: 503 },
    message: / 120000 ms/,
  }),
  timeout('idle', 'a 503 whose explanation trickles', refusing(503, trickle(' ', 100)), {
    then: [refusing(503, trickle(' ', 100)), refusing(503, trickle(' ', 10_000))],
    error: { status: 503 },
  }),
  timeout('idle', 'a 400 that is never explained', refusing(400, pass(IDLE_MS)), {
    error: { status: 400, retryable: false },
  }),
  timeout('idle', 'a 400 whose explanation trickles', refusing(400, trickle(' ')), {
    error: { status: 400, retryable: false },
  }),
  timeout(
    'idle',
    'a 429 that is never explained, and asks for a pause that is too long',
    script(head({ ...JSON_HEAD, 'retry-after': '3600' }, 429), say(HALF_A_REPORT), pass(IDLE_MS), hang),
    { attempts: 1, error: { status: 429, retryAfterMs: 3_600_000 }, message: / 120000 ms/ },
  ),
  fault('a 503 that is never explained, then a whole answer', refusing(503, pass(DISCARD_MS)), TEXT, {
    timed: true,
    then: [whole('Hello, ', 'world')],
    attempts: 2,
    endings: ['aborted', 'finished'],
  }),
  fault(
    'a 429 with Retry-After that is never explained, then a whole answer',
    script(head({ ...JSON_HEAD, 'retry-after': '7' }, 429), say(HALF_A_REPORT), pass(DISCARD_MS), hang),
    TEXT,
    { timed: true, then: [whole(TEXT)], attempts: 2, pausesMs: [7000], endings: ['aborted', 'finished'] },
  ),
];

const FIVE_SECONDS = { timeout: { totalMs: 5000 } };

/** The time of the whole call is over: nothing is begun anew. */
export const OUT_OF_TIME: readonly Fault[] = [
  timeout('total', 'while the first answer is awaited', script(pass(5000), hang), { options: FIVE_SECONDS }),
  timeout('total', 'while the second answer is awaited', json(503, {}), {
    then: [script(pass(5000), hang)],
    attempts: 2,
    endings: ['finished', 'aborted'],
    options: FIVE_SECONDS,
  }),
  timeout('total', 'while a refusal is explained', refusing(503, pass(900)), {
    options: { timeout: { totalMs: 900 } },
  }),
];

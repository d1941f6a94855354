/** Where a stream may end, and where it must not. */
import { fault, INTERRUPTED, type Fault } from './faults.ts';
import {
  chunk,
  cut,
  DONE,
  end,
  finish,
  gzipped,
  head,
  reset,
  say,
  script,
  stream,
  text,
  untilShown,
  USAGE,
} from './faults-steps.ts';

const TWO = text('Hello, ') + text('world');
/** Does not compress well. */
const NOISE = Array.from({ length: 10_000 }, (_, n) => Math.imul(n, 0x9e3779b1).toString(36)).join('');
const cutOff = (name: string, answer: Fault['answer'], shown = 'Hello, world'): Fault =>
  fault(name, answer, shown, { error: INTERRUPTED });
const broken = (name: string, answer: Fault['answer'], code: string): Fault =>
  fault(name, answer, 'Hello, world', { error: { ...INTERRUPTED, code }, endings: ['cut'] });
const toolCall = { index: 0, id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"a":1}' } };

/** Ends of a whole answer. */
const WHOLE: readonly Fault[] = [
  fault('[DONE] without a finish reason', stream(TWO, DONE), 'Hello, world'),
  fault('a finish reason without [DONE]', stream(TWO, finish()), 'Hello, world'),
  fault('a finish reason, then the connection is cut', script(head(), say(TWO, finish()), cut), 'Hello, world', {
    endings: ['cut'],
  }),
  fault(
    'usage after the finish reason, no [DONE]',
    stream(TWO, finish(), chunk({ choices: [], usage: USAGE })),
    'Hello, world',
  ),
  fault('the last event without its blank line', stream(TWO, finish().trimEnd()), 'Hello, world'),
  fault('[DONE] without its blank line', stream(TWO, DONE.trimEnd()), 'Hello, world'),
  fault('text behind [DONE]', stream(TWO, finish(), DONE, text('!'), 'garbage'), 'Hello, world'),
  fault('a connection cut behind [DONE]', script(head(), say(TWO, DONE), cut), 'Hello, world', { endings: ['cut'] }),
  fault('[DONE] in a body of known length', knownLength(TWO + DONE), 'Hello, world'),
  fault(
    'an answer without text',
    stream(chunk({ choices: [{ index: 0, delta: { role: 'assistant' } }] }), finish(), DONE),
    '',
  ),
];

/** Ends in the middle. */
const CUT: readonly Fault[] = [
  cutOff('an end without finish reason', stream(TWO)),
  cutOff('an end inside an event', stream(TWO, text(', again').slice(0, -20))),
  cutOff(
    'an end inside a code point',
    stream(TWO, Buffer.from(text('é')).subarray(0, Buffer.from(text('é')).indexOf(0xc3) + 1)),
  ),
  cutOff('an empty body', stream(), ''),
  cutOff('a body of comments', stream(': one\n\n', ': two\n\n'), ''),
  cutOff('a body of blank lines', stream('\n\n\n'), ''),
  broken('a connection cut in a chunked body', script(head(), say(TWO), cut), 'UND_ERR_SOCKET'),
  broken('a connection reset', script(head(), say(TWO), untilShown, reset), 'ECONNRESET'),
  broken('a body shorter than its length', script(head({ 'content-length': 4096 }), say(TWO), cut), 'UND_ERR_SOCKET'),
  cutOff(
    'a body that ends with the connection',
    script(head({ connection: 'close', 'transfer-encoding': 'identity' }), say(TWO), end),
  ),
  cutOff('gzip without its end', gzipped(`${TWO}: ${NOISE}\n${finish()}`, 10_000), 'Hello, world'),
  fault(
    'a tool call cut off after arguments that parse',
    stream(chunk({ choices: [{ index: 0, delta: { tool_calls: [toolCall] } }] })),
    '',
    // A call that has begun is output, if no text.
    { error: INTERRUPTED, attempts: 1 },
  ),
  fault('one of two choices without finish reason', stream(text('one', 0), text('two', 1), finish('stop', 0)), 'one', {
    error: INTERRUPTED,
    params: { n: 2 },
  }),
];

function knownLength(body: string): Fault['answer'] {
  return script(head({ 'content-length': Buffer.byteLength(body) }), say(body), end);
}

export const ENDS: readonly Fault[] = [...WHOLE, ...CUT];

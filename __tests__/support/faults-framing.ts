/** Streams that are whole, however oddly they are framed. */
import { fault, type Fault } from './faults.ts';
import {
  chunk,
  DONE,
  drip,
  end,
  event,
  finish,
  gzipped,
  head,
  say,
  script,
  sentence,
  stream,
  text,
} from './faults-steps.ts';

const WORDS = 'Hello, wörld ✓ 👋';
const PIECES = ['Hello, ', 'wörld ', '✓ ', '👋'];
const WHOLE = sentence(...PIECES);
const [FIRST, ...REST] = PIECES.map((piece) => text(piece)) as [string, ...string[]];
const TAIL = finish() + DONE;

function withLineEnd(lineEnd: string): string {
  return WHOLE.replaceAll('\n', lineEnd);
}

/** LF, CR and CRLF in turn; never LF behind CR, which would be one line end. */
function mixed(): string {
  const ends = ['\n', '\r', '\r\n'];
  let count = 0;
  return WHOLE.replaceAll('\n', () => ends[count++ % 3] ?? '');
}

const INVALID = Buffer.from(text('a?b')).map((byte) => (byte === 0x3f ? 0xff : byte));

const BIG = 'x'.repeat(1024 * 1024);

export const FRAMING: readonly Fault[] = [
  fault('events in writes of their own', stream(...PIECES.map((piece) => text(piece)), TAIL), WORDS),
  fault('the whole stream in one write', stream(WHOLE), WORDS),
  fault('one byte at a time', script(head(), drip(WHOLE, 1), end), WORDS),
  fault('CRLF line ends', stream(withLineEnd('\r\n')), WORDS),
  fault('CRLF line ends, one byte at a time', script(head(), drip(withLineEnd('\r\n'), 1), end), WORDS),
  fault('CR line ends, in writes of seven bytes', script(head(), drip(withLineEnd('\r'), 7), end), WORDS),
  fault('mixed line ends', stream(mixed()), WORDS),
  fault('a byte order mark', stream(`\ufeff${WHOLE}`), WORDS),
  fault('blank lines before the first event', stream('\n\n\n', WHOLE), WORDS),
  fault(
    'comments between events',
    stream(': OPENROUTER PROCESSING\n\n', FIRST, ':\n\n', ...REST, ': bye\n\n', TAIL),
    WORDS,
  ),
  fault('comments inside an event', stream(WHOLE.replaceAll('data:', ': keep-alive\ndata:')), WORDS),
  fault('a comment wrapped as data', stream(event(': keep-alive'), WHOLE), WORDS),
  fault('events with empty data', stream('data:\n\n', FIRST, 'data: \n\n', ...REST, 'data\n\n', TAIL), WORDS),
  fault('the data null', stream(event('null'), WHOLE), WORDS),
  fault('no space after the colon', stream(WHOLE.replaceAll('data: ', 'data:')), WORDS),
  fault('data on several lines', stream(WHOLE.replaceAll(',"object"', ',\ndata: "object"')), WORDS),
  fault('id, retry and unknown fields', stream(`retry: 3000\nid: 7\nfoo: bar\nfoo\n${WHOLE}`), WORDS),
  fault('events of the name message', stream(WHOLE.replaceAll('data:', 'event: message\ndata:')), WORDS),
  fault(
    'foreign named events',
    stream(`event: ping\n${event({ type: 'ping' })}event: note\ndata: not json\n\n`, WHOLE),
    WORDS,
  ),
  fault('invalid UTF-8', stream(INVALID, TAIL), 'a\ufffdb'),
  fault('Content-Type text/plain', script(head({ 'content-type': 'text/plain' }), say(WHOLE), end), WORDS),
  fault('Content-Type application/json', script(head({ 'content-type': 'application/json' }), say(WHOLE), end), WORDS),
  fault(
    'no Content-Type',
    script(({ response }) => void response.writeHead(200), say(WHOLE), end),
    WORDS,
  ),
  fault('gzip', gzipped(WHOLE), WORDS),
  fault('an event of a mebibyte', stream(text(BIG), TAIL), BIG),
  fault('a chunk without choices before the first text', stream(chunk({ choices: [] }), WHOLE), WORDS),
];

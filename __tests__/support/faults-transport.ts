/** Connections that fail, and bodies that are too large. */
import { gzipSync } from 'node:zlib';
import { fault, INTERRUPTED, type ExpectedError, type Fault } from './faults.ts';
import { chunk, cut, end, hang, head, raw, reset, say, script, text, untilShown, type Step } from './faults-steps.ts';

const unreachable = (code: string): ExpectedError => ({ kind: 'connection', retryable: true, code });
const LIMIT: ExpectedError = { kind: 'limit', retryable: false };
const MIB = 1024 * 1024;

/** No response at all: the same whatever was asked for. */
export const NO_RESPONSE: readonly Fault[] = [
  fault('a connection reset before the headers', reset, '', { error: unreachable('ECONNRESET'), endings: ['cut'] }),
  fault('a connection closed before the headers', script(cut), '', {
    error: unreachable('UND_ERR_SOCKET'),
    endings: ['cut'],
  }),
  fault('a connection closed inside the headers', script(raw('HTTP/1.1 200 OK\r\ncontent-ty'), cut), '', {
    error: unreachable('UND_ERR_SOCKET'),
    endings: ['cut'],
  }),
  fault('something that is no HTTP', script(raw('SSH-2.0-OpenSSH_9.7\r\n\r\n'), cut), '', {
    error: { kind: 'connection', retryable: true },
    anyCode: true,
    endings: ['cut'],
  }),
  fault('headers of 100 kB', script(raw(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`), hang), '', {
    error: unreachable('UND_ERR_HEADERS_OVERFLOW'),
    endings: ['aborted'],
  }),
];

/** A body that breaks below the level of events. */
export const BROKEN_BODIES: readonly Fault[] = [
  fault('malformed chunk sizes', script(chunked(text('Hello')), untilShown, raw('zz\r\n'), hang), 'Hello', {
    error: INTERRUPTED,
    anyCode: true,
    endings: ['aborted'],
  }),
  fault('gzip that is none', script(head({ 'content-encoding': 'gzip' }), say(text('Hello')), end), '', {
    error: { ...INTERRUPTED, code: 'Z_DATA_ERROR' },
  }),
];

/** More than the client takes, `maxEventBytes` being 64 KiB: an error, and the connection is dropped. */
export const TOO_LARGE: readonly Fault[] = [
  fault('an event beyond the limit', script(head(), say(text('Hello'), untilLarge('x')), hang), 'Hello', bounded()),
  fault(
    'an event beyond the limit in one read',
    script(head(), say(text('Hello') + text('x'.repeat(70_000))), hang),
    'Hello',
    bounded(),
  ),
  fault('a line without end', script(head(), say(text('Hello')), flood('x'.repeat(10_000))), 'Hello', bounded()),
  fault(
    'an event of lines without end',
    script(head(), say(text('Hello')), flood('data: 1\n'.repeat(1000))),
    'Hello',
    bounded(),
  ),
  fault('a gzip bomb', script(head({ 'content-encoding': 'gzip' }), say(bomb()), hang), '', bounded()),
  fault(
    'a JSON document beyond the limit in place of a stream',
    script(head(), say('{"choices":["'), flood('x'.repeat(10_000))),
    '',
    bounded(),
  ),
];

function bounded(): Partial<Fault> {
  return {
    error: LIMIT,
    endings: ['aborted'],
    message: /65536 bytes; raise maxEventBytes/,
    options: { maxEventBytes: 65_536 },
  };
}

function untilLarge(filler: string): string {
  return chunk({ choices: [{ index: 0, delta: { content: filler.repeat(70_000) } }] }).trimEnd();
}

/** 16 MiB in 16 KiB. */
function bomb(): Buffer {
  return gzipSync('x'.repeat(16 * MIB));
}

/** Says the same for ever, as fast as the client takes it. */
function flood(piece: string): Step {
  return async ({ write, response }) => {
    while (!response.destroyed) {
      await write(piece);
      await new Promise(setImmediate);
    }
  };
}

/** The head of a chunked answer and one regular chunk, past the HTTP layer. */
function chunked(body: string): Step {
  const size = Buffer.byteLength(body).toString(16);
  return raw(
    `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n${size}\r\n${body}\r\n`,
  );
}

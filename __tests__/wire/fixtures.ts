import { USAGE } from '../support/chunks.ts';
import { sse, utf8 } from '../support/sse.ts';

/** A whole answer as some server writes it. */
export interface Fixture {
  readonly bytes: Uint8Array;
  /** The content it carries. */
  readonly text: string;
  /** From this byte on the body may end in any way. */
  readonly wholeAt: number;
}

// As short as a chunk can be: each fixture is decoded once for each of its bytes.
const A = '{"choices":[{"delta":{"content":"Grüße "}}]}';
const B = '{"choices":[{"delta":{"content":"€ 😀"}}]}';
const STOP = '{"choices":[{"delta":{},"finish_reason":"stop"}]}';
const TEXT = 'Grüße € 😀';

/** @param whole - the part of `body` after which nothing is missing */
function fixture(body: string, whole = '[DONE]', text = TEXT): Fixture {
  const end = body.lastIndexOf(whole);
  if (end < 0) throw new Error(`${whole} is not in the fixture`);
  return { bytes: utf8(body), text, wholeAt: utf8(body.slice(0, end + whole.length)).length };
}

const lines = (eol: string): string => sse([A, B, STOP, '[DONE]'], eol);
const pretty = (json: string): string =>
  JSON.stringify(JSON.parse(json), null, 1)
    .split('\n')
    .map((line) => `data: ${line}\n`)
    .join('');

/** `STOP` is whole before its `[DONE]`: a body cut between the two is complete already. */
export const FIXTURES: Readonly<Record<string, Fixture>> = {
  'LF line ends': fixture(lines('\n'), STOP),
  'CRLF line ends': fixture(lines('\r\n'), STOP),
  'CR line ends': fixture(lines('\r'), STOP),
  'mixed line ends': fixture(`data: ${A}\r\n\ndata: ${B}\r\r\ndata: ${STOP}\n\r\ndata: [DONE]\r\r`, STOP),
  'a byte order mark': fixture(`\ufeff${lines('\n')}`, STOP),
  'a byte order mark before CRLF lines': fixture(`\ufeff${lines('\r\n')}`, STOP),
  comments: fixture(
    `: hello\n\n:\n:\n\ndata: ${A}\n: in the middle\n\n: PROCESSING\n\n${sse([B, STOP, '[DONE]'])}`,
    STOP,
  ),
  'no space after the colon': fixture(`data:${A}\n\ndata:${B}\n\ndata:${STOP}\n\ndata:[DONE]\n\n`, STOP),
  'data over several lines': fixture(`${pretty(A)}\n${pretty(B)}\n${pretty(STOP)}\ndata: [DONE]\n\n`, 'data: }'),
  'id, retry and unknown fields': fixture(
    `id: 1\nretry: 3000\nretry: soon\nfoo: bar\nfoo\ndata: ${A}\n\nid\nid: 2\ndata: ${B}\nid: 3\n\n${sse([STOP])}data: [DONE]\n\n`,
    STOP,
  ),
  'foreign events': fixture(
    `event: ping\ndata: {"type":"ping"}\n\nevent: ping\ndata: not JSON\n\n${sse([A])}event: ping\n\n` +
      `event: message\ndata: ${B}\n\nevent: chunk\ndata: ${STOP}\n\nevent: done\ndata: [DONE]\n\n`,
    STOP,
  ),
  'empty data and wrapped comments': fixture(
    `data:\n\ndata\n\ndata: \n\ndata: : OPENROUTER PROCESSING\n\ndata: null\n\ndata:  \n\n${sse([A, B, STOP, '[DONE]'])}`,
    STOP,
  ),
  'blank lines': fixture(`\n\n\r\n\r\r\n${lines('\n').replaceAll('\n\n', '\n\n\n\n')}`, STOP),
  '[DONE] without a finish reason': fixture(sse([A, B, '[DONE]'])),
  'garbage after [DONE]': fixture(`${sse([A, B, '[DONE]'])}data: {not json\n\n<html>\u0000${sse([A])}`),
  'no [DONE]': fixture(sse([A, B, STOP]), STOP),
  'no [DONE] and no last blank line': fixture(sse([A, B, STOP]).trimEnd(), STOP),
  'no blank line after [DONE]': fixture(sse([A, B, STOP, '[DONE]']).trimEnd(), STOP),
  'a finish reason with the last content': fixture(
    sse([A, { choices: [{ delta: { content: '€ 😀' }, finish_reason: 'stop' }] }]),
    '}]}',
  ),
  'usage after the finish reason': fixture(sse([A, B, STOP, { choices: [], usage: USAGE }, '[DONE]']), STOP),
};

/** Replies of a server at random: whole answers, and everything that fails before or after the first output. */
import fc from 'fast-check';
import { utf8 } from '../support/sse.ts';
import { chunk, completion, DONE, event, finish, text, USAGE } from '../support/faults-steps.ts';

/** What one request is answered with. Plain data, so that a counterexample can be read. */
export interface Reply {
  /** What was asked for: a stream, or one document. */
  readonly what: string;
  /** The text that this reply shows. */
  readonly shown: string;
  /** No response comes; fetch fails for this reason. */
  readonly unreachable?: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** Only so many bytes of the body come. */
  readonly length?: number;
  /** At its end the body breaks. */
  readonly breaks?: boolean;
  /** Where the body is cut into reads; taken modulo its length. */
  readonly cuts: readonly number[];
}

/** The response, or the error of fetch. */
export function respond({ unreachable, status = 200, headers = {}, body, length, breaks, cuts }: Reply): Response {
  if (unreachable !== undefined) {
    throw new TypeError('fetch failed', { cause: Object.assign(new Error(unreachable), { code: unreachable }) });
  }
  const reads = pieces(utf8(body).subarray(0, length), cuts);
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const read = reads.shift();
        if (read !== undefined) controller.enqueue(read);
        else if (breaks === true) controller.error(Object.assign(new TypeError('terminated'), { code: 'ECONNRESET' }));
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, { status, headers });
}

/** How long the reply asks to wait. */
export function askedMs({ headers = {} }: Reply): number {
  return Number(headers['retry-after-ms'] ?? Number(headers['retry-after'] ?? 0) * 1000);
}

/** A text or bytes in pieces, also empty ones; `places` are taken modulo the length. */
function pieces<T extends string | Uint8Array>(whole: T, places: readonly number[]): T[] {
  const at = [...places.map((place) => place % (whole.length + 1)), whole.length].sort((a, b) => a - b);
  return at.map((end, index) => whole.slice(at[index - 1] ?? 0, end) as T);
}

const places = (max: number, maxLength: number): fc.Arbitrary<number[]> => fc.array(fc.nat(max), { maxLength });
const cuts = places(3000, 12);

const written = (minLength: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: 'grapheme', minLength, maxLength: 30 }),
    fc.string({ unit: 'binary', minLength, maxLength: 30 }),
    fc.constantFrom('👩‍👩‍👧‍👦 e\u0301 🇪🇺', 'data: [DONE]\n\n', '{"error":"none"}', '\u2028\r\n\u0000\ufeff'),
  );

/** A text in deltas, cut anywhere. */
const deltas = (minLength: number): fc.Arbitrary<string[]> =>
  fc.tuple(written(minLength), places(60, 6)).map(([whole, at]) => pieces(whole, at));

const choice = (fields: object): string =>
  chunk({ choices: [{ index: 0, delta: {}, finish_reason: null, ...fields }] });

/** What stands in streams and is no output. */
const silence = fc.constantFrom(
  choice({ delta: { role: 'assistant', content: '' } }),
  choice({ delta: { annotations: [], refusal: null } }),
  choice({ content_filter_results: { hate: { filtered: false } } }),
  chunk({ choices: [], usage: USAGE }),
  chunk({ choices: [], usage: null, service_tier: 'default' }),
  ': keep-alive\n\n',
  event(': PROCESSING'),
  'event: ping\ndata: {"type":"ping"}\n\n',
);
const silences = fc.array(silence, { maxLength: 4 });

/** A stream up to its end, deltas and silence mixed: each piece, and the text that it shows. */
const streamed = (minLength: number): fc.Arbitrary<{ body: string; shown: string }[]> =>
  fc
    .tuple(deltas(minLength), fc.array(silences, { minLength: 1, maxLength: 7 }))
    .map(([said, between]) => [
      ...said.flatMap((piece, index) => [
        ...(between[index] ?? []).map((body) => ({ body, shown: '' })),
        { body: text(piece), shown: piece },
      ]),
      { body: finish(), shown: '' },
    ]);

const headersOfWaiting = fc.oneof(
  fc.constant({}),
  fc.nat(60).map((seconds) => ({ 'retry-after': String(seconds) })),
  fc.nat(60_000).map((ms) => ({ 'retry-after-ms': String(ms) })),
);

const report = fc
  .constantFrom<unknown>(429, 500, '503', 'rate_limit_exceeded', 'server_error')
  .map((code) => ({ error: { message: 'not now', code } }));

const unreachable = fc
  .constantFrom('ECONNREFUSED', 'ECONNRESET', 'UND_ERR_SOCKET')
  .map<Reply>((code) => ({ what: 'no response', shown: '', unreachable: code, body: '', cuts: [] }));

const refusal = fc
  .record({ status: fc.constantFrom(429, 500, 503), headers: headersOfWaiting, report, cuts })
  .map<Reply>((it) => ({ ...it, what: 'an error status', shown: '', body: JSON.stringify(it.report) }));

const silentStream = fc
  .record({ said: silences, breaks: fc.boolean(), length: fc.nat(2000), cuts })
  .map<Reply>(({ said, ...it }) => ({ ...it, what: 'a stream cut before its text', shown: '', body: said.join('') }));

const inBand = fc
  .record({ said: silences, headers: headersOfWaiting, report, event: fc.constantFrom('', 'event: error\n'), cuts })
  .map<Reply>((it) => ({
    what: 'an error in a stream',
    shown: '',
    headers: it.headers,
    body: it.said.join('') + it.event + event(it.report),
    cuts: it.cuts,
  }));

const cutDocument = fc
  .record({ said: written(0), breaks: fc.boolean(), at: fc.nat(), cuts })
  .map<Reply>(({ said, breaks, at, cuts: reads }) => {
    const body = JSON.stringify(completion(said));
    return { what: 'a cut document', shown: '', body, length: 1 + (at % (utf8(body).length - 1)), breaks, cuts: reads };
  });

const reportDocument = fc
  .record({ headers: headersOfWaiting, report, cuts })
  .map<Reply>((it) => ({ ...it, what: 'an error in a 200', shown: '', body: JSON.stringify(it.report) }));

/** Fails before output, in a way that is worth another attempt. */
export const failing = (streaming: boolean): fc.Arbitrary<Reply> =>
  streaming
    ? fc.oneof(unreachable, refusal, silentStream, inBand)
    : fc.oneof(unreachable, refusal, cutDocument, reportDocument);

const cutAfterText = fc
  .record({ said: streamed(1), breaks: fc.boolean(), at: fc.nat(), cuts })
  .map<Reply>(({ said, breaks, at, cuts: reads }) => {
    // An event is whole at the end of its line, without the blank line.
    const ends = said.map((_, index) => utf8(bodyOf(said.slice(0, index + 1))).length - 2);
    const first = ends[said.findIndex(({ shown }) => shown !== '')] ?? 0;
    const length = first + (at % ((ends.at(-1) ?? 0) - first));
    const shown = shownOf(said.filter((_, index) => (ends[index] ?? 0) <= length));
    return { what: 'a stream cut after some text', shown, body: bodyOf(said), length, breaks, cuts: reads };
  });

const inBandAfterText = fc
  .record({ said: streamed(1), headers: headersOfWaiting, report, at: fc.nat(), cuts })
  .map<Reply>(({ said, headers, report: reported, at, cuts: reads }) => {
    const first = said.findIndex(({ shown }) => shown !== '') + 1;
    const kept = said.slice(0, first + (at % (said.length - first)));
    const body = bodyOf(kept) + event(reported);
    return { what: 'an error after some text', shown: shownOf(kept), headers, body, cuts: reads };
  });

/** A stream that fails after output. */
export const broken: fc.Arbitrary<Reply> = fc.oneof(cutAfterText, inBandAfterText);

const wholeStream = fc
  .record({ said: streamed(0), usage: fc.boolean(), done: fc.boolean(), breaks: fc.boolean(), cuts })
  .map<Reply>(({ said, usage, done, ...it }) => ({
    ...it,
    what: 'a whole stream',
    shown: shownOf(said),
    body: bodyOf(said) + (usage ? chunk({ choices: [], usage: USAGE }) : '') + (done ? DONE : ''),
  }));

const wholeDocument = fc
  .record({ shown: written(0), cuts })
  .map<Reply>((it) => ({ ...it, what: 'a document', body: JSON.stringify(completion(it.shown)) }));

export const whole = (streaming: boolean): fc.Arbitrary<Reply> => (streaming ? wholeStream : wholeDocument);

const bodyOf = (said: readonly { readonly body: string }[]): string => said.map(({ body }) => body).join('');
const shownOf = (said: readonly { readonly shown: string }[]): string => said.map(({ shown }) => shown).join('');

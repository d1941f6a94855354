/** One contestant in a process of its own: prints its CPU time and a digest of the text as JSON. */
import { createHash } from 'node:crypto';
import { isServed, piecesOf, type Shape } from './body.ts';
import { CONTESTANTS, type ContestantName } from './contestants.ts';

/** What one run reports. */
export interface Report {
  /** CPU time of the whole process, user and system, while it streamed, in microseconds. */
  readonly cpuMicros: number;
  readonly sha256: string;
}

/** Opens the connection and loads what is loaded lazily; too short for the compiler to warm up to anything. */
const WARM_UP_CHUNKS = 20;

const [name = '', baseURL = '', model = '', count] = process.argv.slice(2);
const shape = model as Shape;
const chunks = Number(count);

/** Pieces without a network: each is given when it is asked for, in a read of its own. */
const pieces = isServed(shape) ? [] : piecesOf(shape, chunks);
const warmUpPieces = isServed(shape) ? [] : piecesOf(shape, WARM_UP_CHUNKS);
const unservedFetch: typeof fetch = (_input, init) => {
  const { max_tokens } = JSON.parse(init?.body as string) as { max_tokens: number };
  const left = (max_tokens === chunks ? pieces : warmUpPieces).values();
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    const { done, value } = left.next();
    if (done === true) controller.close();
    else controller.enqueue(value);
  };
  const body = new ReadableStream({ pull }, { highWaterMark: 0 });
  return Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
};

const contestant = await CONTESTANTS[name as ContestantName]({
  baseURL,
  fetch: isServed(shape) ? fetch : unservedFetch,
});
await contestant({ model, chunks: WARM_UP_CHUNKS });

const before = process.cpuUsage();
const text = await contestant({ model, chunks });
const { user, system } = process.cpuUsage(before);

const report: Report = { cpuMicros: user + system, sha256: createHash('sha256').update(text).digest('hex') };
process.stdout.write(JSON.stringify(report));
// Sockets that are kept alive would keep the process alive.
process.exit();

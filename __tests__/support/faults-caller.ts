import type { Fetch } from '../../src/index.ts';
import type { HandClock } from './client.ts';
import type { Caller } from './fault-server.ts';

/** One request of the caller, and what has come of its answer. */
interface Call {
  /** Bytes of the body; `undefined` before the headers. */
  read: number | undefined;
}

/** A caller whose fetch knows what has arrived, so that a server can let time pass exactly then. */
export function watchedCaller(clock: HandClock): Caller & { readonly fetch: Fetch } {
  const calls: Call[] = [];
  const waiting = new Set<() => void>();
  const arrived = (call: Call, bytes: number): void => {
    call.read = (call.read ?? 0) + bytes;
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  return {
    advance: (ms) => {
      clock.advance(ms);
    },
    hasRead: async (index, bytes) => {
      while ((calls[index]?.read ?? -1) < bytes) await new Promise<void>((resolve) => waiting.add(resolve));
    },
    fetch: async (input, init) => {
      const call: Call = { read: undefined };
      calls.push(call);
      const response = await fetch(input, init);
      arrived(call, 0);
      return tapped(response, (bytes) => {
        arrived(call, bytes);
      });
    },
  };
}

function tapped(response: Response, onBytes: (bytes: number) => void): Response {
  if (response.body === null) return response;
  const tap = new TransformStream<Uint8Array, Uint8Array>({
    transform: (bytes, controller) => {
      controller.enqueue(bytes);
      onBytes(bytes.byteLength);
    },
  });
  return new Response(response.body.pipeThrough(tap), response);
}

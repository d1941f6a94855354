import type { Subscription } from 'rxjs';
import type { Fetch } from '../../src/index.ts';
import { CLIENTS, HandClock, turn, type ClientCase } from '../support/client.ts';
import { sentence, text } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';
const SSE = { headers: { 'content-type': 'text/event-stream' } };

/** A body that says this and then neither continues nor ends; it is not tied to the request's signal. */
function pending(...said: readonly string[]): ReadableStream<Uint8Array> & { readonly cancelled: () => boolean } {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const piece of said) controller.enqueue(new TextEncoder().encode(piece));
    },
    cancel: () => {
      cancelled = true;
    },
  });
  return Object.assign(stream, { cancelled: () => cancelled });
}

interface Phase {
  readonly name: string;
  /** What fetch gives; `undefined`: it never settles. */
  readonly response: () => Response | undefined;
  readonly generate?: boolean;
}

const PHASES: readonly Phase[] = [
  { name: 'while connecting', response: () => undefined },
  { name: 'after the headers', response: () => new Response(pending(), SSE) },
  { name: 'after some text', response: () => new Response(pending(text('one')), SSE) },
  { name: 'while an error body hangs', response: () => new Response(pending('{'), { status: 500 }) },
  { name: 'while a JSON body hangs', response: () => new Response(pending('{'), SSE), generate: true },
];

interface Call {
  readonly signal: AbortSignal;
  readonly response: Response | undefined;
}

/** Subscribes, and waits until the call rests in its phase. */
async function begin(
  { client }: ClientCase,
  phase: Phase,
  clock: HandClock,
): Promise<Call & { subscription: Subscription; told: unknown[] }> {
  const told: unknown[] = [];
  let subscription: Subscription | undefined;
  const call = await new Promise<Call>((resolve) => {
    const fetch: Fetch = (_, init) => {
      const response = phase.response();
      if (init?.signal) resolve({ signal: init.signal, response });
      return response === undefined ? new Promise(() => undefined) : Promise.resolve(response);
    };
    const chat = client('http://127.0.0.1:9/v1', { fetch, scheduler: clock });
    const call$ = phase.generate === true ? chat.generate$(PROMPT) : chat.stream$(PROMPT);
    subscription = call$.subscribe({ next: (value) => told.push(value), error: (error: unknown) => told.push(error) });
  });
  await turn();
  if (subscription === undefined) throw new Error('nothing was subscribed to');
  return { ...call, subscription, told };
}

describe.each(CLIENTS)('the fetch signal over the $name transport', (clientCase) => {
  it.each(PHASES)('is aborted in the tick of the unsubscribe: $name', async (phase) => {
    const clock = new HandClock();
    const { signal, subscription, told, response } = await begin(clientCase, phase, clock);
    const before = [...told];
    expect(signal.aborted).toBe(false);
    // What streams is also watched for output.
    expect(clock.pending).toBe(phase.generate === true ? 1 : 2);

    subscription.unsubscribe();
    expect(signal.aborted).toBe(true);
    expect(clock.pending).toBe(0);

    await turn();
    expect(told).toEqual(before);
    // A fetch that does not tie the body to the signal must not go on reading.
    if (response !== undefined) expect((response.body as ReturnType<typeof pending>).cancelled()).toBe(true);
  });

  it('is aborted before next returns, when next unsubscribes', async () => {
    let signal: AbortSignal | undefined;
    const fetch: Fetch = (_, init) => {
      signal = init?.signal ?? undefined;
      return Promise.resolve(new Response(sentence('one', 'two'), SSE));
    };
    const chat = clientCase.client('http://127.0.0.1:9/v1', { fetch });
    const aborted = await new Promise((resolve) => {
      const subscription = chat.stream$(PROMPT).subscribe(() => {
        subscription.unsubscribe();
        resolve(signal?.aborted);
      });
    });
    expect(aborted).toBe(true);
  });

  it('is not aborted by the end of the answer, nor by unsubscribing after it', async () => {
    let signal: AbortSignal | undefined;
    const fetch: Fetch = (_, init) => {
      signal = init?.signal ?? undefined;
      return Promise.resolve(new Response(sentence('one', 'two'), SSE));
    };
    const clock = new HandClock();
    const chat = clientCase.client('http://127.0.0.1:9/v1', { fetch, scheduler: clock });
    const subscription = await new Promise<Subscription>((resolve) => {
      const call = chat.stream$(PROMPT).subscribe({
        complete: () => {
          void turn().then(() => {
            resolve(call);
          });
        },
      });
    });
    subscription.unsubscribe();
    await turn();
    expect(signal?.aborted).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it('never reaches a fetch if the subscriber has left before', async () => {
    let called = 0;
    const fetch: Fetch = () => {
      called += 1;
      return Promise.resolve(new Response(sentence('one'), SSE));
    };
    const requests: string[] = [];
    const hooks = { onRequest: ({ url }: { url: string }) => void requests.push(url) };
    const chat = clientCase.client('http://127.0.0.1:9/v1', { fetch, hooks });
    chat.stream$(PROMPT).subscribe().unsubscribe();
    await import('openai');
    await turn();
    // Plain fetch is called inside subscribe, the SDK not before it is loaded.
    expect(called).toBe(clientCase.name === 'sdk' ? 0 : 1);
    expect(requests).toHaveLength(called);
  });
});

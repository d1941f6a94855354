import { catchError, Subscription, take } from 'rxjs';
import { CompletionError, type CompletionEvent, type PromiseClass, type Transport } from '../../src/index.ts';
import { attempt$, type AttemptRequest } from '../../src/transport/attempt.ts';
import { eventDecoder, type BodyDecoder } from '../../src/wire/body-decoder.ts';
import { errorOf, HandClock, handBody, outcomeOf, recordingLogger, turn } from '../support/client.ts';
import { DONE, event, finish, sentence, text } from '../support/faults-steps.ts';

const answering =
  (body: BodyInit | null, init?: ResponseInit): Transport =>
  () =>
    Promise.resolve(new Response(body, init));

/** An attempt of which a test says only what it is about. */
function request(changes: Partial<AttemptRequest>): AttemptRequest {
  return {
    transport: answering(sentence('one', 'two')),
    body: { model: 'm', stream: true },
    headers: {},
    model: 'm',
    attempt: 1,
    connectMs: 1000,
    idleMs: 1000,
    outputMs: undefined,
    discardMs: undefined,
    total: undefined,
    maxEventBytes: 1_000_000,
    gate: undefined,
    scheduler: new HandClock(),
    hooks: {},
    logger: recordingLogger(),
    secrets: () => [],
    onBody: () => undefined,
    ...changes,
  };
}

const textOf = (values: readonly CompletionEvent[]): string =>
  values.map((it) => (it.type === 'text-delta' ? it.text : '')).join('');

describe('attempt$', () => {
  it('is cold, and each subscription is a request of its own', async () => {
    let sent = 0;
    const transport: Transport = () => {
      sent += 1;
      return Promise.resolve(new Response(sentence('one')));
    };
    const once$ = attempt$(request({ transport }), eventDecoder);
    expect(sent).toBe(0);
    await outcomeOf(once$);
    await outcomeOf(once$);
    expect(sent).toBe(2);
  });

  it('looks before each event of one read: what is behind an unsubscribe is not parsed', async () => {
    let decoder: BodyDecoder | undefined;
    const burst = text('one') + text('two') + event('{malformed') + text('three');
    const transport = answering(burst);
    const seen: string[] = [];
    const once$ = attempt$(request({ transport, onBody: (it) => (decoder = it) }), eventDecoder);
    await new Promise<void>((resolve) => {
      const subscription = new Subscription();
      subscription.add(
        once$.subscribe((it) => {
          if (it.type !== 'text-delta') return;
          seen.push(it.text);
          subscription.unsubscribe();
          resolve();
        }),
      );
    });
    expect(seen).toEqual(['one']);
    expect(decoder?.partial?.(0).text).toBe('one');
  });

  it('tells its decoder when the body begins, for whoever ends the call', async () => {
    const body = handBody();
    let decoder: BodyDecoder | undefined;
    const subscription = attempt$(
      request({ transport: answering(body.stream), onBody: (it) => (decoder = it) }),
      eventDecoder,
    ).subscribe();
    await turn();
    await body.say(text('so far'));
    expect(decoder?.partial?.(0).text).toBe('so far');
    expect(decoder?.complete).toBe(false);
    subscription.unsubscribe();
  });

  it('takes a transport that does not send through the bounded fetch at its word, but not at its errors', async () => {
    expect(textOf((await outcomeOf(attempt$(request({}), eventDecoder))).values)).toBe('onetwo');
    const refusing = answering('{"error":{"message":"no"}}', { status: 401, headers: { 'x-request-id': 'req_1' } });
    expect(await errorOf(attempt$(request({ transport: refusing }), eventDecoder))).toMatchObject({
      kind: 'authentication',
      status: 401,
      requestId: 'req_1',
    });
    const redirecting = answering(null, { status: 307, headers: { location: 'http://else.test' } });
    expect(await errorOf(attempt$(request({ transport: redirecting }), eventDecoder))).toMatchObject({
      kind: 'redirect',
    });
  });

  it('ends with the error of ours that a body breaks with, unless all was said', async () => {
    const broken = new CompletionError('The tunnel collapsed', {
      kind: 'interrupted',
      code: 'TUNNEL',
      retryable: true,
    });
    const breaking = (said: string, error: unknown): Transport => {
      let isSaid = false;
      const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
        if (isSaid) controller.error(error);
        else controller.enqueue(new TextEncoder().encode(said));
        isSaid = true;
      };
      return () => Promise.resolve(new Response(new ReadableStream({ pull }, { highWaterMark: 0 })));
    };
    const outcome = (said: string, error: unknown) =>
      outcomeOf(attempt$(request({ transport: breaking(said, error) }), eventDecoder));
    expect((await outcome(text('one'), broken)).error).toBe(broken);
    expect((await outcome(text('one') + finish(), broken)).completed).toBe(true);
    expect((await outcome(text('one'), new Error('foreign'))).error).toMatchObject({
      kind: 'interrupted',
      cause: new Error('foreign'),
    });
  });

  it('gives a transport promises of the class that it names, else of the runtime', async () => {
    class Marked<T> extends Promise<T> {}
    const made: unknown[] = [];
    const sending =
      (promise?: PromiseClass): Transport =>
      ({ bound, signal }) => {
        const sent = bound(() => Promise.resolve(new Response(sentence('one'))), promise)('http://host.test', {
          signal,
        });
        made.push(sent.constructor);
        return sent;
      };
    for (const transport of [sending(Marked), sending()]) {
      expect(textOf((await outcomeOf(attempt$(request({ transport }), eventDecoder))).values)).toBe('one');
    }
    expect(made).toEqual([Marked, Promise]);
  });

  it('masks the headers it gave to such a transport', async () => {
    const headers = { authorization: 'Bearer key-4f7Qm2Zx9L', 'x-tenant': 'tenant-9d41c07be2' };
    const echo = answering('no key-4f7Qm2Zx9L for tenant-9d41c07be2, and no prompt-of-the-user', { status: 401 });
    const secrets = () => ['prompt-of-the-user'];
    const error = await errorOf(attempt$(request({ transport: echo, headers, secrets }), eventDecoder));
    expect(error.message).toBe('401 no *** for ***, and no ***');
  });

  it('passes on unchanged what a transport rejects with, or throws', async () => {
    const reason = new RangeError('mine');
    const rejecting: Transport = () => Promise.reject(reason);
    const throwing: Transport = () => {
      throw reason;
    };
    for (const transport of [rejecting, throwing]) {
      const { error } = await outcomeOf(attempt$(request({ transport }), eventDecoder));
      expect(error).toBe(reason);
    }
  });

  it('prefers what the bounded fetch reported to what the transport makes of it', async () => {
    const wrapping: Transport = async ({ bound }) => {
      const send = bound(() => Promise.reject(new TypeError('fetch failed')));
      try {
        return await send('http://127.0.0.1:9');
      } catch {
        throw new Error('Connection error, with headers and all');
      }
    };
    expect(await errorOf(attempt$(request({ transport: wrapping }), eventDecoder))).toMatchObject({
      kind: 'connection',
      message: 'Connection failed: fetch failed',
    });
  });

  it('forgets what was reported if the transport got over it', async () => {
    let count = 0;
    const stubborn: Transport = async ({ bound }) => {
      const send = bound(() =>
        Promise.resolve(new Response(count++ === 0 ? 'no' : text('so far'), { status: count === 1 ? 500 : 200 })),
      );
      return send('http://127.0.0.1:9').catch(() => send('http://127.0.0.1:9'));
    };
    expect(await errorOf(attempt$(request({ transport: stubborn }), eventDecoder))).toMatchObject({
      kind: 'interrupted',
    });
    expect(count).toBe(2);
  });

  it('lets go of a response that comes after the unsubscribe', async () => {
    let respond: (response: Response) => void = () => undefined;
    const late: Transport = () =>
      new Promise((resolve) => {
        respond = resolve;
      });
    const scheduler = new HandClock();
    let cancelled = false;
    const told: unknown[] = [];
    const subscription = attempt$(request({ transport: late, scheduler }), eventDecoder).subscribe((it) =>
      told.push(it),
    );
    subscription.unsubscribe();
    respond(new Response(new ReadableStream({ cancel: () => void (cancelled = true) })));
    await turn();
    expect(cancelled).toBe(true);
    expect(scheduler.pending).toBe(0);
    expect(told).toEqual([]);
  });

  it('asks no transport for a subscriber who left between two attempts', async () => {
    let sent = 0;
    const transport: Transport = () => {
      sent += 1;
      return Promise.reject(new Error('no'));
    };
    await new Promise<void>((resolve) => {
      const subscription = attempt$(request({ transport }), eventDecoder)
        .pipe(
          catchError(() => {
            subscription.unsubscribe();
            resolve();
            return attempt$(request({ transport }), eventDecoder);
          }),
        )
        .subscribe();
    });
    await turn();
    expect(sent).toBe(1);
  });

  it('says nothing of a transport that fails after the unsubscribe', async () => {
    let fail: (error: unknown) => void = () => undefined;
    const late: Transport = () =>
      new Promise((_, reject) => {
        fail = reject;
      });
    const logger = recordingLogger();
    const told: unknown[] = [];
    const subscription = attempt$(request({ transport: late, logger }), eventDecoder).subscribe({
      error: (error: unknown) => told.push(error),
    });
    subscription.unsubscribe();
    fail(new Error('aborted'));
    await turn();
    expect(told).toEqual([]);
    expect(logger.lines).toHaveLength(1);
  });

  it('awaits the gate before each read, and reads nothing while it is closed', async () => {
    const asked: (() => void)[] = [];
    const gate = (): Promise<void> => new Promise((resolve) => asked.push(resolve));
    let pulled = 0;
    const pieces = [text('one'), text('two'), finish() + DONE];
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          const piece = pieces[pulled++];
          if (piece === undefined) controller.close();
          else controller.enqueue(new TextEncoder().encode(piece));
        },
      },
      { highWaterMark: 0 },
    );
    const outcome = outcomeOf(attempt$(request({ transport: answering(body), gate }), eventDecoder));
    for (let read = 0; read < 3; read++) {
      await turn();
      expect(asked).toHaveLength(read + 1);
      expect(pulled).toBe(read);
      asked[read]?.();
    }
    expect(textOf((await outcome).values)).toBe('onetwo');
  });

  it('takes a body that is missing for one that is empty', async () => {
    expect(await errorOf(attempt$(request({ transport: answering(null) }), eventDecoder))).toMatchObject({
      kind: 'interrupted',
    });
  });

  it('aborts the signal of the transport when the consumer has enough', async () => {
    let aborted: AbortSignal | undefined;
    const transport: Transport = ({ signal }) => {
      aborted = signal;
      return Promise.resolve(new Response(sentence('one', 'two')));
    };
    await outcomeOf(attempt$(request({ transport }), eventDecoder).pipe(take(1)));
    expect(aborted?.aborted).toBe(true);
  });
});

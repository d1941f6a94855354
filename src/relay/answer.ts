/** What comes from upstream → the response. */
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import { lastValueFrom, map, Observable, Subject, takeUntil } from 'rxjs';
import { MAX_TIMER_MS } from '../deadline-clock.ts';
import { upstream$, type RelayCall } from './call.ts';
import { refusalOf } from './refusal.ts';
import { StreamBody } from './stream-body.ts';

export type HeaderFields = Readonly<Record<string, string>>;

/** Of every answer of the relay: nobody may keep it, change it, or take it for something else. */
const COMMON = { 'cache-control': 'no-store, no-transform', 'x-content-type-options': 'nosniff', vary: 'Origin' };

export function jsonResponse(status: number, body: unknown, headers: HeaderFields): Response {
  const type = { 'content-type': 'application/json; charset=utf-8' };
  return new Response(JSON.stringify(body), { status, headers: { ...headers, ...COMMON, ...type } });
}

export function emptyResponse(status: number, headers: HeaderFields): Response {
  return new Response(null, { status, headers: { ...headers, ...COMMON } });
}

/** Nobody is there to read it. */
export const leftResponse = (): Response => emptyResponse(499, {});

/** The answer to a request that does not stream. Rejects with what failed. */
export function wholeAnswer<User>(call: RelayCall<User>, headers: HeaderFields): Promise<Response> {
  const { config, asked, signal } = call;
  const response$ = upstream$(call, () => config.chat.completion$(asked.messages, asked.params)).pipe(
    map((completion) => jsonResponse(200, completion, headers)),
    takeUntil(leaving$(signal)),
  );
  return lastValueFrom(response$, { defaultValue: leftResponse() });
}

/**
 * The answer to a request that streams. Resolves with the first chunk, or after `headersMs`; rejects with what fails before. What fails
 * afterwards is the last event of a stream that is torn.
 */
export function streamedAnswer<User>(call: RelayCall<User>, headers: HeaderFields): Promise<Response> {
  const { config, asked, signal, onFailure } = call;
  const { scheduler, timeout } = config;
  return new Promise((resolve, reject) => {
    const left$ = new Subject<void>();
    const body = new StreamBody({
      ...timeout,
      scheduler,
      signal,
      onLeave: () => {
        left = true;
        left$.next();
      },
    });
    let begun = false;
    let left = false;
    const begin = (): void => {
      if (begun) return;
      begun = true;
      timer?.unsubscribe();
      body.begin();
      resolve(streamResponse(body.stream, headers));
    };
    const { headersMs } = timeout;
    const timer = headersMs === undefined ? undefined : scheduler.schedule(begin, Math.min(headersMs, MAX_TIMER_MS));
    upstream$(call, () => config.chat.chunks$(asked.messages, asked.params, { gate: body.gate }))
      .pipe(takeUntil(left$))
      .subscribe({
        next: (chunk) => {
          const shown = shownChunk(chunk, asked.includeUsage);
          if (shown === undefined) return;
          body.write(`data: ${JSON.stringify(shown)}\n\n`);
          begin();
        },
        error: (error: unknown) => {
          timer?.unsubscribe();
          if (!begun) {
            body.discard();
            // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever the client erred with
            reject(error);
            return;
          }
          onFailure(error);
          body.fail(refusalOf(error).toEvent());
        },
        complete: () => {
          timer?.unsubscribe();
          if (left) {
            if (!begun) body.discard();
            resolve(leftResponse());
            return;
          }
          body.write('data: [DONE]\n\n');
          body.end();
          begin();
        },
      });
  });
}

function streamResponse(stream: ReadableStream<Uint8Array>, headers: HeaderFields): Response {
  const ofStream = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };
  return new Response(stream, { headers: { ...headers, ...COMMON, ...ofStream } });
}

/** The relay always asks for the usage; who did not ask for it gets the stream as it would be without. */
function shownChunk(chunk: ChatCompletionChunk, includeUsage: boolean): Partial<ChatCompletionChunk> | undefined {
  if (includeUsage || chunk.usage === undefined) return chunk;
  const { usage, ...rest } = chunk;
  const isLast = usage !== null && !(Array.isArray(chunk.choices) && chunk.choices.length > 0);
  return isLast ? undefined : rest;
}

/** Emits when the client leaves. */
function leaving$(signal: AbortSignal): Observable<void> {
  return new Observable((subscriber) => {
    const leave = (): void => {
      subscriber.next();
    };
    signal.addEventListener('abort', leave);
    subscriber.add(() => {
      signal.removeEventListener('abort', leave);
    });
  });
}

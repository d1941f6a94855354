import { HttpClient, HttpContext, HttpErrorResponse, HttpEventType, HttpHeaders } from '@angular/common/http';
import { inject } from '@angular/core';
import { catchError, filter, firstValueFrom, map, of, tap, throwError, throwIfEmpty, type Observable } from 'rxjs';
import { CompletionError, configurationError, isCompletionError } from '../../errors.ts';
import { abortedBy } from '../../operators/aborted-by.ts';
import { checkNames, validSwitch } from '../../option-checks.ts';
import { discard } from '../../transport/bounded-fetch.ts';
import type { Transport } from '../../transport/transport.ts';
import { createClient } from '../client.ts';
import type { ChatCompletionFeature } from '../config.ts';
import { responseOf, unanswered } from './native.ts';
import { streamedResponse } from './partial-text.ts';
import { sentBy } from './terminal.ts';

/** Options of {@link withHttpClientTransport}. */
export interface HttpClientTransportOptions {
  /**
   * Whether requests end in `chatCompletionInterceptor`, the last one of `withInterceptors([…])`, which sends them by the browser's fetch.
   * `false`: HttpClient sends them, for unit tests by `HttpTestingController`; the cost of an answer grows with the square of its length
   * then. Default: true.
   */
  readonly terminal?: boolean | undefined;
  /** What interceptors find in the context of each request (`SKIP_AUTH` and the like). Default: nothing. */
  readonly context?: HttpContext | undefined;
}

const HTTP_DEFAULTS = { terminal: true } as const;

/**
 * Sends through Angular's HttpClient, so that the interceptors of the application apply: a header with a token, its refresh after a 401,
 * logging. For `provideChatCompletion`. Needs `provideHttpClient(withInterceptors([…, chatCompletionInterceptor]))`; a request that does not
 * meet the interceptor is a `configuration` error.
 *
 * Errors of requests are those of every transport (`CompletionError`, by status); what an interceptor throws of its own before anything was sent
 * passes unchanged.
 * Unsubscribing aborts, also within an interceptor.
 *
 * ```ts
 * import { provideHttpClient, withInterceptors } from '@angular/common/http';
 * import { provideChatCompletion } from 'rxjs-openai/angular';
 * import { chatCompletionInterceptor, withHttpClientTransport } from 'rxjs-openai/angular/http';
 *
 * const providers = [
 *   provideHttpClient(withInterceptors([chatCompletionInterceptor])),
 *   provideChatCompletion({ url: '/api/chat' }, withHttpClientTransport()),
 * ];
 * ```
 *
 * @param options - `terminal`: default true
 */
export function withHttpClientTransport(options: HttpClientTransportOptions = {}): ChatCompletionFeature {
  checkNames(options, [...Object.keys(HTTP_DEFAULTS), 'context'], 'withHttpClientTransport');
  const { context } = options;
  const terminal = validSwitch('terminal', options.terminal, HTTP_DEFAULTS.terminal);
  return {
    client: (config) => {
      const http = inject(HttpClient);
      return createClient(config, (url) => (terminal ? terminalTransport : partialTextTransport)(http, url, context));
    },
  };
}

const CONTENT = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };

function terminalTransport(http: HttpClient, url: string, given: HttpContext | undefined): Transport {
  return ({ body, headers, signal, bound }) => {
    const responses: Response[] = [];
    // Bound behind the interceptors: limits, refused redirects and hooks are about what is really sent.
    const send = bound(async (input, init) => {
      const response = await fetch(input, init);
      responses.push(response);
      return response;
    });
    const context = sentBy({ send, last: () => responses.at(-1) }, given);
    const events$ = http.request('POST', url, {
      body,
      headers: { ...CONTENT, ...headers },
      observe: 'events',
      context,
    });
    const answer$ = events$.pipe(
      map((event) => {
        // Only a backend says that it has sent something.
        if (event.type === HttpEventType.Sent) throw notTerminated();
        return event;
      }),
      filter((event) => event.type === HttpEventType.Response),
      map(responseOf),
      catchError(ofInterceptor),
      throwIfEmpty(unanswered),
      abortedBy(signal),
      // An interceptor may have dropped one, and sent again.
      tap((answer) => {
        for (const response of responses) if (response !== answer && !response.bodyUsed) discard(response);
      }),
    );
    return firstValueFrom(answer$);
  };
}

function partialTextTransport(http: HttpClient, url: string, context = new HttpContext()): Transport {
  return ({ body, headers, signal, bound }) => {
    const send = bound((input, init) =>
      streamedResponse(
        http.request('POST', input as string, {
          body,
          headers: new HttpHeaders(init?.headers as Headers),
          observe: 'events',
          responseType: 'text',
          context,
          ...PROGRESS,
        }),
        signal,
      ),
    );
    return send(url, { method: 'POST', headers: { ...CONTENT, ...headers }, signal });
  };
}

/** The second for Angular 20 and 21. */
const PROGRESS = { reportDownloadProgress: true, reportProgress: true };

/** What the terminal interceptor reports is ours; an answer of an interceptor's own is treated as one of the server. */
function ofInterceptor(error: unknown): Observable<Response> {
  if (!(error instanceof HttpErrorResponse)) return throwError(() => error);
  const cause: unknown = error.error;
  if (isCompletionError(cause)) return throwError(() => cause);
  if (error.status !== 0) return of(responseOf(error));
  const message = `Connection failed: ${cause instanceof Error ? cause.message : error.message}`;
  return throwError(() => new CompletionError(message, { kind: 'connection', retryable: true }));
}

function notTerminated(): Error {
  return configurationError(
    'The request met no chatCompletionInterceptor: put it last into provideHttpClient(withInterceptors([…])), or, in unit tests, set terminal: false',
    'terminal',
  );
}

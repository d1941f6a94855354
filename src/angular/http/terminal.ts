import {
  HttpContext,
  HttpContextToken,
  HttpErrorResponse,
  HttpHeaders,
  HttpResponse,
  type HttpEvent,
  type HttpInterceptorFn,
  type HttpRequest,
} from '@angular/common/http';
import { Observable } from 'rxjs';
import { isCompletionError } from '../../errors.ts';
import type { Fetch } from '../../transport/transport.ts';
import { nativeHeaders } from './native.ts';

/** What sends a request once all other interceptors have seen it, and the last response there was. */
export interface Sending {
  readonly send: Fetch;
  readonly last: () => Response | undefined;
}

const SENDING = new HttpContextToken<Sending | undefined>(() => undefined);

/** Marks a request as ours, beside what the application has in its context. */
export function sentBy(sending: Sending, given: HttpContext | undefined): HttpContext {
  const context = new HttpContext().set(SENDING, sending);
  for (const token of given?.keys() ?? []) context.set(token, given?.get(token));
  return context;
}

/**
 * Sends the requests of a client that has `withHttpClientTransport()`, in place of HttpClient's backend, which keeps the whole body and
 * decodes it anew with every read. It must be the last one in `withInterceptors([…])`: those before it see the request and may change
 * headers, body and address, answer it themselves, or send it again after an error (a 401 and another token). An error status comes to
 * them as HttpErrorResponse. Other requests pass.
 *
 * Emits one HttpResponse as soon as the headers have come; its body is the native `Response`, not yet read. Unsubscribing aborts the request.
 *
 * ```ts
 * import { provideHttpClient, withInterceptors } from '@angular/common/http';
 * import { provideChatCompletion } from 'rxjs-openai/angular';
 * import { chatCompletionInterceptor, withHttpClientTransport } from 'rxjs-openai/angular/http';
 *
 * const providers = [
 *   provideHttpClient(withInterceptors([authInterceptor, chatCompletionInterceptor])),
 *   provideChatCompletion({ url: '/api/chat' }, withHttpClientTransport()),
 * ];
 * ```
 */
export const chatCompletionInterceptor: HttpInterceptorFn = (request, next) => {
  const sending = request.context.get(SENDING);
  return sending === undefined ? next(request) : sent$(request, sending);
};

function sent$(request: HttpRequest<unknown>, { send, last }: Sending): Observable<HttpEvent<unknown>> {
  return new Observable((subscriber) => {
    const controller = new AbortController();
    let isAnswered = false;
    const url = request.urlWithParams;
    send(url, {
      method: request.method,
      headers: nativeHeaders(request.headers),
      body: request.serializeBody() as BodyInit | null,
      signal: controller.signal,
      ...optionsOf(request),
    }).then(
      (response) => {
        // The body goes on beyond the end of this Observable; the call's own signal aborts it.
        isAnswered = true;
        const { status, statusText } = response;
        const headers = new HttpHeaders(response.headers);
        subscriber.next(new HttpResponse({ status, statusText, headers, url, body: response }));
        subscriber.complete();
      },
      (error: unknown) => {
        const status = isCompletionError(error) ? (error.status ?? 0) : 0;
        const headers = status === 0 ? undefined : new HttpHeaders(last()?.headers);
        subscriber.error(new HttpErrorResponse({ error, url, status, ...(headers && { headers }) }));
      },
    );
    return () => {
      if (!isAnswered) controller.abort();
    };
  });
}

/** What Angular's own backend passes on to fetch; redirects are not the interceptors' to follow. */
const FETCH_OPTIONS = ['credentials', 'cache', 'priority', 'keepalive', 'mode', 'referrer', 'integrity'] as const;

function optionsOf(request: HttpRequest<unknown>): RequestInit {
  const options = FETCH_OPTIONS.map((name) => [name, (request as Partial<HttpRequest<unknown>>)[name]] as const);
  const given = Object.fromEntries(options.filter(([, value]) => value !== undefined && value !== false));
  return { ...(request.withCredentials ? { credentials: 'include' } : undefined), ...given };
}

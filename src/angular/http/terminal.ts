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

/** What sends a request once all other interceptors have seen it. */
const SEND = new HttpContextToken<Fetch | undefined>(() => undefined);

/** Marks a request as ours. */
export function sentBy(send: Fetch): HttpContext {
  return new HttpContext().set(SEND, send);
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
  const send = request.context.get(SEND);
  return send === undefined ? next(request) : sent$(request, send);
};

function sent$(request: HttpRequest<unknown>, send: Fetch): Observable<HttpEvent<unknown>> {
  return new Observable((subscriber) => {
    const controller = new AbortController();
    let isAnswered = false;
    const url = request.urlWithParams;
    send(url, {
      method: request.method,
      headers: nativeHeaders(request.headers),
      body: request.serializeBody() as BodyInit | null,
      signal: controller.signal,
      ...(request.withCredentials ? { credentials: 'include' as const } : undefined),
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
        subscriber.error(new HttpErrorResponse({ error, url, status }));
      },
    );
    return () => {
      if (!isAnswered) controller.abort();
    };
  });
}

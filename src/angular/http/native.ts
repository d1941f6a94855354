import type { HttpErrorResponse, HttpHeaders, HttpResponse } from '@angular/common/http';
import { CompletionError } from '../../errors.ts';

/** As `fetch` has them. */
export function nativeHeaders(headers: HttpHeaders): Headers {
  const native = new Headers();
  for (const name of headers.keys()) {
    for (const value of headers.getAll(name) ?? []) native.append(name, value);
  }
  return native;
}

/** The native response itself, or one that says the same as what an interceptor has made up. */
export function responseOf(answer: HttpResponse<unknown> | HttpErrorResponse): Response {
  const body: unknown = 'error' in answer ? answer.error : answer.body;
  if (isResponse(body)) return unread(body);
  const { status, headers } = answer;
  const text = body === null || typeof body === 'string' ? body : JSON.stringify(body);
  return new Response(BODILESS.has(status) ? null : text, {
    status,
    headers: nativeHeaders(headers),
  });
}

/** `Response` takes no body with these. */
export const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** Also one of another realm; a Blob has no headers. */
function isResponse(body: unknown): body is Response {
  const { arrayBuffer, headers } = (body ?? {}) as Partial<Response>;
  return typeof arrayBuffer === 'function' && headers !== undefined;
}

function unread(response: Response): Response {
  if (!response.bodyUsed && response.body?.locked !== true) return response;
  throw new CompletionError('An interceptor gave a response whose body was read already: give each request its own', {
    kind: 'protocol',
  });
}

/** Also an answer, if no good one. */
export function unanswered(): CompletionError {
  return new CompletionError('The interceptors of HttpClient completed without a response', { kind: 'protocol' });
}

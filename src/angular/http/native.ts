import type { HttpErrorResponse, HttpHeaders, HttpResponse } from '@angular/common/http';

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
  if (isResponse(body)) return body;
  const { status, headers } = answer;
  return new Response(body === null || typeof body === 'string' ? body : JSON.stringify(body), {
    status,
    headers: nativeHeaders(headers),
  });
}

/** Also one of another realm. */
function isResponse(body: unknown): body is Response {
  return typeof (body as Partial<Response> | null | undefined)?.arrayBuffer === 'function';
}

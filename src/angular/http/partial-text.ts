import type { HttpHeaderResponse, HttpResponse } from '@angular/common/http';
import { HttpErrorResponse, HttpEventType, type HttpEvent } from '@angular/common/http';
import { Subscription, type Observable } from 'rxjs';
import { toError } from '../errors.ts';
import { BODILESS, nativeHeaders, responseOf, unanswered } from './native.ts';

/**
 * HttpClient's events as a response whose body is what each of them has brought. They hold the whole text so far each time, so the work
 * grows with the square of its length: for tests.
 */
export function streamedResponse(events$: Observable<HttpEvent<string>>, signal: AbortSignal): Promise<Response> {
  return new Promise((resolve, reject) => {
    const body = new TextBody();
    const subscription = new Subscription();
    const stream = (answer: HttpHeaderResponse | HttpResponse<unknown>): void => {
      const { status, headers } = answer;
      resolve(new Response(BODILESS.has(status) ? null : body.stream, { status, headers: nativeHeaders(headers) }));
    };
    const onAbort = (): void => {
      subscription.unsubscribe();
      body.fail(signal.reason);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const answer = events$.subscribe({
      next: (event) => {
        if (event.type === HttpEventType.ResponseHeader) stream(event);
        else if (event.type === HttpEventType.DownloadProgress) body.grow(event.partialText);
        else if (event.type === HttpEventType.Response) {
          // An interceptor may have made it up.
          if (typeof event.body !== 'string') resolve(responseOf(event));
          else {
            stream(event);
            body.grow(event.body);
            body.close();
          }
        }
      },
      complete: () => {
        reject(unanswered());
      },
      error: (error: unknown) => {
        if (!(error instanceof HttpErrorResponse)) reject(toError(error));
        else if (error.status === 0) reject(toError(error.error));
        else resolve(responseOf(error));
        body.fail(error);
      },
    });
    subscription.add(answer);
    answer.add(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}

/** A body that is told the whole of its text again and again. What it was told before an error is read before the error. */
class TextBody {
  readonly #utf8 = new TextEncoder();
  readonly #pieces: Uint8Array[] = [];
  #length = 0;
  #end: ((controller: ReadableStreamDefaultController) => void) | undefined;
  #wake: () => void = () => undefined;
  readonly stream = new ReadableStream<Uint8Array>(
    { pull: (controller) => this.#pull(controller) },
    { highWaterMark: 0 },
  );

  grow(text: string | null | undefined): void {
    const piece = (text ?? '').slice(this.#length);
    this.#length += piece.length;
    if (piece !== '') this.#pieces.push(this.#utf8.encode(piece));
    this.#wake();
  }

  close(): void {
    this.#end ??= (controller) => {
      controller.close();
    };
    this.#wake();
  }

  fail(error: unknown): void {
    this.#end ??= (controller) => {
      controller.error(error);
    };
    this.#wake();
  }

  #pull(controller: ReadableStreamDefaultController): Promise<void> | undefined {
    const piece = this.#pieces.shift();
    if (piece !== undefined) controller.enqueue(piece);
    else if (this.#end !== undefined) this.#end(controller);
    else {
      return new Promise((resolve) => {
        this.#wake = () => {
          resolve(this.#pull(controller));
        };
      });
    }
    return undefined;
  }
}

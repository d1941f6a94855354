/** The body of a request: JSON of limited size that has come within a limited time. */
import type { SchedulerLike } from 'rxjs';
import { MAX_TIMER_MS } from '../deadline-clock.ts';
import { configurationError } from '../errors.ts';
import { readJson } from '../wire/document.ts';
import { Refusal } from './refusal.ts';

/** What a body is held to. */
export interface BodyBounds {
  readonly maxBodyBytes: number;
  readonly bodyMs: number | undefined;
  readonly scheduler: SchedulerLike;
}

/** Throws a 415 for what is no JSON. A page of another origin may post a form or plain text without asking; JSON it may not. */
export function checkContentType(headers: Headers): void {
  const [type = '', ...parameters] = (headers.get('content-type') ?? '').split(';').map((part) => part.trim());
  const charset = parameters.find((parameter) => /^charset\s*=/i.test(parameter));
  const isUtf8 = charset === undefined || /^charset\s*=\s*"?utf-?8"?$/i.test(charset);
  if (type.toLowerCase() !== 'application/json' || !isUtf8) {
    throw new Refusal(415, 'The content type must be application/json', { code: 'unsupported_content_type' });
  }
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding.trim().toLowerCase() !== 'identity') {
    throw new Refusal(415, 'The body must not be compressed', { code: 'unsupported_content_encoding' });
  }
}

/** Throws a 413 for a body that says itself that it is too large; one that lies is found out while it is read. */
export function checkContentLength(headers: Headers, maxBodyBytes: number): void {
  if (Number(headers.get('content-length') ?? 0) > maxBodyBytes) throw tooLarge(maxBodyBytes);
}

/** The body as JSON has it. Throws refusals: 400 if it is none, 408 if it takes too long, 413 if it is too large. */
export async function readBody(request: Request, bounds: BodyBounds): Promise<unknown> {
  if (request.bodyUsed) throw alreadyRead();
  if (request.signal.aborted) throw unreadable();
  const bytes = await bytesOf(request, bounds);
  // A server that counts bytes would not have let it through empty.
  if (bytes.byteLength === 0 && Number(request.headers.get('content-length')) > 0) throw alreadyRead();
  const text = decoded(bytes);
  if (text?.trim() === '') throw new Refusal(400, 'The body is empty', { code: 'invalid_json' });
  const body = text === undefined ? undefined : readJson(text);
  if (body === undefined) throw new Refusal(400, 'The body is no valid JSON', { code: 'invalid_json' });
  return body;
}

function bytesOf(request: Request, { maxBodyBytes, bodyMs, scheduler }: BodyBounds): Promise<Uint8Array> {
  const reader = request.body?.getReader();
  if (reader === undefined) return Promise.resolve(new Uint8Array());
  return new Promise((resolve, reject) => {
    let over = false;
    const settle = (how: () => void): void => {
      if (over) return;
      over = true;
      timer?.unsubscribe();
      request.signal.removeEventListener('abort', leave);
      // Not cancelled: some servers would close the connection, and the answer with it. What is left unread is theirs to drop.
      try {
        reader.releaseLock();
      } catch {
        // Runtimes before 2023 refuse while a read is pending.
      }
      how();
    };
    const refuse = (refusal: Refusal): void => {
      settle(() => {
        reject(refusal);
      });
    };
    const leave = (): void => {
      refuse(unreadable());
    };
    const timer =
      bodyMs === undefined
        ? undefined
        : scheduler.schedule(
            () => {
              refuse(new Refusal(408, 'The body did not come in time', { code: 'request_timeout' }));
            },
            Math.min(bodyMs, MAX_TIMER_MS),
          );
    request.signal.addEventListener('abort', leave, { once: true });
    const bytes = new GrowingBytes();
    const read = async (): Promise<void> => {
      while (!over) {
        const { done, value } = await reader.read();
        if (over) return;
        if (done) {
          settle(() => {
            resolve(bytes.all);
          });
          return;
        }
        if (bytes.size + value.byteLength > maxBodyBytes) refuse(tooLarge(maxBodyBytes));
        else bytes.add(value);
      }
    };
    read().catch(() => {
      refuse(unreadable());
    });
  });
}

/** Bytes in one piece: a body that comes byte by byte, kept as it comes, would cost a hundred times its size. */
class GrowingBytes {
  #bytes = new Uint8Array(4096);
  size = 0;

  get all(): Uint8Array {
    return this.#bytes.subarray(0, this.size);
  }

  add(piece: Uint8Array): void {
    const size = this.size + piece.byteLength;
    if (size > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(size, this.#bytes.byteLength * 2));
      larger.set(this.all);
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.size);
    this.size = size;
  }
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function tooLarge(maxBodyBytes: number): Refusal {
  return new Refusal(413, `The body is larger than ${String(maxBodyBytes)} bytes`, { code: 'request_too_large' });
}

const unreadable = (): Refusal => new Refusal(400, 'The body could not be read', { code: 'unreadable_body' });

const alreadyRead = (): Error =>
  configurationError(
    'The body has been read before the relay got to it: mount the relay before body parsers, and leave the body alone in authorize',
  );

import { Immediate } from './immediate.ts';
import type { Head } from './timeline.ts';

type Read = ReadableStreamReadResult<Uint8Array>;

interface Waiting {
  readonly resolve: (read: Read) => void;
  readonly reject: (error: unknown) => void;
}

/** A body that is said piece by piece. Who reads it is called back at once: a `ReadableStream` would take a microtask. */
export class FakeBody {
  readonly #pieces: Uint8Array[] = [];
  #waiting: Waiting | undefined;
  #ended: { readonly failed: boolean; readonly error?: unknown } | undefined;

  push(bytes: Uint8Array): void {
    if (this.#ended !== undefined || bytes.byteLength === 0) return;
    const waiting = this.#taken();
    if (waiting === undefined) this.#pieces.push(bytes);
    else waiting.resolve({ done: false, value: bytes });
  }

  close(): void {
    this.#ended ??= { failed: false };
    this.#taken()?.resolve({ done: true, value: undefined });
  }

  fail(error: unknown): void {
    this.#ended ??= { failed: true, error };
    this.#taken()?.reject(error);
  }

  /** The response with this body, as far as the client looks at one. */
  toResponse({ status, headers }: Head): Response {
    const cancel = (): Immediate<void> => {
      this.#pieces.length = 0;
      this.close();
      return Immediate.of<void>(undefined);
    };
    const body = { cancel, getReader: () => ({ read: () => this.#read(), cancel }) };
    return { status, headers, ok: status >= 200 && status < 300, type: 'default', body } as unknown as Response;
  }

  #read(): Immediate<Read> {
    const piece = this.#pieces.shift();
    if (piece !== undefined) return Immediate.of<Read>({ done: false, value: piece });
    if (this.#ended?.failed === true) return Immediate.failed(this.#ended.error);
    if (this.#ended !== undefined) return Immediate.of<Read>({ done: true, value: undefined });
    return new Immediate<Read>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #taken(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }
}

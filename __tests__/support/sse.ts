/** Server-sent events as text, and bytes cut in every way. */

/** One event per value: objects as JSON, strings as they are. `eol` ends each line. */
export function sse(values: readonly unknown[], eol = '\n'): string {
  return values
    .map((value) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}${eol}${eol}`)
    .join('');
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The body in reads of `size` bytes. */
export function inReads(bytes: Uint8Array, size: number): Uint8Array[] {
  const reads: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) reads.push(bytes.subarray(at, at + size));
  return reads;
}

/** Every way to cut the body into two reads, then the body byte by byte. */
export function* everySplit(bytes: Uint8Array): Generator<readonly Uint8Array[]> {
  for (let at = 0; at <= bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
  yield inReads(bytes, 1);
}

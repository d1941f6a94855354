/** A queue that can be left from anywhere; every operation costs the same however long it is. */
export class Fifo<T extends object> {
  #entries: T[] = [];
  /** Taking from the front of a long array costs as much as copying it. */
  #head = 0;
  readonly #present = new Set<T>();

  get size(): number {
    return this.#present.size;
  }

  get first(): T | undefined {
    for (;;) {
      const entry = this.#entries[this.#head];
      if (entry === undefined || this.#present.has(entry)) return entry;
      this.#head += 1;
    }
  }

  push(entry: T): void {
    this.#compact();
    this.#entries.push(entry);
    this.#present.add(entry);
  }

  /** Whether it was there. */
  remove(entry: T): boolean {
    const removed = this.#present.delete(entry);
    if (this.size === 0) {
      this.#entries = [];
      this.#head = 0;
    }
    return removed;
  }

  /** Those who have left are forgotten when they are more than those who are there. */
  #compact(): void {
    if (this.#entries.length < 2 * this.#present.size + 100) return;
    this.#entries = this.#entries.filter((entry, at) => at >= this.#head && this.#present.has(entry));
    this.#head = 0;
  }
}

/** How much may be used within a window of time. */
export interface WindowStore {
  /**
   * Takes `points` of the limit of `key` if they fit, or if nothing is taken yet. Returns 0 if they were taken, and otherwise, with
   * nothing taken, after how many milliseconds they may be.
   */
  consume(key: string, points: number, now: number): number;
  /** Corrects what was taken at a time: real use is known afterwards. May pass the limit. */
  correct(key: string, difference: number, takenAt: number): void;
}

const WINDOW_MS = 60_000;

interface Entry {
  readonly at: number;
  points: number;
}

/** Sliding windows in memory: in no minute, wherever it begins, more than the limit is taken. */
export class MemoryWindows implements WindowStore {
  readonly #windows: ReadonlyMap<string, SlidingWindow>;

  /** @param limits - points a minute, by key; a key without a limit takes anything */
  constructor(limits: Readonly<Record<string, number>>) {
    const limited = Object.entries(limits).filter(([, limit]) => limit !== Number.POSITIVE_INFINITY);
    this.#windows = new Map(limited.map(([key, limit]) => [key, new SlidingWindow(limit)]));
  }

  consume(key: string, points: number, now: number): number {
    return this.#windows.get(key)?.consume(points, now) ?? 0;
  }

  correct(key: string, difference: number, takenAt: number): void {
    this.#windows.get(key)?.correct(difference, takenAt);
  }
}

class SlidingWindow {
  readonly #limit: number;
  /** By time; what was taken at the same time is one entry. */
  #entries: Entry[] = [];
  /** The first entry that still counts: taking from the front of a long array costs as much as copying it. */
  #head = 0;
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  consume(points: number, now: number): number {
    this.#expire(now);
    if (this.#fits(points, this.#used)) {
      this.#take(points, now);
      return 0;
    }
    let used = this.#used;
    let freeAt = now;
    for (let at = this.#head; at < this.#entries.length; at++) {
      const entry = this.#entries[at] as Entry;
      used -= entry.points;
      freeAt = entry.at + WINDOW_MS;
      if (this.#fits(points, used)) break;
    }
    // A clock that was set back makes nobody wait longer than a window.
    return Math.min(freeAt - now, WINDOW_MS);
  }

  correct(difference: number, takenAt: number): void {
    const entry = this.#entryAt(takenAt);
    if (entry === undefined) return;
    const points = Math.max(0, entry.points + difference);
    this.#used += points - entry.points;
    entry.points = points;
  }

  /** What is more than the whole limit would wait for ever: it fits where nothing is used. */
  #fits(points: number, used: number): boolean {
    return used + points <= this.#limit || used === 0;
  }

  #take(points: number, now: number): void {
    const last = this.#entries.at(-1);
    if (last?.at === now) last.points += points;
    else this.#entries.push({ at: now, points });
    this.#used += points;
  }

  #entryAt(time: number): Entry | undefined {
    let [low, high] = [this.#head, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle] as Entry).at < time) low = middle + 1;
      else high = middle;
    }
    const entry = this.#entries[low];
    return entry?.at === time ? entry : undefined;
  }

  #expire(now: number): void {
    for (;;) {
      const entry = this.#entries[this.#head];
      if (entry === undefined || entry.at + WINDOW_MS > now) break;
      this.#used -= entry.points;
      this.#head += 1;
    }
    // Parts of a token leave a rest in the arithmetic.
    if (this.#head === this.#entries.length) this.#used = 0;
    else if (this.#head < 1000) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}

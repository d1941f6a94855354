import type { PartialCompletion } from '../errors.ts';
import { Gathered } from './gathered.ts';

/** What has been emitted of one choice, for the `partial` of an error. Values that are no CompletionEvents are ignored. */
export class PartialBuffer {
  readonly #choice: number | undefined;
  readonly #gathered = new Gathered();

  constructor(choice?: number) {
    this.#choice = choice;
  }

  add(event: unknown): void {
    this.#gathered.add(event);
  }

  toPartial(): PartialCompletion {
    return this.#gathered.partial(this.#choice);
  }
}

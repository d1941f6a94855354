import { choiceIndex } from '../events/assembler.ts';
import { isFields, type Fields } from '../fields.ts';

/** Whether every choice that began has a finish_reason. */
export class Completeness {
  readonly #open = new Set<number>();
  readonly #finished = new Set<number>();

  add(choices: unknown): void {
    if (!Array.isArray(choices)) return;
    for (const choice of choices as unknown[]) {
      if (isFields(choice)) this.#addChoice(choice);
    }
  }

  get complete(): boolean {
    return this.#finished.size > 0 && this.#open.size === 0;
  }

  #addChoice(choice: Fields): void {
    const index = choiceIndex(choice);
    const reason = choice['finish_reason'];
    if (typeof reason === 'string' && reason !== '') {
      this.#finished.add(index);
      this.#open.delete(index);
    } else if (!this.#finished.has(index)) {
      this.#open.add(index);
    }
  }
}

import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { configurationError } from './errors.ts';
import { isFields } from './fields.ts';

/** Refuses an option, by name. */
export function mustBe(name: string, what: string): never {
  throw configurationError(`${name} must be ${what}`, name);
}

/** What a number may be. `max` is included; without one, it may be infinite. */
export interface NumberBounds {
  readonly min: number;
  readonly max?: number | undefined;
  readonly whole?: boolean;
}

/** The given number, or the default if it was left out. */
export function validNumber(name: string, value: unknown, byDefault: number, bounds: NumberBounds): number {
  if (value === undefined) return byDefault;
  const { min, max = Number.POSITIVE_INFINITY, whole = false } = bounds;
  const isKind = !whole || Number.isInteger(value) || value === Number.POSITIVE_INFINITY;
  if (typeof value === 'number' && value >= min && value <= max && isKind) return value;
  const range = bounds.max === undefined ? `at least ${String(min)}` : `from ${String(min)} to ${String(max)}`;
  return mustBe(name, `a ${whole ? 'whole ' : ''}number, ${range}`);
}

/** The given function, or the default if it was left out. */
export function validFunction<F extends (...args: never[]) => unknown>(
  name: string,
  value: F | undefined,
  byDefault: F,
): F {
  if (value === undefined || typeof value === 'function') return value ?? byDefault;
  return mustBe(name, 'a function');
}

/** The given switch, or the default if it was left out. */
export function validSwitch(name: string, value: boolean | undefined, byDefault: boolean): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? byDefault;
  return mustBe(name, 'true or false');
}

/** The given word, or the default if it was left out. */
export function validWord<W extends string>(name: string, value: W | undefined, words: readonly [W, ...W[]]): W {
  if (value === undefined) return words[0];
  if (words.includes(value)) return value;
  return mustBe(name, words.map((word) => `'${word}'`).join(' or '));
}

/** The number of a choice, or that of the first. */
export function validChoice(choice: unknown): number {
  const given = choice === undefined ? 0 : choice;
  return typeof given === 'number' && Number.isInteger(given) && given >= 0
    ? given
    : mustBe('choice', 'the number of a choice, from 0');
}

/** The name of a model. */
export function validModel(model: unknown): string {
  if (typeof model === 'string' && model.trim() !== '') return model;
  throw configurationError('model is empty; name a model such as gpt-4o-mini, or leave it out', 'model');
}

/** The given scheduler, or RxJS's own. */
export function validScheduler(scheduler: SchedulerLike | undefined): SchedulerLike {
  return validMembers(scheduler, 'scheduler', ['schedule', 'now']) ?? asyncScheduler;
}

/** Options of a function: an object that holds no unknown name. */
export function checkNames(options: unknown, known: readonly string[], of: string): void {
  if (!isFields(options)) throw configurationError(`The options of ${of} must be an object`, 'options');
  unknownNames(options, known, of);
}

/** The given object if it has these methods; `undefined` if it was left out. */
export function validMembers<T extends object>(
  value: T | undefined,
  name: string,
  methods: readonly string[],
): T | undefined {
  if (value === undefined) return undefined;
  const missing = methods.find((method) => typeof (value as T | null)?.[method as keyof T] !== 'function');
  if (missing !== undefined) return mustBe(name, `an object whose ${missing} is a function`);
  return Object(value) === value ? value : mustBe(name, 'an object');
}

/** Refuses names that are not in `known`: a misspelt option that is ignored is a setting that is silently off. */
export function unknownNames(given: object, known: readonly string[], of: string): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const distance = (name: string): number => editDistance(unknown.toLowerCase(), name.toLowerCase());
  const [nearest] = [...known].sort((a, b) => distance(a) - distance(b));
  const isClose = nearest !== undefined && distance(nearest) <= Math.max(2, unknown.length / 3);
  const hint = isClose ? `did you mean ${nearest}?` : `known are ${known.join(', ')}`;
  const shown = unknown.slice(0, 40);
  throw configurationError(`Unknown option ${shown} of ${of}; ${hint}`, shown);
}

/** Levenshtein's distance, one row at a time (Wagner and Fischer, 1974). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let line = 1; line <= a.length; line++) {
    let left = line;
    row = row.map((above, column) => {
      const replaced = (row[column - 1] ?? Number.NaN) + (a[line - 1] === b[column - 1] ? 0 : 1);
      return (left = column === 0 ? line : Math.min(left + 1, above + 1, replaced));
    });
  }
  return row.at(-1) ?? 0;
}

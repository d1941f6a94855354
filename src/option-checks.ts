import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { configurationError } from './errors.ts';

/** What a number may be. `max` is included; without one, it may be infinite. */
export interface NumberBounds {
  readonly min: number;
  readonly max?: number;
  readonly whole?: boolean;
}

/** The given number, or the default if it was left out. */
export function validNumber(name: string, value: unknown, byDefault: number, bounds: NumberBounds): number {
  if (value === undefined) return byDefault;
  const { min, max = Number.POSITIVE_INFINITY, whole = false } = bounds;
  const valid = typeof value === 'number' && value >= min && value <= max;
  if (valid && (!whole || Number.isInteger(value) || value === Number.POSITIVE_INFINITY)) return value;
  const upTo = bounds.max === undefined ? `at least ${String(min)}` : `from ${String(min)} to ${String(max)}`;
  throw configurationError(`${name} must be a ${whole ? 'whole ' : ''}number, ${upTo}`, name);
}

/** The given function, or the default if it was left out. */
export function validFunction<F extends (...args: never[]) => unknown>(
  name: string,
  value: F | undefined,
  byDefault: F,
): F {
  if (value === undefined || typeof value === 'function') return value ?? byDefault;
  throw configurationError(`${name} must be a function`, name);
}

/** The given switch, or the default if it was left out. */
export function validSwitch(name: string, value: boolean | undefined, byDefault: boolean): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? byDefault;
  throw configurationError(`${name} must be true or false`, name);
}

/** The given word, or the default if it was left out. */
export function validWord<W extends string>(name: string, value: W | undefined, words: readonly [W, ...W[]]): W {
  if (value === undefined) return words[0];
  if (words.includes(value)) return value;
  throw configurationError(`${name} must be ${words.map((word) => `'${word}'`).join(' or ')}`, name);
}

/** The given scheduler, or RxJS's own. */
export function validScheduler(scheduler: SchedulerLike | undefined): SchedulerLike {
  return validMembers(scheduler, 'scheduler', ['schedule', 'now']) ?? asyncScheduler;
}

/** Options of a function: an object that holds no unknown name. */
export function checkNames(options: unknown, known: readonly string[], of: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw configurationError(`The options of ${of} must be an object`, 'options');
  }
  unknownNames(options, known, of);
}

/** The given object if it has these methods; `undefined` if it was left out. */
export function validMembers<T extends object>(
  value: T | undefined,
  name: string,
  methods: readonly string[],
): T | undefined {
  if (value === undefined) return undefined;
  const members =
    (typeof value === 'object' || typeof value === 'function') && (value as unknown) !== null ? value : undefined;
  const missing = methods.find((method) => typeof members?.[method as keyof T] !== 'function');
  if (members !== undefined && missing === undefined) return members;
  throw configurationError(
    missing === undefined ? `${name} must be an object` : `${name} must be an object whose ${missing} is a function`,
    name,
  );
}

/** Refuses names that are not in `known`: a misspelt option that is ignored is a setting that is silently off. */
export function unknownNames(given: object, known: readonly string[], of: string): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const [nearest] = known
      .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
      .sort((a, b) => a.distance - b.distance);
    const close = nearest !== undefined && nearest.distance <= Math.max(2, Math.floor(name.length / 3));
    const hint = close ? `; did you mean ${nearest.candidate}?` : `; known are ${known.join(', ')}`;
    throw configurationError(`Unknown option ${name.slice(0, 40)} of ${of}${hint}`, name.slice(0, 40));
  }
}

/** Levenshtein's distance, one row at a time (Wagner and Fischer, 1974). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

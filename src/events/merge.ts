/**
 * Putting the pieces of unknown fields together again. A delta is a piece of a message, so its strings are pieces to be
 * joined and its lists are continued, except for names, ids and kinds, which servers repeat in every piece.
 * Targets are changed in place (copying them would make each piece cost as much as all before it); pieces never are.
 */

import { isFields, type Fields } from '../fields.ts';

const REPEATED = new Set(['id', 'type', 'format', 'name', 'role', 'object', 'model', 'index', 'status', 'provider']);

/** Sets an own property whatever its name: assigning `__proto__`, the one setter that objects inherit, would replace the prototype. */
export function setOwn(target: Fields, key: string, value: unknown): void {
  if (key !== '__proto__') target[key] = value;
  else Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** The own property, never an inherited one such as `constructor`. */
export function getOwn(target: Fields, key: string): unknown {
  return Object.hasOwn(target, key) ? target[key] : undefined;
}

/** Continues `target` by the fields of one delta. */
export function continueFields(target: Fields, piece: Fields): void {
  mergeFields(target, piece, true);
}

/** Fields beside the delta are states, not pieces: the last of a name stands; objects keep their other members. */
export function replaceFields(target: Fields, latest: Fields): void {
  mergeFields(target, latest, false);
}

function mergeFields(target: Fields, fields: Fields, arePieces: boolean): void {
  for (const [key, value] of Object.entries(fields)) {
    const before = getOwn(target, key);
    if (arePieces && typeof before === 'string' && typeof value === 'string' && !REPEATED.has(key))
      setOwn(target, key, before + value);
    else if (arePieces && Array.isArray(before) && Array.isArray(value)) continueList(before, value);
    else if (isFields(before) && isFields(value)) mergeFields(before, value, arePieces);
    else if (value !== null || before === undefined) setOwn(target, key, copyOf(value));
  }
}

/** Entries that carry an `index` continue the entry with the same one; others are appended. */
function continueList(target: unknown[], piece: readonly unknown[]): void {
  for (const entry of piece) {
    const index = isFields(entry) ? getOwn(entry, 'index') : undefined;
    const known = typeof index === 'number' ? entryWith(target, index) : undefined;
    if (isFields(known) && isFields(entry)) continueFields(known, entry);
    else target.push(copyOf(entry));
  }
}

/** So long a list is looked through: servers number entries by their place, and a hostile one must not make each cost all before it. */
const MAX_SEARCHED = 100;

function entryWith(list: readonly unknown[], index: number): unknown {
  const has = (entry: unknown): boolean => isFields(entry) && getOwn(entry, 'index') === index;
  if (has(list[index])) return list[index];
  if (has(list.at(-1))) return list.at(-1);
  return list.length <= MAX_SEARCHED ? list.find(has) : undefined;
}

/** A deep copy of what JSON can hold. What it cannot (a made-up event may hold a function or a Map) is passed on as it is. */
export function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return value.map((entry: unknown) => copyOf(entry)) as T;
  if (!isFields(value) || !isPlain(value)) return value;
  const copy: Fields = {};
  for (const [key, entry] of Object.entries(value)) setOwn(copy, key, copyOf(entry));
  return copy as T;
}

function isPlain(value: Fields): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Of this realm or another: only the plain prototype has none of its own.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

import { join } from 'node:path';
import { compile, settings, surfaceOf } from '../support/compile.ts';

/** Pairs that a user could tell apart. */
const DIFFERENCES = {
  'a parameter': [`export declare function f(a: string): void`, `export declare function f(a: number): void`],
  'a constructor': [`export declare class A { constructor(a?: 1) }`, `export declare class A { constructor(a: 1) }`],
  'a method': [`export declare class A { m(): 1 }`, `export declare class A { m(): 2 }`],
  'a property': [`export interface A { a: 1 }`, `export interface A { b: 1 }`],
  'an optional property': [`export interface A { a?: 1 }`, `export interface A { a: 1 }`],
  'an alias': [`export type A = 1 | 2`, `export type A = 1 | 3`],
  'a re-exported type': [`interface B { a: 1 } export type { B }`, `interface B { a: 2 } export type { B }`],
  'a name': [`export type A = 1`, `export type B = 1`],
} as const;

const files = Object.fromEntries(
  Object.values(DIFFERENCES).flatMap((pair, place) => pair.map((code, side) => [`${place}-${side}.mts`, code])),
);
const compiled = compile(__dirname, files, settings({ module: 'nodenext', types: [], lib: ['ES5'] }));

/** The comparison of both sides of the package rests on it. */
describe('the surface of a module shows a difference in', () => {
  it.each(Object.keys(DIFFERENCES).map((name, place) => [name, place] as const))('%s', (_, place) => {
    const [one, other] = [0, 1].map((side) => surfaceOf(compiled, join(__dirname, `${place}-${side}.mts`)));
    expect(Object.keys(one ?? {})).toHaveLength(1);
    expect(one).not.toEqual(other);
  });
});

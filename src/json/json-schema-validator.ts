import { Validator, type OutputUnit, type Schema, type SchemaDraft } from '@cfworker/json-schema';
import { configurationError } from '../errors.ts';
import type { Fields } from '../fields.ts';
import { redact } from '../redact.ts';
import { issueOf, MAX_ISSUES, type Validate } from './verdict.ts';

const DRAFTS: Readonly<Record<string, SchemaDraft>> = {
  'http://json-schema.org/draft-04/schema': '4',
  'http://json-schema.org/draft-07/schema': '7',
  'https://json-schema.org/draft/2019-09/schema': '2019-09',
};

/**
 * A plain JSON Schema says nothing to TypeScript, so all the more to the values: servers differ in how much of it they enforce.
 * Writes into the schema it is given.
 */
export function jsonSchemaValidator(schema: Fields, of: string, option: string): Validate {
  const declared = typeof schema['$schema'] === 'string' ? schema['$schema'].replace(/#$/, '') : '';
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      const why = error instanceof Error ? redact(error.message, [], 200) : 'it cannot be read';
      throw configurationError(`${of}: ${option} is no valid JSON Schema: ${why}`, option);
    }
  };
  const validator = (firstOnly: boolean): Validator =>
    guarded(() => new Validator(schema as Schema, DRAFTS[declared] ?? '2020-12', firstOnly));
  const all = validator(false);
  const errorsIn = (value: unknown): readonly OutputUnit[] => {
    try {
      return all.validate(value).errors;
    } catch (error) {
      // It hands on errors as arguments of a call, and of those there cannot be a hundred thousand.
      if (error instanceof RangeError) return validator(true).validate(value).errors;
      throw error;
    }
  };
  return (value) => {
    if (hasLoneSurrogate(value)) return { issues: [{ message: 'A key holds half a character.' }] };
    const errors = innermost(guarded(() => errorsIn(value)));
    if (errors.length === 0) return { value };
    const issues = errors.slice(0, MAX_ISSUES);
    return { issues: issues.map(({ error, instanceLocation }) => issueOf(error, keysOf(instanceLocation, value))) };
  };
}

/** Without those that only say that something in them is wrong. */
function innermost(errors: readonly OutputUnit[]): readonly OutputUnit[] {
  const around = new Set<string>();
  for (const { keyword, keywordLocation } of errors) {
    // Of a schema that is `false` the validator says where in the value, as if it were where in the schema.
    if (keyword === 'false') continue;
    for (let at = keywordLocation.lastIndexOf('/'); at > 0; at = keywordLocation.lastIndexOf('/', at - 1)) {
      around.add(keywordLocation.slice(0, at));
    }
  }
  return errors.filter(({ keywordLocation }) => !around.has(keywordLocation));
}

/** Its paths are addresses, which cannot hold half a surrogate pair. */
function hasLoneSurrogate(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, member]) => /\p{Surrogate}/u.test(key) || hasLoneSurrogate(member));
}

/** `#/a/0` → `['a', 0]`, numbers where lists are. */
function keysOf(location: string, root: unknown): readonly (string | number)[] {
  let at = root;
  return location
    .split('/')
    .slice(1)
    .map((segment) => {
      const key = decodeURI(segment.replaceAll('%23', '#')).replaceAll('~1', '/').replaceAll('~0', '~');
      const isList = Array.isArray(at);
      at = typeof at === 'object' && at !== null ? (at as Fields)[key] : undefined;
      return isList ? Number(key) : key;
    });
}

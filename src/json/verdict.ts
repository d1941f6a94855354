import type { OutputIssue } from '../errors.ts';
import { redact } from '../redact.ts';

/** What a validator says: the value, or what is wrong with it. */
export type Verdict =
  { readonly value: unknown; readonly issues?: undefined } | { readonly issues: readonly OutputIssue[] };

export type Validate = (value: unknown) => Verdict | Promise<Verdict>;

/** So many are told: a long list may be wrong in each of its elements. */
export const MAX_ISSUES = 100;

/** Masked and cut, as everything in errors is: a validator may quote the model. */
export function issueOf(message: string, path: readonly PropertyKey[] | undefined): OutputIssue {
  const shown = path?.map((key) => (typeof key === 'number' ? key : redact(String(key), [], 100)));
  return { message: redact(message), ...(shown === undefined ? undefined : { path: shown }) };
}

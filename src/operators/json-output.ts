/** What a text that should be JSON comes to: its value, or an error of kind `invalid-output`. */
import { CompletionError, EMPTY_PARTIAL, type OutputIssue } from '../errors.ts';
import { JsonSyntaxError } from '../json/builder.ts';
import type { Validate, Verdict } from '../json/verdict.ts';
import { JsonText } from '../json/text.ts';

/** What stands in the way of JSON as an error of ours; anything else is passed on. */
export function asInvalidOutput(error: unknown, text: string, value: unknown): unknown {
  if (!(error instanceof JsonSyntaxError)) return error;
  return invalidOutput(`The output is not the JSON it should be: ${error.message}`, text, value);
}

/** The value of a whole text. */
export function readWhole(text: string): unknown {
  const json = new JsonText();
  try {
    json.push(text);
    json.end();
    return json.builder.snapshot();
  } catch (error) {
    throw asInvalidOutput(error, text, json.builder.snapshot());
  }
}

/** What the validator makes of the value: at once, where it can. */
export function validated(validate: Validate, value: unknown, text: string): Promise<unknown> | [unknown] {
  const settle = (verdict: Verdict): unknown => {
    if (verdict.issues === undefined) return verdict.value;
    throw refusedBy(verdict.issues, value, text);
  };
  const verdict = validate(value);
  return 'then' in verdict ? verdict.then(settle) : [settle(verdict)];
}

function refusedBy(issues: readonly OutputIssue[], value: unknown, text: string): CompletionError {
  // Not what the validator says of it, nor where: both may quote the model.
  return invalidOutput('The output does not satisfy its schema; see issues', text, value, issues);
}

function invalidOutput(
  message: string,
  text: string,
  value: unknown,
  issues?: readonly OutputIssue[],
): CompletionError {
  return new CompletionError(message, {
    kind: 'invalid-output',
    issues,
    partial: { ...EMPTY_PARTIAL, text, ...(value === undefined ? undefined : { value }) },
  });
}

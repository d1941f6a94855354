/** What a text that should be JSON comes to: its value, or an error of kind `invalid-output`. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { CompletionError, EMPTY_PARTIAL, type OutputIssue } from '../errors.ts';
import { JsonSyntaxError } from '../json/builder.ts';
import { JsonText } from '../json/text.ts';
import { redact } from '../redact.ts';

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

/** What the schema makes of the value: at once, where its validator can. */
export function validated(schema: StandardSchemaV1, value: unknown, text: string): Promise<unknown> | [unknown] {
  const settle = (result: StandardSchemaV1.Result<unknown>): unknown => {
    if (result.issues === undefined) return result.value;
    throw refusedBy(result.issues, value, text);
  };
  const result = schema['~standard'].validate(value);
  return 'then' in result ? Promise.resolve(result).then(settle) : [settle(result)];
}

function refusedBy(issues: readonly StandardSchemaV1.Issue[], value: unknown, text: string): CompletionError {
  const told = issues.map(toIssue);
  const [first] = told;
  const where = first?.path === undefined || first.path.length === 0 ? '' : ` at ${first.path.join('.')}`;
  // Not what the validator says of it: that may quote the model.
  return invalidOutput(`The output does not satisfy its schema${where}; see issues`, text, value, told);
}

function toIssue({ message, path }: StandardSchemaV1.Issue): OutputIssue {
  const keys = path?.map((segment) => (typeof segment === 'object' ? segment.key : segment));
  const shown = keys?.map((key) => (typeof key === 'number' ? key : redact(String(key), [], 100)));
  return { message: redact(message), ...(shown === undefined ? undefined : { path: shown }) };
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

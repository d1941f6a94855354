import { CompletionError, type OutputIssue } from '../errors.ts';
import { from, map, of, type Observable } from 'rxjs';
import type { Verdict } from '../json/verdict.ts';
import type { RequestedCall } from './turn.ts';
import type { Tool } from './tool.ts';

/** The arguments of a call as its tool takes them, once; an error of kind `invalid-output` if it cannot. */
export function argumentsFor$(tool: Tool, call: RequestedCall): Observable<unknown> {
  const verdict = tool.validate(parsed(call));
  const settle = (settled: Verdict): unknown => {
    if (settled.issues === undefined) return settled.value;
    throw invalid(call.name, 'do not satisfy its schema; see issues', settled.issues);
  };
  return 'then' in verdict ? from(verdict).pipe(map(settle)) : of(settle(verdict));
}

function parsed({ name, arguments: text }: RequestedCall): unknown {
  let poisoned = false;
  let value: unknown;
  try {
    value = JSON.parse(text, (key, member: unknown) => {
      poisoned ||= key === '__proto__' || (key === 'constructor' && hasPrototype(member));
      return member;
    });
  } catch {
    throw invalid(name, 'are no valid JSON');
  }
  // Harmless in the value itself; not in what tools do with values.
  if (poisoned) throw invalid(name, 'hold a key that would change the prototype of an object');
  return value;
}

function hasPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');
}

function invalid(name: string, what: string, issues?: readonly OutputIssue[]): CompletionError {
  return new CompletionError(`The arguments of the call to ${name} ${what}; it was not executed`, {
    kind: 'invalid-output',
    issues,
  });
}

import { isFields } from '../fields.ts';
import type { CompletionEvent, ExtraEvent } from './event.ts';

/** What is no output, whoever emits it. An object, so that a new type of event must be entered in it. */
const IS_OUTPUT: Readonly<Record<CompletionEvent['type'], boolean>> = {
  start: false,
  'text-delta': true,
  'reasoning-delta': true,
  'refusal-delta': true,
  'tool-call-start': true,
  'tool-call-delta': true,
  'tool-call': true,
  logprobs: false,
  finish: false,
  usage: false,
  extra: false,
  restart: false,
};

/**
 * Whether a value is output: something a consumer has shown, so that a second attempt would show it twice. Of CompletionEvents
 * these are deltas and tool calls, and what stands in the message and no other event carries (audio has no delta of its own).
 * Of other values all are, and so are events of types that are not known here, but for `round-start`.
 */
export function isOutput(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  const { type } = value as { readonly type?: unknown };
  if (type === 'text-delta') return true;
  // Announces a round of `runTools$`, and says nothing yet.
  if (type === 'round-start') return false;
  if (type === 'extra') return isContent(value as ExtraEvent);
  return typeof type !== 'string' || !Object.hasOwn(IS_OUTPUT, type) || IS_OUTPUT[type as CompletionEvent['type']];
}

/** Whether a value is one of the events this version knows. */
export function isCompletionEvent(value: unknown): value is CompletionEvent {
  const type: unknown = typeof value === 'object' && value !== null ? (value as { type?: unknown }).type : undefined;
  return typeof type === 'string' && Object.hasOwn(IS_OUTPUT, type);
}

/** Empty lists and blanks in a first delta (`annotations: []`) say nothing yet. */
function isContent({ scope, fields }: ExtraEvent): boolean {
  return scope === 'message' && isFields(fields) && Object.values(fields).some(saysSomething);
}

function saysSomething(value: unknown): boolean {
  if (typeof value === 'string') return value !== '';
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

import { isCompletionEvent, isOutput } from '../../src/events/output.ts';
import { EVENTS } from '../support/events.ts';

/** An event of fields that no other event carries. */
function extra(scope: string, fields: unknown): unknown {
  return { type: 'extra', choice: 0, scope, fields };
}

const inMessage = (fields: unknown): unknown => extra('message', fields);

describe('of completion events', () => {
  it.each([
    ['text', EVENTS.a, true],
    ['text of another choice', EVENTS.A, true],
    ["text that is ''", EVENTS.e, true],
    ['reasoning', EVENTS.r, true],
    ['a refusal', EVENTS.n, true],
    ['the start of a tool call', EVENTS.t, true],
    ['a piece of a tool call', EVENTS.d, true],
    ['a tool call', EVENTS.w, true],
    ['a start', EVENTS.s, false],
    ['log probabilities', EVENTS.l, false],
    ['a finish', EVENTS.f, false],
    ['usage', EVENTS.u, false],
    ['a restart', EVENTS.R, false],
    ['fields of the completion', EVENTS.X, false],
  ])('%s: output %#', (_name, event, output) => {
    expect(isOutput(event)).toBe(output);
    expect(isCompletionEvent(event)).toBe(true);
  });
});

describe('of what no other event carries', () => {
  it.each([
    ['audio', inMessage({ audio: { id: 'x', data: 'A' } })],
    ['a text', inMessage({ note: 'x' })],
    ['a list that is not empty', inMessage({ annotations: [{ url: 'u' }] })],
    ['a list of nothing', inMessage({ images: [null] })],
    ['an object that is not empty', inMessage({ thought: { signature: '' } })],
    ['one member that says something', inMessage({ annotations: [], native: '', audio: { data: 'A' } })],
    ['content in parts', inMessage({ content: [{ type: 'image_url' }] })],
  ])('%s is output', (_name, event) => {
    expect(isOutput(event)).toBe(true);
  });

  it.each([
    ['nothing', inMessage({})],
    ['an empty list', inMessage({ annotations: [] })],
    ['an empty object', inMessage({ audio: {} })],
    ["''", inMessage({ note: '' })],
    ['null', inMessage({ audio: null })],
    ['a number', inMessage({ index: 1 })],
    ['a boolean', inMessage({ cached: true })],
    ['several members that say nothing', inMessage({ annotations: [], native: '', audio: null, index: 0 })],
    ['a field beside the message', extra('choice', { stop_reason: 'x', filter: { hate: 'low' } })],
    ['a field of the completion', extra('completion', { service_tier: 'flex', provider: { name: 'p' } })],
    ['a field of who knows what', extra('delta', { audio: { data: 'A' } })],
    ['a list for fields', inMessage(['x'])],
    ['a text for fields', inMessage('x')],
    ['null for fields', inMessage(null)],
    ['no fields', { type: 'extra', scope: 'message' }],
    ['not even a scope', { type: 'extra' }],
  ])('%s is no output', (_name, event) => {
    expect(isOutput(event)).toBe(false);
    expect(isCompletionEvent(event)).toBe(true);
  });
});

describe('what is no event of this version is output', () => {
  it.each<[string, unknown]>([
    ['a text', 'text'],
    ["''", ''],
    ["the name of an event's type", 'start'],
    ['a number', 0],
    ['a boolean', false],
    ['null', null],
    ['undefined', undefined],
    ['a function', Object.assign(() => undefined, { type: 'start' })],
    ['a list', ['start']],
    ['an object without a type', { text: 'a' }],
    ['a type that is no text', { type: 1 }],
    ['a type in a list', { type: ['start'] }],
    ['an unknown type', { type: 'new', choice: 0 }],
    ['a type in capitals', { type: 'Start' }],
    ['the type ""', { type: '' }],
    ['the type constructor', { type: 'constructor' }],
    ['the type toString', { type: 'toString' }],
    ['the type hasOwnProperty', { type: 'hasOwnProperty' }],
    ['the type __proto__', { type: '__proto__' }],
  ])('%s', (_name, value) => {
    expect(isOutput(value)).toBe(true);
    expect(isCompletionEvent(value)).toBe(false);
  });

  it('is told by a type of its own or of its class', () => {
    expect(isCompletionEvent(Object.create(EVENTS.s))).toBe(true);
    expect(isOutput(Object.create(EVENTS.s))).toBe(false);
  });
});

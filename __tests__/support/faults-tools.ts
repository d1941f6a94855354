/** Tool calls in the pieces that servers send them in. */
import { fault, INTERRUPTED, type ExpectedError, type Fault } from './faults.ts';
import { chunk, cut, DONE, event, finish, head, say, script, stream, text } from './faults-steps.ts';

/** Id, name and arguments of a call. */
export type ShownCall = readonly [id: string, name: string, args: string];

export interface ToolFault extends Fault {
  /** The whole calls that `events$` shows. */
  readonly calls: readonly ShownCall[];
  /** As far as they came, whole or not. */
  readonly partial: readonly ShownCall[];
}

const delta = (fields: object): string => chunk({ choices: [{ index: 0, delta: fields, finish_reason: null }] });
const calls = (...pieces: readonly unknown[]): string => delta({ tool_calls: pieces });
const piece = (index: number | undefined, id: string | null, name: string | null, args?: unknown): object => ({
  ...(index === undefined ? undefined : { index }),
  ...(id === null ? undefined : { id, type: 'function' }),
  function: { ...(name === null ? undefined : { name }), arguments: args },
});

const PARIS = '{"city":"Paris"}';
const ROME = '{"city":"Rome"}';
const ONE: readonly ShownCall[] = [['a', 'look', PARIS]];
const TWO: readonly ShownCall[] = [...ONE, ['b', 'book', ROME]];
const TAIL = finish('tool_calls') + DONE;

/** The calls of a turn that is whole. */
const shown = (name: string, expected: readonly ShownCall[], ...pieces: readonly string[]): ToolFault => ({
  ...fault(name, stream(...pieces), ''),
  calls: expected,
  partial: expected,
});

/** A call that never became whole: output all the same, so nothing is asked for again. */
const broken = (
  name: string,
  answer: Fault['answer'],
  partial: readonly ShownCall[],
  error: ExpectedError,
  rest: Partial<Fault> = {},
): ToolFault => ({ ...fault(name, answer, '', { error, attempts: 1, ...rest }), calls: [], partial });

const BEGUN = calls(piece(0, 'a', 'look', '{"city":'));

export const WHOLE_CALLS: readonly ToolFault[] = [
  shown('a call in one piece', ONE, calls(piece(0, 'a', 'look', PARIS)), TAIL),
  shown(
    'arguments a character at a time',
    ONE,
    calls(piece(0, 'a', 'look', '')),
    ...Array.from(PARIS, (character) => calls(piece(0, null, null, character))),
    TAIL,
  ),
  shown('two calls in one chunk', TWO, calls(piece(0, 'a', 'look', PARIS), piece(1, 'b', 'book', ROME)), TAIL),
  shown(
    'two calls interleaved',
    TWO,
    calls(piece(0, 'a', 'look', '{"city":'), piece(1, 'b', 'book', '{"city":')),
    calls(piece(1, null, null, '"Rome"}')),
    calls(piece(0, null, null, '"Paris"}')),
    TAIL,
  ),
  shown('two calls with index 0', TWO, calls(piece(0, 'a', 'look', PARIS)), calls(piece(0, 'b', 'book', ROME)), TAIL),
  shown(
    'calls without index',
    TWO,
    calls(piece(undefined, 'a', 'look', PARIS)),
    calls(piece(undefined, 'b', 'book', ROME)),
    TAIL,
  ),
  shown(
    'id and name in every piece',
    ONE,
    calls(piece(0, 'a', 'look', '{"city":')),
    calls(piece(0, 'a', 'look', '"Paris"}')),
    TAIL,
  ),
  shown('the name after the arguments', ONE, calls(piece(0, 'a', null, PARIS)), calls(piece(0, null, 'look')), TAIL),
  shown('arguments as an object', ONE, calls(piece(0, 'a', 'look', { city: 'Paris' })), TAIL),
  {
    ...shown('a call without arguments', [['a', 'look', '{}']], calls(piece(0, 'a', 'look', null)), TAIL),
    partial: [['a', 'look', '']],
  },
  shown(
    'a character split between two pieces',
    [['a', 'look', '{"city":"\\ud83d\\udc4b👋"}']],
    calls(piece(0, 'a', 'look', '{"city":"\\ud83d')),
    calls(piece(0, null, null, '\\udc4b👋"}')),
    TAIL,
  ),
  shown('the finish reason stop', ONE, calls(piece(0, 'a', 'look', PARIS)), finish('stop') + DONE),
  shown('a finish reason without [DONE]', ONE, calls(piece(0, 'a', 'look', PARIS)), finish('tool_calls')),
  shown(
    'a call in the chunk of the finish reason',
    ONE,
    chunk({
      choices: [{ index: 0, delta: { tool_calls: [piece(0, 'a', 'look', PARIS)] }, finish_reason: 'tool_calls' }],
    }),
    DONE,
  ),
  {
    ...shown('text before the call', ONE, text('Let me see'), calls(piece(0, 'a', 'look', PARIS)), TAIL),
    text: 'Let me see',
  },
];

export const BROKEN_CALLS: readonly ToolFault[] = [
  broken('a call cut off in its arguments', stream(BEGUN), [['a', 'look', '{"city":']], INTERRUPTED),
  broken('a call cut off after its name', stream(calls(piece(0, 'a', 'look', ''))), [['a', 'look', '']], INTERRUPTED),
  broken('a call cut off when it is whole', stream(calls(piece(0, 'a', 'look', PARIS))), ONE, INTERRUPTED),
  broken(
    'a connection cut inside a call',
    script(head(), say(BEGUN), cut),
    [['a', 'look', '{"city":']],
    { ...INTERRUPTED, code: 'UND_ERR_SOCKET' },
    { endings: ['cut'] },
  ),
  broken(
    'the second of two calls cut off',
    stream(calls(piece(0, 'a', 'look', PARIS)), calls(piece(1, 'b', 'book', '{'))),
    [...ONE, ['b', 'book', '{']],
    INTERRUPTED,
  ),
  broken(
    'an error inside a call',
    stream(BEGUN, event({ error: { message: 'overloaded', code: 503 } }), TAIL),
    [['a', 'look', '{"city":']],
    { kind: 'server', retryable: true, status: 503, code: '503' },
  ),
  broken(
    'a malformed event inside a call',
    stream(BEGUN, 'data: {"choices":[}\n\n', TAIL),
    [['a', 'look', '{"city":']],
    { kind: 'protocol', retryable: false, status: 200 },
  ),
];

/** Whole turns whose calls are not: shown as far as they came, never as a whole call. */
export const UNUSABLE_CALLS: readonly ToolFault[] = [
  {
    ...shown('a call cut at the token limit', [], BEGUN, finish('length') + DONE),
    partial: [['a', 'look', '{"city":']],
  },
  { ...shown('arguments that are no JSON', [], BEGUN, TAIL), partial: [['a', 'look', '{"city":']] },
];

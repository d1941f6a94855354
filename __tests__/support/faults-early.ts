/** Streams that break before there is output, and what looks like none but is. */
import { fault, INTERRUPTED, type Fault } from './faults.ts';
import { chunk, cut, event, gzipped, head, reset, say, script, stream, text } from './faults-steps.ts';

const delta = (fields: object): string => chunk({ choices: [{ index: 0, delta: fields, finish_reason: null }] });
const ROLE = delta({ role: 'assistant', content: '' });
const NOISE = Array.from({ length: 10_000 }, (_, n) => Math.imul(n, 0x9e3779b1).toString(36)).join('');

const early = (name: string, answer: Fault['answer'], rest: Partial<Fault> = {}): Fault =>
  fault(`cut off after ${name}`, answer, '', { error: INTERRUPTED, ...rest });

const afterChunks = (name: string, ...chunks: readonly string[]): Fault => early(name, stream(...chunks));

/** Nothing of these was shown: they are asked for again. */
export const BEFORE_OUTPUT: readonly Fault[] = [
  afterChunks('a chunk with nothing but an id', chunk({ choices: [] })),
  afterChunks('the role', ROLE),
  afterChunks('role after role', ROLE, ROLE, ROLE),
  afterChunks('the roles of two choices', ROLE, ROLE.replace('"index":0', '"index":1')),
  afterChunks('a delta of nulls', delta({ role: null, content: null, refusal: null, tool_calls: null })),
  afterChunks('empty pieces', delta({ content: '', reasoning_content: '', refusal: '', tool_calls: [] })),
  afterChunks('empty annotations', delta({ role: 'assistant', annotations: [], audio: null })),
  afterChunks('the prelude of Azure', event({ id: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] })),
  afterChunks('fields of the completion', chunk({ choices: [], service_tier: 'default', provider: 'x' }), ROLE),
  afterChunks(
    'fields of the choice',
    chunk({ choices: [{ index: 0, delta: {}, content_filter_results: { hate: { filtered: false } } }] }),
  ),
  afterChunks('logprobs', chunk({ choices: [{ index: 0, delta: {}, logprobs: { content: [{ token: 'a' }] } }] })),
  afterChunks('usage', chunk({ choices: [], usage: { total_tokens: 3 } })),
  afterChunks('a tool call without a name', delta({ tool_calls: [{ index: 0, function: { arguments: '{' } }] })),
  afterChunks('half an event', ROLE, text('Hello').slice(0, -30)),
  afterChunks('keep-alive comments', ': one\n\n', ROLE, ': two\n\n'),
  early('the role, its connection cut', script(head(), say(ROLE), cut), {
    error: { ...INTERRUPTED, code: 'UND_ERR_SOCKET' },
    endings: ['cut'],
  }),
  early('the headers, by a reset', script(head(), reset), {
    error: { ...INTERRUPTED, code: 'ECONNRESET' },
    endings: ['cut'],
  }),
  early('the beginning of gzip', gzipped(`${ROLE}: ${NOISE}\n${text('Hello')}`, 10_000)),
];

/** Something was shown by `events$`, if no text: they are not asked for again, whoever shows what. */
export const AFTER_OUTPUT: readonly Fault[] = [
  afterChunks('reasoning', delta({ reasoning_content: 'Hm' })),
  afterChunks('a refusal', delta({ refusal: 'No' })),
  afterChunks('the name of a tool call', delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'look' } }] })),
  afterChunks('a piece of sound', delta({ audio: { data: 'AAAA' } })),
  afterChunks('annotations', delta({ annotations: [{ type: 'url_citation' }] })),
  afterChunks('the text of another choice', text('Hello', 1)),
  afterChunks('a role, then reasoning', ROLE, delta({ reasoning: 'Hm' })),
].map((row) => ({ ...row, attempts: 1 }));

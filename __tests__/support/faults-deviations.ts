/** What compatible servers send otherwise than OpenAI, and what must still be an answer. */
import { fault, type Fault } from './faults.ts';
import { chunk, completion, DONE, event, finish, json, sentence, stream, text, USAGE } from './faults-steps.ts';

const TEXT = 'Hello, world';
const TAIL = finish() + DONE;
const [HELLO, WORLD] = [text('Hello, '), text('world')];
const choice = (fields: object): string => chunk({ choices: [{ index: 0, ...fields }] });

export const DEVIATIONS: readonly Fault[] = [
  fault(
    'chunks of nothing but choices',
    stream(event({ choices: [{ delta: { content: TEXT } }] }), event({ choices: [{ finish_reason: 'stop' }] })),
    TEXT,
  ),
  fault(
    'a prelude of Azure',
    stream(
      event({ id: '', object: '', model: '', created: 0, choices: [], prompt_filter_results: [{ prompt_index: 0 }] }),
      HELLO,
      WORLD,
      TAIL,
    ),
    TEXT,
  ),
  fault('choices null', stream(event({ id: 'x', choices: null }), HELLO, WORLD, TAIL), TEXT),
  fault('no choices', stream(event({ id: 'x', object: 'ping' }), HELLO, WORLD, TAIL), TEXT),
  fault('delta null', stream(choice({ delta: null }), HELLO, WORLD, TAIL), TEXT),
  fault('content null', stream(choice({ delta: { role: 'assistant', content: null } }), HELLO, WORLD, TAIL), TEXT),
  fault(
    'content as parts',
    stream(
      choice({
        delta: {
          content: [
            { type: 'text', text: 'Hello, ' },
            { type: 'text', text: 'world' },
          ],
        },
      }),
      TAIL,
    ),
    TEXT,
  ),
  fault(
    'usage in every chunk',
    stream(HELLO.replace('"choices"', '"usage":{"total_tokens":1},"choices"'), WORLD, TAIL),
    TEXT,
  ),
  fault(
    'usage beside the finish reason',
    stream(HELLO, WORLD, chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: USAGE }), DONE),
    TEXT,
  ),
  fault('usage under x_groq', stream(HELLO, WORLD, chunk({ choices: [], x_groq: { usage: USAGE } }), TAIL), TEXT),
  fault(
    'an empty finish reason in every chunk',
    stream(choice({ delta: { content: TEXT }, finish_reason: '' }), TAIL),
    TEXT,
  ),
  fault("a finish reason of the server's own", stream(HELLO, WORLD, finish('eos_token')), TEXT),
  fault('text after the finish reason', stream(HELLO, finish(), WORLD, DONE), TEXT),
  fault(
    'text beside the finish reason',
    stream(HELLO, choice({ delta: { content: 'world' }, finish_reason: 'stop' })),
    TEXT,
  ),
  fault(
    'reasoning before the text',
    stream(choice({ delta: { reasoning_content: 'hm' } }), choice({ delta: { reasoning: 'so' } }), HELLO, WORLD, TAIL),
    TEXT,
  ),
  fault(
    'keys of the prototype',
    stream(
      'data: {"__proto__":{"choices":[]},"choices":[{"index":0,"delta":{"__proto__":{"content":"no"},"content":"Hello, "}}]}\n\n',
      WORLD,
      TAIL,
    ),
    TEXT,
  ),
  fault(
    'an error of null beside the text',
    stream(HELLO, chunk({ error: null, choices: [{ index: 0, delta: { content: 'world' }, error: null }] }), TAIL),
    TEXT,
  ),
  fault(
    'other choices than the one asked for',
    stream(HELLO, text('another', 1), WORLD, finish('stop', 1), TAIL),
    TEXT,
    { params: { n: 2 } },
  ),
  fault('an answer cut at the token limit', stream(HELLO, WORLD, finish('length'), DONE), TEXT),
  fault('a JSON completion in place of a stream', json(200, completion(TEXT)), TEXT),
  fault('a JSON completion as the only event', stream(event(completion(TEXT)), DONE), TEXT),
  fault(
    'a stream inside which each event repeats the id',
    stream(sentence('Hello, ', 'world').replaceAll('data:', 'id: 1\ndata:')),
    TEXT,
  ),
];

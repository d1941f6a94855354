import { filter, map, tap, type Observable } from 'rxjs';
import { PromiseChatCompletion } from '../../src/promises.ts';
import { isCompletionError, type ChatCompletionOptions, type CompletionError } from '../../src/index.ts';
import { CLIENTS, outcomeOf, outcomeOfIterable, type Outcome } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import type { ExpectedError, Fault } from '../support/faults.ts';
import { DEVIATIONS } from '../support/faults-deviations.ts';
import { DOCUMENTS } from '../support/faults-documents.ts';
import { EMBEDDED } from '../support/faults-embedded.ts';
import { ENDS } from '../support/faults-ends.ts';
import { FRAMING } from '../support/faults-framing.ts';
import { HTTP } from '../support/faults-http.ts';
import { BROKEN_BODIES, NO_RESPONSE, TOO_LARGE } from '../support/faults-transport.ts';

const PROMPT = 'Say this is a test!';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.clear();
});

/** The ways to ask for the same answer. All must show the same. */
interface Way {
  readonly name: string;
  readonly ask: (baseURL: string, row: Fault, options: ChatCompletionOptions) => Promise<Outcome<string>>;
}

const STREAMING: readonly Way[] = CLIENTS.flatMap(({ name, client }) => [
  {
    name: `${name}: stream$`,
    ask: (url, { params }, options) => outcomeOf(shown(client(url, options).stream$(PROMPT, params))),
  },
  {
    name: `${name}: streamCompletion`,
    ask: (url, { params }, options) => {
      const chat = new PromiseChatCompletion(client(url, options));
      return outcomeOfIterable(shownOne(chat.streamCompletion(PROMPT, params)));
    },
  },
  {
    name: `${name}: events$`,
    ask: (url, { params }, options) =>
      outcomeOf(
        shown(client(url, options).events$(PROMPT, params)).pipe(
          map((event) => (event.type === 'text-delta' && event.choice === 0 ? event.text : '')),
          filter((text) => text !== ''),
        ),
      ),
  },
]);

const WHOLE: readonly Way[] = CLIENTS.flatMap(({ name, client }) => [
  {
    name: `${name}: generate$`,
    ask: (url, { params }, options) => outcomeOf(client(url, options).generate$(PROMPT, params)),
  },
  {
    name: `${name}: generateCompletion`,
    ask: (url, { params }, options) => {
      const chat = new PromiseChatCompletion(client(url, options));
      return chat.generateCompletion(PROMPT, params).then(
        (text) => ({ values: [text], completed: true }),
        (error: unknown) => ({ values: [], completed: false, error }),
      );
    },
  },
]);

/** What shows more than text: the same errors. */
const RAW_STREAMING: readonly Way[] = CLIENTS.map(({ name, client }) => ({
  name: `${name}: chunks$`,
  ask: (url, { params }, options) =>
    outcomeOf(
      shown(client(url, options).chunks$(PROMPT, params)).pipe(
        map(({ choices }) => choices.find(({ index }) => index === 0)?.delta.content ?? ''),
      ),
    ),
}));

const RAW_WHOLE: readonly Way[] = CLIENTS.map(({ name, client }) => ({
  name: `${name}: completion$`,
  ask: (url, { params }, options) =>
    outcomeOf(
      client(url, options)
        .completion$(PROMPT, params)
        .pipe(map(({ id }) => id)),
    ),
}));

function shown<T>(source$: Observable<T>): Observable<T> {
  return source$.pipe(
    tap(() => {
      server.show();
    }),
  );
}

async function* shownOne(source: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const text of source) {
    server.show();
    yield text;
  }
}

async function check(row: Fault, ways: readonly Way[]): Promise<void> {
  const url = server.route('fault', row.answer);
  for (const [index, { name, ask }] of ways.entries()) {
    const outcome = await ask(url, row, row.options ?? {});
    expect({ way: name, ...visible(outcome, row) }).toEqual({ way: name, ...wanted(row) });
    if (isCompletionError(outcome.error)) checkMessage(outcome.error, row);
    const ending = await server.closed(index);
    if (row.ending !== undefined) expect({ way: name, ending }).toEqual({ way: name, ending: row.ending });
  }
  expect(server.requests).toHaveLength(ways.length);
}

function visible({ values, completed, error }: Outcome<string>, { anyCode }: Fault): object {
  if (!isCompletionError(error)) return { text: values.join(''), completed, error };
  return {
    text: values.join(''),
    completed,
    error: { ...factsOf(error), ...(anyCode === true ? { code: undefined } : undefined) },
    partial: error.partial.text,
    attempts: error.attempts,
  };
}

function wanted({ text, error }: Fault): object {
  if (error === undefined) return { text, completed: true, error: undefined };
  return { text, completed: false, error: { ...NO_FACTS, ...error }, partial: text, attempts: 1 };
}

const FACTS = ['kind', 'retryable', 'status', 'code', 'type', 'param', 'requestId', 'retryAfterMs', 'clock'] as const;
const NO_FACTS = Object.fromEntries(FACTS.map((fact) => [fact, undefined]));

function factsOf(error: CompletionError): Partial<ExpectedError> {
  return Object.fromEntries(FACTS.map((fact) => [fact, error[fact]]));
}

function checkMessage({ message }: CompletionError, row: Fault): void {
  expect(message).toMatch(/^[^\u0000-\u001f\u007f]{1,500}$/);
  if (row.message !== undefined) expect(message).toMatch(row.message);
  if (row.never !== undefined) expect(message).not.toMatch(row.never);
}

describe('a stream that is whole is shown whole', () => {
  it.each([...FRAMING, ...DEVIATIONS])('$name', (row) => check(row, STREAMING));
});

describe('a stream completes only when the answer is whole', () => {
  it.each(ENDS)('$name', (row) => check(row, [...STREAMING, ...RAW_STREAMING]));
});

describe('an error under status 200 is an error', () => {
  it.each(EMBEDDED)('$name', (row) => check(row, [...STREAMING, ...RAW_STREAMING]));
});

describe('a body that breaks or is too large is an error', () => {
  it.each([...BROKEN_BODIES, ...TOO_LARGE])('$name', (row) => check(row, [...STREAMING, ...RAW_STREAMING]));
});

describe('an answer in one piece is validated', () => {
  it.each(DOCUMENTS)('$name', (row) => check(row, row.error === undefined ? WHOLE : [...WHOLE, ...RAW_WHOLE]));
});

describe('a refusal means the same whatever was asked for', () => {
  it.each([...HTTP, ...NO_RESPONSE])('$name', (row) =>
    check(row, [...STREAMING, ...RAW_STREAMING, ...WHOLE, ...RAW_WHOLE]),
  );
});

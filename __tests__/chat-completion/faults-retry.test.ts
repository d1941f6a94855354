import type { OpenAIChatCompletion } from '../../src/index.ts';
import { CLIENTS, outcomeOf } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import { check, patience } from '../support/faults-check.ts';
import { DOCUMENTS } from '../support/faults-documents.ts';
import { AFTER_OUTPUT, BEFORE_OUTPUT } from '../support/faults-early.ts';
import { EMBEDDED } from '../support/faults-embedded.ts';
import { ENDS } from '../support/faults-ends.ts';
import { HTTP } from '../support/faults-http.ts';
import {
  COUNTS,
  ORDERS,
  recoveries,
  RETRY_AFTER,
  SEQUENCES,
  STREAMED_SEQUENCES,
  TOO_LONG,
} from '../support/faults-retry.ts';
import { chunk, inTurn, sentence, stream } from '../support/faults-steps.ts';
import { BROKEN_BODIES, NO_RESPONSE } from '../support/faults-transport.ts';
import { ALL, IN_ONE_PIECE, PROMPT, STREAMING } from '../support/faults-ways.ts';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());

describe('a stream that breaks before output is asked for again', () => {
  it.each(BEFORE_OUTPUT)('$name', (row) => check(server, row, STREAMING));
});

describe('a stream that breaks after output is not asked for again', () => {
  it.each(AFTER_OUTPUT)('$name', (row) => check(server, row, STREAMING));
});

describe('a fault, then a whole answer: its text is shown once', () => {
  it.each(recoveries([...BEFORE_OUTPUT, ...ENDS, ...EMBEDDED, ...BROKEN_BODIES]))('$name', (row) =>
    check(server, row, STREAMING),
  );
  it.each(recoveries(DOCUMENTS))('$name', (row) => check(server, row, IN_ONE_PIECE));
  it.each(recoveries([...HTTP, ...NO_RESPONSE]))('$name', (row) => check(server, row, ALL));
});

describe.each(CLIENTS)('over the $name transport a stream shows one attempt', ({ client }) => {
  const begun = (id: string): Handler => stream(chunk({ id, choices: [] }));
  const show = async (last: Handler): Promise<readonly (readonly string[])[]> => {
    const told = (): OpenAIChatCompletion =>
      client(server.route('several', inTurn(begun('first'), begun('second'), last)), patience().options);
    const events = await outcomeOf(told().events$(PROMPT));
    const chunks = await outcomeOf(told().chunks$(PROMPT));
    return [
      events.values.map((event) =>
        event.type === 'start' ? `start ${event.id} ${String(event.attempt)}` : event.type,
      ),
      chunks.values.map(({ id }) => id),
    ];
  };

  it('the one with output', async () => {
    expect(await show(stream(chunk({ id: 'third', choices: [] }), sentence('Hello')))).toEqual([
      ['start third 3', 'text-delta', 'finish', 'usage'],
      ['third', 'chatcmpl-1', 'chatcmpl-1', 'chatcmpl-1'],
    ]);
  });

  it('the last, where none has output', async () => {
    expect(await show(begun('third'))).toEqual([['start third 3'], ['third']]);
  });
});

describe('the pause that the server asks for', () => {
  it.each(RETRY_AFTER)('is waited for, and never shortened: $name', (row) => check(server, row, ALL));
  it.each(TOO_LONG)('is not begun if it is too long: $name', (row) => check(server, row, ALL));
});

describe("the server's order", () => {
  it.each([...ORDERS, ...recoveries(ORDERS)])('stands: $name', (row) => check(server, row, ALL));
});

describe('one fault after another', () => {
  it.each(SEQUENCES)('$name', (row) => check(server, row, ALL));
  it.each(STREAMED_SEQUENCES)('$name', (row) => check(server, row, STREAMING));
});

describe('the number of attempts', () => {
  it.each(COUNTS)('$name', (row) => check(server, row, ALL));
});

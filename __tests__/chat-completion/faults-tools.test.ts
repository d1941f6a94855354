import { CLIENTS, errorOf, outcomeOf } from '../support/client.ts';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { check } from '../support/faults-check.ts';
import { completion, inTurn, json, stream } from '../support/faults-steps.ts';
import { BROKEN_CALLS, UNUSABLE_CALLS, WHOLE_CALLS, type ShownCall, type ToolFault } from '../support/faults-tools.ts';
import { DATA, PROMPT, STREAMING, TEXT, WHOLE } from '../support/faults-ways.ts';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());

const TOOL = { kind: 'tool', retryable: false } as const;

/** The calls `events$` shows whole, on each transport. */
async function expectCalls({ answer, calls, error }: ToolFault): Promise<void> {
  const url = server.route('calls', answer);
  for (const { name, client } of CLIENTS) {
    const shown: ShownCall[] = [];
    const { values, completed } = await outcomeOf(client(url).events$(PROMPT));
    for (const event of values) if (event.type === 'tool-call') shown.push([event.id, event.name, event.arguments]);
    expect({ client: name, shown, completed }).toEqual({ client: name, shown: calls, completed: error === undefined });
  }
}

/** What the errors of text and data say of the calls. */
async function expectPartial(
  { answer, partial }: ToolFault,
  methods: readonly ('stream$' | 'events$')[],
): Promise<void> {
  const url = server.route('partial', answer);
  for (const { client } of CLIENTS) {
    for (const method of methods) {
      const error = await errorOf(client(url)[method](PROMPT));
      expect(error.partial.toolCalls).toEqual(partial.map(([id, name, args]) => ({ id, name, arguments: args })));
    }
  }
}

describe('tool calls that are whole', () => {
  it.each(WHOLE_CALLS)('are data: $name', async (row) => {
    await check(server, row, DATA);
    await expectCalls(row);
  });

  it.each(WHOLE_CALLS)('are what text cannot show: $name', async (row) => {
    await check(server, { ...row, error: TOOL }, TEXT);
    await expectPartial(row, ['stream$']);
  });

  it('are what text cannot show in one piece', async () => {
    const calls = { tool_calls: [{ id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } }] };
    const answer = json(200, completion(null, { finish_reason: 'tool_calls' }, calls));
    await check(server, { name: 'one piece', answer, text: '', error: TOOL }, WHOLE);
  });

  it('are shown once after a stream that broke before them', async () => {
    const [row] = WHOLE_CALLS;
    const url = server.route('late', inTurn(stream(), row!.answer));
    for (const { client } of CLIENTS) {
      server.clear();
      const pauses = { baseDelayMs: 0 };
      server.route('late', inTurn(stream(), row!.answer));
      const { values, completed } = await outcomeOf(client(url, { retry: pauses }).events$(PROMPT));
      expect(values.map(({ type }) => type)).toEqual([
        'start',
        'tool-call-start',
        'tool-call-delta',
        'tool-call',
        'finish',
      ]);
      expect(values[0]).toMatchObject({ attempt: 2 });
      expect({ completed, requests: server.requests.length }).toEqual({ completed: true, requests: 2 });
    }
  });
});

describe('tool calls that break', () => {
  it.each(BROKEN_CALLS)('are never shown as whole, and not asked for again: $name', async (row) => {
    await check(server, row, STREAMING);
    await expectCalls(row);
    await expectPartial(row, ['stream$', 'events$']);
  });

  it.each(UNUSABLE_CALLS)('are no whole calls: $name', async (row) => {
    await check(server, row, DATA);
    await expectCalls(row);
    await check(server, { ...row, error: TOOL }, TEXT);
    await expectPartial(row, ['stream$']);
  });
});

import fc from 'fast-check';
import { startFaultServer, type FaultServer } from '../support/fault-server.ts';
import { post, relayTo } from './setting.ts';

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server.close());

const FIELDS = [
  'model',
  'messages',
  'max_tokens',
  'max_completion_tokens',
  'n',
  'temperature',
  'stop',
  'tools',
  'stream',
];
const UPSTREAM = new Set([...FIELDS, 'stream_options', 'response_format']);

const message = fc.record(
  {
    role: fc.constantFrom('user', 'system', 'root', 1),
    content: fc.oneof(fc.string(), fc.jsonValue()),
    x: fc.jsonValue(),
  },
  { requiredKeys: ['role'] },
);
const value = fc.oneof(
  fc.jsonValue(),
  fc.integer(),
  fc.constantFrom('gpt-4o-mini', 'gpt-5-pro', true, false, null, 1, 4096, 4097, 1e300),
  fc.array(message),
);
const field = fc.oneof(
  fc.constantFrom(...FIELDS),
  fc.constantFrom('base_url', '__proto__', 'constructor', 'user'),
  fc.string(),
);
const body = fc
  .tuple(
    fc.array(fc.tuple(field, value), { maxLength: 4 }),
    fc.option(fc.array(message, { minLength: 1, maxLength: 3 })),
  )
  // Written by hand: an object could not hold a field twice, nor one of that name.
  .map(([fields, messages]) => {
    const all = messages === null ? fields : [...fields, ['messages', messages] as const];
    return `{${all.map(([name, it]) => `${JSON.stringify(name)}:${JSON.stringify(it)}`).join(',')}}`;
  });

it('whatever the body is, it is refused in words, or what goes upstream is allowed', async () => {
  const { relay } = relayTo(server);
  let sent = 0;
  await fc.assert(
    fc.asyncProperty(body, async (text) => {
      server.clear();
      const response = await relay(post(text));
      const answer = await response.text();
      expect([200, 400]).toContain(response.status);
      const [request] = server.requests;
      expect(server.requests).toHaveLength(response.status === 200 ? 1 : 0);
      if (request === undefined) {
        expect(JSON.parse(answer)).toMatchObject({ error: { message: expect.any(String) as string } });
        return;
      }
      sent += 1;
      expect(Object.keys(request.json).filter((name) => !UPSTREAM.has(name))).toEqual([]);
      const { model, max_tokens, max_completion_tokens, n } = request.json;
      expect(['gpt-4o-mini', 'other-model']).toContain(model);
      expect(Math.max(Number(max_tokens ?? 0), Number(max_completion_tokens ?? 0))).toBeGreaterThanOrEqual(1);
      expect(Math.max(Number(max_tokens ?? 0), Number(max_completion_tokens ?? 0))).toBeLessThanOrEqual(4096);
      expect(n ?? 1).toBe(1);
    }),
    { numRuns: 300 },
  );
  expect(sent).toBeGreaterThan(0);
});

it('whatever the bytes are, they are refused', async () => {
  const { relay } = relayTo(server);
  server.clear();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
      expect((await relay(post('', {}, { body: bytes }))).status).toBe(400);
    }),
    { numRuns: 200 },
  );
  expect(server.requests).toEqual([]);
});

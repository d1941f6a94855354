import { firstValueFrom, lastValueFrom } from 'rxjs';
import type { RetryInfo } from '../../src/index.ts';
import { CLIENTS, errorOf, outcomeOf, recordingLogger } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import { completion, event, inTurn, json, sentence, stream } from '../support/faults-steps.ts';

const PROMPT = 'Say this is a test!';

let server: FaultServer;
beforeEach(async () => {
  server = await startFaultServer();
});
afterEach(() => server.close());

interface Refusal {
  readonly name: string;
  readonly status: number;
  readonly body: unknown;
}

const openai = (fields: object): object => ({
  error: { type: 'invalid_request_error', code: null, param: null, ...fields },
});

const OF_TEMPERATURE: readonly Refusal[] = [
  {
    name: 'by param',
    status: 400,
    body: openai({ message: 'Unsupported value', param: 'temperature', code: 'unsupported_value' }),
  },
  { name: 'by message', status: 400, body: openai({ message: "'temperature' does not support 0.7 with this model." }) },
  {
    name: 'with 422',
    status: 422,
    body: { detail: [{ loc: ['body', 'temperature'], msg: 'Extra inputs are not permitted' }] },
  },
];

const OF_STREAM_OPTIONS: readonly Refusal[] = [
  { name: 'by param', status: 400, body: openai({ message: 'Unknown parameter', param: 'stream_options' }) },
  { name: 'by message', status: 400, body: { message: 'Unrecognized request argument supplied: stream_options' } },
  { name: 'by its field', status: 400, body: openai({ message: 'include_usage is not supported' }) },
  {
    name: 'with 422',
    status: 422,
    body: { detail: [{ loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }] },
  },
];

/** Refuses requests that hold one of the fields, answers all others. */
function strict(refusals: Readonly<Record<string, Refusal>>): Handler {
  return (exchange) => {
    const sent = exchange.seen.json;
    const refused = Object.entries(refusals).find(([field]) => field in sent)?.[1];
    if (refused !== undefined) return json(refused.status, refused.body)(exchange);
    return (sent['stream'] === true ? stream(sentence('yes')) : json(200, completion('yes')))(exchange);
  };
}

const sentFields = (field: string): readonly boolean[] => server.requests.map((seen) => field in seen.json);

describe.each(CLIENTS)('a default of ours that the server refuses, over the $name transport', ({ client }) => {
  it.each(OF_TEMPERATURE)('temperature, refused $name: asked again without it, once', async (refusal) => {
    const retries: RetryInfo[] = [];
    const logger = recordingLogger();
    const hooks = { onRetry: (retry: RetryInfo) => void retries.push(retry) };
    const chat = client(server.route('strict', strict({ temperature: refusal })), { hooks, logger, logLevel: 'warn' });
    expect(await firstValueFrom(chat.generate$(PROMPT))).toBe('yes');
    expect(sentFields('temperature')).toEqual([true, false]);
    expect(retries).toMatchObject([{ attempt: 2, delayMs: 0, error: { kind: 'bad-request', status: refusal.status } }]);
    expect(logger.lines).toEqual([expect.stringMatching(/^warn .*gpt-4o-mini.*temperature/)]);
    expect({ ...server.requests[1]?.json, temperature: 0.7 }).toEqual(server.requests[0]?.json);
  });

  it.each(OF_STREAM_OPTIONS)('stream_options, refused $name: asked again without it, once', async (refusal) => {
    const chat = client(server.route('strict', strict({ stream_options: refusal })));
    expect(await lastValueFrom(chat.stream$(PROMPT))).toBe('yes');
    expect(sentFields('stream_options')).toEqual([true, false]);
    expect(sentFields('temperature')).toEqual([true, true]);
  });

  it('both, one after the other', async () => {
    const [temperature, stream_options] = [OF_TEMPERATURE[0], OF_STREAM_OPTIONS[0]] as [Refusal, Refusal];
    const chat = client(server.route('strict', strict({ temperature, stream_options })));
    const starts: number[] = [];
    chat.events$(PROMPT).subscribe((it) => {
      if (it.type === 'start') starts.push(it.attempt);
    });
    await server.request(2);
    await server.closed(2);
    expect(await lastValueFrom(chat.stream$(PROMPT))).toBe('yes');
    expect(starts).toEqual([3]);
    expect(server.requests).toHaveLength(4);
  });

  it('costs no retry: there are as many as there were', async () => {
    const [temperature] = OF_TEMPERATURE as [Refusal];
    const busy = json(503, { error: { message: 'busy' } });
    const url = server.route('moody', inTurn(busy, strict({ temperature }), busy, json(200, completion('yes'))));
    const retries: RetryInfo[] = [];
    const hooks = { onRetry: (retry: RetryInfo) => void retries.push(retry) };
    const chat = client(url, { hooks, retry: { maxRetries: 2, baseDelayMs: 1, jitter: 0 } });
    expect(await firstValueFrom(chat.generate$(PROMPT))).toBe('yes');
    expect(sentFields('temperature')).toEqual([true, true, false, false]);
    expect(retries).toMatchObject([
      { attempt: 2, delayMs: 1, error: { status: 503 } },
      { attempt: 3, delayMs: 0, error: { status: 400 } },
      { attempt: 4, delayMs: 2, error: { status: 503 } },
    ]);
  });

  it('is remembered by this client, for this model', async () => {
    const [temperature] = OF_TEMPERATURE as [Refusal];
    const url = server.route('strict', strict({ temperature }));
    const chat = client(url);
    await firstValueFrom(chat.generate$(PROMPT));
    await firstValueFrom(chat.generate$(PROMPT));
    await lastValueFrom(chat.stream$(PROMPT));
    expect(sentFields('temperature')).toEqual([true, false, false, false]);
    await firstValueFrom(chat.generate$(PROMPT, { model: 'another' }));
    expect(sentFields('temperature').slice(4)).toEqual([true, false]);
    await firstValueFrom(client(url).generate$(PROMPT));
    expect(sentFields('temperature').slice(6)).toEqual([true, false]);
  });

  it('is not dropped if it was asked for', async () => {
    const [temperature] = OF_TEMPERATURE as [Refusal];
    const [stream_options] = OF_STREAM_OPTIONS as [Refusal];
    const url = server.route('strict', strict({ temperature, stream_options }));
    const asked = [
      client(url).generate$(PROMPT, { temperature: 0.7 }),
      client(url, { temperature: 0.7 }).generate$(PROMPT),
      client(url).generate$(PROMPT, {}, { extraBody: { temperature: 0.7 } }),
      client(url, { temperature: null }).stream$(PROMPT, { stream_options: { include_usage: true } }),
    ];
    for (const call$ of asked) {
      expect(await errorOf(call$)).toMatchObject({ kind: 'bad-request', status: 400, attempts: 1 });
    }
    expect(server.requests).toHaveLength(asked.length);
  });

  it('is not what another refusal is about', async () => {
    const refusal = json(400, openai({ message: 'the temperature of messages is wrong', param: 'messages' }));
    const error = await errorOf(client(server.route('refuse', refusal)).generate$(PROMPT));
    expect(error).toMatchObject({ kind: 'bad-request', param: 'messages', attempts: 1 });
    const busy = json(503, openai({ message: 'temperature of the GPU too high' }));
    expect(await errorOf(client(server.route('busy', busy)).generate$(PROMPT))).toMatchObject({
      kind: 'server',
      attempts: 1,
    });
    expect(server.requests).toHaveLength(2);
  });

  it('is dropped once: a server that keeps refusing is believed', async () => {
    const refusal = json(400, openai({ message: 'no', param: 'temperature' }));
    const error = await errorOf(client(server.route('refuse', refusal)).generate$(PROMPT));
    expect(error).toMatchObject({ kind: 'bad-request', param: 'temperature', attempts: 2 });
    expect(server.requests).toHaveLength(2);
  });

  it('is dropped for a refusal inside a 200, but not after something was shown', async () => {
    const report = { error: { message: 'no temperature here', code: 400 } };
    const early = client(
      server.route('early', (exchange) =>
        ('temperature' in exchange.seen.json ? stream(event(report)) : stream(sentence('yes')))(exchange),
      ),
    );
    expect((await outcomeOf(early.stream$(PROMPT))).values).toEqual(['yes']);
    const late = client(server.route('late', stream(sentence('so far').replace(/data: \[DONE\][^]*/, event(report)))));
    expect(await outcomeOf(late.stream$(PROMPT))).toMatchObject({
      values: ['so far'],
      error: { kind: 'bad-request', attempts: 1 },
    });
  });

  it('sends nothing more for a subscriber who has left', async () => {
    const [temperature] = OF_TEMPERATURE as [Refusal];
    const url = server.route('strict', strict({ temperature }));
    const subscription = client(url, {
      hooks: {
        onRetry: () => {
          subscription.unsubscribe();
        },
      },
    })
      .generate$(PROMPT)
      .subscribe();
    await server.closed(0);
    await firstValueFrom(client(server.route('other', json(200, completion('yes')))).generate$(PROMPT));
    expect(server.requests.filter(({ ending }) => ending === 'finished').map(({ route }) => route)).toEqual([
      'strict',
      'other',
    ]);
  });
});

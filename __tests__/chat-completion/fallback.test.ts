import { map, Subject, take, takeUntil } from 'rxjs';
import type { CompletionError, CompletionEvent, OpenAIChatCompletion } from '../../src/index.ts';
import { accumulate } from '../../src/operators/accumulate.ts';
import { fallbackTo } from '../../src/operators/fallback.ts';
import { text } from '../../src/operators/text.ts';
import { only } from '../support/chunks.ts';
import { CLIENTS, errorOf, HandClock, outcomeOf, turn } from '../support/client.ts';
import { startFaultServer, type FaultServer, type Handler } from '../support/fault-server.ts';
import { cut, event, hang, head, json, say, script, stream, text as piece, whole } from '../support/faults-steps.ts';
import { patient } from './patient.ts';

const PROMPT = 'Say this is a test!';

let first: FaultServer;
let second: FaultServer;
let gone: string;
beforeAll(async () => {
  [first, second] = await Promise.all([startFaultServer(), startFaultServer({ whole: whole('Hello', ' you') })]);
  const closed = await startFaultServer();
  gone = closed.baseURL('gone');
  await closed.close();
});
afterAll(() => Promise.all([first.close(), second.close()]));
beforeEach(() => {
  first.clear();
  second.clear();
});

/** Failures before output, and their kinds. */
const FAILURES: readonly (readonly [name: string, failure: Handler, kind: string])[] = [
  ['answers 503', json(503, { error: { message: 'overloaded' } }), 'server'],
  ['answers 401', json(401, { error: { message: 'no such key' } }), 'authentication'],
  ['answers 429', json(429, { error: { message: 'slow down' } }, { 'retry-after': '3600' }), 'rate-limit'],
  ['is cut off before its headers', script(cut), 'connection'],
  ['is cut off after a role', script(head(), say(piece('')), cut), 'interrupted'],
  ['ends after a role', stream(piece('')), 'interrupted'],
  ['tells an error inside a 200', stream(event({ error: { message: 'overloaded', code: 503 } })), 'server'],
];

describe.each(CLIENTS)('a fallback over the $name transport', ({ client }) => {
  /** Asks the first server, then the second, with a model and a key for each. */
  const clients = (failure: Handler | string): readonly [OpenAIChatCompletion, OpenAIChatCompletion] => [
    client(typeof failure === 'string' ? failure : first.route('failing', failure), {
      apiKey: 'key-of-the-first',
      model: 'large',
    }),
    client(second.baseURL('whole'), { apiKey: 'key-of-the-second', model: 'small' }),
  ];

  it.each(FAILURES)('answers in place of a server that %s', async (_name, failure, kind) => {
    const [large, small] = clients(failure);
    const { values, completed } = await outcomeOf(
      large.events$(PROMPT, { seed: 7 }).pipe(fallbackTo([small.events$(PROMPT)])),
    );
    expect(completed).toBe(true);
    expect(textOf(values)).toBe('Hello you');
    expect(only(values, 'start').map(({ attempt }) => attempt)).toEqual([2]);
    expect(first.requests).toHaveLength(1);
    expect(second.requests).toHaveLength(1);
    const [asked, fallback] = [first.requests[0]!, second.requests[0]!];
    expect(asked).toMatchObject({
      json: { model: 'large', seed: 7 },
      headers: { authorization: 'Bearer key-of-the-first' },
    });
    expect(fallback).toMatchObject({
      json: { model: 'small' },
      headers: { authorization: 'Bearer key-of-the-second' },
    });
    expect(fallback.json).not.toHaveProperty('seed');
    expect(JSON.stringify(fallback.headers)).not.toContain('key-of-the-first');
    expect(await outcomeOf(large.events$(PROMPT))).toMatchObject({ error: { kind } });
  });

  it('answers in place of a server that nobody reaches', async () => {
    const [large, small] = clients(gone);
    expect(await outcomeOf(large.stream$(PROMPT).pipe(fallbackTo([small.stream$(PROMPT)])))).toEqual({
      values: ['Hello', ' you'],
      completed: true,
    });
    expect(second.requests).toHaveLength(1);
  });

  it('may have another shape: a whole answer, or a canned one', async () => {
    const [large, small] = clients(gone);
    const generated$ = large.generate$(PROMPT).pipe(fallbackTo([small.generate$(PROMPT)]));
    expect(await outcomeOf(generated$)).toEqual({ values: ['Hello you'], completed: true });
    const canned$ = large.stream$(PROMPT).pipe(fallbackTo([['Ask me later.']]));
    expect(await outcomeOf(canned$)).toEqual({ values: ['Ask me later.'], completed: true });
  });

  it('is not asked where the first answers, nor before somebody asks', async () => {
    const [large, small] = clients(whole('Me', ' first'));
    const result$ = large.stream$(PROMPT).pipe(fallbackTo([small.stream$(PROMPT)]));
    await turn();
    expect(first.requests).toHaveLength(0);
    expect(await outcomeOf(result$)).toEqual({ values: ['Me', ' first'], completed: true });
    expect(second.requests).toHaveLength(0);
  });

  it('is not asked after output: the text so far is in the error', async () => {
    const [large, small] = clients(script(head(), say(piece('Hel')), cut));
    const { values, error } = await outcomeOf(large.stream$(PROMPT).pipe(fallbackTo([small.stream$(PROMPT)])));
    expect(values).toEqual(['Hel']);
    expect(error).toMatchObject({ kind: 'interrupted', partial: { text: 'Hel' }, attempts: 1 });
    expect(error).not.toHaveProperty('previous');
    expect(second.requests).toHaveLength(0);
  });

  it('withdraws what was shown, where it is asked to', async () => {
    const [large, small] = clients(script(head(), say(piece('Hel')), cut));
    const result$ = large
      .events$(PROMPT)
      .pipe(fallbackTo([small.events$(PROMPT)], { afterOutput: 'restart' }), accumulate());
    const { values, completed } = await outcomeOf(result$.pipe(map((snapshot) => snapshot.text)));
    expect(completed).toBe(true);
    expect([...new Set(values)]).toEqual(['', 'Hel', 'Hello', 'Hello you']);
    expect(values.at(-1)).toBe('Hello you');
  });

  it('is not asked when the caller has aborted', async () => {
    const [large, small] = clients(hang);
    const controller = new AbortController();
    const answer$ = large.stream$(PROMPT, {}, { signal: controller.signal });
    const error = errorOf(answer$.pipe(fallbackTo([small.stream$(PROMPT)])));
    await first.request(0);
    controller.abort();
    expect(await error).toMatchObject({ kind: 'aborted' });
    expect(await first.closed(0)).toBe('aborted');
    expect(second.requests).toHaveLength(0);
  });

  it('is not asked for what could not be sent', async () => {
    const [large, small] = clients(hang);
    const error = await errorOf(large.stream$([]).pipe(fallbackTo([small.stream$(PROMPT)])));
    expect(error.kind).toBe('configuration');
    expect(second.requests).toHaveLength(0);
  });

  it('is aborted when its subscriber leaves, while it is asked and while it answers', async () => {
    const [large] = clients(json(503, {}));
    const slow = client(second.route('slow', script(head(), say(piece('Hel')), hang)));
    const silent = client(second.route('silent', hang));
    const left$ = new Subject<void>();
    const asking = outcomeOf(large.stream$(PROMPT).pipe(fallbackTo([silent.stream$(PROMPT)]), takeUntil(left$)));
    await second.request(0);
    left$.next();
    expect(await asking).toEqual({ values: [], completed: true });
    const answering$ = large.stream$(PROMPT).pipe(fallbackTo([slow.stream$(PROMPT)]), take(1));
    expect(await outcomeOf(answering$)).toEqual({ values: ['Hel'], completed: true });
    expect([await second.closed(0), await second.closed(1)]).toEqual(['aborted', 'aborted']);
  });

  it('is asked when the retries of the first are used up, and numbers on', async () => {
    const { clock, told, options } = patient();
    const large = client(first.route('busy', json(503, { error: { message: 'overloaded' } })), options);
    const small = client(second.baseURL('whole'));
    const { values } = await outcomeOf(large.events$(PROMPT).pipe(fallbackTo([small.events$(PROMPT)])));
    expect(only(values, 'start').map(({ attempt }) => attempt)).toEqual([4]);
    expect(told.map(({ attempt }) => attempt)).toEqual([2, 3]);
    expect([first.requests.length, second.requests.length]).toEqual([3, 1]);
    expect(clock.pending).toBe(0);
  });

  it('fails with the last error when all fail, which tells the others and no key', async () => {
    const clock = new HandClock();
    const [busy, refusing, broken] = [
      client(first.route('busy', json(503, { error: { message: 'overloaded' } })), { scheduler: clock }),
      client(first.route('refusing', json(401, { error: { message: 'bad key key-of-mine-1234567890' } })), {
        apiKey: 'key-of-mine-1234567890',
      }),
      client(second.route('broken', script(head(), cut)), { scheduler: clock }),
    ] as const;
    const error = await errorOf(
      busy.stream$(PROMPT).pipe(fallbackTo([refusing.stream$(PROMPT), broken.stream$(PROMPT)])),
    );
    expect(error).toMatchObject({ kind: 'interrupted', attempts: 3 });
    expect(error.previous).toMatchObject([
      { kind: 'server', status: 503, attempts: 1 },
      { kind: 'authentication', status: 401, attempts: 1 },
    ]);
    expect(JSON.stringify([error, error.previous])).not.toContain('key-of-mine');
    expect(clock.pending).toBe(0);
  });

  it('may be chosen by the error', async () => {
    const [large, small] = clients(json(429, { error: { message: 'slow down' } }));
    const limited = (error: unknown): boolean => (error as CompletionError).kind === 'rate-limit';
    const busy = client(first.route('busy', json(503, { error: { message: 'overloaded' } })));
    const options = { when: limited };
    const answered$ = large.stream$(PROMPT).pipe(fallbackTo([small.stream$(PROMPT)], options));
    expect((await outcomeOf(answered$)).values).toEqual(['Hello', ' you']);
    expect(await errorOf(busy.stream$(PROMPT).pipe(fallbackTo([small.stream$(PROMPT)], options)))).toMatchObject({
      kind: 'server',
    });
    expect(second.requests).toHaveLength(1);
  });

  it('stands before text() without hiding a refusal', async () => {
    const refusing = stream(event({ choices: [{ index: 0, delta: { refusal: 'no' }, finish_reason: 'stop' }] }));
    const [large, small] = clients(refusing);
    const result$ = large.events$(PROMPT).pipe(fallbackTo([small.events$(PROMPT)]), text());
    expect(await errorOf(result$)).toMatchObject({ kind: 'refusal', partial: { refusal: 'no' } });
    expect(second.requests).toHaveLength(0);
  });
});

function textOf(events: readonly CompletionEvent[]): string {
  return only(events, 'text-delta')
    .map((delta) => delta.text)
    .join('');
}

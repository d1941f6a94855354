import { BehaviorSubject, filter, firstValueFrom, Subject, switchMap, tap } from 'rxjs';
import { CLIENTS, HandClock, outcomeOf, turn, type ClientCase } from '../support/client.ts';
import { startFaultServer, type Exchange, type FaultServer, type SeenRequest } from '../support/fault-server.ts';
import { DONE, end, finish, hang, head, say, script, text, until, type Step } from '../support/faults-steps.ts';

const PROMPTS = Array.from({ length: 50 }, (_, index) => `prompt ${index}`);
const OTHERS = PROMPTS.slice(0, -1);
const LAST = PROMPTS.at(-1) ?? '';
const FIRST_PIECE = 'You typed ';

let server: FaultServer;
beforeEach(async () => {
  server = await startFaultServer();
});
afterEach(() => server.close());

const promptOf = ({ json }: SeenRequest): string =>
  (json['messages'] as readonly { readonly content: string }[])[0]?.content ?? '';

/** The whole answer, in one write. */
const repeat: Step = ({ seen, write }) => write(text(FIRST_PIECE) + text(promptOf(seen)) + finish() + DONE);

/** The last answer is whole; the others have begun, and only their client can end them. */
const wholeIfLast: Step = (exchange) => (promptOf(exchange.seen) === LAST ? script(repeat, end) : hang)(exchange);
const endIfLast: Step = (exchange) => (promptOf(exchange.seen) === LAST ? end : hang)(exchange);

/** A field that asks anew for each prompt, as fast as somebody types, and shows what is answered. */
function typeAhead({ client }: ClientCase, ...steps: readonly Step[]) {
  const clock = new HandClock();
  const exchanges: Exchange[] = [];
  const signals: AbortSignal[] = [];
  const baseURL = server.route('answer', (exchange) => {
    exchanges.push(exchange);
    return script(...steps)(exchange);
  });
  const responses$ = new BehaviorSubject(0);
  const chat = client(baseURL, {
    fetch: (input, init) => {
      if (init?.signal) signals.push(init.signal);
      return globalThis.fetch(input, init);
    },
    hooks: { onResponse: () => responses$.next(responses$.value + 1) },
    scheduler: clock,
    retry: {},
    logLevel: 'off',
  });
  const prompts$ = new Subject<string>();
  const shown$ = new BehaviorSubject<readonly string[]>([]);
  const outcome = outcomeOf(
    prompts$.pipe(
      switchMap((prompt) => chat.stream$(prompt)),
      tap((piece) => shown$.next([...shown$.value, piece])),
    ),
  );
  return { clock, exchanges, signals, responses$, prompts$, shown$, outcome };
}

/** The request that asks this, as soon as the server has it. */
async function requestOf(prompt: string): Promise<SeenRequest> {
  for (let index = 0; ; index++) {
    const seen = await server.request(index);
    if (promptOf(seen) === prompt) return seen;
  }
}

/** No request is open, and all but the last were aborted, on either side and for good. */
async function expectOthersAborted({ signals, clock }: ReturnType<typeof typeAhead>): Promise<void> {
  const ended = await Promise.all(server.requests.map(async (seen) => [promptOf(seen), await seen.closed]));
  expect(ended).toEqual(ended.map(([prompt]) => [prompt, prompt === LAST ? 'finished' : 'aborted']));
  expect(signals.map(({ aborted }) => aborted)).toEqual([...signals.slice(0, -1).map(() => true), false]);
  // The end of the last body has been read by now.
  await turn();
  expect(clock.pending).toBe(0);
}

/** Where an answer waits until it is told to go on. */
const HELD = [
  { where: 'before its headers', answer: (held: Step) => [held, head(), repeat, end] },
  { where: 'after its headers', answer: (held: Step) => [head(), held, repeat, end] },
];

describe.each(CLIENTS)('of prompts through switchMap, over the $name transport,', (clientCase) => {
  it.each(HELD)('those in one tick give the last answer alone (each held $where)', async ({ answer }) => {
    const told$ = new Subject<void>();
    const field = typeAhead(clientCase, ...answer(until(firstValueFrom(told$))));
    for (const prompt of PROMPTS) field.prompts$.next(prompt);
    await requestOf(LAST);
    told$.next();
    field.prompts$.complete();
    expect(await field.outcome).toEqual({ values: [FIRST_PIECE, LAST], completed: true });
    await expectOthersAborted(field);
  });

  it.each(HELD)('those that have reached the server give the last answer alone (each held $where)', async (row) => {
    const told$ = new Subject<void>();
    const field = typeAhead(clientCase, ...row.answer(until(firstValueFrom(told$))));
    for (const [index, prompt] of PROMPTS.entries()) {
      field.prompts$.next(prompt);
      await server.request(index);
    }
    told$.next();
    field.prompts$.complete();
    expect(await field.outcome).toEqual({ values: [FIRST_PIECE, LAST], completed: true });
    expect(server.requests.map(promptOf)).toEqual(PROMPTS);
    await expectOthersAborted(field);
  });

  it('those whose answers have begun give the beginnings, then the rest of the last one', async () => {
    const told$ = new Subject<void>();
    const field = typeAhead(clientCase, head(), say(text('…')), until(firstValueFrom(told$)), repeat, end);
    for (const [index, prompt] of PROMPTS.entries()) {
      field.prompts$.next(prompt);
      await firstValueFrom(field.shown$.pipe(filter((pieces) => pieces.length > index)));
    }
    told$.next();
    field.prompts$.complete();
    expect(await field.outcome).toEqual({ values: [...PROMPTS.map(() => '…'), FIRST_PIECE, LAST], completed: true });
    expect(server.requests.map(promptOf)).toEqual(PROMPTS);
    await expectOthersAborted(field);
  });

  it('those overtaken by the next show nothing, though their answers are on the wire', async () => {
    const field = typeAhead(clientCase, head(), wholeIfLast);
    for (const [index, prompt] of OTHERS.entries()) {
      field.prompts$.next(prompt);
      await firstValueFrom(field.responses$.pipe(filter((count) => count > index)));
      await turn();
      // The next prompt comes in the same tick.
      void repeat(field.exchanges[index]!);
    }
    field.prompts$.next(LAST);
    field.prompts$.complete();
    expect(await field.outcome).toEqual({ values: [FIRST_PIECE, LAST], completed: true });
    expect(server.requests.map(promptOf)).toEqual(PROMPTS);
    await expectOthersAborted(field);
  });

  it('those from inside next cut the answer that is being shown, in the middle of a read', async () => {
    const field = typeAhead(clientCase, head(), repeat, endIfLast);
    const waiting = [...PROMPTS];
    field.shown$.pipe(filter((pieces) => pieces.at(-1) !== LAST)).subscribe(() => {
      const prompt = waiting.shift();
      if (prompt !== undefined) field.prompts$.next(prompt);
      if (waiting.length === 0) field.prompts$.complete();
    });
    expect(await field.outcome).toEqual({ values: [...PROMPTS.map(() => FIRST_PIECE), LAST], completed: true });
    expect(server.requests.map(promptOf)).toEqual(PROMPTS);
    await expectOthersAborted(field);
  });
});

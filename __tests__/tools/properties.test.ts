import fc from 'fast-check';
import { concat, delay, map, of, throwError, timer, VirtualTimeScheduler, type Observable } from 'rxjs';
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { CompletionEvent } from '../../src/events/event.ts';
import type { Approve } from '../../src/tools/execute.ts';
import { runTools$ } from '../../src/tools/run-tools.ts';
import { begun, finish, lines, model, saying, START, watched, whole } from './conversation.ts';

/** What becomes of a call: how it is asked, what its tool does, and how long that takes. */
const call = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  fate: fc.constantFrom('value', 'progress', 'throws', 'errors', 'cut', 'unknown', 'invalid', 'denied'),
  approval: fc.nat(5),
  lasting: fc.nat(9),
});
const conversation = fc.record({
  rounds: fc.array(fc.array(call, { minLength: 1, maxLength: 5 }), { maxLength: 4 }),
  concurrency: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
});

type Fate = (typeof call extends fc.Arbitrary<infer T> ? T : never)['fate'];
interface Planned {
  readonly id: string;
  readonly fate: Fate;
  readonly approval: number;
  readonly lasting: number;
}

const EXECUTED: readonly Fate[] = ['value', 'progress', 'throws', 'errors'];
const CONTENT: Readonly<Record<Fate, RegExp>> = {
  value: /^value of (.+)$/,
  progress: /^value of (.+)$/,
  throws: /^Error: broken$/,
  errors: /^Error: broken$/,
  cut: /cut off/,
  unknown: /no tool/,
  invalid: /do not satisfy/,
  denied: /denied/,
};

/** The answer that makes these calls; `mark` tells them apart. */
function answerOf(calls: readonly Planned[], round: number): readonly CompletionEvent[] {
  const asked = calls.map(({ id, fate }, place) => ({
    id,
    name: fate === 'unknown' ? 'missing' : 'work',
    arguments: fate === 'invalid' ? '{"mark":7}' : JSON.stringify({ mark: `${round}.${place}` }),
  }));
  const wholes = asked.map((each, place) => whole(each, place)).filter((_, place) => calls[place]!.fate !== 'cut');
  return [START, ...asked.flatMap(begun), ...wholes, finish('tool_calls')];
}

/** Each list of calls is followed by its results, one for each call, in their order. */
function expectAnswered(messages: readonly ChatCompletionMessageParam[]): void {
  for (const [at, message] of messages.entries()) {
    if (message.role !== 'assistant' || message.tool_calls === undefined) continue;
    const ids = message.tool_calls.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const results = messages.slice(at + 1, at + 1 + ids.length);
    expect(results.map((each) => (each.role === 'tool' ? each.tool_call_id : each.role))).toEqual(ids);
    expect(messages[at + 1 + ids.length]?.role).not.toBe('tool');
  }
}

const GRAMMAR = /^(?:approval requested (?:approval denied|approval approved (?:progress )*(?:result|error)) |error )$/;

describe('whatever the model calls, and in whatever order it ends', () => {
  it('every whole call is executed once, and every call answered once, in order', () => {
    fc.assert(
      fc.property(conversation, ({ rounds, concurrency }) => {
        const clock = new VirtualTimeScheduler();
        const plan = (mark: unknown): Planned => {
          const [round, place] = String(mark).split('.').map(Number);
          return rounds[round!]![place!]!;
        };
        const work = watched(
          'work',
          (args): Observable<string> => {
            const { mark } = args as { mark: string };
            const { fate, lasting } = plan(mark);
            if (fate === 'throws') throw new Error('broken');
            const failed$ = throwError(() => new Error('broken'));
            if (fate === 'errors') return concat(timer(lasting, clock).pipe(map(() => 'first')), failed$);
            const done$ = timer(lasting, clock).pipe(map(() => `value of ${mark}`));
            return fate === 'progress' ? concat(of('at work'), done$) : done$;
          },
          { type: 'object', properties: { mark: { type: 'string' } }, required: ['mark'] },
        );
        const approve: Approve = ({ arguments: args }) => {
          const { fate, approval } = plan((args as { mark: unknown }).mark);
          return approval === 0 ? fate !== 'denied' : of(fate !== 'denied').pipe(delay(approval, clock));
        };
        const chat = model(...rounds.map(answerOf), saying('Fine'));
        const events: Record<string, string> = {};
        const run$ = runTools$(chat, 'Go', {}, { tools: [work.tool], approve, concurrency }).pipe(
          map((event) => {
            if (!('toolCallId' in event)) return event;
            const status = event.type === 'tool-approval' ? ` ${event.status}` : '';
            const key = `${event.round} ${event.toolCallId}`;
            events[key] = `${events[key] ?? ''}${event.type.replace('tool-', '')}${status} `;
            return event;
          }),
        );
        const seen = lines(run$);
        clock.flush();

        expect(seen.at(-1)).toBe('|');
        expect(chat.asked).toHaveLength(rounds.length + 1);
        const isAlone = (planned: Planned, calls: readonly Planned[]): boolean =>
          calls.filter(({ id }) => id === planned.id).length === 1;
        const expected = rounds.flatMap((calls, round) =>
          calls.flatMap((planned, place) =>
            EXECUTED.includes(planned.fate) && isAlone(planned, calls) ? [`${round}.${place}`] : [],
          ),
        );
        expect(work.runs.map(({ args }) => (args as { mark: string }).mark).sort()).toEqual(expected.sort());

        for (const { messages } of chat.asked) expectAnswered(messages);
        const results = chat.asked
          .at(-1)!
          .messages.flatMap((message) => (message.role === 'tool' ? [message.content] : []));
        const planned = rounds.flatMap((calls, round) =>
          calls.map((each, place) => ({ each, mark: `${round}.${place}`, alone: isAlone(each, calls) })),
        );
        expect(results).toHaveLength(planned.length);
        for (const [at, { each, mark, alone }] of planned.entries()) {
          const wanted = alone || each.fate === 'cut' ? CONTENT[each.fate] : /Several calls have the id/;
          expect(results[at]).toMatch(wanted);
          const [, of = mark] = wanted.exec(String(results[at])) ?? [];
          expect(of).toBe(mark);
        }
        for (const grammar of Object.values(events)) expect(grammar).toMatch(GRAMMAR);
        expect(Object.keys(events)).toHaveLength(planned.length);
      }),
      { numRuns: 300 },
    );
  });
});

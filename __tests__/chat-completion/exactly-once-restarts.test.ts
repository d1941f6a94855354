import fc from 'fast-check';
import { from, lastValueFrom, tap, toArray, type Observable } from 'rxjs';
import type { CompletionEvent, OpenAIChatCompletion } from '../../src/index.ts';
import { accumulate, type CompletionSnapshot } from '../../src/operators/accumulate.ts';
import { collect } from '../../src/operators/collect.ts';
import { text } from '../../src/operators/text.ts';
import { only } from '../support/chunks.ts';
import { CLIENTS, outcomeOf } from '../support/client.ts';
import { ask, PROMPT } from './ask.ts';
import { broken, failing, whole, type Reply } from './random-replies.ts';

const RUNS = { numRuns: 60 };
// Many calls take their time on a machine that does other work.
jest.setTimeout(30_000);
const failures = fc.array(fc.oneof(failing(true), broken), { maxLength: 2 });
const answer = whole(true);

const events = (chat: OpenAIChatCompletion): Observable<CompletionEvent> =>
  chat.events$(PROMPT, {}, { retry: { mode: 'restart' } });

/** The events of each attempt that was shown; all but the first begin with their restart. */
function shownAttempts(all: readonly CompletionEvent[]): readonly (readonly CompletionEvent[])[] {
  const starts = all.flatMap(({ type }, index) => (type === 'restart' ? [index] : []));
  return [0, ...starts].map((start, index) => all.slice(start, starts[index]));
}

/** What stands of the events: those since the last restart. */
const standing = (all: readonly CompletionEvent[]): readonly CompletionEvent[] => shownAttempts(all).at(-1) ?? [];
const textOf = (all: readonly CompletionEvent[]): string =>
  only(all, 'text-delta')
    .map((delta) => delta.text)
    .join('');

describe.each(CLIENTS)('an answer that begins anew, over the $name transport', (clientCase) => {
  it('announces each beginning, and withdraws what it has shown', async () => {
    await fc.assert(
      fc.asyncProperty(failures, answer, async (failed, last) => {
        const replies = [...failed, last];
        const { result, bodies, timers } = await ask(clientCase, replies, (chat) => outcomeOf(events(chat)));
        const shown = replies.flatMap((reply, index) =>
          showsNothing(reply, last) ? [] : [{ reply, attempt: index + 1 }],
        );
        const attempts = shownAttempts(result.values);
        expect(result.completed).toBe(true);
        expect(attempts.map(textOf)).toEqual(shown.map(({ reply }) => reply.shown));
        expect(only(result.values, 'start').map(({ attempt }) => attempt)).toEqual(shown.map(({ attempt }) => attempt));
        expect(only(result.values, 'restart')).toEqual(
          shown.slice(1).map(({ attempt }, index) => ({
            type: 'restart',
            attempt,
            cause: expect.objectContaining({ name: 'CompletionError', retryable: true }) as unknown,
            discarded: only(attempts[index] ?? [], 'text-delta').length,
          })),
        );
        expect(bodies).toEqual(Array(replies.length).fill(bodies[0]));
        expect(timers).toBe(0);
      }),
      RUNS,
    );
  });

  it('ends in the whole text for accumulate and collect', async () => {
    await fc.assert(
      fc.asyncProperty(failures, answer, async (failed, last) => {
        const replies = [...failed, last];
        const { result: snapshot } = await ask(clientCase, replies, (chat) =>
          lastValueFrom(events(chat).pipe(accumulate())),
        );
        expect(snapshot).toMatchObject({ status: 'done', text: last.shown, finishReason: 'stop' });
        const { result: completion } = await ask(clientCase, replies, (chat) =>
          lastValueFrom(events(chat).pipe(collect())),
        );
        expect(completion.choices).toMatchObject([
          { index: 0, message: { content: last.shown === '' ? null : last.shown }, finish_reason: 'stop' },
        ]);
      }),
      RUNS,
    );
  });

  it('is an error for text, which has shown the first attempt and cannot take it back', async () => {
    await fc.assert(
      fc.asyncProperty(failures, answer, async (failed, last) => {
        const replies = [...failed, last];
        const { result, bodies, timers } = await ask(clientCase, replies, (chat) =>
          outcomeOf(events(chat).pipe(text())),
        );
        const [first, next] = replies.flatMap((reply, index) => (showsNothing(reply, last) ? [] : [{ reply, index }]));
        expect(result.values.join('')).toBe(first?.reply.shown);
        expect(result.completed).toBe(next === undefined);
        if (next === undefined) return;
        expect(result.error).toMatchObject({ kind: 'interrupted', partial: { text: first?.reply.shown } });
        expect(bodies).toHaveLength(next.index + 1);
        expect(timers).toBe(0);
      }),
      RUNS,
    );
  });

  it('that no retry brings to an end errors with the text that stands', async () => {
    const three = fc.array(fc.oneof(failing(true), broken), { minLength: 3, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(three, async (failed) => {
        const { result, bodies } = await ask(clientCase, failed, (chat) =>
          outcomeOf(events(chat).pipe(accumulate({ catchErrors: true }))),
        );
        const stands = failed.findLast(({ shown }) => shown !== '')?.shown ?? '';
        expect(result.values.at(-1)).toMatchObject({
          status: 'error',
          text: stands,
          error: { retryable: true, attempts: 3, partial: { text: stands } },
        });
        expect(bodies).toHaveLength(3);
      }),
      RUNS,
    );
  });
});

describe.each(CLIENTS)('after each event of an answer over the $name transport', (clientCase) => {
  it('accumulate has the text that stands so far, and is done only when the answer is', async () => {
    await fc.assert(
      fc.asyncProperty(failures, answer, async (failed, last) => {
        const seen: CompletionEvent[] = [];
        const told: { readonly snapshot: CompletionSnapshot; readonly after: number }[] = [];
        await ask(clientCase, [...failed, last], (chat) =>
          lastValueFrom(
            events(chat).pipe(
              tap((event) => seen.push(event)),
              accumulate(),
              tap((snapshot) => told.push({ snapshot, after: seen.length })),
            ),
          ),
        );
        for (const { snapshot, after } of told) expect(snapshot.text).toBe(textOf(standing(seen.slice(0, after))));
        expect(told.map(({ snapshot }) => snapshot.status).join(' ')).toMatch(/^connecting(?: streaming)+ done$/);
        expect(told.map(({ after }) => after)).toEqual(expect.arrayContaining([0, seen.length]));
      }),
      RUNS,
    );
  });

  it('a source that ends there is whole for accumulate and collect only with its finish', async () => {
    await fc.assert(
      fc.asyncProperty(failures, answer, async (failed, last) => {
        const { result: all } = await ask(clientCase, [...failed, last], (chat) =>
          lastValueFrom(events(chat).pipe(toArray())),
        );
        for (let length = 0; length <= all.length; length++) {
          const begun = standing(all.slice(0, length));
          const finished = only(begun, 'finish').length > 0;
          const cut$ = from(all.slice(0, length));
          expect(await lastValueFrom(cut$.pipe(accumulate()))).toMatchObject({
            status: finished ? 'done' : 'stopped',
            text: textOf(begun),
            finishReason: finished ? 'stop' : undefined,
            usage: only(begun, 'usage')[0]?.usage,
          });
          const { values, error } = await outcomeOf(cut$.pipe(collect()));
          expect(values.map(({ choices }) => choices[0]?.message.content ?? '')).toEqual(
            finished ? [textOf(begun)] : [],
          );
          expect(error).toEqual(finished ? undefined : expect.objectContaining({ kind: 'interrupted' }));
          if (!finished) expect(error).toMatchObject({ partial: { text: textOf(begun) } });
        }
      }),
      { numRuns: 30 },
    );
  });
});

/** Of all replies but the last, those without text are hidden. */
const showsNothing = (reply: Reply, last: Reply): boolean => reply !== last && reply.shown === '';

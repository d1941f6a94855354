import fc from 'fast-check';
import { map } from 'rxjs';
import { isCompletionError, type OpenAIChatCompletion } from '../../src/index.ts';
import { PromiseChatCompletion } from '../../src/promises.ts';
import { CLIENTS, outcomeOf, outcomeOfIterable, type Outcome } from '../support/client.ts';
import { ask, PROMPT } from './ask.ts';
import { askedMs, broken, failing, whole } from './random-replies.ts';

/** One way to ask for the text of an answer. */
interface Way {
  readonly name: string;
  readonly streaming: boolean;
  /** An element may carry no text, except in what is nothing but text. */
  readonly blank: boolean;
  readonly texts: (chat: OpenAIChatCompletion) => Promise<Outcome<string>>;
}

const STREAMS: readonly Way[] = [
  { name: 'stream$', streaming: true, blank: false, texts: (chat) => outcomeOf(chat.stream$(PROMPT)) },
  {
    name: 'events$',
    streaming: true,
    blank: true,
    texts: (chat) => outcomeOf(chat.events$(PROMPT).pipe(map((it) => (it.type === 'text-delta' ? it.text : '')))),
  },
  {
    name: 'chunks$',
    streaming: true,
    blank: true,
    texts: (chat) => outcomeOf(chat.chunks$(PROMPT).pipe(map(({ choices }) => choices[0]?.delta.content ?? ''))),
  },
  {
    name: 'streamCompletion',
    streaming: true,
    blank: false,
    texts: (chat) => outcomeOfIterable(new PromiseChatCompletion(chat).streamCompletion(PROMPT)),
  },
];
const GENERATE: Way = {
  name: 'generate$',
  streaming: false,
  blank: true,
  texts: (chat) => outcomeOf(chat.generate$(PROMPT)),
};

const RUNS = { numRuns: 60 };
// Many calls take their time on a machine that does other work.
jest.setTimeout(30_000);

describe.each(CLIENTS)('however often an answer was asked for before, over the $name transport', (clientCase) => {
  it.each([...STREAMS, GENERATE])('$name gives its text exactly once', async ({ streaming, blank, texts }) => {
    // The default retries are two.
    const failures = fc.array(failing(streaming), { maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(failures, whole(streaming), async (failed, answer) => {
        const { result, bodies, delays, early, timers } = await ask(clientCase, [...failed, answer], texts);
        expect(result).toMatchObject({ completed: true });
        expect(result.values.join('')).toBe(answer.shown);
        if (!blank) expect(result.values).not.toContain('');
        if (!streaming) expect(result.values).toHaveLength(1);
        expect(bodies).toEqual(Array(failed.length + 1).fill(bodies[0]));
        expect(delays.map((delayMs, index) => delayMs >= askedMs(failed[index]!))).toEqual(failed.map(() => true));
        expect({ early, timers }).toEqual({ early: 0, timers: 0 });
      }),
      RUNS,
    );
  });

  it.each(STREAMS)('$name ends in an error once text was shown, and asks no more', async ({ texts }) => {
    const failures = fc.array(failing(true), { maxLength: 1 });
    await fc.assert(
      fc.asyncProperty(failures, broken, async (failed, last) => {
        const { result, bodies, delays, timers } = await ask(clientCase, [...failed, last], texts);
        expect(result.values.join('')).toBe(last.shown);
        expect(isCompletionError(result.error)).toBe(true);
        expect(result.error).toMatchObject({
          kind: expect.stringMatching(/^(?:interrupted|rate-limit|server)$/) as string,
          retryable: true,
          attempts: failed.length + 1,
          partial: { text: last.shown, reasoning: '', refusal: '', toolCalls: [] },
        });
        expect(bodies).toHaveLength(failed.length + 1);
        expect(delays).toHaveLength(failed.length);
        expect(timers).toBe(0);
      }),
      RUNS,
    );
  });

  it('events$ shows the one attempt that gave the answer, and nothing of the others', async () => {
    const failures = fc.array(failing(true), { maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(failures, whole(true), async (failed, answer) => {
        const { result } = await ask(clientCase, [...failed, answer], (chat) => outcomeOf(chat.events$(PROMPT)));
        const types = result.values.map(({ type }) => type).join(' ');
        expect(types).toMatch(/^start(?: extra| text-delta)* finish(?: usage)?$/);
        expect(result.values[0]).toMatchObject({ type: 'start', attempt: failed.length + 1 });
      }),
      RUNS,
    );
  });

  it.each([...STREAMS, GENERATE])(
    '$name ends in the last error when no retry is left',
    async ({ streaming, texts }) => {
      const failures = fc.array(failing(streaming), { minLength: 3, maxLength: 3 });
      await fc.assert(
        fc.asyncProperty(failures, async (failed) => {
          const { result, bodies, delays, timers } = await ask(clientCase, failed, texts);
          expect(result.values.join('')).toBe('');
          expect(result.error).toMatchObject({ retryable: true, attempts: 3, partial: { text: '' } });
          expect([bodies.length, delays.length, timers]).toEqual([3, 2, 0]);
        }),
        { numRuns: 20 },
      );
    },
  );
});

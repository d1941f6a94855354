/** What docs/recipes.md promises of its recipes for one prompt. */
import { Subject, tap, throwError } from 'rxjs';
import { handBody, HandClock, outcomeOf, recordedFetch } from '../support/client.ts';
import {
  chunk,
  DONE,
  end,
  finish,
  head,
  inTurn,
  json,
  say,
  script,
  text,
  whole,
  type Step,
} from '../support/faults-steps.ts';
import { recipe, turns, type Chat, type Promises, type Recipes, type Stage } from './recipe-stage.ts';

const failing = (status: number) => json(status, { error: { message: 'broken', type: 'server_error' } });

/** Says paragraphs for ever. */
const paragraphs: Step = async ({ response, write }) => {
  while (!response.destroyed) {
    await write(text('One ') + text('par.\n') + text('\nTwo '));
    await new Promise(setImmediate);
  }
};

export const OF_ONE_PROMPT = {
  stoppable: {
    'ends as stopped with the text so far, and aborts the request': async ({ chat, server }) => {
      const stop$ = new Subject<void>();
      const client = chat({ Hi: script(head(), paragraphs) });
      const result$ = recipe('stoppable')(client, 'Hi', stop$);
      const { values, completed } = await outcomeOf(
        result$.pipe(
          tap(({ text: shown, status }) => {
            if (shown === 'One par.\n' && status === 'streaming') stop$.next();
          }),
        ),
      );
      expect(completed).toBe(true);
      expect(values.at(-1)).toMatchObject({ status: 'stopped', text: 'One par.\n', finishReason: undefined });
      expect(await server.closed(0)).toBe('aborted');
    },
    'ends as done when nobody stops it': async ({ chat }) => {
      const result$ = recipe('stoppable')(chat({ Hi: whole('Hello', '!') }), 'Hi', new Subject());
      const { values, completed } = await outcomeOf(result$);
      expect(completed).toBe(true);
      expect(values.at(-1)).toMatchObject({ status: 'done', text: 'Hello!', finishReason: 'stop' });
    },
  },

  inBatches: {
    'shows together what came in a tenth of a second, never nothing': async (stage) => {
      const { say: said, endBody, clock, batches, outcome } = inBatches(stage);
      await said('a', 'b');
      expect(batches).toEqual([]);
      clock.advance(99);
      expect(batches).toEqual([]);
      clock.advance(1);
      expect(batches).toEqual(['ab']);
      clock.advance(500);
      await said('c');
      clock.advance(100);
      expect(batches).toEqual(['ab', 'c']);
      await said('d', 'e');
      await endBody(finish() + DONE);
      expect(await outcome).toEqual({ values: ['ab', 'c', 'de'], completed: true });
      expect(clock.pending).toBe(0);
    },
    'loses with an error what came since the last batch, which the error knows': async (stage) => {
      const { say: said, endBody, clock, outcome } = inBatches(stage);
      await said('a', 'b');
      clock.advance(100);
      await said('c');
      await endBody('');
      const { values, error } = await outcome;
      expect(values).toEqual(['ab']);
      expect(error).toMatchObject({ kind: 'interrupted', partial: { text: 'abc' } });
      expect(clock.pending).toBe(0);
    },
  },

  firstParagraph: {
    'shows the text so far up to the end of the first paragraph, and aborts the request': async ({ chat, server }) => {
      const client = chat({ Hi: script(head(), paragraphs) });
      const outcome = await outcomeOf(recipe('firstParagraph')(client, 'Hi'));
      expect(outcome).toEqual({ values: ['One ', 'One par.\n', 'One par.'], completed: true });
      expect(await server.closed(0)).toBe('aborted');
    },
    'shows all of an answer that has no second one': async ({ chat }) => {
      const outcome = await outcomeOf(recipe('firstParagraph')(chat({ Hi: whole('A\n', 'b') }), 'Hi'));
      expect(outcome).toEqual({ values: ['A\n', 'A\nb'], completed: true });
    },
  },

  choices: {
    'takes apart what comes mixed, and passes over a choice without text': async ({ chat, server }) => {
      const mixed = say(text('a', 0), text('1', 1), text('b', 0), text('x', 2), text('2', 1));
      const ends = say(...[0, 1, 2, 3].map((index) => finish('stop', index)), chunk({ choices: [] }), DONE);
      const client = chat({ Hi: script(head(), mixed, ends, end) });
      expect(await outcomeOf(recipe('choices')(client, 'Hi', 4))).toEqual({
        values: [
          { choice: 0, text: 'ab' },
          { choice: 1, text: '12' },
          { choice: 2, text: 'x' },
        ],
        completed: true,
      });
      expect(server.requests[0]?.json['n']).toBe(4);
    },
  },

  patient: {
    'asks again after a pause, and alone does so': async ({ chat, server }) => {
      const clock = new HandClock();
      const clientClock = new HandClock();
      const client = chat(
        { Hi: inTurn(failing(503), failing(500), whole('Hello')) },
        { retry: {}, scheduler: clientClock },
      );
      const outcome = outcomeOf(recipe('patient')(client, 'Hi', clock));
      const asked: number[] = [];
      for (const [shortest, longest] of [
        [375, 500],
        [750, 1000],
      ] as const) {
        await clock.untilPending(1);
        clock.advance(shortest - 1);
        await turns();
        asked.push(server.requests.length);
        clock.advance(longest - shortest + 1);
      }
      expect(await outcome).toEqual({ values: ['Hello'], completed: true });
      expect([asked, server.requests.length]).toEqual([[1, 2], 3]);
      expect([clock.pending, clientClock.pending]).toEqual([0, 0]);
    },
    'asks eleven times at most': async ({ chat, server }) => {
      const clock = new HandClock();
      const outcome = outcomeOf(recipe('patient')(chat({ Hi: failing(500) }), 'Hi', clock));
      for (let retry = 1; retry <= 10; retry++) {
        await clock.untilPending(1);
        clock.advance(8000);
      }
      expect(await outcome).toMatchObject({ values: [], error: { kind: 'server' } });
      expect(server.requests).toHaveLength(11);
    },
    'does not ask again where that is of no use': async ({ chat, server }) => {
      const clock = new HandClock();
      const outcome = await outcomeOf(recipe('patient')(chat({ Hi: failing(401) }), 'Hi', clock));
      expect(outcome).toMatchObject({ values: [], error: { kind: 'authentication' } });
      expect([server.requests.length, clock.pending]).toEqual([1, 0]);
    },
  },

  orElse: {
    'gives the canned answer for an error of ours': async ({ chat }) => {
      const outcome = await outcomeOf(recipe('orElse')(chat({ Hi: failing(500) }), 'Hi', 'Sorry'));
      expect(outcome).toEqual({ values: ['Sorry'], completed: true });
    },
    'gives the answer if there is one': async ({ chat }) => {
      const outcome = await outcomeOf(recipe('orElse')(chat({ Hi: whole('Hello') }), 'Hi', 'Sorry'));
      expect(outcome).toEqual({ values: ['Hello'], completed: true });
    },
    'passes on any other error': async () => {
      const bug = new Error('a bug');
      const client: Pick<Chat, 'generate$'> = { generate$: () => throwError(() => bug) };
      const outcome = await outcomeOf(recipe('orElse')(client as Chat, 'Hi', 'Sorry'));
      expect(outcome).toEqual({ values: [], completed: false, error: bug });
    },
  },
} satisfies Partial<Record<keyof Recipes, Promises>>;

/** The recipe over a body that the test says. */
function inBatches({ client }: Stage) {
  const body = handBody();
  const fetch = recordedFetch(() => new Response(body.stream, { headers: { 'content-type': 'text/event-stream' } }));
  const clock = new HandClock();
  const batches: string[] = [];
  const result$ = recipe('inBatches')(client('https://api.test/v1', { fetch }), 'Hi', clock);
  return {
    clock,
    batches,
    outcome: outcomeOf(result$.pipe(tap((batch) => batches.push(batch)))),
    say: async (...pieces: readonly string[]): Promise<void> => {
      for (const piece of pieces) await body.say(text(piece));
      await turns();
    },
    endBody: async (last: string): Promise<void> => {
      await body.say(last);
      await body.end();
    },
  };
}

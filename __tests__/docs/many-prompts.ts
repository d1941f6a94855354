/** What docs/recipes.md promises of its recipes for many prompts, or for one prompt to many. */
import { from, Subject, tap } from 'rxjs';
import { outcomeOf, type Outcome } from '../support/client.ts';
import type { Handler } from '../support/fault-server.ts';
import { end, finish, hang, head, json, say, script, text, until, whole } from '../support/faults-steps.ts';
import { promptOf, recipe, turns, type Chat, type Promises, type Recipes, type Stage } from './recipe-stage.ts';

/** Begins to answer, and never ends. */
const beginning = (piece: string): Handler => script(head(), say(text(piece)), hang);

export const OF_MANY_PROMPTS = {
  typeAhead: {
    'aborts the old request in the same tick, and shows the new answer': async ({ chat, server, signals }) => {
      const prompts$ = new Subject<string>();
      const aborted: (boolean | undefined)[] = [];
      const client = chat({ old: beginning('Hello'), new: whole('Good', 'bye') });
      const outcome = outcomeOf(
        recipe('typeAhead')(client, prompts$).pipe(
          tap((piece) => {
            if (piece !== 'Hello') return;
            aborted.push(signals[0]?.aborted);
            prompts$.next('new');
            aborted.push(signals[0]?.aborted);
            prompts$.complete();
          }),
        ),
      );
      prompts$.next('old');
      expect(await outcome).toEqual({ values: ['Hello', 'Good', 'bye'], completed: true });
      expect(aborted).toEqual([false, true]);
      expect([await server.closed(0), await server.closed(1)]).toEqual(['aborted', 'finished']);
    },
  },

  inTurn: {
    'asks one after the other, the next as soon as there is an answer': async ({ chat, server }) => {
      const told = signal();
      const held = script(until(told.given), whole('1'));
      const client = chat({ one: held, two: whole('2'), three: whole('3') });
      const outcome = outcomeOf(recipe('inTurn')(client, from(['one', 'two', 'three'])));
      await server.request(0);
      await turns();
      expect(server.requests.map(promptOf)).toEqual(['one']);
      told.give();
      expect(await outcome).toEqual({ values: ['1', '2', '3'], completed: true });
      expect(server.requests.map(promptOf)).toEqual(['one', 'two', 'three']);
    },
  },

  fanOut: {
    'never asks more at once than it may, and shows answers as they come': async ({ chat, server }) => {
      const prompts = ['slow', 'a', 'b', 'c', 'd', 'e'];
      const others = signal();
      let open = 0;
      const atOnce: number[] = [];
      const opened: Handler = async (exchange) => {
        atOnce.push(++open);
        await turns();
        open -= 1;
        await whole(promptOf(exchange.seen).toUpperCase())(exchange);
      };
      const slow = script(until(others.given), opened);
      const client = chat(Object.fromEntries(prompts.map((prompt) => [prompt, prompt === 'slow' ? slow : opened])));
      const result$ = recipe('fanOut')(client, from(prompts), 3).pipe(
        tap(({ prompt }) => {
          if (prompt === 'e') others.give();
        }),
      );
      const { values, completed } = await outcomeOf(result$);
      expect(values.at(-1)).toEqual({ prompt: 'slow', answer: 'SLOW' });
      expect(sorted(values)).toEqual(sorted(prompts.map((prompt) => ({ prompt, answer: prompt.toUpperCase() }))));
      expect(completed).toBe(true);
      // The slow one is open all the time.
      expect(Math.max(...atOnce)).toBe(2);
      expect(server.requests).toHaveLength(prompts.length);
    },
  },

  faster: {
    'shows the answer that begins first, and aborts the other': async (stage) => {
      const { outcome, slower } = await race(stage, (quick, slow) => [quick, slow]);
      expect(outcome).toEqual({ values: ['Here', ' I am'], completed: true });
      expect(slower).toBe('aborted');
    },
    'does so whichever stands first': async (stage) => {
      const { outcome, slower } = await race(stage, (quick, slow) => [slow, quick]);
      expect(outcome).toEqual({ values: ['Here', ' I am'], completed: true });
      expect(slower).toBe('aborted');
    },
    'ends in the error of one that fails before the other begins': async (stage) => {
      const broken = json(500, { error: { message: 'broken', type: 'server_error' } });
      const { outcome, slower } = await race(stage, (quick, slow) => [quick, slow], broken);
      expect(outcome).toMatchObject({ values: [], error: { kind: 'server' } });
      expect(slower).toBe('aborted');
    },
  },
} satisfies Partial<Record<keyof Recipes, Promises>>;

/** Something to wait for. */
function signal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}

/** The quick one answers as soon as the slow one has been asked, which never says anything. */
async function race(
  { chat }: Stage,
  order: (quick: Chat, slow: Chat) => [Chat, Chat],
  answer: Handler = script(head(), say(text('Here'), text(' I am'), finish()), end),
): Promise<{ outcome: Outcome<string>; slower: string }> {
  const asked = signal();
  let slower: Promise<string> | undefined;
  const slow = chat({
    Hi: (exchange) => {
      slower = exchange.seen.closed;
      asked.give();
      return script(head(), hang)(exchange);
    },
  });
  const quick = chat({ Hi: script(until(asked.given), answer) });
  const outcome = await outcomeOf(recipe('faster')(...order(quick, slow), 'Hi'));
  return { outcome, slower: (await slower) ?? 'never asked' };
}

function sorted<T extends { readonly prompt: string }>(values: readonly T[]): readonly T[] {
  return values.toSorted((one, other) => (one.prompt < other.prompt ? -1 : 1));
}

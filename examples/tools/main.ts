/**
 * A tool loop: `npm run --silent example:tools`, or with a question of your own after `--`. One tool reports its progress, another asks
 * before it acts: answer y, or anything else. The model's text goes to stdout, everything else to stderr.
 */
import { createInterface } from 'node:readline/promises';
import { concat, map, of, switchMap, takeWhile, timer, type Observable } from 'rxjs';
import { tool, type ToolApprovalRequest } from 'rxjs-openai';
import { z } from 'zod';
import { client$ } from '../shared/client.ts';
import { prepare } from './embedded-server.ts';

const TEMPERATURES: Readonly<Record<string, number>> = { Oslo: -4, Cairo: 24 };

const weather = tool({
  name: 'weather',
  description: 'The weather of a city right now',
  parameters: z.object({ city: z.string() }),
  // Each value is progress, the last one the result.
  execute: ({ city }): Observable<string> =>
    concat(
      of(`asking the station of ${city}`),
      timer(300).pipe(map(() => `${city}: ${String(TEMPERATURES[city] ?? 12)} °C`)),
    ),
});

const remind = tool({
  name: 'remind',
  description: 'Leaves the user a reminder',
  parameters: z.object({ text: z.string() }),
  execute: ({ text }) => `reminder "${text}" is set`,
});

/** A human in the loop. Nobody there to answer means no. */
async function approve({ name, arguments: args, signal }: ToolApprovalRequest): Promise<boolean> {
  if (name !== 'remind') return true;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const left = new Promise<string>((resolve) =>
    terminal.once('close', () => {
      resolve('');
    }),
  );
  const asked = terminal.question(`${name}(${JSON.stringify(args)}): may it? [y/N] `, { signal });
  const answer = await Promise.race([asked, left]);
  terminal.close();
  return /^y/i.test(answer);
}

const words = process.argv.slice(2).join(' ');
const question = words === '' ? 'Do I need a coat in Oslo, and in Cairo? Remind me.' : words;

const onStart = (baseURL: string): void => {
  console.error(`OPENAI_API_KEY is not set: an embedded server at ${baseURL} gives canned answers`);
};

client$({}, { prepare, onStart })
  .pipe(
    switchMap((client) => client.runTools$(question, {}, { tools: [weather, remind], approve, maxRounds: 4 })),
    // The server without a key runs as long as somebody listens.
    takeWhile(({ type }) => type !== 'messages', true),
  )
  .subscribe({
    next: (event) => {
      if (event.type === 'text-delta') process.stdout.write(event.text);
      else if (event.type === 'tool-progress') console.error(`${event.name}: ${String(event.value)}`);
      else if (event.type === 'tool-result') console.error(`${event.name} → ${event.content}`);
      else if (event.type === 'tool-error') console.error(`${event.name} failed: ${event.content}`);
      else if (event.type === 'tool-approval' && event.status === 'denied') console.error(`${event.name} was denied`);
      else if (event.type === 'messages') process.stdout.write(`\n`);
    },
    error: (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  });

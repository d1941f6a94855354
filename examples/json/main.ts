/**
 * Structured extraction that fills in while the model writes: `npm run --silent example:json`, or with a text of your own:
 * `npm run --silent example:json -- "Lunch with Ada on Friday at noon"`. The values so far go to stderr, the result to stdout.
 */
import { switchMap, takeWhile } from 'rxjs';
import { z } from 'zod';
import { client$ } from '../shared/client.ts';
import { prepare } from './embedded-server.ts';

const Meeting = z.object({
  title: z.string(),
  when: z.string().describe('As the text says it'),
  people: z.array(z.object({ name: z.string(), brings: z.string().nullable() })),
});

const words = process.argv.slice(2).join(' ');
const text =
  words === '' ? 'The launch: Tuesday at ten. Ada brings the figures, Grace the demo; Linus listens.' : words;

const onStart = (baseURL: string): void => {
  console.error(`OPENAI_API_KEY is not set: an embedded server at ${baseURL} gives a canned answer`);
};

client$({}, { prepare, chunkSize: 12, onStart })
  .pipe(
    switchMap((client) => client.json$(`What meeting is this? ${text}`, {}, { schema: Meeting })),
    // The server without a key runs as long as somebody listens.
    takeWhile(({ type }) => type === 'partial', true),
  )
  .subscribe({
    next: (event) => {
      if (event.type === 'partial') console.error('so far', JSON.stringify(event.value));
      else
        console.log(
          `${event.value.title}, ${event.value.when}: ${event.value.people.map(({ name }) => name).join(', ')}`,
        );
    },
    error: (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  });

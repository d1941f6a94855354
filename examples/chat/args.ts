import { parseArgs } from 'node:util';
import { Exit } from './exit.ts';

export const HELP = `Talk to a language model in the terminal.

  npm start                                  a chat; an empty line or Ctrl-D leaves
  npm start -- "Say this is a test!"         one answer
  npm start --silent -- "Say hi" | cat       the same in a pipe: npm prints a banner to stdout unless it is silenced
  cat notes.txt | npm start --silent         the prompt from stdin
  git diff | npm start --silent -- "Review"  the argument, then stdin

Options
  -m, --model <name>        the model (OPENAI_MODEL, else gpt-4o-mini)
  -t, --temperature <0..2>  0 for the most likely words, more for surprising ones
  -s, --system <text>       what the model is told before the conversation
      --json                every event of the answer as a line of JSON, instead of its text
  -h, --help                this text

The answer goes to stdout as it arrives, everything else to stderr. Ctrl-C stops an answer, a second one leaves.
With OPENAI_API_KEY in the environment or in .env, OpenAI answers, or the server at OPENAI_BASE_URL; without a key an
embedded server with canned answers. All variables: .env.example. Exit code: 0, 1 after an error, 130 after Ctrl-C.
`;

/** What was asked for on the command line. */
export interface Arguments {
  /** `undefined`: none was given. */
  readonly prompt: string | undefined;
  readonly model: string | undefined;
  readonly temperature: number | undefined;
  readonly system: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

export function parseArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parsed(args);
  return {
    prompt: positionals.length === 0 ? undefined : positionals.join(' '),
    model: values.model,
    temperature: temperatureOf(values.temperature),
    system: values.system,
    json: values.json,
    help: values.help,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        model: { type: 'string', short: 'm' },
        temperature: { type: 'string', short: 't' },
        system: { type: 'string', short: 's' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    // Node explains itself in several sentences; the first one says it.
    const [reason = ''] = (error as Error).message.split(/\.?\s*(?:\n|\. )/);
    throw new Exit(`${reason}; see --help`);
  }
}

function temperatureOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const temperature = value.trim() === '' ? NaN : Number(value);
  if (temperature >= 0 && temperature <= 2) return temperature;
  throw new Exit('--temperature must be a number from 0 to 2; see --help');
}

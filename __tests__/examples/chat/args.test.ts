import { HELP, parseArguments } from '../../../examples/chat/args.ts';
import { Exit } from '../../../examples/chat/exit.ts';

describe('the command line', () => {
  it('is a chat with every setting left to the environment when it is empty', () => {
    expect(parseArguments([])).toEqual({
      prompt: undefined,
      model: undefined,
      temperature: undefined,
      system: undefined,
      json: false,
      help: false,
    });
  });

  it('takes long and short flags anywhere around the prompt', () => {
    const expected = { prompt: 'Say hi', model: 'm', temperature: 0, system: 'Be kind', json: true, help: false };
    expect(parseArguments(['--model', 'm', 'Say hi', '--temperature=0', '--system', 'Be kind', '--json'])).toEqual(
      expected,
    );
    expect(parseArguments(['-m', 'm', '-t', '0', '-s', 'Be kind', '--json', 'Say hi'])).toEqual(expected);
    expect(parseArguments(['-h']).help).toBe(true);
  });

  it('joins words that were not quoted, and takes what follows -- as it is', () => {
    expect(parseArguments(['Say', 'this', '--json', 'now']).prompt).toBe('Say this now');
    expect(parseArguments(['--', '--model']).prompt).toBe('--model');
  });

  it.each([
    [['--modle', 'x'], '--modle'],
    [['--model'], '--model'],
    [['--temperature', '-1'], '--temperature'],
    [['--json=yes'], '--json'],
  ])('refuses %j in one line that names the flag', (args, flag) => {
    const { message, code } = refused(args);
    expect(message).toContain(flag);
    expect(message).toMatch(/^[^\n.]{10,80}; see --help$/);
    expect(code).toBe(1);
  });

  it.each(['2.1', '-0.1', 'warm', '', 'NaN'])('refuses the temperature "%s"', (value) => {
    expect(refused([`--temperature=${value}`]).message).toBe('--temperature must be a number from 0 to 2; see --help');
  });

  it('takes both ends of the range of temperatures', () => {
    expect(parseArguments(['-t', '2']).temperature).toBe(2);
    expect(parseArguments(['-t', '0']).temperature).toBe(0);
  });

  it('has a help that names every flag and the way around npm’s banner', () => {
    for (const flag of ['--model', '--temperature', '--system', '--json', '--help']) expect(HELP).toContain(flag);
    expect(HELP).toContain('npm start --silent -- ');
    for (const line of HELP.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });
});

function refused(args: readonly string[]): Exit {
  try {
    parseArguments(args);
  } catch (error) {
    if (error instanceof Exit) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

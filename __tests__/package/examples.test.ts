import { join } from 'node:path';
import { start, type Program } from '../examples/chat/program.ts';

const run = (example: string, input: string | null, ...args: readonly string[]): Program =>
  start(args, { program: join(__dirname, `../../examples/${example}/main.ts`), input });

const NOTE = /^OPENAI_API_KEY is not set: an embedded server at http:\/\/127\.0\.0\.1:\d+\/v1 gives /;

describe('examples/json', () => {
  it('shows the value while it grows, and the whole of it at the end', async () => {
    const { ended, stdout, stderr } = run('json', '');
    expect(await ended).toBe(0);
    expect(stdout()).toBe('Launch, Tuesday at ten: Ada, Grace, Linus\n');
    expect(stderr()).toMatch(NOTE);
    const values = stderr()
      .split('\n')
      .filter((line) => line.startsWith('so far '))
      .map((line) => line.slice('so far '.length));
    expect(values.length).toBeGreaterThan(5);
    expect(values.at(0)).toMatch(/^\{(?:"title":"L[a-z]*")?\}$/);
    expect(JSON.parse(values.at(-1) ?? '')).toMatchObject({ people: [{}, {}, { name: 'Linus', brings: null }] });
  });
});

describe('examples/tools', () => {
  it('runs the tools side by side, with their progress, and one only when it may', async () => {
    const { ended, stdout, stderr } = run('tools', 'y\n');
    expect(await ended).toBe(0);
    expect(stdout()).toBe('I was told: Oslo: -4 °C; Cairo: 24 °C; reminder "Pack a coat" is set\n');
    expect(stderr()).toMatch(NOTE);
    expect(stderr()).toContain('remind({"text":"Pack a coat"}): may it? [y/N]');
    const order = ['asking the station of Oslo', 'asking the station of Cairo', 'weather → Oslo', 'weather → Cairo'];
    const places = order.map((line) => stderr().indexOf(line));
    expect(places).toEqual([...places].sort((one, other) => one - other));
    expect(places).not.toContain(-1);
  });

  it.each([
    ['says no', 'n\n'],
    ['is not there', ''],
  ])('does not act when the user %s, and the model knows', async (_, input) => {
    const { ended, stdout, stderr } = run('tools', input);
    expect(await ended).toBe(0);
    expect(stdout()).toBe('I was told: Oslo: -4 °C; Cairo: 24 °C; The user denied this call.\n');
    expect(stderr()).toContain('remind was denied');
    expect(stderr()).not.toContain('remind →');
  });

  it('stops at once when it is interrupted while it waits for an answer', async () => {
    const program = run('tools', null);
    await program.showsBeside('may it?');
    program.interrupt();
    expect(await program.ended).toBe('SIGINT');
    expect(program.stdout()).toBe('');
  });
});

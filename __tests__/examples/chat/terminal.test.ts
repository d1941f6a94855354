import { PassThrough } from 'node:stream';
import { errorLine, note, readerGone$, systemTerminal } from '../../../examples/chat/terminal.ts';
import { fakeScreen } from './screen.ts';

function fancy(isTTY: boolean | undefined, env: Readonly<Record<string, string>>): boolean {
  const stderr = Object.assign(new PassThrough(), { isTTY });
  return systemTerminal({ stdout: new PassThrough(), stderr, env }).fancy;
}

describe('the terminal', () => {
  it('shows colours and motion only on a screen that wants them', () => {
    expect(fancy(true, { TERM: 'xterm' })).toBe(true);
    expect(fancy(true, { NO_COLOR: '' })).toBe(true);
    expect(fancy(true, { NO_COLOR: '1' })).toBe(false);
    expect(fancy(true, { TERM: 'dumb' })).toBe(false);
    expect(fancy(undefined, { FORCE_COLOR: '1' })).toBe(false);
  });

  it('writes notes to stderr, plain or coloured', () => {
    const plain = fakeScreen();
    note(plain, 'hello', 'red');
    expect(plain.log).toEqual([['err', 'hello\n']]);
    const coloured = fakeScreen({ fancy: true });
    note(coloured, 'hello', 'red');
    expect(coloured.err()).toBe('\u001b[31mhello\u001b[39m\n');
  });

  it('tells an error in one line', () => {
    expect(errorLine(new Error('two\n  lines '))).toBe('Error: two lines');
    expect(errorLine('thrown')).toBe('Error: thrown');
  });

  it('notices that nobody reads any more, on either stream', () => {
    for (const name of ['stdout', 'stderr'] as const) {
      const screen = fakeScreen();
      const gone = jest.fn();
      readerGone$(screen).subscribe({ next: gone, error: gone });
      expect(gone).not.toHaveBeenCalled();
      screen[name].emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      expect(gone.mock.calls).toEqual([[true]]);
    }
  });

  it('passes on every other error of the streams', () => {
    const screen = fakeScreen();
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const failed = jest.fn();
    readerGone$(screen).subscribe({ error: failed });
    screen.stdout.emit('error', full);
    expect(failed).toHaveBeenCalledWith(full);
  });
});

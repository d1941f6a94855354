import { PassThrough, Readable } from 'node:stream';
import { firstValueFrom, VirtualTimeScheduler } from 'rxjs';
import { prompt$ } from '../../../examples/chat/prompt.ts';

const keyboard = Object.assign(new PassThrough(), { isTTY: true });
const piped = (...pieces: readonly string[]): Readable => Readable.from(pieces.map((piece) => Buffer.from(piece)));
const read = (argument: string | undefined, stdin: Readable): Promise<string | undefined> =>
  firstValueFrom(prompt$(argument, stdin, () => undefined));

describe('the prompt', () => {
  it('is the argument, and the keyboard is not read', async () => {
    await expect(read('Say hi', keyboard)).resolves.toBe('Say hi');
  });

  it('is missing when somebody sits at the keyboard and gave none', async () => {
    await expect(read(undefined, keyboard)).resolves.toBeUndefined();
  });

  it('is what is piped in, to the end, without the last line break', async () => {
    await expect(read(undefined, piped('  first line\nsec', 'ond line\n\n'))).resolves.toBe(
      '  first line\nsecond line',
    );
  });

  it('is the argument and then what is piped in', async () => {
    await expect(read('Review this:', piped('a diff\n'))).resolves.toBe('Review this:\n\na diff');
  });

  it('is the argument alone when nothing comes through the pipe', async () => {
    await expect(read('Say hi', piped('\n'))).resolves.toBe('Say hi');
  });

  it.each([undefined, '', '  '])('is refused when it is empty (argument %j)', async (argument) => {
    await expect(read(argument, piped(' \n'))).rejects.toThrow('The prompt is empty');
  });

  it('reads a character that is cut between two pieces', async () => {
    const [first, second] = [Buffer.from('é').subarray(0, 1), Buffer.from('é').subarray(1)];
    await expect(read(undefined, Readable.from([first, second]))).resolves.toBe('é');
  });

  it('says once what it waits for when stdin stays open', async () => {
    const scheduler = new VirtualTimeScheduler();
    const stdin = new PassThrough();
    const onWait = jest.fn();
    const prompt = firstValueFrom(prompt$('Say', stdin, onWait, scheduler));
    scheduler.maxFrames = 999;
    scheduler.flush();
    expect(onWait).not.toHaveBeenCalled();
    scheduler.maxFrames = 60_000;
    scheduler.flush();
    expect(onWait).toHaveBeenCalledTimes(1);
    stdin.end('hi');
    await expect(prompt).resolves.toBe('Say\n\nhi');
  });

  it('waits for nothing once it is there', async () => {
    const scheduler = new VirtualTimeScheduler();
    const onWait = jest.fn();
    await firstValueFrom(prompt$('Say hi', keyboard, onWait, scheduler));
    scheduler.flush();
    expect(onWait).not.toHaveBeenCalled();
  });
});

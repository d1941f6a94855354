import { defer, firstValueFrom, lastValueFrom, of, Subject } from 'rxjs';
import type { CompletionEvent } from '../../../src/index.ts';
import { show } from '../../../examples/chat/show.ts';
import { fakeScreen, type Screen } from './screen.ts';

const START: CompletionEvent = { type: 'start', id: 'c', model: 'gpt-test', created: 1, attempt: 1 };
const FINISH: CompletionEvent = { type: 'finish', choice: 0, reason: 'stop' };
const text = (piece: string): CompletionEvent => ({ type: 'text-delta', choice: 0, text: piece });

interface Shown {
  readonly screen: Screen;
  readonly event$: Subject<CompletionEvent>;
  readonly ended: Promise<unknown>;
}

function shown({ json = false, fancy = false } = {}): Shown {
  const screen = fakeScreen({ fancy });
  const event$ = new Subject<CompletionEvent>();
  const ended = new Promise((resolve) => {
    event$.pipe(show(screen, { json })).subscribe({
      error: resolve,
      complete: () => {
        resolve('complete');
      },
    });
  });
  return { screen, event$, ended };
}

/** Resolves at the first frame of the spinner. */
const spinning = (screen: Screen): Promise<void> => firstValueFrom(screen.written$);

describe('an answer on the terminal', () => {
  it('goes to stdout piece by piece, then a line break, then the summary to stderr', async () => {
    const { screen, event$, ended } = shown();
    event$.next(START);
    event$.next(text('This is'));
    expect(screen.log).toEqual([['out', 'This is']]);
    event$.next(text(' a test!'));
    event$.next(FINISH);
    event$.complete();
    await expect(ended).resolves.toBe('complete');
    expect(screen.out()).toBe('This is a test!\n');
    expect(screen.log.slice(0, 3)).toEqual([
      ['out', 'This is'],
      ['out', ' a test!'],
      ['out', '\n'],
    ]);
    expect(screen.err()).toMatch(/^gpt-test · .*finish: stop\n$/);
  });

  it('is a line of JSON per event with json', async () => {
    const { screen, event$, ended } = shown({ json: true });
    for (const event of [START, text('a\nb'), FINISH]) event$.next(event);
    expect(screen.out()).toBe([START, text('a\nb'), FINISH].map((event) => `${JSON.stringify(event)}\n`).join(''));
    event$.complete();
    await ended;
    expect(screen.err()).toMatch(/finish: stop\n$/);
  });

  it('turns a spinner up to the first word, and clears it before that is written', async () => {
    const { screen, event$ } = shown({ fancy: true });
    await spinning(screen);
    expect(screen.err()).toMatch(/^\r⠋/);
    event$.next(START);
    expect(screen.err()).not.toContain('\u001b[K');
    event$.next(text('This'));
    expect(screen.log.slice(-2)).toEqual([
      ['err', '\r\u001b[K'],
      ['out', 'This'],
    ]);
    const frames = screen.log.length;
    event$.next(text(' is'));
    expect(screen.log).toHaveLength(frames + 1);
  });

  it('clears the spinner before a failure without a word is told', async () => {
    const screen = fakeScreen({ fancy: true });
    const event$ = new Subject<CompletionEvent>();
    const told = jest.fn(() => screen.err());
    event$.pipe(show(screen, { json: false })).subscribe({ error: told });
    await spinning(screen);
    event$.error(new Error('no'));
    expect(told.mock.results[0]?.value).toMatch(/\r\u001b\[K$/);
    expect(screen.out()).toBe('');
  });

  it('clears the spinner when the answer ends without a word', async () => {
    const { screen, event$, ended } = shown({ fancy: true });
    await spinning(screen);
    event$.next(START);
    event$.next(FINISH);
    event$.complete();
    await expect(ended).resolves.toBe('complete');
    const clearing = screen.log.findIndex(([, piece]) => piece === '\r\u001b[K');
    expect(screen.log[clearing + 1]).toEqual(['out', '\n']);
  });

  it('clears the spinner, and writes nothing more, when nobody wants it any more', async () => {
    const screen = fakeScreen({ fancy: true });
    const event$ = new Subject<CompletionEvent>();
    const subscription = event$.pipe(show(screen, { json: false })).subscribe();
    await spinning(screen);
    subscription.unsubscribe();
    expect(screen.err().endsWith('\r\u001b[K')).toBe(true);
    expect(event$.observed).toBe(false);
  });

  it('has neither spinner nor escape sequence on a plain screen', async () => {
    const { screen, event$, ended } = shown();
    event$.next(START);
    event$.next(text('a'));
    event$.complete();
    await ended;
    expect(screen.out() + screen.err()).not.toMatch(/[\r\u001b]/);
  });

  it('ends its line when it is cut off, so that the error is legible', async () => {
    const { screen, event$, ended } = shown();
    event$.next(START);
    event$.next(text('This is'));
    event$.error(new Error('cut'));
    await ended;
    expect(screen.out()).toBe('This is\n');
    expect(screen.err()).toBe('');
  });

  it('is an error when the model refuses, with its words', async () => {
    const { screen, event$, ended } = shown();
    event$.next(START);
    event$.next({ type: 'refusal-delta', choice: 0, text: 'I cannot' });
    event$.next({ type: 'refusal-delta', choice: 0, text: ' do that.' });
    event$.next(FINISH);
    event$.complete();
    await expect(ended).resolves.toMatchObject({ message: 'The model refused: I cannot do that.', code: 1 });
    expect(screen.err()).toMatch(/finish: stop\n$/);
  });

  it('is an error when the content filter stopped it', async () => {
    const { event$, ended } = shown();
    event$.next(START);
    event$.next({ type: 'finish', choice: 0, reason: 'content_filter' });
    event$.complete();
    await expect(ended).resolves.toMatchObject({ message: expect.stringContaining('content filter') as string });
  });

  it('is one request, whatever looks at its events', async () => {
    const subscribed = jest.fn();
    const answer$ = defer(() => {
      subscribed();
      return of(START, text('a'), FINISH);
    });
    await lastValueFrom(answer$.pipe(show(fakeScreen({ fancy: true }), { json: false })), { defaultValue: undefined });
    expect(subscribed).toHaveBeenCalledTimes(1);
  });
});

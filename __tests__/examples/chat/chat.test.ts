import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { EMPTY, fromEvent, NEVER, Subject, type Observable, type Subscription } from 'rxjs';
import { chat$ } from '../../../examples/chat/chat.ts';
import { interruptedBy } from '../../../examples/chat/interrupt.ts';
import { fakeScreen } from './screen.ts';

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

/** A chat on a keyboard and a screen of which the test has the other end. */
class Session {
  /** The prompts, each with the answer under way: `complete()` ends it. */
  readonly asked: { readonly prompt: string; readonly answer$: Subject<never> }[] = [];
  readonly errors: unknown[] = [];
  left = false;
  readonly #input = new PassThrough();
  readonly #screen = fakeScreen();
  readonly #process = new EventEmitter();
  readonly #subscription: Subscription;

  constructor({ isTTY = false, answer }: { isTTY?: boolean; answer?: () => Observable<never> } = {}) {
    const input = Object.assign(this.#input, { isTTY });
    const output = Object.assign(this.#screen.stderr, { isTTY, columns: 80 });
    const ask = (prompt: string, interrupt$: Observable<unknown>): Observable<never> => {
      const answer$ = new Subject<never>();
      this.asked.push({ prompt, answer$ });
      return (answer?.() ?? answer$).pipe(interruptedBy(interrupt$));
    };
    const onError = (error: unknown): void => {
      this.errors.push(error);
    };
    this.#subscription = chat$({ input, output, signal$: fromEvent(this.#process, 'SIGINT') }, ask, onError).subscribe({
      error: onError,
      complete: () => {
        this.left = true;
      },
    });
  }

  /** Delivered at once, as the terminal would have. */
  type(keys: string): void {
    this.#input.emit('data', Buffer.from(keys));
  }

  endOfInput(): void {
    this.#input.emit('end');
  }

  signal(): void {
    this.#process.emit('SIGINT');
  }

  prompts(): string[] {
    return this.asked.map(({ prompt }) => prompt);
  }

  finish(): void {
    this.asked.at(-1)?.answer$.complete();
  }

  /** What stands on the screen, without the movements of the cursor. */
  screen(): string {
    return this.#screen.err().replace(/\u001b\[[0-9;]*[A-Z]/g, '');
  }

  listeners(): number {
    return this.#process.listenerCount('SIGINT');
  }

  end(): void {
    this.#subscription.unsubscribe();
  }
}

describe.each([
  { where: 'at a terminal', isTTY: true, enter: '\r' },
  { where: 'fed by a pipe', isTTY: false, enter: '\n' },
])('a chat $where', ({ isTTY, enter }) => {
  let session: Session;
  beforeEach(() => {
    session = new Session({ isTTY });
  });
  afterEach(() => {
    session.end();
  });

  it('prompts, asks, and prompts again when the answer is there', () => {
    expect(session.screen()).toBe('> ');
    session.type(`first${enter}`);
    const before = session.screen();
    session.finish();
    expect(session.screen()).toBe(`${before}> `);
    session.type(`second${enter}`);
    expect(session.prompts()).toEqual(['first', 'second']);
  });

  it('does not hear what is typed during an answer, nor show it', () => {
    session.type(`first${enter}`);
    const before = session.screen();
    session.type(`typed blindly${enter}${enter}`);
    expect(session.screen()).toBe(before);
    session.finish();
    expect(session.left).toBe(false);
    session.type(`second${enter}`);
    expect(session.prompts()).toEqual(['first', 'second']);
  });

  it('leaves at an empty line', () => {
    session.type(`  ${enter}`);
    expect(session.left).toBe(true);
    expect(session.prompts()).toEqual([]);
  });

  it('leaves at the end of the input, on a line of its own', () => {
    session.endOfInput();
    expect(session.left).toBe(true);
    expect(session.screen()).toBe('> \n');
  });

  it('finishes an answer under way before it leaves at the end of the input', () => {
    session.type(`first${enter}`);
    session.endOfInput();
    expect(session.left).toBe(false);
    session.finish();
    expect(session.left).toBe(true);
    expect(session.screen().match(/> /g)).toHaveLength(1);
  });

  it('stops an answer at a signal and leaves at a second one', () => {
    session.type(`first${enter}`);
    session.signal();
    expect(session.asked[0]?.answer$.observed).toBe(false);
    expect(session.errors).toMatchObject([{ message: 'Interrupted', code: 130 }]);
    expect(session.left).toBe(false);
    expect(session.screen().endsWith('> ')).toBe(true);
    session.signal();
    expect(session.left).toBe(true);
  });

  it('tells an error and goes on', () => {
    session.type(`first${enter}`);
    const failure = new Error('no');
    session.asked[0]?.answer$.error(failure);
    expect(session.errors).toEqual([failure]);
    session.type(`second${enter}`);
    expect(session.prompts()).toEqual(['first', 'second']);
  });

  it('aborts the answer and lets go of the process when it is unsubscribed', () => {
    session.type(`first${enter}`);
    session.end();
    expect(session.asked[0]?.answer$.observed).toBe(false);
    expect(session.listeners()).toBe(0);
  });
});

describe('a chat at a terminal', () => {
  it('shows what is typed, and edits it', () => {
    const session = new Session({ isTTY: true });
    session.type('Say hj\u007fi');
    expect(session.screen()).toContain('Say hj');
    session.type('\r');
    expect(session.prompts()).toEqual(['Say hi']);
    session.end();
  });

  it('forgets half a line that was typed during an answer', () => {
    const session = new Session({ isTTY: true });
    session.type('first\r');
    session.type('half a line\u001b[D');
    session.finish();
    expect(session.screen().endsWith('> ')).toBe(true);
    session.type('second\r');
    expect(session.prompts()).toEqual(['first', 'second']);
    session.end();
  });

  it('stops an answer at Ctrl-C and leaves at a second one, on a line of its own', () => {
    const session = new Session({ isTTY: true });
    session.type('first\r');
    session.type(CTRL_C);
    expect(session.errors).toMatchObject([{ code: 130 }]);
    expect(session.left).toBe(false);
    session.type(CTRL_C);
    expect(session.left).toBe(true);
    expect(session.screen().endsWith('> \n')).toBe(true);
  });

  it('leaves at Ctrl-D', () => {
    const session = new Session({ isTTY: true });
    session.type(CTRL_D);
    expect(session.left).toBe(true);
  });

  it('answers at once and without end alike', () => {
    const atOnce = new Session({ isTTY: true, answer: () => EMPTY });
    atOnce.type('first\r');
    atOnce.type('second\r');
    expect(atOnce.prompts()).toEqual(['first', 'second']);
    atOnce.end();
    const never = new Session({ isTTY: true, answer: () => NEVER });
    never.type('first\r');
    never.type(CTRL_C);
    never.type('second\r');
    expect(never.prompts()).toEqual(['first', 'second']);
    never.end();
  });
});

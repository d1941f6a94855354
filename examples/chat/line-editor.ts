import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { fromEvent, type Observable, type Unsubscribable } from 'rxjs';

type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };
type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Node's readline as Observables. It asks when told to, and keeps quiet meanwhile: the screen belongs to the answer. */
export class LineEditor implements Unsubscribable {
  readonly line$: Observable<string>;
  /** Ctrl-C. A terminal that edits lines gives it to readline, not to the process. */
  readonly interrupt$: Observable<unknown>;
  /** Ctrl-D, or the end of the input. */
  readonly closed$: Observable<unknown>;
  readonly #readline: Interface;
  readonly #echo: Echo;
  #closed = false;

  constructor(input: Input, output: Output) {
    this.#echo = new Echo(output);
    const terminal = input.isTTY === true && output.isTTY === true;
    this.#readline = createInterface({ input, output: this.#echo, terminal, prompt: '> ' });
    this.line$ = fromEvent(this.#readline, 'line') as Observable<string>;
    this.interrupt$ = fromEvent(this.#readline, 'SIGINT');
    this.closed$ = fromEvent(this.#readline, 'close');
    this.#readline.on('line', () => (this.#echo.open = false));
    this.#readline.on('close', () => {
      this.#closed = true;
      if (this.#echo.open) output.write('\n');
    });
  }

  /** Prompts for a line. What was typed since the last one was typed blindly, and is dropped. */
  ask(): void {
    if (this.#closed) return;
    if (this.#readline.terminal) {
      this.#readline.write(null, { ctrl: true, name: 'e' });
      this.#readline.write(null, { ctrl: true, name: 'u' });
    }
    this.#echo.open = true;
    this.#readline.prompt();
  }

  unsubscribe(): void {
    this.#readline.close();
  }
}

/** The screen as readline sees it: what it draws while it is not asked goes nowhere. */
class Echo extends Writable {
  open = false;
  readonly #output: Output;

  constructor(output: Output) {
    super();
    this.#output = output;
    output.on('resize', () => this.emit('resize'));
  }

  get columns(): number | undefined {
    return this.#output.columns;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.open) this.#output.write(chunk);
    done();
  }
}

import { Component, computed, inject } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { catchError, map, of, scan, startWith, Subject, switchMap, type Observable } from 'rxjs';
import type { DeepPartial } from 'rxjs-openai';
import { injectChatCompletion } from 'rxjs-openai/angular';
import { Online } from '../shared/online';
import { EXAMPLE, MEETING, type Meeting } from './meeting';

interface View {
  readonly status: 'idle' | 'writing' | 'done' | 'error' | 'stopped';
  readonly meeting: DeepPartial<Meeting>;
  readonly message?: string;
}

type Change = (view: View) => View;

const IDLE: View = { status: 'idle', meeting: {} };
const begun: Change = () => ({ status: 'writing', meeting: {} });
const stopped: Change = (view) => (view.status === 'writing' ? { ...view, status: 'stopped' } : view);

/** Text in, a form out that fills in while the model writes. */
@Component({
  selector: 'app-extract-page',
  templateUrl: './extract-page.html',
  host: { class: 'extract' },
})
export class ExtractPage {
  protected readonly online = inject(Online);
  protected readonly example = EXAMPLE;
  readonly #chat = injectChatCompletion();
  /** A text to read; `undefined` stops. Either aborts what is under way, as does the end of the page. */
  readonly #asked = new Subject<string | undefined>();

  protected readonly view = toSignal(
    this.#asked.pipe(
      switchMap((text) => (text === undefined ? of(stopped) : this.#read(text))),
      scan((view, change) => change(view), IDLE),
    ),
    { initialValue: IDLE },
  );
  protected readonly people = computed(() => this.view().meeting.people ?? []);
  protected readonly isWriting = computed(() => this.view().status === 'writing');

  protected submit(event: Event, text: string): void {
    event.preventDefault();
    if (this.isWriting()) this.stop();
    else if (text.trim() !== '' && this.online.isOnline()) this.#asked.next(text);
  }

  protected stop(): void {
    this.#asked.next(undefined);
  }

  #read(text: string): Observable<Change> {
    return this.#chat.json$<Meeting>(`Extract the meeting: ${text}`, {}, { schema: MEETING }).pipe(
      map(({ type, value }): Change => () => ({ status: type === 'final' ? 'done' : 'writing', meeting: value })),
      startWith(begun),
      catchError((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        return of<Change>((view) => ({ ...view, status: 'error', message }));
      }),
    );
  }
}

import { DOCUMENT, inject, Injectable } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { fromEvent, map, merge, NEVER, startWith } from 'rxjs';

/** Whether the browser has a network; a server that renders has one. */
@Injectable({ providedIn: 'root' })
export class Online {
  readonly #window = inject(DOCUMENT).defaultView;
  readonly #changes$ =
    this.#window === null ? NEVER : merge(fromEvent(this.#window, 'online'), fromEvent(this.#window, 'offline'));

  readonly isOnline = toSignal(
    this.#changes$.pipe(
      startWith(undefined),
      map(() => this.#window?.navigator.onLine ?? true),
    ),
    { requireSync: true },
  );
}

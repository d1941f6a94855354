import { afterNextRender, computed, DOCUMENT, inject, Injectable, signal } from '@angular/core';

type Scheme = 'dark' | 'light';

/** Dark or light: as the system has it, until somebody chooses. What was chosen before is on the page already, see index.html. */
@Injectable({ providedIn: 'root' })
export class Theme {
  readonly #page = inject(DOCUMENT).documentElement;
  readonly #chosen = signal<string | undefined>(undefined);
  readonly #system = signal<Scheme>('light');
  readonly isDark = computed(() => (this.#chosen() ?? this.#system()) === 'dark');

  constructor() {
    // In the browser alone: a server knows neither.
    afterNextRender(() => {
      this.#system.set(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
      this.#chosen.set(this.#page.dataset['theme']);
    });
  }

  toggle(): void {
    const chosen: Scheme = this.isDark() ? 'light' : 'dark';
    this.#chosen.set(chosen);
    this.#page.dataset['theme'] = chosen;
    try {
      localStorage.setItem('theme', chosen);
    } catch {
      // Storage may be forbidden: then the choice lasts as long as the page.
    }
  }
}

import { afterNextRender, computed, DOCUMENT, effect, inject, Injectable, signal } from '@angular/core';

const KEY = 'theme';
type Scheme = 'dark' | 'light';

/** Dark or light: as the system has it, until somebody chooses. */
@Injectable({ providedIn: 'root' })
export class Theme {
  readonly #chosen = signal<Scheme | undefined>(undefined);
  readonly #system = signal<Scheme>('light');
  readonly isDark = computed(() => (this.#chosen() ?? this.#system()) === 'dark');

  constructor() {
    const { documentElement } = inject(DOCUMENT);
    // In the browser alone: a server knows neither.
    afterNextRender(() => {
      this.#system.set(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
      const chosen = localStorage.getItem(KEY);
      if (chosen === 'dark' || chosen === 'light') this.#chosen.set(chosen);
    });
    effect(() => {
      const chosen = this.#chosen();
      if (chosen !== undefined) documentElement.dataset['theme'] = chosen;
    });
  }

  toggle(): void {
    const chosen: Scheme = this.isDark() ? 'light' : 'dark';
    this.#chosen.set(chosen);
    localStorage.setItem(KEY, chosen);
  }
}

import { Component, inject } from '@angular/core';
import { RouterLink, RouterLinkActive, RouterOutlet } from '@angular/router';
import { Online } from './shared/online';
import { Theme } from './shared/theme';

@Component({
  selector: 'app-root',
  imports: [RouterLink, RouterLinkActive, RouterOutlet],
  template: `
    <a class="skip" href="#main" (click)="main.focus(); $event.preventDefault()">Skip to the content</a>
    <header>
      <p class="brand"><span aria-hidden="true">◉</span> rxjs-openai</p>
      <nav aria-label="Pages">
        <a
          routerLink="/"
          routerLinkActive="active"
          ariaCurrentWhenActive="page"
          [routerLinkActiveOptions]="{ exact: true }"
          >Chat</a
        >
        <a routerLink="/extract" routerLinkActive="active" ariaCurrentWhenActive="page">Extract</a>
      </nav>
      <button type="button" class="quiet" (click)="theme.toggle()" [attr.aria-pressed]="theme.isDark()">
        <span aria-hidden="true">{{ theme.isDark() ? '☾' : '☼' }}</span>
        <span class="label">Dark</span>
      </button>
    </header>
    @if (!online.isOnline()) {
      <p class="offline" role="alert">You are offline. What has arrived stays; questions can be asked again soon.</p>
    }
    <main id="main" #main tabindex="-1"><router-outlet /></main>
  `,
})
export class App {
  protected readonly theme = inject(Theme);
  protected readonly online = inject(Online);
}

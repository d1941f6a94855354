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
      <p class="brand">
        <svg aria-hidden="true" viewBox="0 0 34 16">
          <path d="M1 8h29m-4-4 4 4-4 4" />
          <circle cx="7" cy="8" r="3.5" />
          <circle cx="17" cy="8" r="3.5" />
        </svg>
        rxjs-openai
      </p>
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
      <button type="button" class="quiet theme" (click)="theme.toggle()" [attr.aria-pressed]="theme.isDark()">
        <svg aria-hidden="true" viewBox="0 0 16 16">
          <circle cx="8" cy="8" r="6.25" />
          <path d="M8 1.75a6.25 6.25 0 0 1 0 12.5z" />
        </svg>
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

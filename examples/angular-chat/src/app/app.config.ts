import { provideBrowserGlobalErrorListeners, type ApplicationConfig } from '@angular/core';
import { provideClientHydration, withEventReplay } from '@angular/platform-browser';
import { provideRouter, withComponentInputBinding, type Routes } from '@angular/router';
import { provideChatCompletion } from 'rxjs-openai/angular';

const routes: Routes = [
  { path: '', title: 'Chat', loadComponent: () => import('./chat/chat-page').then(({ ChatPage }) => ChatPage) },
  {
    path: 'extract',
    title: 'Extract',
    loadComponent: () => import('./extract/extract-page').then(({ ExtractPage }) => ExtractPage),
  },
  { path: '**', redirectTo: '' },
];

export const config: ApplicationConfig = {
  providers: [
    provideBrowserGlobalErrorListeners(),
    provideRouter(routes, withComponentInputBinding()),
    provideClientHydration(withEventReplay()),
    // The relay of server/main.ts, which retries: twice would be too often.
    provideChatCompletion({ url: '/api/chat', retry: false }),
  ],
};

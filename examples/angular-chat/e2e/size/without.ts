import { Component, signal } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { bootstrapApplication } from '@angular/platform-browser';
import { timer } from 'rxjs';

@Component({
  selector: 'app-root',
  template: `
    <button (click)="question.set('What is a river?')">Ask</button>
    <p [attr.aria-busy]="question() !== undefined">{{ question() }}</p>
    <p>{{ seconds() }} s</p>
  `,
})
class App {
  protected readonly seconds = toSignal(timer(0, 1000));
  protected readonly question = signal<string | undefined>(undefined);
}

void bootstrapApplication(App);

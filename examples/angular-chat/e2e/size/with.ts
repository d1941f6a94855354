import { Component, signal } from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { bootstrapApplication } from '@angular/platform-browser';
import { timer } from 'rxjs';
import { chatResource, provideChatCompletion } from 'rxjs-openai/angular';

@Component({
  selector: 'app-root',
  template: `
    <button (click)="question.set('What is a river?')">Ask</button>
    <p [attr.aria-busy]="answer.isLoading()">{{ answer.text() }}</p>
    <p>{{ seconds() }} s</p>
  `,
})
class App {
  protected readonly seconds = toSignal(timer(0, 1000));
  protected readonly question = signal<string | undefined>(undefined);
  protected readonly answer = chatResource({ messages: this.question });
}

void bootstrapApplication(App, { providers: [provideChatCompletion()] });

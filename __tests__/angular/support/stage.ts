import type { EnvironmentProviders, Provider } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { chatResource } from '../../../src/angular/chat-resource.ts';
import type { ChatResource, ChatResourceOptions } from '../../../src/angular/resource-types.ts';
import { injectChat } from '../../../src/angular/chat.ts';
import type { Chat, ChatOptions } from '../../../src/angular/chat-types.ts';
import { provideFakeChatCompletion } from '../../../src/angular/testing/provide-fake.ts';
import { OpenAIChatCompletion } from '../../../src/chat-completion.ts';
import { fakeCompletion, type FakeChatCompletion } from '../../../src/testing/fake-completion.ts';
import { fakeTransport, type FakeScript, type FakeTransport } from '../../../src/testing/fake-transport.ts';
import type { MarbleValues } from '../../../src/testing/marbles.ts';
import { HandClock } from '../../support/client.ts';

/** What the tests of a page's parts run on: a clock that is moved by hand, and effects that run when they are let. */
export class Stage {
  readonly clock = new HandClock();
  /** What `scripted` provides. */
  client!: OpenAIChatCompletion;

  /** A client that gives each call the same answer. */
  fake(marbles: string, values?: MarbleValues, error?: unknown): FakeChatCompletion {
    const fake = fakeCompletion(marbles, values, error, { scheduler: this.clock });
    this.provide(provideFakeChatCompletion(fake));
    return fake;
  }

  /** The real client over scripted exchanges. */
  scripted(script: FakeScript): FakeTransport {
    const transport = fakeTransport(script, { scheduler: this.clock });
    const client = new OpenAIChatCompletion({ transport, scheduler: this.clock, retry: false, timeout: false });
    this.client = client;
    this.provide(provideFakeChatCompletion(client));
    return transport;
  }

  provide(...providers: (Provider | EnvironmentProviders)[]): void {
    TestBed.configureTestingModule({ providers });
  }

  resource(options: ChatResourceOptions): ChatResource {
    return TestBed.runInInjectionContext(() => chatResource({ scheduler: this.clock, ...options }));
  }

  chat(options: ChatOptions = {}): Chat {
    return TestBed.runInInjectionContext(() => injectChat({ scheduler: this.clock, ...options }));
  }

  /** Effects first, then so many milliseconds, then what that has brought. */
  pass(ms = 0): void {
    TestBed.tick();
    this.clock.advance(ms);
    TestBed.tick();
  }
}

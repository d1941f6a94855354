export {
  answer,
  connectionFailure,
  httpError,
  silence,
  type FakeAnswer,
  type FakeConnectionFailure,
  type FakeEnd,
  type FakeErrorReport,
  type FakeExchange,
  type FakeHttpError,
  type FakeSilence,
  type FakeStep,
  type FakeToolCall,
} from './exchange.ts';
export {
  fakeTransport,
  type FakeRequest,
  type FakeScript,
  type FakeTransport,
  type FakeTransportOptions,
} from './fake-transport.ts';
export type { FakeOutcome } from './performance.ts';
export {
  fakeCompletion,
  type FakeCall,
  type FakeChatCompletion,
  type FakeCompletionOptions,
  type FakeSubscription,
} from './fake-completion.ts';
export type { MarbleValues } from './marbles.ts';

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
export type { FakeCall, FakeSubscription } from './fake-call.ts';
export { fakeCompletion, type FakeChatCompletion, type FakeCompletionOptions } from './fake-completion.ts';
export type { MarbleValues } from './marbles.ts';

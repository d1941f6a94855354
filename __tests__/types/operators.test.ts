import { describeVerdicts } from '../support/verdicts.ts';

const IMPORTS = `
import {
  abortOn, accumulate, backoff, collect, measure, retryCompletion, text, timeoutCompletion, type BackoffOptions,
  type CompletionMeasurement, type CompletionSnapshot, type MeasureObserver, type RetryCompletionOptions, type RetryMode,
  type RetryOptions, type TimeoutCompletionOptions,
} from '../../src/operators/index.ts';
import { OpenAIChatCompletion, type CompletionEvent } from '../../src/index.ts';
import type { ChatCompletion } from 'openai/resources/chat/completions';
import { asapScheduler, of, retry, type Observable } from 'rxjs';
declare const chat: OpenAIChatCompletion;
declare const events$: Observable<CompletionEvent>;
declare const numbers$: Observable<number>;
declare const signal: AbortSignal;
declare const mode: RetryMode;
`;

/** What a user may write. */
const ACCEPTED = {
  'retries of events': `const result$: Observable<CompletionEvent> = events$.pipe(retryCompletion())`,
  'retries of text': `const result$: Observable<string> = chat.stream$('Hi').pipe(retryCompletion({ maxRetries: 5 }))`,
  'retries of anything': `const result$: Observable<{ a: 1 } | null> = of<{ a: 1 } | null>(null).pipe(retryCompletion({}))`,
  'retries of text before output, said in so many words': `
    const result$: Observable<string> = of('a').pipe(retryCompletion({ mode: 'before-output' }))`,
  'retries of text with no mode': `const result$: Observable<string> = of('a').pipe(retryCompletion({ mode: undefined }))`,
  'restarts of events': `const result$: Observable<CompletionEvent> = events$.pipe(retryCompletion({ mode: 'restart' }))`,
  'restarts between operators on events': `
    const text$: Observable<string> = events$.pipe(timeoutCompletion(), retryCompletion({ mode: 'restart' }), text());
    const view$: Observable<CompletionSnapshot> = events$.pipe(retryCompletion({ mode: 'restart' }), accumulate());
    const whole$: Observable<ChatCompletion> = events$.pipe(retryCompletion({ mode: 'restart' }), collect());`,
  'a mode from a variable, for events': `events$.pipe(retryCompletion({ mode }))`,
  'options from a variable, for events': `declare const o: RetryCompletionOptions; events$.pipe(retryCompletion(o))`,
  'every option of retries': `
    const options: RetryCompletionOptions = { maxRetries: Infinity, baseDelayMs: 1, maxDelayMs: 2, jitter: 0, maxRetryAfterMs: 5,
      when: (error) => error instanceof Error, random: () => 0.5, mode: 'restart', scheduler: asapScheduler };`,
  'options that may be undefined': `
    declare const n: number | undefined;
    events$.pipe(
      retryCompletion({ maxRetries: n, when: undefined, scheduler: undefined }),
      timeoutCompletion({ outputMs: n, totalMs: undefined }),
    );`,
  'backoff in the retry of RxJS': `
    const result$: Observable<number> = numbers$.pipe(retry({ count: 3, delay: backoff({ baseDelayMs: 200 }) }));
    const other$: Observable<number> = numbers$.pipe(retry({ delay: backoff() }));`,
  'an unknown error in when, that has to be looked at': `
    backoff({ when: (error) => typeof error === 'object' && error !== null && 'status' in error })`,
  'timeouts of anything': `
    const a$: Observable<CompletionEvent> = events$.pipe(timeoutCompletion());
    const b$: Observable<number> = numbers$.pipe(timeoutCompletion({ outputMs: false, totalMs: 5 }));
    const c$: Observable<'x'> = of('x' as const).pipe(timeoutCompletion({ scheduler: asapScheduler }));`,
  'an abort of anything': `
    const a$: Observable<CompletionEvent> = events$.pipe(abortOn(signal));
    const b$: Observable<number> = numbers$.pipe(abortOn(signal));`,
  'measurements of anything': `
    const a$: Observable<CompletionEvent> = events$.pipe(measure({ end: ({ totalMs }) => totalMs.toFixed() }));
    const b$: Observable<number> = numbers$.pipe(measure({}, { scheduler: asapScheduler }));`,
  'a measurement in full': `
    const observer: MeasureObserver = {
      firstOutput: (ms: number) => {},
      end: (it: CompletionMeasurement) => it.usage?.completion_tokens.toFixed(),
    };`,
  'all of them in one pipe': `
    const result$: Observable<CompletionEvent> = chat.events$('Hi', {}, { retry: false }).pipe(
      abortOn(signal), timeoutCompletion({ outputMs: 1 }), retryCompletion({ mode: 'restart' }), measure({}),
    );`,
  "a call's and a client's own retries": `
    chat.events$('Hi', {}, { retry: { mode: 'restart', maxRetries: 5 } });
    chat.events$('Hi', {}, { retry: { mode } });
    chat.stream$('Hi', {}, { retry: { maxRetries: 5 } });
    chat.generate$('Hi', {}, { retry: false });
    new OpenAIChatCompletion({ retry: { mode: 'restart' } });`,
} as const;

/** What was shown as text cannot be withdrawn. */
const NOT_OF_TEXT = /TS2345: .*Function<CompletionEvent>' is not assignable to parameter of type '.*<string, /;
const NO_OVERLOAD = /TS2769: No overload matches/;

/** What the compiler must refuse, and how it puts it. */
const REFUSED: Readonly<Record<string, readonly [code: string, error: RegExp]>> = {
  'restarts of text': [`of('a').pipe(retryCompletion({ mode: 'restart' }))`, NOT_OF_TEXT],
  "restarts of stream$'s text": [`chat.stream$('Hi').pipe(retryCompletion({ mode: 'restart' }))`, NOT_OF_TEXT],
  'restarts after text()': [`events$.pipe(text()).pipe(retryCompletion({ mode: 'restart' }))`, NOT_OF_TEXT],
  'a mode from a variable, for text': [`of('a').pipe(retryCompletion({ mode }))`, NOT_OF_TEXT],
  'options from a variable, for text': [
    `declare const o: RetryCompletionOptions; of('a').pipe(retryCompletion(o))`,
    NOT_OF_TEXT,
  ],
  'a mode that does not exist': [`retryCompletion({ mode: 'always' })`, NO_OVERLOAD],
  'an option of retries that does not exist': [`retryCompletion({ retries: 3 })`, NO_OVERLOAD],
  'the modes of backoff': [`backoff({ mode: 'restart' })`, /TS2353: .*'mode'/],
  'true for a clock': [`timeoutCompletion({ outputMs: true })`, /TS2322: Type 'true'/],
  'a clock that only the client has': [`timeoutCompletion({ idleMs: 5 })`, /TS2353: .*'idleMs'/],
  'a number for the options of a timeout': [`timeoutCompletion(5)`, /TS2559: Type '5' has no properties in common/],
  'a controller for a signal': [`abortOn(new AbortController())`, /TS2345: .*'AbortController'/],
  'no signal': [`abortOn(undefined)`, /TS2345: .*'undefined'/],
  'a measurement that does not exist': [`measure({ ended: () => {} })`, /TS2561: .*'ended'.*'end'/],
  'a change of a measurement': [`measure({ end: (it) => { it.totalMs = 0; } })`, /TS2540: .*'totalMs'/],
  'a restart of a text method': [`chat.stream$('Hi', {}, { retry: { mode: 'restart' } })`, /TS2353: .*'mode'/],
  'a restart of chunks': [`chat.chunks$('Hi', {}, { retry: { mode: 'restart' } })`, /TS2353: .*'mode'/],
  'a restart of an answer in one piece': [
    `chat.completion$('Hi', {}, { retry: { mode: 'restart' } })`,
    /TS2353: .*'mode'/,
  ],
  'true for retries': [`chat.events$('Hi', {}, { retry: true })`, /TS2322: Type 'true'/],
};

describeVerdicts(__dirname, { imports: IMPORTS, accepted: ACCEPTED, refused: REFUSED });

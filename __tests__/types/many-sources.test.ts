import { describeVerdicts } from '../support/verdicts.ts';

const IMPORTS = `
import {
  accumulate, collect, fallbackTo, hedge, text, type CompletionSnapshot, type FallbackOptions, type HedgeOptions,
} from '../../src/operators/index.ts';
import { OpenAIChatCompletion, type CompletionEvent } from '../../src/index.ts';
import { asapScheduler, defer, from, NEVER, of, type Observable, type ObservableInput } from 'rxjs';
declare const chat: OpenAIChatCompletion;
declare const events$: Observable<CompletionEvent>;
declare const text$: Observable<string>;
declare const numbers$: Observable<number>;
declare const mixed$: Observable<string | number>;
`;

/** What a user may write. */
const ACCEPTED = {
  'a canned event for a fallback of events': `
    const a$: Observable<string> =
      events$.pipe(fallbackTo([of({ type: 'text-delta', choice: 0, text: 'sorry' })]), text());`,
  'a canned event for one that restarts': `
    const a$: Observable<CompletionSnapshot> = events$.pipe(
      fallbackTo([of({ type: 'text-delta', choice: 0, text: 'sorry' })], { afterOutput: 'restart' }), accumulate(),
    );`,
  'a canned event for a hedge of events': `
    const a$: Observable<string> =
      events$.pipe(hedge(of({ type: 'text-delta', choice: 0, text: 'sorry' }), { afterMs: 1 }), text());`,
  'other calls, in a list or as a tuple': `
    const list: readonly Observable<CompletionEvent>[] = [events$];
    const a$: Observable<CompletionEvent> = events$.pipe(fallbackTo([chat.events$('Hi'), chat.events$('Ho')]));
    const b$: Observable<CompletionEvent> = events$.pipe(fallbackTo(list));
    const tuple = [of('a'), of('b')] as const;
    const c$: Observable<string> = text$.pipe(fallbackTo(tuple));`,
  'a canned text': `
    const a$: Observable<string> = chat.stream$('Hi').pipe(fallbackTo([of('sorry')]));
    const b$: Observable<string> = chat.stream$('Hi').pipe(hedge(of('sorry'), { afterMs: 1 }));
    const c$: Observable<string> = chat.stream$('Hi').pipe(hedge('sorry', { afterMs: 1 }));`,
  'whatever RxJS takes for a source': `
    const a$: Observable<string> =
      text$.pipe(fallbackTo([Promise.resolve('a'), ['b'], chat.generate$('Hi'), defer(() => of('c')), new Set(['d'])]));
    async function* saying() { yield 'a'; }
    const b$: Observable<string> = text$.pipe(hedge(saying(), { afterMs: 1 }));
    const c$: Observable<string> = text$.pipe(hedge(Promise.resolve('a'), { afterMs: 1 }));`,
  'sources of a part of the values': `
    const a$: Observable<string | number> = mixed$.pipe(fallbackTo([of('x'), of(1)]));
    const b$: Observable<string | number> = mixed$.pipe(hedge(of('x'), { afterMs: 1 }));
    const c$: Observable<string | number> = mixed$.pipe(fallbackTo([of('x')]), hedge(of(1), { afterMs: 1 }));`,
  'sources of other values, which are values of the result': `
    const a$: Observable<string | number> = numbers$.pipe(fallbackTo([of('x')]));
    const b$: Observable<string | number> = numbers$.pipe(hedge(of('x'), { afterMs: 1 }));
    const c$: Observable<number | null> = numbers$.pipe(fallbackTo([of(null)]));`,
  'nothing in place of it': `
    const a$: Observable<string> = text$.pipe(fallbackTo([]));
    const b$: Observable<string> = text$.pipe(hedge(NEVER, { afterMs: 1 }));
    const c$: Observable<string> = text$.pipe(hedge([], { afterMs: 1 }));
    const d$: Observable<string> = text$.pipe(fallbackTo([NEVER]));`,
  'any values, in a function of the caller': `
    function both<T>(source: Observable<T>, other: ObservableInput<T>): Observable<T> {
      return source.pipe(fallbackTo([other]), hedge(other, { afterMs: 1 }));
    }
    const a$: Observable<number> = both(of(1), [2]);`,
  'every option': `
    const never: FallbackOptions = { when: (error) => error instanceof Error, afterOutput: undefined };
    const restart: FallbackOptions = { afterOutput: 'restart' };
    const late: HedgeOptions = { afterMs: 2000, scheduler: asapScheduler };
    const a$: Observable<string> = events$.pipe(fallbackTo([events$], restart), hedge(events$, late), text());
    const b$: Observable<string> =
      text$.pipe(fallbackTo([text$], { afterOutput: 'never', when: undefined }), hedge(text$, { afterMs: 1, scheduler: undefined }));`,
  'options from a variable, for events': `
    declare const options: FallbackOptions;
    events$.pipe(fallbackTo([events$], options), collect());`,
} as const;

const NO_OVERLOAD = /TS2769: No overload matches/;
/** What was shown as text cannot be withdrawn. */
const NOT_OF_TEXT =
  /TS2769: No overload matches|TS2345: .*Function<CompletionEvent>' is not assignable to parameter of type '.*<string, /;

/** What the compiler must refuse, and how it puts it. */
const REFUSED: Readonly<Record<string, readonly [code: string, error: RegExp]>> = {
  'a restart of text': [`text$.pipe(fallbackTo([of('x')], { afterOutput: 'restart' }))`, NOT_OF_TEXT],
  "a restart of stream$'s text": [
    `chat.stream$('Hi').pipe(fallbackTo([chat.stream$('Hi')], { afterOutput: 'restart' }))`,
    NOT_OF_TEXT,
  ],
  'a restart of text by nothing': [`text$.pipe(fallbackTo([], { afterOutput: 'restart' }))`, NOT_OF_TEXT],
  'options from a variable, for text': [
    `declare const options: FallbackOptions; text$.pipe(fallbackTo([of('x')], options))`,
    NOT_OF_TEXT,
  ],
  'an event that does not exist': [
    `events$.pipe(fallbackTo([of({ type: 'text-delta', text: 5 })], { afterOutput: 'restart' }))`,
    NO_OVERLOAD,
  ],
  'other values taken for the same': [
    `const a$: Observable<string> = text$.pipe(fallbackTo([of(1)]))`,
    /TS2322: Type 'Observable<string \| number>'/,
  ],
  'a backup of other values taken for the same': [
    `const a$: Observable<string> = text$.pipe(hedge(of(1), { afterMs: 1 }))`,
    /TS2322: Type 'Observable<string \| number>'/,
  ],
  'one source for a list': [`text$.pipe(fallbackTo(of('x')))`, NO_OVERLOAD],
  'a function for a source': [`text$.pipe(fallbackTo([() => of('x')]))`, NO_OVERLOAD],
  'a function for a backup': [`text$.pipe(hedge(() => of('x'), { afterMs: 1 }))`, NO_OVERLOAD],
  'null for a source': [`text$.pipe(fallbackTo([null]))`, NO_OVERLOAD],
  'a hedge without its time': [`text$.pipe(hedge(of('x')))`, /TS2554: Expected 2 arguments/],
  'an option of a hedge that does not exist': [`text$.pipe(hedge(of('x'), { afterMs: 1, after: 1 }))`, NO_OVERLOAD],
};

describeVerdicts(__dirname, { imports: IMPORTS, accepted: ACCEPTED, refused: REFUSED });

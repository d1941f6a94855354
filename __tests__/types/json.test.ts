import { describeVerdicts } from '../support/verdicts.ts';

const IMPORTS = `
import {
  OpenAIChatCompletion, type DeepPartial, type InferInput, type InferOutput, type JsonEvent, type JsonOptions, type JsonSchema,
  type StandardSchema,
} from '../../src/index.ts';
import { jsonElements, parseJson, partialJson, text } from '../../src/operators/index.ts';
import { OpenAIChatCompletion as Promises, type GenerateJsonOptions, type ObservableIterable } from '../../src/promises.ts';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import { filter, map, of, type Observable } from 'rxjs';
import * as v from 'valibot';
import { z } from 'zod';
declare const chat: OpenAIChatCompletion;
declare const promises: Promises;
declare const text$: Observable<string>;
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Equal<A, B>): void => {};
const City = z.object({
  name: z.string(), state: z.enum(['open', 'closed']), people: z.number().nullable(), tags: z.array(z.object({ tag: z.string() })),
});
interface City { name: string; state: 'open' | 'closed'; people: number | null; tags: { tag: string }[] }
interface CityPart { name?: string; state?: string; people?: number | null; tags?: { tag?: string }[] }
const Dated = z.object({ at: z.string().transform((iso) => new Date(iso)), days: z.number().default(1) });
const VCity = toStandardJsonSchema(v.object({ name: v.string(), state: v.picklist(['open', 'closed']) }));
const ACity = type({ name: 'string', state: "'open' | 'closed'", at: 'string.numeric.parse' });
const PLAIN = { type: 'object', properties: { name: { type: 'string' } } };
const FROZEN = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } as const;
`;

/** What a user may write. */
const ACCEPTED = {
  'a schema of zod, its values told apart by their type': `
    chat.json$('Hi', {}, { schema: City }).subscribe((event) => {
      if (event.type === 'partial') same<typeof event.value, CityPart>(true);
      else same<typeof event.value, City>(true);
    });`,
  'the same by a switch, and none forgotten': `
    chat.json$('Hi', {}, { schema: City }).subscribe((event) => {
      switch (event.type) {
        case 'partial': event.value.tags?.[0]?.tag?.trim(); break;
        case 'final': event.value.tags.map(({ tag }) => tag.trim()); break;
        default: event satisfies never;
      }
    });`,
  'the final value alone, by filter': `
    const city$: Observable<City> = chat.json$('Hi', {}, { schema: City })
      .pipe(filter((event) => event.type === 'final'), map(({ value }) => value));`,
  'a transformation: what the model writes while it does, what is made of it at the end': `
    chat.json$('Hi', {}, { schema: Dated }).subscribe((event) => {
      if (event.type === 'partial') same<typeof event.value, { at?: string; days?: number | undefined }>(true);
      else same<typeof event.value, { at: Date; days: number }>(true);
    });
    same<InferInput<typeof Dated>, { at: string; days?: number | undefined }>(true);
    same<InferOutput<typeof Dated>, { at: Date; days: number }>(true);`,
  'a schema of valibot, wrapped': `
    chat.json$('Hi', {}, { schema: VCity }).subscribe((event) => {
      if (event.type === 'partial') same<typeof event.value, { name?: string; state?: string }>(true);
      else same<typeof event.value, { name: string; state: 'open' | 'closed' }>(true);
    });`,
  'a schema of arktype': `
    chat.json$('Hi', {}, { schema: ACity }).subscribe((event) => {
      if (event.type === 'partial') same<typeof event.value, { name?: string; state?: string; at?: string }>(true);
      else same<typeof event.value, { name: string; state: 'open' | 'closed'; at: number }>(true);
    });`,
  'a JSON Schema, with the type that it describes': `
    chat.json$<City>('Hi', {}, { schema: PLAIN }).subscribe((event) => {
      if (event.type === 'partial') same<typeof event.value, CityPart>(true);
      else same<typeof event.value, City>(true);
    });`,
  'a JSON Schema without a type: something that has to be looked at': `
    const json$: Observable<JsonEvent<unknown>> = chat.json$('Hi', {}, { schema: FROZEN });
    json$.subscribe(({ value }) => { same<typeof value, unknown>(true); });`,
  'a JSON Schema from a variable of its type': `
    declare const schema: JsonSchema;
    chat.json$<City>('Hi', undefined, { schema });`,
  'a schema that a function of the caller is given': `
    function ask<S extends StandardSchema>(schema: S): Observable<JsonEvent<InferOutput<S>, InferInput<S>>> {
      return chat.json$('Hi', {}, { schema });
    }
    const city$: Observable<JsonEvent<City>> = ask(City);`,
  "every option, and OpenAI's parameters": `
    const options: JsonOptions<typeof City> = { schema: City, name: 'city', choice: 1, timeout: false, retry: { maxRetries: 1 },
      signal: AbortSignal.abort(), headers: { a: 'b' }, extraBody: { top_k: 1 }, gate: () => {} };
    chat.json$([{ role: 'user', content: 'Hi' }], { model: 'm', temperature: 1, n: 2 }, options);
    chat.json$('Hi', undefined, { schema: City, name: undefined, choice: undefined });`,
  'a Promise of the value': `
    const a: Promise<City> = promises.generateJson('Hi', {}, { schema: City });
    same<Awaited<ReturnType<typeof dated>>, { at: Date; days: number }>(true);
    function dated() { return promises.generateJson('Hi', {}, { schema: Dated }); }
    const b: Promise<{ name: string; state: 'open' | 'closed' }> = promises.generateJson('Hi', {}, { schema: VCity });
    const c: Promise<City> = promises.generateJson<City>('Hi', {}, { schema: PLAIN });
    promises.generateJson('Hi', {}, { schema: FROZEN }).then((value) => { same<typeof value, unknown>(true); });`,
  'a value that grows, for await': `
    const values: ObservableIterable<JsonEvent<City>> = promises.streamJson('Hi', {}, { schema: City });
    for await (const event of promises.streamJson('Hi', {}, { schema: Dated })) {
      if (event.type === 'partial') same<typeof event.value.at, string | undefined>(true);
      else same<typeof event.value.at, Date>(true);
    }
    for await (const event of promises.streamJson<City>('Hi', {}, { schema: PLAIN })) {
      if (event.type === 'final') same<typeof event.value, City>(true);
    }
    const options: GenerateJsonOptions<typeof City> = { schema: City, name: 'city', choice: 0, retry: false };`,
  'the value of a text': `
    const a$: Observable<City> = text$.pipe(parseJson(City));
    const b$: Observable<{ at: Date; days: number }> = chat.events$('Hi').pipe(text(), parseJson(Dated));
    const c$: Observable<{ name: string; state: 'open' | 'closed' }> = text$.pipe(parseJson(VCity));
    const d$: Observable<{ name: string; state: 'open' | 'closed'; at: number }> = text$.pipe(parseJson(ACity));
    const e$: Observable<City> = text$.pipe(parseJson<City>(PLAIN));
    const f$: Observable<unknown> = text$.pipe(parseJson());
    const g$: Observable<City> = text$.pipe(parseJson<City>());
    text$.pipe(parseJson(FROZEN)).subscribe((value) => { same<typeof value, unknown>(true); });`,
  'a schema that knows no JSON Schema, where none is sent': `
    const a$: Observable<{ name: string }> = text$.pipe(parseJson(v.object({ name: v.string() })));`,
  'the values and elements of a text that grows': `
    text$.pipe(partialJson<City>()).subscribe((value) => { same<typeof value, CityPart>(true); });
    const tags$: Observable<{ tag: string }> = text$.pipe(jsonElements<{ tag: string }>('tags'));
    text$.pipe(jsonElements('tags')).subscribe((value) => { same<typeof value, unknown>(true); });`,
  'a value of which anything may be missing, and each text be the beginning of one': `
    same<DeepPartial<'a' | 'b'>, string>(true);
    same<DeepPartial<'a' | 5 | null>, string | 5 | null>(true);
    same<DeepPartial<{ readonly a: readonly { b: 'x' }[] }>, { readonly a?: readonly { b?: string }[] }>(true);
    same<DeepPartial<{ kind: 'a'; x: 1 } | { kind: 'b' }>, { kind?: string; x?: 1 } | { kind?: string }>(true);
    same<DeepPartial<boolean | number>, boolean | number>(true);`,
} as const;

const NO_OVERLOAD = /TS2769: No overload matches/;

/** What the compiler must refuse, and how it puts it. */
const REFUSED: Readonly<Record<string, readonly [code: string, error: RegExp]>> = {
  'json$ without options': [`chat.json$('Hi', {})`, /TS2554: Expected 3 arguments/],
  'json$ without a schema': [`chat.json$('Hi', {}, {})`, NO_OVERLOAD],
  'json$ with no schema at all': [`chat.json$('Hi', {}, { schema: undefined })`, NO_OVERLOAD],
  'a text for a schema': [`chat.json$('Hi', {}, { schema: 'City' })`, NO_OVERLOAD],
  'a response format beside the schema': [
    `chat.json$('Hi', { response_format: { type: 'json_object' } }, { schema: City })`,
    NO_OVERLOAD,
  ],
  'messages among the parameters': [`chat.json$('Hi', { messages: [] }, { schema: City })`, NO_OVERLOAD],
  'an option that json$ does not have': [`chat.json$('Hi', {}, { schema: City, onLength: 'complete' })`, NO_OVERLOAD],
  'a restart of json$': [`chat.json$('Hi', {}, { schema: City, retry: { mode: 'restart' } })`, NO_OVERLOAD],
  'a partial value taken for a whole one': [
    `chat.json$('Hi', {}, { schema: City }).subscribe(({ value }) => { value.name.trim(); })`,
    /TS18048: 'value.name' is possibly 'undefined'/,
  ],
  'a partial text taken for one that the schema allows': [
    `chat.json$('Hi', {}, { schema: City }).subscribe((event) => {
      if (event.type === 'partial' && event.value.state !== undefined) { const state: 'open' | 'closed' = event.value.state; }
    })`,
    /TS2322: Type 'string' is not assignable to type '"open" \| "closed"'/,
  ],
  'a partial value taken for what its transformation makes': [
    `chat.json$('Hi', {}, { schema: Dated }).subscribe((event) => { if (event.type === 'partial') event.value.at?.getTime(); })`,
    /TS2339: Property 'getTime' does not exist on type 'string'/,
  ],
  'a final value taken for what the model wrote': [
    `chat.json$('Hi', {}, { schema: Dated }).subscribe((event) => { if (event.type === 'final') event.value.at.trim(); })`,
    /TS2339: Property 'trim' does not exist on type 'Date'/,
  ],
  'a change of an event': [
    `chat.json$('Hi', {}, { schema: City }).subscribe((event) => { event.type = 'final'; })`,
    /TS2540: Cannot assign to 'type' because it is a read-only property/,
  ],
  'a property that the schema does not have': [
    `chat.json$('Hi', {}, { schema: City }).subscribe(({ value }) => { value.nmae; })`,
    /TS2339: Property 'nmae' does not exist/,
  ],
  'a value of a JSON Schema of no type, not looked at': [
    `chat.json$('Hi', {}, { schema: FROZEN }).subscribe(({ value }) => { value.name; })`,
    /TS18046: 'value' is of type 'unknown'/,
  ],
  'a Promise of another value': [
    `const city: Promise<{ name: number }> = promises.generateJson('Hi', {}, { schema: City })`,
    /TS2322: Type 'Promise<\{ name: string/,
  ],
  'generateJson without a schema': [`promises.generateJson('Hi', {}, { name: 'city' })`, NO_OVERLOAD],
  'streamJson without options': [`promises.streamJson('Hi')`, /TS2554: Expected 3 arguments/],
  'a gate of their own for Promises': [
    `promises.generateJson('Hi', {}, { schema: City, gate: () => {} })`,
    NO_OVERLOAD,
  ],
  'a gate of their own for iterators': [`promises.streamJson('Hi', {}, { schema: City, gate: () => {} })`, NO_OVERLOAD],
  'a text for the schema of a text': [`text$.pipe(parseJson('City'))`, NO_OVERLOAD],
  'the value of what is no text': [`of(1).pipe(parseJson(City))`, /TS2345: .*'OperatorFunction<number, /],
  'the value of a text taken for another': [
    `const people$: Observable<number> = text$.pipe(parseJson(City))`,
    /TS2322: Type 'Observable<\{ name: string/,
  ],
  'the elements of no list': [`text$.pipe(jsonElements())`, /TS2554: Expected 1 arguments/],
};

describeVerdicts(__dirname, { imports: IMPORTS, accepted: ACCEPTED, refused: REFUSED });

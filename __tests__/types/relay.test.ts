import { describeVerdicts } from '../support/verdicts.ts';

const IMPORTS = `
import { OpenAIChatCompletion } from '../../src/index.ts';
import { createLimiter } from '../../src/operators/index.ts';
import { createRelay, type RelayOptions } from '../../src/relay/index.ts';
const models = ['gpt-4o-mini'];
`;

/** What a user may write. */
const ACCEPTED = {
  'the models alone': `const relay: (request: Request) => Promise<Response> = createRelay({ models })`,
  'a client, or its options': `createRelay({ models, completion: new OpenAIChatCompletion() });
    createRelay({ models, completion: { apiKey: 'key', retry: false } })`,
  'the user that authorize finds': `createRelay({ models,
    authorize: (request: Request) => new Map([['a', { id: 1 }]]).get(request.headers.get('x') ?? ''),
    limiter: (user) => (user.id > 1 ? undefined : createLimiter()),
    onUsage: (usage, { user, outcome }) => [usage?.total_tokens, user.id.toFixed(), outcome === 'left'] })`,
  'a user that is awaited': `createRelay({ models,
    authorize: async (request: Request) => (request.url === '' ? new Response(null, { status: 402 }) : { id: 1 }),
    onUsage: (_, { user }) => user.id.toFixed() })`,
  'nobody, where there is no authorize': `createRelay({ models, onUsage: (_, { user }) => user satisfies undefined })`,
  'rules for fields': `createRelay({ models, params: { n: { max: 2 }, tools: false, x: {}, y: { type: ['string', 'list'] },
    z: { check: (value) => (typeof value === 'string' ? undefined : 'no string') } } })`,
  'clocks, and those that are off': `createRelay({ models, timeout: { bodyMs: 5, headersMs: false } });
    createRelay({ models, timeout: false })`,
  'options that may be undefined': `declare const options: RelayOptions; createRelay({ ...options, origins: undefined })`,
};

/** Mistakes the compiler must find. */
const REFUSED = {
  'no models': [`createRelay({})`, /^TS2345: /],
  'a misspelt option': [`createRelay({ models, origin: [] })`, /^TS2561: .*'origins'/],
  'any origin as a word': [`createRelay({ models, origins: '*' })`, /^TS2322: /],
  'a number for a rule': [`createRelay({ models, params: { max_tokens: 500 } })`, /^TS2322: /],
  'a type that there is not': [`createRelay({ models, params: { n: { type: 'float' } } })`, /^TS2322: /],
  'a clock of the client': [`createRelay({ models, timeout: { idleMs: 5 } })`, /^TS2353: /],
  'a field that the user has not': [
    `createRelay({ models, authorize: () => ({ id: 1 }), onUsage: (_, { user }) => user.name })`,
    /^TS2339: /,
  ],
} as const;

describeVerdicts(__dirname, { imports: IMPORTS, accepted: ACCEPTED, refused: REFUSED });

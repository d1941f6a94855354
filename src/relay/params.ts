/** Which fields of a request reach the upstream server, and within what bounds. */
import { configurationError } from '../errors.ts';
import { isFields } from '../fields.ts';
import { checkNames, validFunction } from '../option-checks.ts';
import { redact } from '../redact.ts';
import { Refusal } from './refusal.ts';

/** What a field may be. */
export type ParamType = 'number' | 'integer' | 'string' | 'boolean' | 'list' | 'object';

/** What is allowed in one field of a request. `{}` allows everything. */
export interface ParamRule {
  /** The type, or several. Default: any; beside a bound, that of the default rule, or a number or a list. */
  readonly type?: ParamType | readonly ParamType[] | undefined;
  /** The smallest number, or the least entries of a list. Default: no bound. */
  readonly min?: number | undefined;
  /** The largest number, or the most entries of a list. Default: no bound. */
  readonly max?: number | undefined;
  /** Says what else is wrong with a value, for the client to read; `undefined`: nothing. */
  readonly check?: ((value: unknown) => string | undefined) | undefined;
}

export type ParamRules = ReadonlyMap<string, ParamRule>;

const TYPES: Readonly<Record<ParamType, (value: unknown) => boolean>> = {
  // JSON may say 1e999, which is Infinity here and null for the server.
  number: Number.isFinite,
  integer: Number.isSafeInteger,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  list: Array.isArray,
  object: isFields,
};

const MAX_TOKENS = 4096;

/**
 * What is allowed by default: what shapes the answer, nothing that costs more than tokens or concerns the account (`store`,
 * `metadata`, `service_tier`, `user`, searches, audio).
 */
const DEFAULT_PARAMS = {
  messages: { type: 'list', min: 1, max: 256, check: accountFiles },
  max_tokens: { type: 'integer', min: 1, max: MAX_TOKENS },
  max_completion_tokens: { type: 'integer', min: 1, max: MAX_TOKENS },
  n: { type: 'integer', min: 1, max: 1 },
  temperature: { type: 'number', min: 0, max: 2 },
  top_p: { type: 'number', min: 0, max: 1 },
  frequency_penalty: { type: 'number', min: -2, max: 2 },
  presence_penalty: { type: 'number', min: -2, max: 2 },
  seed: { type: 'integer' },
  stop: { type: ['string', 'list'], max: 4 },
  response_format: { type: 'object' },
  reasoning_effort: { type: 'string' },
  verbosity: { type: 'string' },
  logprobs: { type: 'boolean' },
  top_logprobs: { type: 'integer', min: 0, max: 20 },
  tools: { type: 'list', max: 128, check: hostedTool },
  tool_choice: { type: ['string', 'object'] },
  parallel_tool_calls: { type: 'boolean' },
} as const satisfies Readonly<Record<string, ParamRule>>;

/** Tools that run at the client cost nothing; others run at the provider, on the account of the relay. */
function hostedTool(tools: unknown): string | undefined {
  const kinds = (Array.isArray(tools) ? (tools as unknown[]) : []).map((tool) =>
    isFields(tool) ? tool['type'] : undefined,
  );
  return kinds.every((kind) => kind === 'function' || kind === 'custom')
    ? undefined
    : 'tools must be of type function or custom';
}

/** Files that lie on the account of the relay are everybody's who can name them. */
function accountFiles(messages: unknown): string | undefined {
  const parts = (Array.isArray(messages) ? (messages as unknown[]) : []).flatMap((message) =>
    isFields(message) && Array.isArray(message['content']) ? (message['content'] as unknown[]) : [],
  );
  const named = parts.some((part) => isFields(part) && isFields(part['file']) && 'file_id' in part['file']);
  return named ? 'messages must bring their files along: file_id is not allowed' : undefined;
}

/** Fields that the relay reads itself. */
const OWN_FIELDS = ['model', 'stream', 'stream_options'];

/** The operator's rules over the defaults, each as a whole. `false` takes a field out. */
export function resolveParams(given: Readonly<Record<string, ParamRule | false | undefined>> | undefined): ParamRules {
  const rules = new Map<string, ParamRule>(Object.entries(DEFAULT_PARAMS));
  if (given !== undefined && !isFields(given)) {
    throw configurationError('params must be an object such as { max_tokens: { max: 500 } }', 'params');
  }
  for (const [name, rule] of Object.entries(given ?? {})) {
    if (OWN_FIELDS.includes(name) || name === '__proto__') {
      throw configurationError(`params must not hold ${name}, which the relay handles itself`, `params.${name}`);
    }
    if (rule === false && name === 'messages') {
      throw configurationError('params.messages must not be false: every request has messages', 'params.messages');
    }
    if (rule === false) rules.delete(name);
    else if (rule !== undefined) rules.set(name, validRule(rule, `params.${name}`, rules.get(name)?.type));
  }
  return rules;
}

function validRule(rule: ParamRule, name: string, byDefault: ParamRule['type']): ParamRule {
  if (typeof rule !== 'object' || rule === null) {
    throw configurationError(`${name} must be an object such as { max: 500 }, or false`, name);
  }
  checkNames(rule, ['type', 'min', 'max', 'check'], name);
  const types = typesOf(rule);
  if (!types.every((type) => Object.hasOwn(TYPES, type))) {
    throw configurationError(`${name}.type must be of ${Object.keys(TYPES).join(', ')}`, `${name}.type`);
  }
  for (const bound of ['min', 'max'] as const) {
    const value = rule[bound];
    if (value === undefined || (typeof value === 'number' && !Number.isNaN(value))) continue;
    throw configurationError(`${name}.${bound} must be a number`, `${name}.${bound}`);
  }
  validFunction(`${name}.check`, rule.check, () => undefined);
  const bounded = rule.min !== undefined || rule.max !== undefined;
  // A bound on what is no number and no list would be none: "99999" is not larger than 500.
  return rule.type === undefined && bounded ? { ...rule, type: byDefault ?? ['number', 'list'] } : rule;
}

const typesOf = ({ type }: ParamRule): readonly ParamType[] =>
  type === undefined ? [] : typeof type === 'string' ? [type] : type;

/** The fields that go upstream. Throws a 400 that names the first field that may not. `null` counts as left out. */
export function allowedParams(
  fields: Readonly<Record<string, unknown>>,
  rules: ParamRules,
): Readonly<Record<string, unknown>> {
  const allowed: [string, unknown][] = [];
  for (const [name, value] of Object.entries(fields)) {
    const rule = rules.get(name);
    if (rule === undefined) throw unknownField(name);
    if (value === null) continue;
    const wrong = wrongWith(name, value, rule);
    if (wrong !== undefined) throw invalid(name, wrong);
    allowed.push([name, value]);
  }
  return Object.fromEntries(capped(allowed, rules));
}

function wrongWith(name: string, value: unknown, rule: ParamRule): string | undefined {
  const types = typesOf(rule);
  if (types.length > 0 && !types.some((type) => TYPES[type](value)))
    return `${name} must be of type ${types.join(' or ')}`;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = rule;
  if (typeof value === 'number' && value < min) return `${name} must be at least ${String(min)}`;
  if (typeof value === 'number' && value > max) return `${name} must be at most ${String(max)}`;
  if (Array.isArray(value) && value.length < min) return `${name} must have at least ${String(min)} entries`;
  if (Array.isArray(value) && value.length > max) return `${name} must have at most ${String(max)} entries`;
  return rule.check?.(value);
}

/** Who names no limit gets the highest: a bound that ends where a field is left out would be none. */
function capped(
  allowed: readonly (readonly [string, unknown])[],
  rules: ParamRules,
): readonly (readonly [string, unknown])[] {
  const limits = ['max_completion_tokens', 'max_tokens'];
  if (allowed.some(([name]) => limits.includes(name))) return allowed;
  const name = limits.find((limit) => rules.get(limit)?.max !== undefined);
  return name === undefined ? allowed : [...allowed, [name, rules.get(name)?.max]];
}

/** A 400 about one field. */
export function invalid(param: string, message: string): Refusal {
  return new Refusal(400, redact(message), { code: 'invalid_value', param: redact(param, [], 60) });
}

export function unknownField(name: string): Refusal {
  const shown = redact(name, [], 60);
  return new Refusal(400, `The relay does not allow the field ${shown}`, { code: 'unknown_parameter', param: shown });
}

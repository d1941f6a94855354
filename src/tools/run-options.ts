/** What a run is held to: parameters and options, checked. */
import type { SchedulerLike } from 'rxjs';
import { MAX_TIMER_MS } from '../deadline-clock.ts';
import { configurationError } from '../errors.ts';
import { validFunction, validMembers, validNumber, validScheduler, validWord } from '../option-checks.ts';
import {
  checkOptions,
  fields,
  STREAM_OPTION_NAMES,
  type ChatCompletionParams,
  type ChoiceOptions,
  type EventsCallOptions,
} from '../request.ts';
import type { Approve, ExecuteSettings } from './execute.ts';
import type { Tool } from './tool.ts';

/** Parameters of `runTools$`: the tools are in its options. */
export type ToolRunParams = Omit<ChatCompletionParams, 'tools' | 'n'>;

/** Options of `runTools$`. Those of a call (`timeout`, `retry`, `headers` …) hold for each round. */
export interface ToolRunOptions extends EventsCallOptions, Pick<ChoiceOptions, 'onLength'> {
  /** What the model may call. */
  readonly tools: readonly Tool[];
  /** How often the model is asked at most. Default: 10. */
  readonly maxRounds?: number | undefined;
  /** How many calls of one round run side by side. Default: all. */
  readonly concurrency?: number | undefined;
  /** How long one tool may take, in milliseconds, the time for `approve` not included. Default: as long as it likes. */
  readonly toolTimeoutMs?: number | undefined;
  /**
   * What becomes of wrong arguments, an unknown tool and an error in one. `report`: the model is told, and can do better; `fail`: the
   * run ends in the error. Default: `report`.
   */
  readonly onToolError?: 'report' | 'fail' | undefined;
  /** Asked before each call. Without a clear yes the tool is not executed, and the model is told. Default: nobody is asked. */
  readonly approve?: Approve | undefined;
  /** What `toolTimeoutMs` runs on. Default: the client's scheduler. */
  readonly scheduler?: SchedulerLike | undefined;
}

const RUN_TOOLS_DEFAULTS = {
  maxRounds: 10,
  concurrency: Number.POSITIVE_INFINITY,
  onToolError: 'report',
} as const;

const OPTION_NAMES = [
  'tools',
  'maxRounds',
  'concurrency',
  'toolTimeoutMs',
  'onToolError',
  'onLength',
  'approve',
  'scheduler',
] as const satisfies readonly (keyof ToolRunOptions)[];

/** The same with every default. */
export interface RunSettings {
  /** Of each call of `events$`. */
  readonly call: EventsCallOptions;
  readonly params: ChatCompletionParams;
  readonly maxRounds: number;
  readonly concurrency: number;
  readonly onLength: 'complete' | 'error';
  readonly execute: ExecuteSettings;
}

/** Throws a `configuration` error that names the option and the remedy. The signal is for the caller: it ends the run, not a round. */
export function resolveRun(params: ToolRunParams | undefined, options: ToolRunOptions): RunSettings {
  checkOptions(options, [...STREAM_OPTION_NAMES, ...OPTION_NAMES], 'runTools$');
  const { tools, maxRounds, concurrency, toolTimeoutMs, onToolError, onLength, approve, scheduler, ...call } = options;
  const byName = toolsByName(tools);
  const atLeastOne = { min: 1, whole: true };
  const max = MAX_TIMER_MS;
  return {
    call: { ...call, signal: undefined },
    params: { ...paramsOf(params), tools: [...byName.values()].map(({ definition }) => definition) },
    maxRounds: validNumber('maxRounds', maxRounds, RUN_TOOLS_DEFAULTS.maxRounds, atLeastOne),
    concurrency: validNumber('concurrency', concurrency, RUN_TOOLS_DEFAULTS.concurrency, atLeastOne),
    onLength: validWord('onLength', onLength, ['complete', 'error']),
    execute: {
      tools: byName,
      toolTimeoutMs:
        toolTimeoutMs === undefined ? undefined : validNumber('toolTimeoutMs', toolTimeoutMs, max, { min: 1, max }),
      onToolError: validWord('onToolError', onToolError, ['report', 'fail']),
      approve: approve === undefined ? undefined : validFunction('approve', approve, approve),
      scheduler: validScheduler(scheduler),
    },
  };
}

function toolsByName(tools: unknown): ReadonlyMap<string, Tool> {
  if (!Array.isArray(tools) || tools.length === 0) {
    throw configurationError('tools must be a list of at least one tool; make it by tool()', 'tools');
  }
  const byName = new Map<string, Tool>();
  for (const each of tools as readonly (Tool | undefined)[]) {
    const found = validMembers(each, 'tools[]', ['validate', 'execute']);
    if (found === undefined) throw configurationError('tools must hold tools made by tool()', 'tools');
    if (byName.has(found.name)) throw configurationError(`tools has two tools of the name ${found.name}`, 'tools');
    byName.set(found.name, found);
  }
  return byName;
}

function paramsOf(params: ToolRunParams | undefined): ChatCompletionParams {
  const given = fields(params, 'params');
  if (given['tools'] !== undefined) {
    throw configurationError('params must not hold tools: pass them in the options, made by tool()', 'tools');
  }
  if (given['n'] !== undefined && given['n'] !== null && given['n'] !== 1) {
    throw configurationError('runTools$ goes on with one answer: leave n out', 'n');
  }
  return given;
}

import { configurationError } from './errors.ts';

/** What a call reports to: `console`, pino, winston and most others satisfy it. Each line is one complete string. */
export interface Logger {
  readonly error: (message: string) => void;
  readonly warn: (message: string) => void;
  readonly info: (message: string) => void;
  readonly debug: (message: string) => void;
}

/** How much is logged: every level includes the ones before it. */
export type LogLevel = 'off' | 'error' | 'warn' | 'info' | 'debug';

export const LOG_LEVELS: readonly LogLevel[] = ['off', 'error', 'warn', 'info', 'debug'];

/**
 * A logger that drops what is above `level` and survives a failing target: logging is never worth a lost answer. The
 * methods of `target` are called on it, so class-based loggers keep their `this`.
 */
export function levelledLogger(target: Logger, level: LogLevel): Logger {
  const rank = LOG_LEVELS.indexOf(level);
  const at =
    (method: Exclude<LogLevel, 'off'>) =>
    (message: string): void => {
      if (LOG_LEVELS.indexOf(method) > rank) return;
      try {
        target[method](message);
      } catch {
        // A full disk or a closed transport of the logger must not break the call.
      }
    };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

/** The level of the option, else of the variable, else the default. */
export function logLevelOf(option: unknown, variable: string | undefined, byDefault: LogLevel): LogLevel {
  const isLevel = (value: unknown): value is LogLevel => (LOG_LEVELS as readonly unknown[]).includes(value);
  if (option !== undefined) {
    if (isLevel(option)) return option;
    throw configurationError(`logLevel must be one of ${LOG_LEVELS.join(', ')}`, 'logLevel');
  }
  // The variable is shared with the SDK and other programs: a level only they know must not stop this one.
  const level = variable?.trim();
  return isLevel(level) ? level : byDefault;
}
